//! The canonical bytes of rows, over which the rows hash is taken.
//!
//! Every number is eight bytes, little end first; every text and list is preceded by its length. The first text is
//! the version of this form: a change of meaning or order changes it, so that an old hash is never met by new rows.

/// The version of the canonical form.
pub(crate) const VERSION: &str = "writ rows 1";

/// Builds canonical bytes.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn list<'a, T: 'a, I: IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>>(
        &mut self,
        items: I,
        mut each: impl FnMut(&mut Self, &'a T),
    ) {
        let items = items.into_iter();
        self.number(items.len() as u64);
        items.for_each(|item| each(self, item));
    }

    pub(crate) fn hash(&self) -> writ_base::ContentHash {
        writ_base::ContentHash::of(&self.bytes)
    }
}
