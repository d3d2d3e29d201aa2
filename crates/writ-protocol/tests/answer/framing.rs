//! Framings other than server-sent events.

use writ_protocol::Endpoint;
use writ_protocol::answer::Framing;

use crate::editor::Replacing;
use crate::properties::run;

#[test]
fn text_that_is_held_becomes_an_element_of_the_array() {
    let chunk = |text: &str, end: &str| {
        format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}],\"role\":\"model\"}},\"index\":0{end}}}]}}"
        )
    };
    let gemini = Endpoint::GeminiGenerate { stream: true, sse: false };
    // The last chunk has no text: what is held comes before it.
    let last = "{\"candidates\":[{\"finishReason\":\"STOP\",\"index\":0}]}";
    let body = format!("[{}\n,\r\n{last}\n]\n", chunk("abc", ""));
    let out = run(gemini, Framing::JsonArray, body.as_bytes(), &[5], &mut Replacing::holding(1));
    let expected = format!("[{}\n,\r\n{},\r\n{last}\n]\n", chunk("ab", ""), chunk("c", ""));
    assert_eq!(
        String::from_utf8(out).unwrap().replace("\"candidates\"", "\n\"candidates\""),
        expected.replace("\"candidates\"", "\n\"candidates\"")
    );
    // The stream ends without saying so.
    let body = format!("[{}]", chunk("abc", ""));
    let out = run(gemini, Framing::JsonArray, body.as_bytes(), &[5], &mut Replacing::holding(1));
    assert_eq!(String::from_utf8(out).unwrap(), format!("[{},\r\n{}]", chunk("ab", ""), chunk("c", "")));
    // The last chunk has text: what is held goes into it.
    let body = format!("[{}]", chunk("abc", ",\"finishReason\":\"STOP\""));
    let out = run(gemini, Framing::JsonArray, body.as_bytes(), &[5], &mut Replacing::holding(1));
    assert_eq!(String::from_utf8(out).unwrap(), body);
}

#[test]
fn lines_are_edited_each() {
    let body = "{\"message\":{\"content\":\"hi [NAME-1]\"}}\n{\"done\":true}\n";
    let out = run(Endpoint::AnyJson, Framing::Ndjson, body.as_bytes(), &[5], &mut Replacing::default());
    let out = String::from_utf8(out).unwrap();
    let (first, rest) = out.split_once('\n').unwrap();
    assert_eq!(rest, "{\"done\":true}\n");
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    assert_eq!(first["message"]["content"], format!("hi {}", crate::editor::NAME));
}
