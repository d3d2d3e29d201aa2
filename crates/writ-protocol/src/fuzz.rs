//! Fuzz bodies: they accept any bytes and panic where an invariant is broken. Tests run them over a corpus; the fuzzers
//! in `fuzz/` run them without end.

#![expect(clippy::panic, reason = "a fuzz body reports a broken invariant by panicking")]

use bytes::Bytes;
use writ_model::Part;

pub use crate::answer::fuzz_sse as sse;
use crate::endpoint::{Endpoint, endpoint};
use crate::message::{Edit, Message, read_answer, read_prompt};

/// Endpoints whose bodies are JSON, or may be.
const ENDPOINTS: &[Endpoint] = &[
    Endpoint::OpenaiChat,
    Endpoint::OpenaiResponses,
    Endpoint::OpenaiOther,
    Endpoint::AnthropicMessages,
    Endpoint::AnthropicBatches,
    Endpoint::GeminiGenerate { stream: false, sse: false },
    Endpoint::GeminiCountTokens,
    Endpoint::GeminiEmbed,
    Endpoint::AnyJson,
    Endpoint::Form,
    Endpoint::Other,
];

/// Reads a body at every endpoint and in both directions, edits it, and reads it again (invariants PRO-1, PRO-2).
pub fn json(body: &[u8]) {
    for endpoint in ENDPOINTS {
        check(body, &|body| read_prompt(*endpoint, &Bytes::copy_from_slice(body)));
        check(body, &|body| read_answer(*endpoint, &Bytes::copy_from_slice(body)));
    }
}

/// Reads a request head: the first line is a method and a path, the second a content type, the rest a body.
pub fn head(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut words = lines.next().unwrap_or_default().splitn(2, ' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let content_type = lines.next().filter(|line| !line.is_empty());
    let endpoint = endpoint(method, path, content_type);
    let _ = (endpoint.name(), endpoint.wire_format(), crate::path_model(path), crate::read_query(path));
    check(lines.next().unwrap_or_default().as_bytes(), &|body| read_prompt(endpoint, &Bytes::copy_from_slice(body)));
}

fn check(body: &[u8], read: &dyn Fn(&[u8]) -> Message) {
    const NEW: &str = "#\"\n\\é";
    let message = read(body);
    assert!(message.splice(body, &[]).is_ok_and(|same| same == body), "an unedited body changed");
    let mut edits = Vec::new();
    let mut expected = String::new();
    for part in &message.parts {
        let text = part.text().unwrap_or_default();
        let edit = first_character(part).map(|span| Edit::Replace { part: part.index, span, with: NEW.to_owned() });
        match edit.filter(|edit| message.check(edit).is_ok()) {
            Some(edit) => {
                let rest = text.chars().next().map_or("", |first| text.get(first.len_utf8()..).unwrap_or_default());
                expected.push_str(NEW);
                expected.push_str(rest);
                edits.push(edit);
            }
            None => expected.push_str(text),
        }
    }
    match message.splice(body, &edits) {
        Ok(edited) => assert_eq!(lines_joined(&all_text(&read(&edited))), lines_joined(&expected), "edited text"),
        Err(error) => panic!("an edit that was checked failed: {error}"),
    }
    for turn in 0..message.turns.len() {
        for edit in [Edit::RemoveTurn { turn }, Edit::ReplaceTurnText { turn, with: NEW.to_owned() }] {
            if let Ok(edited) = message.splice(body, &[edit]) {
                let broken = read(&edited).signals.contains(writ_model::Signal::MalformedJson);
                assert!(!broken, "broken by an edit");
            }
        }
    }
}

fn first_character(part: &Part) -> Option<std::ops::Range<usize>> {
    let first = part.text().filter(|_| part.editable)?.chars().next()?;
    Some(0..first.len_utf8())
}

fn all_text(message: &Message) -> String {
    message.parts.iter().filter_map(Part::text).collect()
}

/// Without line ends: a text that grew may be cut into parts elsewhere.
fn lines_joined(text: &str) -> String {
    text.replace('\n', "")
}
