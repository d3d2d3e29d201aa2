//! Anthropic Messages: events, and whole answers.

use writ_model::Signal;

use super::plan::{End, Mode, Plan};
use super::reader::{Names, index};
use super::value::Value;
use super::{Channel, ChannelKind};

/// Reads an event.
pub(super) fn read(root: Value<'_>, names: &mut Names, plan: &mut Plan) {
    let kind = root.get("type").and_then(Value::text).unwrap_or_default();
    let block_index = index(root.get("index"), 0);
    for (key, value) in root.members() {
        match (kind.as_ref(), key.as_ref()) {
            (_, "type" | "index" | "request_id") => plan.structural(value),
            ("message_start", "message") => message(value, Mode::Delta, names, plan),
            ("content_block_start", "content_block") => block(block_index, value, Mode::Delta, plan),
            ("content_block_delta", "delta") => delta(block_index, value, plan),
            ("message_delta", "delta") => stop(value, plan),
            _ => plan.other(value),
        }
    }
    match kind.as_ref() {
        "content_block_stop" => plan.ends.push(End::Block(0, block_index)),
        "message_delta" | "message_stop" | "error" => plan.ends.push(End::All),
        _ => {}
    }
}

/// Reads a whole answer.
pub(super) fn read_whole(root: Value<'_>, names: &mut Names, plan: &mut Plan) {
    message(root, Mode::Whole, names, plan);
}

fn message(message: Value<'_>, mode: Mode, names: &mut Names, plan: &mut Plan) {
    for (key, value) in message.members() {
        match key.as_ref() {
            "content" => value.elements().enumerate().for_each(|(at, entry)| block(index(None, at), entry, mode, plan)),
            "id" | "type" | "role" | "model" | "stop_reason" | "request_id" => plan.structural(value),
            _ => plan.other(value),
        }
    }
    names.identify(message.get("id"));
}

fn stop(delta: Value<'_>, plan: &mut Plan) {
    for (key, value) in delta.members() {
        match key.as_ref() {
            "stop_reason" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

/// A content block, as it begins or as a whole.
fn block(at: u32, block: Value<'_>, mode: Mode, plan: &mut Plan) {
    let kind = block.get("type").and_then(Value::text).unwrap_or_default();
    let channel = |kind| Channel { output: 0, block: at, kind };
    for (key, value) in block.members() {
        match (kind.as_ref(), key.as_ref()) {
            (_, "type" | "id" | "name" | "tool_use_id" | "server_name") => plan.structural(value),
            ("text", "text") => plan.site(value, channel(ChannelKind::Text), mode, None),
            ("thinking", "thinking" | "signature") | ("redacted_thinking", "data") => plan.sealed(value),
            ("tool_use" | "server_tool_use" | "mcp_tool_use", "input") => {
                plan.source(value, channel(ChannelKind::ToolArguments));
            }
            ("image", "source") => media(value, Signal::OpaqueImage, plan),
            _ => plan.other(value),
        }
    }
}

fn delta(at: u32, delta: Value<'_>, plan: &mut Plan) {
    let kind = delta.get("type").and_then(Value::text).unwrap_or_default();
    let channel = |kind| Channel { output: 0, block: at, kind };
    for (key, value) in delta.members() {
        match (kind.as_ref(), key.as_ref()) {
            (_, "type") => plan.structural(value),
            ("text_delta", "text") => plan.delta(value, channel(ChannelKind::Text), None),
            ("input_json_delta", "partial_json") => plan.delta(value, channel(ChannelKind::ToolArguments), None),
            // A signature at the end of the block covers the text: the service refuses it back if it was changed.
            ("thinking_delta", "thinking") | ("signature_delta", "signature") => plan.sealed(value),
            _ => plan.other(value),
        }
    }
}

fn media(source: Value<'_>, signal: Signal, plan: &mut Plan) {
    for (key, value) in source.members() {
        match key.as_ref() {
            "data" => plan.opaque(value, signal),
            _ => plan.other(value),
        }
    }
}
