//! OpenAI Responses: events, and whole answers.

use writ_model::Signal;

use super::plan::{End, Mode, Plan};
use super::reader::{Names, index};
use super::value::Value;
use super::{Channel, ChannelKind};
use crate::json::Kind;

/// Blocks of reasoning text, beside those of its summary.
pub(super) const REASONING_TEXT: u32 = 1 << 16;
/// Blocks of arguments: of a function call, of an MCP call, the input of a custom tool, the code of an interpreter.
pub(super) const ARGUMENTS: [(u32, &str, &str); 4] = [
    (0, "response.function_call_arguments", "arguments"),
    (1, "response.mcp_call_arguments", "arguments"),
    (2, "response.custom_tool_call_input", "input"),
    (3, "response.code_interpreter_call_code", "code"),
];

/// Reads an event.
pub(super) fn read(root: Value<'_>, names: &mut Names, plan: &mut Plan) {
    let kind = root.get("type").and_then(Value::text).unwrap_or_default();
    let event = Event::of(root, &kind);
    for (key, value) in root.members() {
        match key.as_ref() {
            "type" | "item_id" | "output_index" | "content_index" | "summary_index" | "obfuscation" | "stream_id" => {
                plan.structural(value);
            }
            "sequence_number" => plan.number = value.number().map(|number| (value.place(), number)),
            "response" => response(value, names, plan),
            "item" => item(event.output, value, event.mode(), plan),
            "part" => part(event.output, event.block, value, event.mode(), plan),
            "logprobs" => plan.logprobs(value),
            "partial_image_b64" => plan.opaque(value, Signal::OpaqueImage),
            "delta" if kind == "response.audio.delta" => plan.opaque(value, Signal::OpaqueAudio),
            key => match event.text(key) {
                Some((channel, mode)) => plan.site(value, channel, mode, root.get("item_id")),
                None => plan.other(value),
            },
        }
    }
    match kind.as_ref() {
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" | "error" => {
            plan.ends.push(End::All);
        }
        "response.output_item.done" => plan.ends.push(End::Output(event.output)),
        _ => {}
    }
}

/// Reads a whole answer.
pub(super) fn read_whole(root: Value<'_>, names: &mut Names, plan: &mut Plan) {
    response(root, names, plan);
}

/// What the type and the indexes of an event say.
struct Event<'k> {
    kind: &'k str,
    output: u32,
    block: u32,
}

impl<'k> Event<'k> {
    fn of(root: Value<'_>, kind: &'k str) -> Self {
        let block = root.get("content_index").or_else(|| root.get("summary_index"));
        Self { kind, output: index(root.get("output_index"), 0), block: index(block, 0) }
    }

    /// How an item or a part in the event is to be read: what was added begins a text.
    fn mode(&self) -> Mode {
        if self.kind.ends_with(".added") { Mode::Delta } else { Mode::Whole }
    }

    /// The channel and mode of a text in the event itself.
    fn text(&self, key: &str) -> Option<(Channel, Mode)> {
        let (stem, last) = self.kind.rsplit_once('.')?;
        let (name, block, kind) = match stem {
            "response.output_text" => ("text", self.block, ChannelKind::Text),
            "response.refusal" => ("refusal", self.block, ChannelKind::Refusal),
            "response.reasoning_summary_text" => ("text", self.block, ChannelKind::Reasoning),
            "response.reasoning_text" => ("text", self.block.saturating_add(REASONING_TEXT), ChannelKind::Reasoning),
            _ => {
                let (block, _, name) = ARGUMENTS.iter().find(|(_, arguments, _)| *arguments == stem)?;
                (*name, *block, ChannelKind::ToolArguments)
            }
        };
        let mode = match last {
            "delta" if key == "delta" => Mode::Delta,
            "done" if key == name => Mode::Whole,
            _ => return None,
        };
        Some((Channel { output: self.output, block, kind }, mode))
    }
}

fn response(response: Value<'_>, names: &mut Names, plan: &mut Plan) {
    for (key, value) in response.members() {
        match key.as_ref() {
            "output" => {
                let items = value.elements().enumerate();
                items.for_each(|(at, entry)| item(index(None, at), entry, Mode::Whole, plan));
            }
            "id" | "model" | "created_at" => {
                names.keep(&key, value);
                plan.structural(value);
            }
            "object" | "status" | "service_tier" | "previous_response_id" | "truncation" | "prompt_cache_key" => {
                plan.structural(value);
            }
            _ => plan.other(value),
        }
    }
    names.identify(response.get("id"));
}

/// An output item: a message, a call, reasoning.
fn item(output: u32, item: Value<'_>, mode: Mode, plan: &mut Plan) {
    let kind = item.get("type").and_then(Value::text).unwrap_or_default();
    let id = item.get("id");
    let arguments = |block| Channel { output, block, kind: ChannelKind::ToolArguments };
    for (key, value) in item.members() {
        match (kind.as_ref(), key.as_ref()) {
            (_, "id" | "type" | "status" | "role" | "name" | "call_id" | "server_label" | "namespace" | "phase") => {
                plan.structural(value);
            }
            ("message" | "reasoning", "content" | "summary") if value.kind() == Kind::Array => {
                for (at, entry) in value.elements().enumerate() {
                    item_part(
                        Channel { output, block: index(None, at), kind: ChannelKind::Text },
                        entry,
                        mode,
                        id,
                        plan,
                    );
                }
            }
            ("function_call", "arguments") => plan.site(value, arguments(0), mode, id),
            ("mcp_call", "arguments") => plan.site(value, arguments(1), mode, id),
            ("custom_tool_call", "input") => plan.site(value, arguments(2), mode, id),
            ("code_interpreter_call", "code") => plan.site(value, arguments(3), mode, id),
            ("image_generation_call", "result") => plan.opaque(value, Signal::OpaqueImage),
            (_, "encrypted_content") => plan.sealed(value),
            _ => plan.other(value),
        }
    }
}

fn part(output: u32, block: u32, part: Value<'_>, mode: Mode, plan: &mut Plan) {
    item_part(Channel { output, block, kind: ChannelKind::Text }, part, mode, None, plan);
}

/// A part of a message or of reasoning; `at` is its place, its type tells the rest of the channel.
fn item_part(at: Channel, part: Value<'_>, mode: Mode, id: Option<Value<'_>>, plan: &mut Plan) {
    let kind = part.get("type").and_then(Value::text).unwrap_or_default();
    for (key, value) in part.members() {
        let channel = match (kind.as_ref(), key.as_ref()) {
            ("output_text", "text") => at.clone(),
            ("refusal", "refusal") => Channel { kind: ChannelKind::Refusal, ..at.clone() },
            ("summary_text", "text") => Channel { kind: ChannelKind::Reasoning, ..at.clone() },
            ("reasoning_text", "text") => {
                let block = at.block.saturating_add(REASONING_TEXT);
                Channel { kind: ChannelKind::Reasoning, block, ..at.clone() }
            }
            (_, "type") => {
                plan.structural(value);
                continue;
            }
            (_, "logprobs") => {
                plan.logprobs(value);
                continue;
            }
            _ => {
                plan.other(value);
                continue;
            }
        };
        plan.site(value, channel, mode, id);
    }
}
