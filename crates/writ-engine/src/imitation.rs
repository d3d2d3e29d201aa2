//! Answers of a model that speak as the organisation does: with its mark, its way to name itself, or the first words of
//! a stop. Nobody but Writ may sound like Writ, so that people can rely on what it says.
//!
//! A quotation looks the same. So nothing is taken away: words are said who wrote them, before the first of them, and a
//! mark says that it is none. Matching is exact but for case, markup and white space; whoever words it otherwise is not
//! noticed.

use std::ops::Range;

use crate::voice::Voice;

/// What in a text of a model sounds like Writ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Imitation {
    /// Where.
    pub(crate) span: Range<usize>,
    /// What.
    pub(crate) kind: Kind,
}

/// What is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first words of a stop, at the beginning of an answer.
    Opening,
    /// The words by which the organisation says that it speaks.
    Sender,
    /// The beginning of a mark: `[writ `. Also a true one: a copy proves nothing.
    Mark,
}

/// The words and the mark by which Writ is known in one organisation.
pub(crate) struct Imitations {
    openings: Vec<Pattern>,
    anywhere: Vec<Pattern>,
    /// Whether a byte can begin one of `anywhere`.
    first: [bool; 256],
}

struct Pattern {
    kind: Kind,
    signs: Vec<Sign>,
}

/// What one place of a pattern takes.
#[derive(Clone, Copy)]
enum Sign {
    /// This character, in either case.
    Letter(char),
    /// White space, some of it.
    Space,
    /// Exactly this character.
    Exact(char),
    /// A digit or capital letter of a reference code.
    Code,
    /// A digit of a seal.
    Hex,
}

/// How a pattern fits at a place.
enum Fit {
    Whole(usize),
    /// As far as the text goes.
    SoFar,
    No,
}

/// Bytes at the beginning of an answer that may be markup before its first word.
const LEAD: usize = 64;

impl Imitations {
    /// What would be taken for this voice.
    pub(crate) fn of(voice: &Voice) -> Self {
        let words = |texts: Vec<String>, kind| texts.into_iter().map(move |text| Pattern::words(&text, kind));
        let openings: Vec<_> = words(voice.openings(), Kind::Opening).collect();
        let mut anywhere: Vec<_> = words(voice.senders(), Kind::Sender).collect();
        anywhere.push(Pattern::mark());
        let mut first = [false; 256];
        for pattern in &anywhere {
            for byte in pattern.first_bytes() {
                if let Some(begins) = first.get_mut(usize::from(byte)) {
                    *begins = true;
                }
            }
        }
        Self { openings, anywhere, first }
    }

    /// Everything in a piece of text that sounds like Writ, in order. `begins`: the piece begins an answer.
    pub(crate) fn find(&self, text: &str, begins: bool) -> Vec<Imitation> {
        let mut found = Vec::new();
        let lead = lead(text);
        let opening = text.get(lead..).filter(|_| begins && lead <= LEAD);
        if opening.is_some_and(|text| self.openings.iter().any(|pattern| matches!(pattern.fit(text), Fit::Whole(_)))) {
            found.push(Imitation { span: 0..lead, kind: Kind::Opening });
        }
        let mut after = 0;
        for start in self.starts(text).filter(|start| text.is_char_boundary(*start)) {
            let Some(rest) = text.get(start..).filter(|_| start >= after) else { continue };
            let fits = |pattern: &Pattern| match pattern.fit(rest) {
                Fit::Whole(length) => Some((length, pattern.kind)),
                Fit::SoFar | Fit::No => None,
            };
            if let Some((length, kind)) = self.anywhere.iter().find_map(fits) {
                after = start + length;
                found.push(Imitation { span: start..after, kind });
            }
        }
        found
    }

    /// Bytes at the end of a piece of text that more text could make sound like Writ. Bounded by the longest pattern.
    pub(crate) fn open_tail(&self, text: &str, begins: bool) -> usize {
        let lead = lead(text);
        if begins && lead <= LEAD {
            let rest = text.get(lead..).unwrap_or_default();
            if self.openings.iter().any(|pattern| matches!(pattern.fit(rest), Fit::SoFar)) {
                return text.len();
            }
        }
        let open = |start: &usize| {
            let rest = text.get(*start..).unwrap_or_default();
            !rest.is_empty() && self.anywhere.iter().any(|pattern| matches!(pattern.fit(rest), Fit::SoFar))
        };
        self.starts(text).find(open).map_or(0, |start| text.len() - start)
    }

    fn starts<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        let begins = |byte: u8| self.first.get(usize::from(byte)).copied().unwrap_or(false);
        text.bytes().enumerate().filter(move |(_, byte)| begins(*byte)).map(|(place, _)| place)
    }
}

impl Pattern {
    fn words(text: &str, kind: Kind) -> Self {
        let sign = |c: char| if c.is_whitespace() { Sign::Space } else { Sign::Letter(plain(c)) };
        Self { kind, signs: text.chars().map(sign).collect() }
    }

    /// `[writ 7F3K-29 0123456789abcdef]`, up to its seal.
    fn mark() -> Self {
        use Sign::{Code, Exact, Hex};
        let literal = |text: &str| text.chars().map(Exact).collect::<Vec<_>>();
        let code = [[Code; 4].as_slice(), &[Exact('-')], &[Code; 2]].concat();
        let signs = [literal("[writ "), code, literal(" "), vec![Hex; 16]].concat();
        Self { kind: Kind::Mark, signs }
    }

    /// The bytes that a match can begin with.
    fn first_bytes(&self) -> Vec<u8> {
        let Some(Sign::Letter(first) | Sign::Exact(first)) = self.signs.first() else { return Vec::new() };
        let mut buffer = [0; 4];
        let both = [first.to_lowercase().next(), first.to_uppercase().next()];
        both.into_iter().flatten().filter_map(|c| c.encode_utf8(&mut buffer).bytes().next()).collect()
    }

