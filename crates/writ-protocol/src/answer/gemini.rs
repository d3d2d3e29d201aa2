//! Gemini generateContent and streamGenerateContent: a whole answer has the shape of one chunk.

use writ_model::Signal;

use super::plan::{End, Plan};
use super::reader::{Names, index};
use super::value::Value;
use super::{Channel, ChannelKind};
use crate::json::Kind;
use crate::media;

/// Reads a chunk or a whole answer. `calls` counts the function calls of the answer.
pub(super) fn read(root: Value<'_>, names: &mut Names, calls: &mut u32, plan: &mut Plan) {
    for (key, value) in root.members() {
        match key.as_ref() {
            "candidates" => {
                value.elements().enumerate().for_each(|(at, entry)| candidate(at, entry, calls, plan));
            }
            "responseId" | "modelVersion" => {
                names.keep(&key, value);
                plan.structural(value);
            }
            "createTime" => plan.structural(value),
            _ => plan.other(value),
        }
    }
    names.identify(root.get("responseId"));
}

fn candidate(at: usize, candidate: Value<'_>, calls: &mut u32, plan: &mut Plan) {
    let output = index(candidate.get("index"), at);
    for (key, value) in candidate.members() {
        match key.as_ref() {
            "content" => content(output, value, calls, plan),
            "finishReason" if value.kind() == Kind::String => {
                plan.ends.push(End::Output(output));
                plan.structural(value);
            }
            "index" => plan.structural(value),
            "logprobsResult" => plan.logprobs(value),
            _ => plan.other(value),
        }
    }
}

fn content(output: u32, content: Value<'_>, calls: &mut u32, plan: &mut Plan) {
    for (key, value) in content.members() {
        match key.as_ref() {
            "parts" => value.elements().for_each(|entry| part(output, entry, calls, plan)),
            "role" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

fn part(output: u32, part: Value<'_>, calls: &mut u32, plan: &mut Plan) {
    let thought = part.get("thought").is_some_and(|thought| thought.raw() == "true");
    let kind = if thought { ChannelKind::Reasoning } else { ChannelKind::Text };
    for (key, value) in part.members() {
        match key.as_ref() {
            "text" => plan.delta(value, Channel { output, block: 0, kind }, None),
            "functionCall" => {
                call(Channel { output, block: *calls, kind: ChannelKind::ToolArguments }, value, plan);
                *calls = calls.saturating_add(1);
            }
            "inlineData" => inline(value, plan),
            "fileData" => {
                plan.signals.insert(Signal::OpaqueReference);
                plan.other(value);
            }
            "thoughtSignature" => plan.sealed(value),
            _ => plan.other(value),
        }
    }
}

fn call(channel: Channel, call: Value<'_>, plan: &mut Plan) {
    for (key, value) in call.members() {
        match key.as_ref() {
            "args" => plan.source(value, channel.clone()),
            "name" | "id" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

fn inline(data: Value<'_>, plan: &mut Plan) {
    let declared = data.get("mimeType").and_then(Value::text);
    for (key, value) in data.members() {
        match key.as_ref() {
            "data" => plan.opaque(value, media::signal(declared.as_deref(), Signal::OpaqueFile)),
            "mimeType" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}
