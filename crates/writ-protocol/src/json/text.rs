//! Strings of JSON: escapes read, written, and followed back to where they came from.

/// An escape sequence.
pub(crate) struct Escape {
    /// The character it stands for; U+FFFD for half of a surrogate pair.
    pub(crate) character: char,
    /// How many bytes it takes.
    pub(crate) length: usize,
    /// Whether it is half of a surrogate pair.
    pub(crate) lone: bool,
}

/// The highest bit of each byte of a word.
pub(crate) const HIGH_BITS: u64 = repeated(0x80);

/// A word of eight equal bytes.
pub(crate) const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes of a word that equal `byte` with their highest bit. The lowest mark is right, marks above it may be
/// wrong. Source: S. E. Anderson, "Bit Twiddling Hacks", determine if a word has a byte equal to n.
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ repeated(byte);
    difference.wrapping_sub(repeated(1)) & !difference & HIGH_BITS
}

/// How many bytes come before the first that `mark` marks in a word of eight. Strings are short and escapes dense:
/// eight bytes at a time beat a vector search with its start-up.
#[inline]
pub(crate) fn position(bytes: &[u8], mark: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let marks = mark(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    // Padded with a letter, which nobody looks for.
    let mut last = [b'a'; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let marks = mark(u64::from_le_bytes(last));
    at + if marks == 0 { rest.len() } else { (marks.trailing_zeros() / 8) as usize }
}

/// How many bytes come before the next backslash.
#[inline]
fn backslash(bytes: &[u8]) -> usize {
    position(bytes, |word| equal(word, b'\\'))
}

/// The escape at the start of `bytes` (RFC 8259 section 7), or `None` if there is none.
#[inline]
pub(crate) fn escape(bytes: &[u8]) -> Option<Escape> {
    if bytes.first() != Some(&b'\\') {
        return None;
    }
    let character = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(bytes),
        _ => return None,
    };
    Some(Escape { character, length: 2, lone: false })
}

fn unicode(bytes: &[u8]) -> Option<Escape> {
    let first = hex(bytes.get(2..6)?)?;
    if let Some(character) = char::from_u32(first) {
        return Some(Escape { character, length: 6, lone: false });
    }
    let second = match bytes.get(6..8) {
        Some(b"\\u") => bytes.get(8..12).and_then(hex),
        _ => None,
    };
    if let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (first, second) {
        let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00))?;
        return Some(Escape { character, length: 12, lone: false });
    }
    Some(Escape { character: char::REPLACEMENT_CHARACTER, length: 6, lone: true })
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

/// Appends the text that the inside of a JSON string stands for. Backslashes that begin no escape stay.
pub(crate) fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    loop {
        let at = backslash(rest.as_bytes());
        if at == rest.len() {
            break;
        }
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let (character, length) = match escape(tail.as_bytes()) {
            Some(escape) => (escape.character, escape.length),
            None => ('\\', 1),
        };
        out.push(character);
        rest = tail.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The text of a string given as bytes, for comparing keys.
pub(crate) fn unescaped_bytes(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    unescape(&String::from_utf8_lossy(raw), &mut text);
    text
}

/// Appends `text` as the inside of a JSON string.
pub(crate) fn escape_into(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if short.is_empty() {
            out.push_str("\\u00");
            out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
        out.push_str(short);
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// `text` as the inside of a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    escape_into(text, &mut out);
    out
}

/// Follows offsets of a text back into the raw string that it was read from, in rising order, without a table: the
/// raw string is its own map, and only an edit ever asks.
pub(crate) struct BackMap<'a> {
    raw: &'a str,
    at: usize,
    text: usize,
}

impl<'a> BackMap<'a> {
    pub(crate) const fn new(raw: &'a str) -> Self {
        Self { raw, at: 0, text: 0 }
    }

    /// The raw offset at which the text has `target` bytes before it; `None` inside a character, past the end, or if
    /// an earlier call asked for more.
    pub(crate) fn raw_of(&mut self, target: usize) -> Option<usize> {
        while self.text < target {
            let tail = self.raw.get(self.at..)?;
            let plain = backslash(tail.as_bytes());
            let step = plain.min(target - self.text);
            if step > 0 {
                self.at += step;
                self.text += step;
                continue;
            }
            let (written, length) = match escape(tail.as_bytes()) {
                Some(escape) => (escape.character.len_utf8(), escape.length),
                None if tail.is_empty() => return None,
                None => (1, 1),
            };
            self.text += written;
            self.at += length;
        }
        (self.text == target && self.raw.is_char_boundary(self.at)).then_some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offsets_lead_back_through_escapes() {
        let raw = r#"a\né\ud83d\ude00\"z"#;
        let mut text = String::new();
        unescape(raw, &mut text);
        assert_eq!(text, "a\né😀\"z");
        let mut map = BackMap::new(raw);
        let raws: Vec<_> = [0, 1, 2, 4, 8, 9, 10].map(|at| map.raw_of(at)).into();
        assert_eq!(raws, [0, 1, 3, 5, 17, 19, 20].map(Some));
        assert_eq!(map.raw_of(11), None, "past the end");
        assert_eq!(BackMap::new(raw).raw_of(6), None, "inside a character");
        assert_eq!(BackMap::new(raw).raw_of(3), None, "inside a character");
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back(text in ".{0,40}") {
            let mut back = String::new();
            unescape(&escaped(&text), &mut back);
            prop_assert_eq!(&back, &text);
            prop_assert_eq!(format!("\"{}\"", escaped(&text)).parse::<serde_json::Value>().unwrap(), text);
        }

        #[test]
        fn escaped_text_agrees_with_serde_json(text in any::<String>()) {
            let raw = serde_json::to_string(&text).unwrap();
            let mut back = String::new();
            unescape(raw.get(1..raw.len() - 1).unwrap(), &mut back);
            prop_assert_eq!(back, text);
        }
    }
}
