//! Whatever the text, its deltas and the chunks: the client has the edited text.

use proptest::prelude::*;
use writ_protocol::Endpoint;
use writ_protocol::answer::{AnswerStream, ChannelKind, Flow, Framing, TextEditor, edit_whole, fuzz_sse};

use crate::client::read;
use crate::editor::{MARKER, Replacing, Same, edited};
use crate::service::{STREAMS, Script, stream};

/// The output of a stream that comes in chunks of these sizes, over and over.
pub fn run(endpoint: Endpoint, framing: Framing, body: &[u8], sizes: &[usize], editor: &mut dyn TextEditor) -> Vec<u8> {
    let mut answer = AnswerStream::new(endpoint, framing);
    let mut out = Vec::new();
    let (mut rest, mut sizes) = (body, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
        let (chunk, tail) = rest.split_at(size);
        assert_eq!(answer.push(chunk, editor, &mut out), Flow::Continue);
        rest = tail;
    }
    assert_eq!(answer.end(editor, &mut out), Flow::Continue);
    out
}

/// Text with markers, pieces of markers and everything else, in deltas.
fn deltas() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        3 => Just(MARKER.to_owned()),
        1 => Just("[NAM".to_owned()),
        4 => ".{0,6}",
        1 => Just("\"\\\n\u{2028}😀".to_owned()),
    ];
    (prop::collection::vec(piece, 0..6), prop::collection::vec(1usize..5, 1..4)).prop_map(|(pieces, sizes)| {
        let text = pieces.concat();
        let mut characters = text.chars();
        let mut sizes = sizes.into_iter().cycle();
        std::iter::from_fn(|| {
            let delta: String = characters.by_ref().take(sizes.next().unwrap_or(1)).collect();
            (!delta.is_empty()).then_some(delta)
        })
        .collect()
    })
}

/// Arguments: a JSON object with such a text in it, in deltas.
fn arguments() -> impl Strategy<Value = Vec<String>> {
    (deltas(), 1usize..6).prop_map(|(text, size)| {
        let source = serde_json::json!({ "to": text.concat(), "n": 1 }).to_string();
        source.chars().collect::<Vec<_>>().chunks(size).map(|chunk| chunk.iter().collect()).collect()
    })
}

fn script() -> impl Strategy<Value = Script> {
    (deltas(), deltas(), prop::option::of(arguments())).prop_map(|(reasoning, text, arguments)| Script {
        reasoning,
        text,
        arguments: arguments.unwrap_or_default(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_client_has_the_edited_text(script in script(), hold in 0usize..12, sizes in prop::collection::vec(1usize..90, 1..4)) {
        for (endpoint, framing) in STREAMS {
            let body = stream(endpoint, framing, &script);
            let out = run(endpoint, framing, &body, &sizes, &mut Replacing::holding(hold));
            let got = read(endpoint, framing, &out);
            let reasoning = script.reasoning.concat();
            // Thinking is signed: it is not edited.
            let signed = endpoint == Endpoint::AnthropicMessages;
            let thought = if signed { reasoning } else { edited(ChannelKind::Reasoning, &reasoning) };
            prop_assert_eq!(&got.text, &edited(ChannelKind::Text, &script.text.concat()), "{:?}", endpoint);
            prop_assert_eq!(&got.reasoning, &thought, "{:?}", endpoint);
            let expected = edited(ChannelKind::ToolArguments, &script.arguments.concat());
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            prop_assert_eq!(value(&got.arguments), value(&expected), "{:?}", endpoint);
            prop_assert!(got.ended && got.error.is_none());
            let whole = run(endpoint, framing, &body, &[usize::MAX], &mut Replacing::holding(hold));
            prop_assert_eq!(out, whole, "chunks change the output");
        }
    }

    #[test]
    fn an_editor_that_changes_nothing_changes_no_byte(script in script(), sizes in prop::collection::vec(1usize..90, 1..4)) {
        for (endpoint, framing) in STREAMS {
            let body = stream(endpoint, framing, &script);
            prop_assert_eq!(&run(endpoint, framing, &body, &sizes, &mut Same), &body);
            // The same bytes with other line ends, comments and a byte order mark.
            let text = String::from_utf8(body).unwrap();
            let body = format!("\u{feff}{}", text.replace("\n\n", "\r\n: x\rid: 1\r\n\r\n")).into_bytes();
            prop_assert_eq!(&run(endpoint, Framing::Sse, &body, &sizes, &mut Same), &body);
        }
    }

    #[test]
    fn nothing_follows_a_stop(script in script(), at in 0usize..12, size in 1usize..90) {
        for (endpoint, framing) in STREAMS {
            let mut stopping = Script { text: script.text.clone(), ..Script::default() };
            stopping.text.insert(at.min(stopping.text.len()), "STOP".into());
            let mut editor = Replacing::stopping("STOP");
            let mut answer = AnswerStream::new(endpoint, framing);
            let mut out = Vec::new();
            let mut length = None;
            for chunk in stream(endpoint, framing, &stopping).chunks(size) {
                let flow = answer.push(chunk, &mut editor, &mut out);
                prop_assert!(length.is_none_or(|length| length == out.len()));
                if flow == Flow::Stop {
                    length.get_or_insert(out.len());
                }
            }
            prop_assert_eq!(answer.end(&mut editor, &mut out), Flow::Stop);
            prop_assert_eq!(length, Some(out.len()));
            answer.cut(&crate::refusals::refusal(), &mut out);
            let cut = out.len();
            answer.cut(&crate::refusals::refusal(), &mut out);
            prop_assert_eq!(cut, out.len(), "a second cut");
            let got = read(endpoint, framing, &out);
            prop_assert_eq!(got.error, Some(crate::refusals::refusal().for_programs));
            prop_assert!(got.ended && !got.text.contains("STOP"));
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_sse(&bytes);
    }

    #[test]
    fn any_pieces_of_streams_are_taken(script in script(), from in any::<prop::sample::Index>(), noise in any::<prop::sample::Index>(), byte: u8) {
        for (endpoint, framing) in STREAMS {
            let mut body = stream(endpoint, framing, &script);
            let (from, noise) = (from.index(body.len()), noise.index(body.len()));
            body[noise] = byte;
            fuzz_sse(&body[from..]);
        }
    }

    #[test]
    fn a_whole_answer_is_edited_in_place(text in deltas()) {
        let text = text.concat();
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let body = format!("{{ \"choices\" :[{{\"message\":{{\"content\":{}}}}}],\n \"n\":1.0 }}", quoted(&text));
        let mut out = Vec::new();
        let edit = edit_whole(Endpoint::OpenaiChat, body.as_bytes(), &mut Replacing::default(), &mut out);
        prop_assert_eq!(edit.flow, Flow::Continue);
        let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&out["choices"][0]["message"]["content"], &edited(ChannelKind::Text, &text));
    }
}
