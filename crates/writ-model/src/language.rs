//! The languages in which Writ speaks to people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language in which pages, messages and notes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    /// All languages.
    pub const ALL: &'static [Self] = &[Self::En, Self::De, Self::Fr, Self::Es];

    /// The primary subtag (BCP 47): `en`, `de`, `fr`, `es`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// The language's name in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Fr => "Français",
            Self::Es => "Español",
        }
    }

    /// The language of a tag (`de`, `de-AT`), in any case.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        Self::ALL.iter().copied().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The best of a list of preferences as in `Accept-Language` (RFC 9110 section 12.5.4): the one with the highest
    /// weight, the first of several. `None` if it names none of these languages.
    pub fn stated(header: &str) -> Option<Self> {
        /// A longer list is no person's.
        const MOST: usize = 32;
        let weighted = header.split(',').take(MOST).filter_map(|item| {
            let mut fields = item.split(';');
            let language = Self::of_tag(fields.next()?)?;
            let weight = fields.find_map(|field| field.trim().strip_prefix("q=")).map_or(Some(1000), thousandths)?;
            (weight > 0).then_some((language, weight))
        });
        let mut best: Option<(Self, u32)> = None;
        for (language, weight) in weighted {
            if best.is_none_or(|(_, heaviest)| weight > heaviest) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }

    /// As [`Language::stated`]; English where nothing fits.
    pub fn preferred(header: &str) -> Self {
        Self::stated(header).unwrap_or_default()
    }
}

/// A weight (`0.8`) in thousandths.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + digits.parse::<u32>().ok()?)
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_is_preferred() {
        for (header, expected) in [
            ("de-DE,de;q=0.9,en;q=0.8", Some(Language::De)),
            ("en;q=0.5, fr;q=0.7", Some(Language::Fr)),
            ("pl, es-419;q=0.3", Some(Language::Es)),
            ("de;q=0, en", Some(Language::En)),
            ("de;q=x", None),
            ("pl", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Language::stated(header), expected, "{header}");
        }
        assert_eq!(Language::preferred("pl"), Language::En);
    }
}
