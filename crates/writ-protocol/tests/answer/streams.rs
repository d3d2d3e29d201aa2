//! What single events do.

use writ_model::{Set, Signal, Unreadable};
use writ_protocol::Endpoint;
use writ_protocol::answer::{AnswerStream, Channel, ChannelKind, EVENT, Flow, Framing, edit_whole};

use crate::editor::{NAME, Replacing, Same};
use crate::properties::run;

fn signals(endpoint: Endpoint, events: &[&str]) -> Set<Signal> {
    let mut answer = AnswerStream::new(endpoint, Framing::Sse);
    for event in events {
        let _ = answer.push(format!("data: {event}\n\n").as_bytes(), &mut Same, &mut Vec::new());
    }
    answer.signals()
}

#[test]
fn signed_text_is_neither_offered_nor_edited() {
    let events = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\
                  \"thinking\":\"for [NAME-1]\"}}\n\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":\
                  {\"type\":\"signature_delta\",\"signature\":\"[NAME-1]\"}}\n\n";
    let mut editor = Replacing::default();
    let out = run(Endpoint::AnthropicMessages, Framing::Sse, events.as_bytes(), &[7], &mut editor);
    assert_eq!((out, editor.seen.len()), (events.as_bytes().to_vec(), 0));

    let whole = br#"{"content":[{"type":"thinking","thinking":"[NAME-1]","signature":"x"},{"type":"redacted_thinking","data":"[NAME-1]"}]}"#;
    let mut out = Vec::new();
    let edit = edit_whole(Endpoint::AnthropicMessages, whole, &mut editor, &mut out);
    assert_eq!((out.as_slice(), editor.seen.len()), (whole.as_slice(), 0));
    assert_eq!(edit.signals, Set::one(Signal::OpaqueEncrypted));
}

#[test]
fn what_has_no_reader_is_signalled() {
    let chat = |delta: &str| format!("{{\"choices\":[{{\"delta\":{delta}}}]}}");
    assert_eq!(
        signals(Endpoint::OpenaiChat, &[&chat("{\"audio\":{\"data\":\"AAAA\"}}")]),
        Set::one(Signal::OpaqueAudio)
    );
    let image = "{\"type\":\"response.image_generation_call.partial_image\",\"partial_image_b64\":\"AAAA\"}";
    assert_eq!(signals(Endpoint::OpenaiResponses, &[image]), Set::one(Signal::OpaqueImage));
    let inline = "{\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"video/mp4\",\"data\":\"AAAA\"}}]}}]}";
    let gemini = Endpoint::GeminiGenerate { stream: true, sse: true };
    assert_eq!(signals(gemini, &[inline]), Set::one(Signal::OpaqueVideo));
    let sealed =
        "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"reasoning\",\"encrypted_content\":\"x\"}}";
    assert_eq!(signals(Endpoint::OpenaiResponses, &[sealed]), Set::one(Signal::OpaqueEncrypted));
    for broken in ["{\"a\":1,\"a\":2}", "{\"a\"", "hello"] {
        assert_eq!(signals(Endpoint::OpenaiChat, &[broken]), Set::one(Signal::MalformedJson), "{broken}");
    }
    assert_eq!(signals(Endpoint::AnyJson, &["hello"]), Set::EMPTY);
}

#[test]
fn data_that_is_no_json_is_one_text() {
    let body = "data: for\ndata: [NAME-1] é\n\n";
    let mut editor = Replacing::default();
    let out = run(Endpoint::AnyJson, Framing::Sse, body.as_bytes(), &[3], &mut editor);
    assert_eq!(editor.seen, [(Channel::OTHER, "for\n[NAME-1] é".to_owned())]);
    let expected: String = format!("for\n{NAME} é").split('\n').map(|line| format!("data: {line}\n")).collect();
    assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
}

#[test]
fn an_event_over_the_limit_is_not_passed() {
    let mut answer = AnswerStream::new(Endpoint::OpenaiChat, Framing::Sse);
    let mut out = Vec::new();
    assert_eq!(answer.push(b"data: {}\n\ndata: ", &mut Same, &mut out), Flow::Continue);
    let chunk = vec![b'x'; 1 << 20];
    let mut flow = Flow::Continue;
    for _ in 0..=EVENT.value() >> 20 {
        flow = answer.push(&chunk, &mut Same, &mut out);
    }
    assert_eq!((flow, answer.unreadable()), (Flow::Stop, Some(Unreadable::TooLarge)));
    assert_eq!(out, b"data: {}\n\n");
}

#[test]
fn channels_are_bounded() {
    let calls: Vec<String> =
        (0..2000).map(|index| format!("{{\"index\":{index},\"function\":{{\"arguments\":\"x\"}}}}")).collect();
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{}]}}}}]}}\n\n", calls.join(","));
    let mut answer = AnswerStream::new(Endpoint::OpenaiChat, Framing::Sse);
    let mut out = Vec::new();
    assert_eq!(answer.push(event.as_bytes(), &mut Same, &mut out), Flow::Stop);
    assert_eq!((answer.unreadable(), out.len()), (Some(Unreadable::TooLarge), 0));
}

