//! The fuzz body of answers: any bytes, in any pieces.

use super::{AnswerStream, Channel, Flow, Framing, TextEditor, edit_whole};
use crate::endpoint::Endpoint;

/// Reads any bytes as an answer of every format and framing, in pieces whose size the first byte tells.
///
/// # Panics
/// If pieces give another output than the whole, if an editor that changes nothing changes a byte (invariant PRO-2),
/// if anything follows a stop, or if an editor that holds text back loses some.
pub fn fuzz_sse(data: &[u8]) {
    let (size, data) = data.split_first().map_or((1, data), |(first, rest)| (usize::from(*first).max(1), rest));
    for endpoint in [
        Endpoint::OpenaiChat,
        Endpoint::OpenaiResponses,
        Endpoint::AnthropicMessages,
        Endpoint::GeminiGenerate { stream: true, sse: true },
        Endpoint::AnyJson,
    ] {
        for framing in [Framing::Sse, Framing::JsonArray, Framing::Ndjson] {
            let (same, flow) = run(endpoint, framing, data, data.len().max(1), &mut Same);
            assert!(flow == Flow::Stop || same == data, "an identity changed bytes");
            assert_eq!((same, flow), run(endpoint, framing, data, size, &mut Same), "pieces change an identity");
            let whole = run(endpoint, framing, data, data.len().max(1), &mut Holding::default());
            assert_eq!(whole, run(endpoint, framing, data, size, &mut Holding::default()), "pieces change an edit");
        }
        let mut out = Vec::new();
        if edit_whole(endpoint, data, &mut Same, &mut out).flow == Flow::Continue {
            assert_eq!(out, data, "an identity changed a whole answer");
        }
    }
}

fn run(endpoint: Endpoint, framing: Framing, data: &[u8], size: usize, editor: &mut dyn TextEditor) -> (Vec<u8>, Flow) {
    let mut stream = AnswerStream::new(endpoint, framing);
    let mut out = Vec::new();
    let mut flow = Flow::Continue;
    for piece in data.chunks(size) {
        let stopped = (flow == Flow::Stop).then_some(out.len());
        flow = stream.push(piece, editor, &mut out);
        assert!(stopped.is_none_or(|length| length == out.len()), "bytes after a stop");
    }
    if flow == Flow::Continue {
        flow = stream.end(editor, &mut out);
    }
    (out, flow)
}

/// Changes nothing.
struct Same;

impl TextEditor for Same {
    fn edit(&mut self, _: &Channel, text: &str, out: &mut String) -> Flow {
        out.push_str(text);
        Flow::Continue
    }

    fn finish(&mut self, _: &Channel, _: &mut String) -> Flow {
        Flow::Continue
    }

    fn whole(&mut self, _: &Channel, text: &str, out: &mut String) -> Flow {
        out.push_str(text);
        Flow::Continue
    }
}

/// Holds all text back until its channel ends, changes whole texts, and stops at a word.
#[derive(Default)]
struct Holding {
    held: std::collections::BTreeMap<Channel, String>,
}

const STOP: &str = "stop";

impl TextEditor for Holding {
    fn edit(&mut self, channel: &Channel, text: &str, _: &mut String) -> Flow {
        self.held.entry(channel.clone()).or_default().push_str(text);
        if text.contains(STOP) { Flow::Stop } else { Flow::Continue }
    }

    fn finish(&mut self, channel: &Channel, out: &mut String) -> Flow {
        out.push_str(&self.held.remove(channel).unwrap_or_default());
        Flow::Continue
    }

    fn whole(&mut self, _: &Channel, text: &str, out: &mut String) -> Flow {
        out.push_str(&text.replace('a', "\"\n\u{2028}"));
        if text.contains(STOP) { Flow::Stop } else { Flow::Continue }
    }
}
