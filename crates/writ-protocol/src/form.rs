//! Bodies that are not JSON: HTML forms, uploads, and whatever else arrives.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;
use memchr::memmem;
use writ_base::Limit;
use writ_model::{Author, Set, Signal};

use crate::codec::Codec;
use crate::draft::Draft;
use crate::endpoint::{Boundary, media_type, parameter};
use crate::headers::CREDENTIAL_PARAMETERS;
use crate::media;
use crate::message::Message;
use crate::shape::Place;
use crate::splice::Form;

/// How many fields a form or parts a multipart body may have.
pub static FIELDS: Limit = Limit::new("protocol.form_fields", "fields", 10_000);

const VALUE: Place = Place::of("(form field)", Author::Unknown);
const FILE: Place = Place::of("(uploaded file)", Author::User);
const NAME: Place = Place::of("(file name)", Author::Metadata);

/// A body of an unknown kind: JSON if it looks like it, text if it is UTF-8 without control characters, else opaque.
pub(crate) fn unknown(body: &Bytes, codec: &'static Codec) -> Message {
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let message = Draft::json(body, codec);
        if !message.signals.contains(Signal::MalformedJson) {
            return message;
        }
    }
    match ByteString::try_from(body.clone()) {
        Ok(text) if is_text(&text) => Draft::text(&text),
        _ => Message::opaque(body.len(), Signal::OpaqueFormat),
    }
}

/// Whether a body of an unknown kind that begins so has no reader, whatever follows: it does not begin like JSON, and
/// holds a control character or bytes that are no UTF-8.
pub fn opaque_from_start(start: &[u8]) -> bool {
    let json = matches!(start.trim_ascii_start().first(), None | Some(b'{' | b'['));
    let broken = match std::str::from_utf8(start) {
        Ok(text) => !is_text(text),
        Err(error) => error.error_len().is_some(),
    };
    !json && (broken || start.iter().any(|byte| is_control(*byte)))
}

/// `application/x-www-form-urlencoded` (WHATWG URL section 5): every name and value is text.
pub(crate) fn urlencoded(body: &Bytes) -> Message {
    let Ok(text) = ByteString::try_from(body.clone()) else {
        return Message::opaque(body.len(), Signal::OpaqueFormat);
    };
    let mut draft = Draft::of_body();
    let mut at = 0;
    for (count, field) in text.split('&').enumerate() {
        if !FIELDS.admits(count + 1) {
            draft.opaque(Signal::OpaqueFormat, text.len() - at, VALUE);
            break;
        }
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        draft.structural(&percent_decoded(name).0);
        let start = at + field.len() - value.len();
        let (decoded, exact) = percent_decoded(value);
        if !decoded.is_empty() {
            let form = if exact { Form::Percent } else { Form::Fixed };
            draft.decoded(&decoded, start..start + value.len(), form, VALUE);
        }
        at += field.len() + 1;
    }
    draft.finish(&text, body.len())
}

/// `multipart/*` (RFC 2046 section 5.1, RFC 7578): text fields and text files are text, other files opaque.
pub(crate) fn multipart(boundary: Boundary, body: &Bytes) -> Message {
    let Some(sections) = sections(boundary.as_bytes(), body) else {
        let mut message = Message::opaque(body.len(), Signal::OpaqueFormat);
        message.signals.insert(Signal::MalformedFormat);
        return message;
    };
    let text = ByteString::try_from(body.clone());
    let mut draft = Draft::of_body();
    for section in sections {
        section_parts(&mut draft, body, text.is_ok(), section);
    }
    let exact = text.is_ok();
    let mut message = draft.finish(&text.unwrap_or_default(), body.len());
    if !exact {
        // The splice works on text; a body with binary files in it goes as it is or not at all.
        message.map.fixed = true;
        message.parts.iter_mut().for_each(|part| part.editable = false);
    }
    message
}

