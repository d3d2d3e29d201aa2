//! Content inside strings: base64, with or without `data:` in front (RFC 2397, RFC 4648).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use writ_model::Signal;

/// What a string that should be base64 turns out to be.
pub(crate) enum Media {
    /// Text.
    Text(String),
    /// Something without a reader.
    Opaque(Signal),
    /// No base64: the string stands for itself.
    Plain,
}

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Reads a string whose place says that it is content of this kind.
pub(crate) fn read(text: &str, kind: Signal) -> Media {
    let (kind, payload) = match split_data_url(text) {
        Some((header, payload)) => {
            let mut fields = header.split(';');
            let declared = fields.next().unwrap_or_default();
            if !fields.any(|field| field.trim().eq_ignore_ascii_case("base64")) {
                return Media::Plain;
            }
            (signal(Some(declared), kind), payload)
        }
        None => (kind, text),
    };
    if payload.is_empty() || !is_base64(payload) {
        return Media::Plain;
    }
    let start: String = start_of(payload).chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let whole_groups = start.get(..start.len() / 4 * 4).filter(|_| start.len() < payload.len()).unwrap_or(&start);
    if decode(whole_groups).is_some_and(|start| looks_like_text(&start))
        && let Some(Ok(text)) = decode(payload).map(String::from_utf8)
        && looks_like_text(text.as_bytes())
    {
        return Media::Text(text);
    }
    // No image and no sound is this short: it is a word whose letters happen to be legal.
    if payload.len() < SHORTEST { Media::Plain } else { Media::Opaque(kind) }
}

/// Content of fewer characters of base64 than this is shown as text.
const SHORTEST: usize = 64;

/// The string for new content in the place of `old`: the same header, the same alphabet.
pub(crate) fn write(old: &str, content: &str) -> String {
    let (header, payload) = match split_data_url(old) {
        Some((_, payload)) => old.split_at(old.len() - payload.len()),
        None => ("", old),
    };
    let engine = if payload.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    format!("{header}{}", engine.encode(content))
}

/// The signal for content of a declared media type (RFC 6838); `otherwise` without one.
pub(crate) fn signal(media_type: Option<&str>, otherwise: Signal) -> Signal {
    let Some(media_type) = media_type.filter(|declared| !declared.is_empty()) else { return otherwise };
    match media_type.split('/').next().map(str::to_ascii_lowercase).as_deref() {
        Some("image") => Signal::OpaqueImage,
        Some("audio") => Signal::OpaqueAudio,
        Some("video") => Signal::OpaqueVideo,
        _ => Signal::OpaqueFile,
    }
}

/// Whether all characters are of base64 in either alphabet, or line ends.
pub(crate) fn is_base64(text: &str) -> bool {
    let legal =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n');
    // Chunk-wise without a branch per byte, so that the compiler uses vector instructions.
    text.as_bytes().chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & legal(byte)))
}

pub(crate) fn is_data_url(text: &str) -> bool {
    text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

fn split_data_url(text: &str) -> Option<(&str, &str)> {
    if !is_data_url(text) {
        return None;
    }
    text.get(5..)?.split_once(',')
}

/// Enough of a payload to tell text from anything else.
fn start_of(payload: &str) -> &str {
    const ENOUGH: usize = 1024;
    payload.get(..ENOUGH).unwrap_or(payload)
}

fn decode(payload: &str) -> Option<Vec<u8>> {
    let engine = if payload.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    if payload.contains(['\r', '\n']) {
        return engine.decode(payload.replace(['\r', '\n'], "")).ok();
    }
    engine.decode(payload).ok()
}

/// Whether bytes are text: UTF-8 (cut anywhere) without control characters other than white space.
fn looks_like_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !bytes.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c))
}