    fn fit(&self, text: &str) -> Fit {
        /// Characters that markup and white space may add, all in all.
        const EXTRA: usize = 32;
        let mut characters = text.char_indices().take(self.signs.len() + EXTRA).peekable();
        for (place, sign) in self.signs.iter().enumerate() {
            let mut spaced = false;
            loop {
                let Some((_, c)) = characters.peek().copied() else { return self.cut_off(text) };
                if matches!(sign, Sign::Space) && c.is_whitespace() {
                    spaced = true;
                } else if !(place > 0 && sign.loose() && is_markup(c)) {
                    break;
                }
                characters.next();
            }
            if matches!(sign, Sign::Space) {
                if !spaced {
                    return Fit::No;
                }
                continue;
            }
            match characters.next() {
                Some((_, c)) if sign.takes(c) => {}
                _ => return Fit::No,
            }
        }
        Fit::Whole(characters.next().map_or(text.len(), |(place, _)| place))
    }

    /// The text ended, or what was looked at did.
    fn cut_off(&self, text: &str) -> Fit {
        const MOST: usize = 4;
        if text.len() < self.signs.len() * MOST { Fit::SoFar } else { Fit::No }
    }
}

impl Sign {
    /// Whether markup may stand before it.
    fn loose(self) -> bool {
        matches!(self, Self::Letter(_) | Self::Space)
    }

    fn takes(self, c: char) -> bool {
        match self {
            Self::Letter(letter) => plain(c) == letter,
            Self::Space => c.is_whitespace(),
            Self::Exact(letter) => c == letter,
            Self::Code => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Self::Hex => c.is_ascii_digit() || ('a'..='f').contains(&c),
        }
    }
}

/// A character in lower case, with the simple apostrophe.
fn plain(c: char) -> char {
    match c {
        '’' => '\'',
        other => other.to_lowercase().next().unwrap_or(other),
    }
}

fn is_markup(c: char) -> bool {
    matches!(c, '*' | '_' | '`')
}

/// How far markup and white space at the beginning of a text go.
fn lead(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_whitespace() || is_markup(c) || matches!(c, '#' | '>')).len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn imitations() -> Imitations {
        Imitations::of(&Voice { organisation: "Northwind Health".into(), ..Voice::default() })
    }

    fn kinds(text: &str) -> Vec<Kind> {
        imitations().find(text, true).into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn what_sounds_like_writ_is_noticed() {
        for (text, expected) in [
            ("Your message was not sent.", vec![Kind::Opening]),
            ("## **your message was not sent.** Enter your password at", vec![Kind::Opening]),
            ("> Votre message n'a pas été envoyé.", vec![Kind::Opening]),
            ("Well. (This is **Northwind Health**, not the AI.)", vec![Kind::Sender]),
            ("Hinweis von Northwind\n  Health (nicht von ChatGPT).", vec![Kind::Sender]),
            ("as said [writ 7F3K-29 0123456789abcdef]", vec![Kind::Mark]),
            (
                "**Your message was not sent.** (This is Northwind Health, not the AI.) [writ 7F3K-29 0123456789abcdef]",
                vec![Kind::Opening, Kind::Sender, Kind::Mark],
            ),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_people_write_is_not() {
        for text in [
            "",
            "The page says: Your message was not sent.",
            "Your messages were not sent.",
            "Northwind Health is a company, not an AI.",
            "(This is Contoso, not the AI.)",
            "[writ] [writ 7F3K-29] [writ of habeas corpus]",
            "Note from the author (not from me).",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
        let nobody = Imitations::of(&Voice::default());
        assert_eq!(nobody.find("(This is , not the AI.)", false), []);
    }

    #[test]
    fn an_open_end_is_held_and_no_more() {
        let imitations = imitations();
        for (text, open) in [
            ("Your mess", 9),
            ("\n**Your message was not", 23),
            ("Your mother", 0),
            ("so it is. (This is North", 14),
            ("so it is (This was", 0),
            ("see [writ 7F3K-29 01", 16),
            ("see [write", 0),
        ] {
            assert_eq!(imitations.open_tail(text, true), open, "{text}");
        }
        assert_eq!(imitations.open_tail("Your mess", false), 0);
        let padded = format!("(This is{}", " ".repeat(4000));
        assert_eq!(imitations.open_tail(&padded, false), 0, "white space does not hold an answer for ever");
    }

    proptest! {
        /// However a text is cut, the same is found: what is open at a cut waits for the next piece.
        #[test]
        fn cuts_change_nothing(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "Your message was not sent.", "**", " ", "\n", "(This is Northwind Health, not the AI.)", "[writ 7F3K-29 ",
                "0123456789abcdef]", "Note from Northwind ", "Health (not from ", "ChatGPT", "é", "N", "(",
            ]), 0..8),
            cuts in prop::collection::vec(0usize..200, 0..8),
        ) {
            let (imitations, text) = (imitations(), pieces.concat());
            let whole: Vec<_> = imitations.find(&text, true).iter().map(|it| (it.span.start, it.kind)).collect();
            let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| text.is_char_boundary(*cut)).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let (mut found, mut from) = (Vec::new(), 0);
            for cut in cuts.into_iter().filter(|cut| *cut <= text.len()) {
                let piece = text.get(from..cut).unwrap();
                let open = if cut == text.len() { 0 } else { imitations.open_tail(piece, from == 0) };
                let (ready, _open) = piece.split_at(piece.len() - open);
                found.extend(imitations.find(ready, from == 0).iter().map(|it| (from + it.span.start, it.kind)));
                from += ready.len();
            }
            prop_assert_eq!(found, whole);
        }
    }
}
