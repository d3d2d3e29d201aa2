//! Values that must not show up in a log, an error or a debug print.

use std::fmt;

/// Content, a matched value or a credential: prints as its size only.
///
/// Reading it takes [`Sensitive::expose`], a word that is easy to search for.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Marks `value` as sensitive.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Allowed where content is judged, edited or sent; never on the way to a log or an error.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, by move.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T: AsRef<[u8]>> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} B]", self.0.as_ref().len())
    }
}

impl<T: AsRef<[u8]>> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_its_size_only() {
        let secret = Sensitive::new("4111 1111 1111 1111".to_owned());
        assert_eq!(format!("{secret:?} {secret}"), "[19 B] [19 B]");
    }
}
