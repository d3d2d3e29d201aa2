//! AI wire formats without sockets: HTTP exchange to interaction, edits spliced into the original bytes.
//!
//! [`endpoint()`] tells from a request's path which format it speaks; [`read_prompt`] and [`read_answer`] read a whole
//! body into a [`Message`]: parts with their text, turns, signals. [`Message::splice`] writes edits of part texts back
//! into the body and leaves every other byte alone (invariant PRO-2). Reading is total (invariant PRO-1).
//!
//! **Nothing is invisible.** Every string of a JSON body is in exactly one part: text of a known place, a value of a
//! known composite (a tool's definition, arguments, results, metadata: strings, numbers and keys together as one text),
//! or text of an unknown author. Only values that equal one of the format's own words (`user`, `text`, `auto`), and
//! numbers of fewer than 7 characters outside composites, are left out: they carry nothing. Other structural values
//! (ids, model names, keys that the format does not have) are one part, `(structure)`, that is inspected and cannot be
//! edited. A string that is itself JSON is read as JSON, up to [`limits::NESTED`] levels; one that should be base64 but
//! decodes to text is text.

pub mod answer;
mod codec;
pub mod coverage;
mod draft;
pub mod encoding;
pub mod endpoint;
mod form;
pub mod fuzz;
pub mod headers;
mod json;
mod media;
mod message;
pub mod refusal;
mod shape;
mod splice;
pub mod sse;
pub mod testing;

pub use encoding::{Decoder, EncodingError, decode};
pub use endpoint::{Endpoint, endpoint, path_model};
pub use form::{opaque_from_start, read_query};
pub use message::{CannotEdit, Edit, Message, Turn, read_answer, read_prompt};

/// The named limits of this crate (invariant LIM-1).
pub mod limits {
    use writ_base::Limit;

    pub use crate::answer::{CHANNELS, EVENT};
    pub use crate::draft::NESTED;
    pub use crate::encoding::{RATIO, STACKED};
    pub use crate::endpoint::BOUNDARY;
    pub use crate::form::FIELDS;
    pub use crate::json::{DEPTH, NODES};
    pub use crate::message::BODY;

    /// All of them, for the metrics page.
    pub static ALL: &[&Limit] =
        &[&BODY, &DEPTH, &NODES, &NESTED, &FIELDS, &BOUNDARY, &STACKED, &RATIO, &EVENT, &CHANNELS];
}
