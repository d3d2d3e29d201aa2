//! A case per cell of the answer direction: passed untouched, edited, and stopped.

use writ_model::WireFormat;
use writ_protocol::Endpoint;
use writ_protocol::answer::cells::{CELLS, Cell};
use writ_protocol::answer::{AnswerStream, ChannelKind, Flow, Framing, edit_whole};

use crate::editor::{MARKER, Replacing, Same, edited};

fn endpoint(format: WireFormat) -> Endpoint {
    match format {
        WireFormat::OpenaiChat => Endpoint::OpenaiChat,
        WireFormat::OpenaiResponses => Endpoint::OpenaiResponses,
        WireFormat::AnthropicMessages => Endpoint::AnthropicMessages,
        WireFormat::GeminiGenerate => Endpoint::GeminiGenerate { stream: true, sse: true },
        WireFormat::AnyJson => Endpoint::AnyJson,
    }
}

/// A piece of JSON with `#` where the text of the cell stands.
fn sample(cell: &Cell) -> String {
    use WireFormat::{AnthropicMessages, AnyJson, GeminiGenerate, OpenaiChat, OpenaiResponses};
    let nested = |location: &str| -> String {
        // `a[].b.c` as JSON.
        let mut json = String::from("\"#\"");
        for name in location.rsplit('.') {
            let (name, list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
            json = if list { format!("{{\"{name}\":[{json}]}}") } else { format!("{{\"{name}\":{json}}}") };
        }
        json
    };
    let item = |item: &str| format!("{{\"id\":\"resp_1\",\"output\":[{item}]}}");
    let message = "{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"#\"}]}";
    let summary = "{\"type\":\"summary_text\",\"text\":\"#\"}";
    let event = |rest: &str| format!("{{\"type\":\"{}\",{rest}}}", cell.location);
    let part = "\"part\":{\"type\":\"output_text\",\"text\":\"#\"}";
    match (cell.format, cell.stream, cell.location) {
        (AnyJson, _, _) => "[{\"id\":\"#\"}]".into(),
        (_, _, "(other fields)") => "{\"new\":[{\"field\":\"#\"}]}".into(),
        (OpenaiChat, _, location) => nested(location),
        (OpenaiResponses, true, "response.content_part.done") => event(part),
        (OpenaiResponses, true, "response.output_item.done") => event(&format!("\"item\":{message}")),
        (OpenaiResponses, true, "response.completed") => event(&format!("\"response\":{}", item(message))),
        (OpenaiResponses, true, "response.output_text.done") => event("\"text\":\"#\""),
        (OpenaiResponses, true, "response.refusal.done") => event("\"refusal\":\"#\""),
        (OpenaiResponses, true, "response.reasoning_summary_text.done") => event("\"text\":\"#\""),
        (OpenaiResponses, true, "response.reasoning_summary_part.done") => event(&format!("\"part\":{summary}")),
        (OpenaiResponses, true, "response.function_call_arguments.done") => event("\"arguments\":\"#\""),
        (OpenaiResponses, true, _) => event("\"delta\":\"#\""),
        (OpenaiResponses, false, "output[].content[].text") => item(message),
        (OpenaiResponses, false, "output[].content[].refusal") => {
            item("{\"type\":\"message\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"#\"}]}")
        }
        (OpenaiResponses, false, "output[].summary[].text") => {
            item(&format!("{{\"type\":\"reasoning\",\"summary\":[{summary}]}}"))
        }
        (OpenaiResponses, false, "output[].arguments") => item("{\"type\":\"function_call\",\"arguments\":\"#\"}"),
        (AnthropicMessages, true, "content_block_start.content_block.text") => {
            "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"#\"}}".into()
        }
        (AnthropicMessages, true, "content_block_delta.delta.text") => {
            "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"#\"}}".into()
        }
        (AnthropicMessages, true, "content_block_delta.delta.partial_json") => {
            "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"#\"}}".into()
        }
        (AnthropicMessages, false, "content[].text") => "{\"content\":[{\"type\":\"text\",\"text\":\"#\"}]}".into(),
        (AnthropicMessages, false, "content[].input") => {
            "{\"content\":[{\"type\":\"tool_use\",\"input\":{\"a\":\"#\"}}]}".into()
        }
        (GeminiGenerate, _, "candidates[].content.parts[].text") => nested(cell.location),
        (GeminiGenerate, _, "candidates[].content.parts[].text (thought)") => {
            "{\"candidates\":[{\"content\":{\"parts\":[{\"thought\":true,\"text\":\"#\"}]}}]}".into()
        }
        (GeminiGenerate, _, "candidates[].content.parts[].functionCall.args") => {
            "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":{\"a\":\"#\"}}}]}}]}".into()
        }
        _ => panic!("no case for {cell:?}"),
    }
}

fn run(cell: &Cell, json: &str, editor: &mut dyn writ_protocol::answer::TextEditor) -> (String, Flow) {
    let mut out = Vec::new();
    let flow = if cell.stream {
        let mut stream = AnswerStream::new(endpoint(cell.format), Framing::Ndjson);
        match stream.push(format!("{json}\n").as_bytes(), editor, &mut out) {
            Flow::Continue => stream.end(editor, &mut out),
            Flow::Stop => Flow::Stop,
        }
    } else {
        edit_whole(endpoint(cell.format), json.as_bytes(), editor, &mut out).flow
    };
    (String::from_utf8(out).unwrap().trim_end().to_owned(), flow)
}

#[test]
fn every_cell_passes_is_edited_and_stops() {
    for cell in CELLS {
        let json = sample(cell).replace('#', &format!("for {MARKER}, \\u00e9"));
        assert_eq!(run(cell, &json, &mut Same), (json.clone(), Flow::Continue), "{cell:?}");

        let mut editor = Replacing::default();
        let (out, flow) = run(cell, &json, &mut editor);
        assert_eq!(editor.seen.len(), 1, "{cell:?} {:?}", editor.seen);
        assert_eq!(editor.seen[0].0.kind, cell.kind, "{cell:?}");
        // An argument object is offered as its source; a string with the source is escaped once more.
        let source = cell.kind == ChannelKind::ToolArguments && editor.seen[0].1.starts_with('{');
        let replacement = edited(cell.kind, MARKER);
        let inner = if source { replacement } else { escaped(&replacement) };
        let inner = inner.replace('\u{2028}', "\\u2028");
        assert_eq!((out, flow), (json.replace(MARKER, &inner), Flow::Continue), "{cell:?}");

        let mut stopping = Replacing::stopping("for");
        assert_eq!(run(cell, &json, &mut stopping), (String::new(), Flow::Stop), "{cell:?}");
    }
}

fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}
