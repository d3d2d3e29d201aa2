//! JSON (RFC 8259) as a flat list of nodes with byte spans: nothing is copied, nothing is converted.
//!
//! The reader is strict and total at once: what a strict parser would refuse is reported as a [`Defect`], and
//! everything up to the point where the structure breaks is still there to be inspected.

pub(crate) mod text;

use writ_base::Limit;

/// How deeply arrays and objects may nest: the limit of the parsers behind most services.
pub static DEPTH: Limit = Limit::new("protocol.json_depth", "levels", 128);
/// How many keys and values one body may have.
pub static NODES: Limit = Limit::new("protocol.json_nodes", "nodes", 2_000_000);

/// A JSON text, read.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    /// The first thing that a strict parser would refuse.
    pub(crate) defect: Option<Defect>,
    /// How many bytes are covered by the nodes; what follows was not understood.
    pub(crate) read: usize,
}

/// A key or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Of a string or key: whether it has escapes.
    pub(crate) escaped: bool,
    /// Its first byte; of a string or key, the first byte inside the quotes.
    pub(crate) start: u32,
    /// The byte after its last one; of a string or key, the closing quote.
    pub(crate) end: u32,
    /// The number of the node that follows this one and everything inside it.
    after: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true`, `false` or `null`.
    Literal,
    Number,
    String,
    Key,
    Array,
    Object,
}

/// What makes parsers read a JSON text differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Not JSON from some byte on.
    Syntax,
    /// Bytes that are not UTF-8.
    Utf8,
    /// The same key twice in an object.
    DuplicateKey,
    /// Half of a surrogate pair as an escape.
    LoneSurrogate,
    /// A control character inside a string.
    ControlCharacter,
    /// Something after the value.
    Trailing,
    /// Deeper than [`DEPTH`].
    TooDeep,
    /// More than [`NODES`].
    TooMany,
}

impl Tape {
    /// Reads `text`.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader {
            text: text.as_bytes(),
            at: 0,
            nodes: Vec::with_capacity(text.len() / 32 + 8),
            open: Vec::new(),
            defect: None,
            names: Vec::new(),
        };
        if let Err(defect) = reader.run() {
            reader.defect.get_or_insert(defect);
        }
        let (read, count) = (reader.at.min(text.len()), reader.nodes.len());
        while let Some(index) = reader.open.pop() {
            reader.close(index, read, count);
        }
        Self { nodes: reader.nodes, defect: reader.defect, read }
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> Option<(usize, Node)> {
        self.nodes.first().map(|node| (0, *node))
    }

    pub(crate) fn node(&self, index: usize) -> Option<Node> {
        self.nodes.get(index).copied()
    }

    /// The elements of an array.
    pub(crate) fn elements(&self, index: usize) -> impl Iterator<Item = (usize, Node)> + '_ {
        let end = self.end_of(index);
        let mut next = index + 1;
        std::iter::from_fn(move || {
            let at = (next < end).then_some(next)?;
            let node = self.node(at)?;
            next = (node.after as usize).max(at + 1);
            Some((at, node))
        })
    }

    /// The members of an object as (key, number of the value, value). A key whose value was not read is left out.
    pub(crate) fn members(&self, index: usize) -> impl Iterator<Item = (Node, usize, Node)> + '_ {
        let end = self.end_of(index);
        let mut next = index + 1;
        std::iter::from_fn(move || {
            let key = self.node(next)?;
            let value = (next + 1 < end).then_some(next + 1)?;
            let node = self.node(value)?;
            next = (node.after as usize).max(value + 1);
            Some((key, value, node))
        })
    }

    fn end_of(&self, index: usize) -> usize {
        self.node(index).map_or(0, |node| node.after as usize)
    }
}

impl Node {
    /// Its bytes in the text, quotes included.
    pub(crate) fn outer(self) -> std::ops::Range<usize> {
        let quote = usize::from(matches!(self.kind, Kind::String | Kind::Key));
        (self.start as usize).saturating_sub(quote)..self.end as usize + quote
    }

    /// Its bytes in the text, without quotes.
    pub(crate) fn inner(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<usize>,
    defect: Option<Defect>,
    names: Vec<&'a [u8]>,
}

impl<'a> Reader<'a> {
    fn run(&mut self) -> Result<(), Defect> {
        loop {
            if self.value()? {
                continue;
            }
            loop {
                let Some(index) = self.open.last().copied() else { return self.trailing() };
                let object = self.nodes.get(index).is_some_and(|node| node.kind == Kind::Object);
                self.space();
                match (self.peek(), object) {
                    (Some(b','), _) => {
                        self.at += 1;
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        self.open.pop();
                        let count = self.nodes.len();
                        self.close(index, self.at, count);
                        if object {
                            self.check_keys(index);
                        }
                    }
                    _ => return Err(Defect::Syntax),
                }
            }
        }
    }

    /// Reads one value; true if it opened a container whose first value is next.
    fn value(&mut self) -> Result<bool, Defect> {
        self.space();
        let start = self.at;
        match self.peek().ok_or(Defect::Syntax)? {
            b'"' => self.string(Kind::String).map(|()| false),
            open @ (b'{' | b'[') => {
                self.at += 1;
                let (kind, close) = if open == b'{' { (Kind::Object, b'}') } else { (Kind::Array, b']') };
                if !DEPTH.admits(self.open.len() + 1) {
                    self.at = start;
                    return Err(Defect::TooDeep);
                }
                let index = self.nodes.len();
                self.push(kind, false, start, self.at)?;
                self.space();
                if self.peek() == Some(close) {
                    self.at += 1;
                    self.close(index, self.at, index + 1);
                    return Ok(false);
                }
                self.open.push(index);
                if kind == Kind::Object {
                    self.key()?;
                }
                Ok(true)
            }
            b'-' | b'0'..=b'9' => self.number().map(|()| false),
            b't' => self.literal(b"true").map(|()| false),
            b'f' => self.literal(b"false").map(|()| false),
            b'n' => self.literal(b"null").map(|()| false),
            _ => Err(Defect::Syntax),
        }
    }

    fn key(&mut self) -> Result<(), Defect> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(Defect::Syntax);
        }
        self.string(Kind::Key)?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(Defect::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self, kind: Kind) -> Result<(), Defect> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += special(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let escape = text::escape(self.text.get(at..).unwrap_or_default()).ok_or(Defect::Syntax)?;
                    if escape.lone {
                        self.defect.get_or_insert(Defect::LoneSurrogate);
                    }
                    at += escape.length;
                }
                Some(_) => {
                    self.defect.get_or_insert(Defect::ControlCharacter);
                    at += 1;
                }
                None => return Err(Defect::Syntax),
            }
        }
        self.at = at + 1;
        self.push(kind, escaped, start, at)
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Result<(), Defect> {
        let start = self.at;
        let mut at = start + usize::from(self.peek() == Some(b'-'));
        let digits =
            |at: usize| self.text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(at);
        if whole == 0 || (whole > 1 && self.text.get(at) == Some(&b'0')) {
            return Err(Defect::Syntax);
        }
        at += whole;
        if self.text.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return Err(Defect::Syntax);
            }
            at += 1 + fraction;
        }
        if matches!(self.text.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.text.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at + 1 + sign);
            if exponent == 0 {
                return Err(Defect::Syntax);
            }
            at += 1 + sign + exponent;
        }
        self.at = at;
        self.push(Kind::Number, false, start, at)
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Defect> {
        let (start, end) = (self.at, self.at + word.len());
        if self.text.get(start..end) != Some(word) {
            return Err(Defect::Syntax);
        }
        self.at = end;
        self.push(Kind::Literal, false, start, end)
    }

    fn trailing(&mut self) -> Result<(), Defect> {
        let end = self.at;
        self.space();
        if self.at < self.text.len() {
            self.at = end;
            return Err(Defect::Trailing);
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) -> Result<(), Defect> {
        let position = |at: usize| u32::try_from(at).map_err(|_| Defect::TooMany);
        if self.nodes.len() >= NODES.value() {
            NODES.hit();
            self.at = start;
            return Err(Defect::TooMany);
        }
        let after = position(self.nodes.len() + 1)?;
        self.nodes.push(Node { kind, escaped, start: position(start)?, end: position(end)?, after });
        Ok(())
    }

    fn close(&mut self, index: usize, end: usize, after: usize) {
        if let Some(node) = self.nodes.get_mut(index) {
            // Both fit: `push` refused anything that does not.
            node.end = u32::try_from(end).unwrap_or(u32::MAX);
            node.after = u32::try_from(after).unwrap_or(u32::MAX);
        }
    }

    /// Looks for the same key twice in an object that was just closed.
    fn check_keys(&mut self, object: usize) {
        if self.defect.is_some() {
            return;
        }
        self.names.clear();
        let (mut next, mut escaped) = (object + 1, false);
        while let Some(key) = self.nodes.get(next) {
            escaped |= key.escaped;
            self.names.push(self.text.get(key.inner()).unwrap_or_default());
            let Some(value) = self.nodes.get(next + 1) else { break };
            next = value.after as usize;
        }
        let twice = if escaped {
            let mut names: Vec<String> = self.names.iter().map(|raw| text::unescaped_bytes(raw)).collect();
            names.sort_unstable();
            names.windows(2).any(|pair| pair.first() == pair.last())
        } else {
            repeats(&mut self.names)
        };
        if twice {
            self.defect = Some(Defect::DuplicateKey);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
}

/// Whether a name stands twice in the list. Most objects have a handful of keys: comparing each pair beats sorting.
fn repeats(names: &mut [&[u8]]) -> bool {
    const PAIRWISE: usize = 12;
    if names.len() <= PAIRWISE {
        return names.iter().enumerate().any(|(index, name)| names.iter().take(index).any(|other| other == name));
    }
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

/// How many bytes come before the next quote, backslash or control character.
fn special(bytes: &[u8]) -> usize {
    text::position(bytes, |word| {
        let control = word.wrapping_sub(text::repeated(0x20)) & !word & text::HIGH_BITS;
        control | text::equal(word, b'"') | text::equal(word, b'\\')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(text: &str) -> Option<Defect> {
        Tape::read(text).defect
    }

    #[test]
    fn names_what_a_strict_parser_would_refuse() {
        for (text, expected) in [
            (r#"{"a":1,"a":2}"#, Defect::DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, Defect::DuplicateKey),
            (r#"["\ud800"]"#, Defect::LoneSurrogate),
            (r#"["\ud800\u0041"]"#, Defect::LoneSurrogate),
            (r#"["\udc00"]"#, Defect::LoneSurrogate),
            ("[\"a\nb\"]", Defect::ControlCharacter),
            ("{} x", Defect::Trailing),
            ("{}{}", Defect::Trailing),
            ("[1,]", Defect::Syntax),
            ("[01]", Defect::Syntax),
            ("[1.]", Defect::Syntax),
            ("[1e]", Defect::Syntax),
            ("[-]", Defect::Syntax),
            ("{\"a\"}", Defect::Syntax),
            ("{a:1}", Defect::Syntax),
            ("[1}", Defect::Syntax),
            ("\u{feff}{}", Defect::Syntax),
            ("[\"\\x\"]", Defect::Syntax),
            ("[nul]", Defect::Syntax),
            ("", Defect::Syntax),
            ("[", Defect::Syntax),
        ] {
            assert_eq!(defect(text), Some(expected), "{text}");
        }
        assert_eq!(defect(&format!("{}{}", "[".repeat(129), "]".repeat(129))), Some(Defect::TooDeep));
        assert_eq!(defect(&format!("{}{}", "[".repeat(128), "]".repeat(128))), None);
        assert_eq!(defect(r#" {"a" : [1.5e-3, -0, true, null, "\ud83d\ude00"], "b":{} } "#), None);
    }

    #[test]
    fn what_was_read_before_the_structure_broke_is_there() {
        let text = r#"{"a":"one","b":["two", x"#;
        let tape = Tape::read(text);
        let strings: Vec<&str> = tape
            .nodes
            .iter()
            .filter(|node| node.kind == Kind::String)
            .map(|node| text.get(node.inner()).unwrap())
            .collect();
        assert_eq!(strings, ["one", "two"]);
        assert_eq!(tape.members(0).count(), 2);
        assert_eq!(text.get(tape.read..), Some("x"));
    }

    #[test]
    fn many_keys_are_compared_by_sorting() {
        let keys: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
        assert_eq!(defect(&format!("{{{}}}", keys.join(","))), None);
        assert_eq!(defect(&format!("{{{},\"k7\":0}}", keys.join(","))), Some(Defect::DuplicateKey));
    }
}
