//! An answer that is one document.

use writ_model::{Set, Signal, Unreadable};

use super::reader::Reader;
use super::weave::{Halt, Open, splice, weave};
use super::{EVENT, Flow, TextEditor};
use crate::endpoint::Endpoint;

/// What became of a whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct WholeEdit {
    /// Whether the answer may be delivered.
    pub flow: Flow,
    /// What the form of the answer says.
    pub signals: Set<Signal>,
    /// Why it could not be read, if so.
    pub unreadable: Option<Unreadable>,
    /// The answer's own id, if it names one.
    pub response_id: Option<String>,
}

/// Offers the texts of a whole answer to the editor and appends the answer with what it returned: byte for byte the
/// same if it changed nothing (invariant PRO-2). Nothing is appended if the editor stops the answer, or if it is larger
/// than [`EVENT`].
///
/// A text comes as [`TextEditor::whole`]; one that clients join from several parts (Gemini) as [`TextEditor::edit`]
/// for each part and [`TextEditor::finish`].
pub fn edit_whole(endpoint: Endpoint, body: &[u8], editor: &mut dyn TextEditor, out: &mut Vec<u8>) -> WholeEdit {
    let mut edit = WholeEdit { flow: Flow::Stop, signals: Set::EMPTY, unreadable: None, response_id: None };
    if !EVENT.admits(body.len()) {
        edit.unreadable = Some(Unreadable::TooLarge);
        return edit;
    }
    let text = String::from_utf8_lossy(body);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        edit.signals.insert(Signal::MalformedJson);
    }
    let mut reader = Reader::new(endpoint);
    let plan = reader.whole(&text);
    edit.signals.extend_from(plan.signals);
    edit.response_id = reader.names.id;
    match weave(&text, &plan, &mut Open::new(), editor) {
        Ok(woven) if woven.edits.is_empty() => out.extend_from_slice(body),
        Ok(woven) => out.extend_from_slice(splice(&text, &woven.edits).as_bytes()),
        Err(Halt::Stopped) => return edit,
        Err(Halt::TooLarge) => {
            edit.unreadable = Some(Unreadable::TooLarge);
            return edit;
        }
    }
    edit.flow = Flow::Continue;
    edit
}