#[test]
fn probabilities_of_changed_tokens_are_dropped() {
    let event = |content: &str, logprobs: &str| {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{content}\"}},\"logprobs\":{logprobs}}}]}}\n\n")
    };
    let tokens = "{\"content\":[{\"token\":\"[NAME-1]\"}]}";
    let body = event("[NAME-1]", tokens) + &event("ok", "{\"content\":[{\"token\":\"ok\"}]}");
    let out = run(Endpoint::OpenaiChat, Framing::Sse, body.as_bytes(), &[50], &mut Replacing::default());
    let name = serde_json::to_string(NAME).unwrap().replace('\u{2028}', "\\u2028");
    let expected = event(name.trim_matches('"'), "null") + &event("ok", "{\"content\":[{\"token\":\"ok\"}]}");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn an_answer_names_itself() {
    for (endpoint, event, id) in [
        (Endpoint::OpenaiChat, "{\"id\":\"chatcmpl-1\",\"choices\":[]}", "chatcmpl-1"),
        (Endpoint::OpenaiResponses, "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}", "resp_1"),
        (Endpoint::AnthropicMessages, "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}", "msg_1"),
        (Endpoint::GeminiGenerate { stream: true, sse: true }, "{\"responseId\":\"r\"}", "r"),
    ] {
        let mut answer = AnswerStream::new(endpoint, Framing::Sse);
        let _ = answer.push(format!("data: {event}\n\n").as_bytes(), &mut Same, &mut Vec::new());
        assert_eq!(answer.response_id(), Some(id));
    }
}

#[test]
fn held_text_comes_before_the_end_of_its_channel() {
    let body = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abc\"}}]}\n\n\
                data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let out = run(Endpoint::OpenaiChat, Framing::Sse, body.as_bytes(), &[9], &mut Replacing::holding(2));
    let extra = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"bc\"},\"logprobs\":null,\
                 \"finish_reason\":null}]}\n\n";
    let (first, rest) = body.split_once("\n\n").unwrap();
    let expected = format!("{}\n\n{extra}{rest}", first.replace("abc", "a"));
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn text_is_delivered_where_a_stream_breaks_off() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abc\"}}]}";
    let out = run(Endpoint::OpenaiChat, Framing::Sse, body.as_bytes(), &[9], &mut Replacing::holding(2));
    let read = crate::client::read(Endpoint::OpenaiChat, Framing::Sse, &out);
    assert_eq!(read.text, "abc");
}

#[test]
fn a_value_over_two_choices_is_not_mixed() {
    let event = |index: u32, text: &str| {
        format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    let body = event(0, "[NA") + &event(1, "[NAME-") + &event(0, "ME-1]") + &event(1, "2]") + "data: [DONE]\n\n";
    let mut editor = Replacing::default();
    let out = run(Endpoint::OpenaiChat, Framing::Sse, body.as_bytes(), &[11], &mut editor);
    let text = |index: u32, kind| Channel { output: index, block: 0, kind };
    assert_eq!(editor.seen[1].0, text(1, ChannelKind::Text));
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("\"[NAME-2]\"") && out.contains("Jörg"), "{out}");
}
