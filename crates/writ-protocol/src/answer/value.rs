//! A cursor over a JSON text, for reading events.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{Kind, Node, Tape, text};

/// A value of a JSON text.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    text: &'t str,
    tape: &'t Tape,
    index: usize,
    node: Node,
}

impl<'t> Value<'t> {
    /// The outermost value.
    pub(super) fn root(text: &'t str, tape: &'t Tape) -> Option<Self> {
        tape.root().map(|(index, node)| Self { text, tape, index, node })
    }

    pub(super) fn kind(self) -> Kind {
        self.node.kind
    }

    /// Whether a string has escapes.
    pub(super) fn escaped(self) -> bool {
        self.node.escaped
    }

    /// Its bytes; of a string those inside the quotes.
    pub(super) fn place(self) -> Range<usize> {
        self.node.inner()
    }

    /// The source of the value; of a string that inside the quotes.
    pub(super) fn raw(self) -> &'t str {
        self.text.get(self.node.inner()).unwrap_or_default()
    }

    /// The text of a string.
    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        (self.node.kind == Kind::String).then(|| self.unescaped(self.node))
    }

    /// A number without sign and fraction.
    pub(super) fn number(self) -> Option<u64> {
        (self.node.kind == Kind::Number).then(|| self.raw().parse().ok()).flatten()
    }

    /// The first member of an object with this key.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.members().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The members of an object; nothing of any other value.
    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'t, str>, Self)> {
        let object = self.node.kind == Kind::Object;
        let members = object.then(|| self.tape.members(self.index)).into_iter().flatten();
        members.map(move |(key, index, node)| (self.unescaped(key), Self { index, node, ..self }))
    }

    /// The elements of an array; nothing of any other value.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        let array = self.node.kind == Kind::Array;
        let elements = array.then(|| self.tape.elements(self.index)).into_iter().flatten();
        elements.map(move |(index, node)| Self { index, node, ..self })
    }

    fn unescaped(self, node: Node) -> Cow<'t, str> {
        let raw = self.text.get(node.inner()).unwrap_or_default();
        if !node.escaped {
            return Cow::Borrowed(raw);
        }
        let mut text = String::with_capacity(raw.len());
        text::unescape(raw, &mut text);
        Cow::Owned(text)
    }
}
