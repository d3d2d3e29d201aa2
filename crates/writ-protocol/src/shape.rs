//! What a wire format looks like, as data: which strings of a body are text, and whose.
//!
//! A shape says what a value is; arrays are transparent: the shape of a field that may hold a value or a list of them
//! is the shape of one. A field that no shape names is not lost: its strings are walked as [`Author::Unknown`].

use writ_model::{Author, Signal};

/// What a value of a body is.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text.
    Text(Place),
    /// A value whose strings, numbers and keys belong together and are one text: arguments, results, metadata.
    Composite(Place),
    /// The definition of a tool: one text, and a name to remember.
    Tool(Place),
    /// A value with a closed meaning; the words listed carry nothing, any other value is shown as structural text.
    Words(&'static [&'static str]),
    /// A name of content that Writ has not seen: shown as text that cannot be edited, and signalled.
    Reference(Place),
    /// Content that only the service reads.
    Encrypted(Place),
    /// A `data:` URL with content, or a URL of content elsewhere.
    Url(Place, Signal),
    /// Base64 content, of the kind that its neighbour `media_type` says, or else of this one.
    Media(Place, Signal),
    /// An object; a plain string in its place is text there.
    Object(Option<Place>, &'static [Field]),
    /// The list of turns; each is an object with these fields, or a string that is text there.
    Turns(Place, &'static [Field]),
}

/// A member of an object.
pub(crate) type Field = (&'static str, &'static Shape);

/// Where a text stands, whose it is, and what replaces it as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) location: &'static str,
    pub(crate) author: By,
    pub(crate) whole: Whole,
}

/// Who wrote the text at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever wrote the turn.
    Turn,
    /// Always the same.
    Always(Author),
}

/// What stands in the place of a value when the turn's text is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// The text.
    Text,
    /// An empty object: arguments of a call that stays.
    Object,
    /// An empty object inside a string.
    ObjectText,
    /// An object whose only member is the text.
    Result,
    /// Nothing: this value cannot be replaced.
    Fixed,
}

impl Place {
    /// Text of the turn's author.
    pub(crate) const fn turn(location: &'static str) -> Self {
        Self { location, author: By::Turn, whole: Whole::Text }
    }

    /// Text of one author.
    pub(crate) const fn of(location: &'static str, author: Author) -> Self {
        Self { location, author: By::Always(author), whole: Whole::Text }
    }

    /// Arguments of a tool call, as an object.
    pub(crate) const fn call(location: &'static str) -> Self {
        Self { location, author: By::Always(Author::Assistant), whole: Whole::Object }
    }

    /// Arguments of a tool call, as JSON in a string.
    pub(crate) const fn call_text(location: &'static str) -> Self {
        Self { location, author: By::Always(Author::Assistant), whole: Whole::ObjectText }
    }

    /// The result of a tool, as text that a call's id refers to.
    pub(crate) const fn result(location: &'static str) -> Self {
        Self { location, author: By::Always(Author::Tool), whole: Whole::Text }
    }

    /// The result of a tool, as an object.
    pub(crate) const fn result_object(location: &'static str) -> Self {
        Self { location, author: By::Always(Author::Tool), whole: Whole::Result }
    }

    /// A value that cannot be replaced.
    pub(crate) const fn fixed(location: &'static str) -> Self {
        Self { location, author: By::Turn, whole: Whole::Fixed }
    }

    /// Whether another turn or a signature depends on the value staying.
    pub(crate) const fn links(&self) -> bool {
        matches!(self.whole, Whole::Object | Whole::ObjectText | Whole::Result | Whole::Fixed)
            || matches!(self.author, By::Always(Author::Tool))
    }
}

impl Shape {
    /// The shape of the member `key`, in the spelling of the format or in another case or with underscores: some
    /// services accept both `systemInstruction` and `system_instruction`, some ignore case.
    pub(crate) fn field(fields: &'static [Field], key: &str) -> Option<&'static Self> {
        let exact = fields.iter().find(|(name, _)| *name == key);
        exact.or_else(|| fields.iter().find(|(name, _)| same_name(name, key))).map(|(_, shape)| *shape)
    }
}

/// Whether two names are equal but for case and underscores.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let mut a = a.bytes().filter(|byte| *byte != b'_');
    let mut b = b.bytes().filter(|byte| *byte != b'_');
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x.eq_ignore_ascii_case(&y) => {}
            _ => return false,
        }
    }
}