/// `whole`: whether the body is one text, so that its texts can be pieces of it; else they are copied.
fn section_parts(draft: &mut Draft, body: &[u8], whole: bool, section: Range<usize>) {
    let bytes = body.get(section.clone()).unwrap_or_default();
    let (head_length, gap) = match memmem::find(bytes, b"\r\n\r\n") {
        Some(at) => (at, 4),
        None if bytes.starts_with(b"\r\n") => (0, 2),
        None => return draft.opaque(Signal::OpaqueFormat, bytes.len(), FILE),
    };
    let head = String::from_utf8_lossy(bytes.get(..head_length).unwrap_or_default()).into_owned();
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition").unwrap_or_default();
    let file_name = parameter(&disposition, "filename").map(str::to_owned);
    // The whole head is shown: a file name or a field name may say anything.
    draft.structural(&head);
    if let Some(name) = file_name.as_deref().filter(|name| !name.is_empty()) {
        draft.decoded(name, 0..0, Form::Fixed, NAME);
    }
    let content = section.start + head_length + gap..section.end;
    let declared = header("content-type").map(|value| media_type(&value));
    let transfer = header("content-transfer-encoding").is_some_and(|value| !is_identity(&value));
    let place = if file_name.is_some() { FILE } else { VALUE };
    let text = std::str::from_utf8(body.get(content.clone()).unwrap_or_default());
    match text.ok().filter(|text| is_text(text) && !transfer) {
        _ if content.is_empty() => {}
        Some(_) if whole => draft.plain(content, place),
        Some(text) => draft.decoded(text, content, Form::Plain, place),
        None => draft.opaque(media::signal(declared.as_deref(), Signal::OpaqueFile), content.len(), FILE),
    }
}

fn is_identity(transfer_encoding: &str) -> bool {
    ["7bit", "8bit", "binary"].iter().any(|name| transfer_encoding.eq_ignore_ascii_case(name))
}

/// The bytes between the delimiters, or `None` if the body does not begin and end as the boundary says.
fn sections(boundary: &[u8], body: &[u8]) -> Option<Vec<Range<usize>>> {
    let first = [b"--", boundary].concat();
    let next = [b"\r\n--", boundary].concat();
    let mut at = if body.starts_with(&first) { first.len() } else { memmem::find(body, &next)? + next.len() };
    let mut sections = Vec::new();
    loop {
        let rest = body.get(at..)?;
        if rest.starts_with(b"--") {
            let epilogue = rest.get(2..)?;
            return epilogue.trim_ascii().is_empty().then_some(sections);
        }
        // White space may follow the boundary (RFC 2046).
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let start = at + padding + 2;
        if rest.get(padding..padding + 2) != Some(b"\r\n") || !FIELDS.admits(sections.len() + 1) {
            return None;
        }
        // The line end that closes the head of an empty part may open the delimiter.
        let from = start.saturating_sub(2);
        let end = from + memmem::find(body.get(from..)?, &next)?;
        sections.push(start..end.max(start));
        at = end + next.len();
    }
}

/// Whether a text has no control characters other than white space.
fn is_text(text: &str) -> bool {
    !text.bytes().any(is_control)
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c)
}

/// The text of a percent-encoded value, and whether it is exactly that: not if bytes are no UTF-8.
fn percent_decoded(raw: &str) -> (String, bool) {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while !rest.is_empty() {
        let (byte, length) = percent_unit(rest);
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    }
}

/// The first byte that a percent-encoded value stands for, and how many bytes it takes.
fn percent_unit(raw: &[u8]) -> (u8, usize) {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    match raw.first() {
        Some(b'+') => (b' ', 1),
        Some(b'%') => match (digit(raw.get(1)), digit(raw.get(2))) {
            (Some(high), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or(b'%'), 3),
            _ => (b'%', 1),
        },
        Some(byte) => (*byte, 1),
        None => (0, 0),
    }
}

/// Text as a percent-encoded value.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*') => {
                out.push(char::from(byte))
            }
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
    out
}

/// Follows offsets of a decoded value back into the percent-encoded one, in rising order.
pub(crate) struct PercentMap<'a> {
    raw: &'a [u8],
    at: usize,
    text: usize,
}

impl<'a> PercentMap<'a> {
    pub(crate) const fn new(raw: &'a str) -> Self {
        Self { raw: raw.as_bytes(), at: 0, text: 0 }
    }

    /// The raw offset at which the text has `target` bytes before it.
    pub(crate) fn raw_of(&mut self, target: usize) -> Option<usize> {
        while self.text < target {
            let (_, length) = percent_unit(self.raw.get(self.at..)?);
            if length == 0 {
                return None;
            }
            self.at += length;
            self.text += 1;
        }
        (self.text == target).then_some(self.at)
    }
}

/// Reads a query string: names and values, without the values of parameters that carry credentials.
pub fn read_query(query: &str) -> Message {
    let credential = |field: &&str| {
        let name = field.split('=').next().unwrap_or_default();
        CREDENTIAL_PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let kept: Vec<&str> = query.split('&').filter(|field| !credential(field)).collect();
    let mut message = urlencoded(&Bytes::from(kept.join("&")));
    message.map.fixed = true;
    message.parts.iter_mut().for_each(|part| part.editable = false);
    message.signals = Set::EMPTY;
    message
}
