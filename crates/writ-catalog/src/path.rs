//! Paths of hosts that hold more than AI.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A path pattern: `*` stands for one or more characters other than `/`; a pattern that ends in `/` also covers
/// everything below. Compared without regard to ASCII case, because a missed path would pass unread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PathPattern(String);

impl PathPattern {
    /// Parses a pattern; it starts with `/`, is ASCII without spaces, `?`, `#`, `%`, and has no empty or dot segment.
    pub fn parse(text: &str) -> Option<Self> {
        let clean = text.starts_with('/')
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"?#%\\;".contains(&b))
            && !text.contains("//")
            && !text.contains("**")
            && !text.split('/').any(|segment| segment == "." || segment == "..")
            && text != "/";
        clean.then(|| Self(text.to_owned()))
    }

    /// Whether a path in normal form ([`normalise_path`]) is covered.
    pub fn matches(&self, path: &str) -> bool {
        covers(self.0.as_bytes(), path.as_bytes(), self.0.ends_with('/'))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a path pattern; write \"/api/ai/\"")))
    }
}

/// Glob match with one level of backtracking: since `*` never crosses `/`, only the latest star can need to grow.
fn covers(pattern: &[u8], path: &[u8], below: bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), path.get(t)) {
            (None, None) => return true,
            (None, Some(_)) if below => return true,
            (Some(b'*'), Some(byte)) if *byte != b'/' => {
                star = Some((p, t + 1));
                (p, t) = (p + 1, t + 1);
            }
            (Some(want), Some(byte)) if *want != b'*' && want.eq_ignore_ascii_case(byte) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) if path.get(from).is_some_and(|byte| *byte != b'/') => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// The normal form of a request target's path: query and fragment cut, percent-encoding undone (twice, as some servers
/// do), backslashes as slashes, parameters after `;` cut, empty and dot segments resolved. Bytes that are not UTF-8
/// become U+FFFD. Servers differ in which of these steps they take; taking all of them can only make more paths count
/// as AI, never fewer that are spelled plainly.
pub fn normalise_path(target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap_or("");
    let decoded = percent_decode(&percent_decode(path.as_bytes()));
    let text = String::from_utf8_lossy(&decoded).replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap_or("") {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            plain => segments.push(plain),
        }
    }
    let mut out = String::with_capacity(text.len() + 1);
    for segment in &segments {
        out.push('/');
        out.push_str(segment);
    }
    if text.ends_with('/') || out.is_empty() {
        out.push('/');
    }
    out
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let decoded = match tail {
            [high, low, ..] if first == b'%' => hex(*high).zip(hex(*low)).map(|(h, l)| h * 16 + l),
            _ => None,
        };
        out.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() { tail.get(2..).unwrap_or(&[]) } else { tail };
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
