//! OpenAI chat completions: chunks, and whole answers.

use super::plan::{End, Mode, Plan};
use super::reader::{Names, index};
use super::value::Value;
use super::{Channel, ChannelKind};
use crate::json::Kind;
use writ_model::Signal;

/// Blocks of tool calls whose input is free text (`custom`).
pub(super) const CUSTOM: u32 = 1 << 16;
/// The block of the older `function_call`, of which there is one.
pub(super) const LEGACY: u32 = 1 << 17;
/// The block of `reasoning`, beside `reasoning_content`; of a transcript, beside the content.
pub(super) const SECOND: u32 = 1 << 16;

/// Reads a chunk or a whole answer.
pub(super) fn read(root: Value<'_>, names: &mut Names, plan: &mut Plan) {
    for (key, value) in root.members() {
        match key.as_ref() {
            "choices" => value.elements().enumerate().for_each(|(at, entry)| choice(at, entry, plan)),
            "id" | "object" | "created" | "model" | "system_fingerprint" | "service_tier" => {
                names.keep(&key, value);
                plan.structural(value);
            }
            "obfuscation" | "provider" => plan.structural(value),
            _ => plan.other(value),
        }
    }
    names.identify(root.get("id"));
}

fn choice(at: usize, choice: Value<'_>, plan: &mut Plan) {
    let output = index(choice.get("index"), at);
    for (key, value) in choice.members() {
        match key.as_ref() {
            "delta" => message(output, value, Mode::Delta, plan),
            "message" => message(output, value, Mode::Whole, plan),
            "text" => plan.site(value, Channel { output, block: 0, kind: ChannelKind::Text }, Mode::Delta, None),
            "logprobs" => plan.logprobs(value),
            "finish_reason" if value.kind() == Kind::String => {
                plan.ends.push(End::Output(output));
                plan.structural(value);
            }
            "index" | "native_finish_reason" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

fn message(output: u32, message: Value<'_>, mode: Mode, plan: &mut Plan) {
    let channel = |block, kind| Channel { output, block, kind };
    for (key, value) in message.members() {
        match key.as_ref() {
            "content" => content(output, value, mode, plan),
            "refusal" => plan.site(value, channel(0, ChannelKind::Refusal), mode, None),
            "reasoning_content" => plan.site(value, channel(0, ChannelKind::Reasoning), mode, None),
            "reasoning" => plan.site(value, channel(SECOND, ChannelKind::Reasoning), mode, None),
            "tool_calls" => value.elements().enumerate().for_each(|(at, call)| tool_call(output, at, call, mode, plan)),
            "function_call" => function(value, channel(LEGACY, ChannelKind::ToolArguments), "arguments", mode, plan),
            "audio" => audio(value, channel(SECOND, ChannelKind::Text), mode, plan),
            "reasoning_details" => value.elements().for_each(|detail| reasoning_detail(detail, plan)),
            "role" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

/// A string, or parts as some services send them.
fn content(output: u32, value: Value<'_>, mode: Mode, plan: &mut Plan) {
    let text = Channel { output, block: 0, kind: ChannelKind::Text };
    if value.kind() != Kind::Array {
        return plan.site(value, text, mode, None);
    }
    // Parts of one message are joined: each is more text of the channel, also in a whole answer.
    for part in value.elements() {
        for (key, value) in part.members() {
            match key.as_ref() {
                "text" => plan.site(value, text.clone(), Mode::Delta, None),
                "thinking" => {
                    let thought = Channel { output, block: 0, kind: ChannelKind::Reasoning };
                    let texts = value.elements().filter_map(|part| part.get("text"));
                    texts.for_each(|part| plan.site(part, thought.clone(), Mode::Delta, None));
                }
                "type" => plan.structural(value),
                _ => plan.other(value),
            }
        }
    }
}

fn tool_call(output: u32, at: usize, call: Value<'_>, mode: Mode, plan: &mut Plan) {
    let block = index(call.get("index"), at);
    for (key, value) in call.members() {
        let channel = |block| Channel { output, block, kind: ChannelKind::ToolArguments };
        match key.as_ref() {
            "function" => function(value, channel(block), "arguments", mode, plan),
            "custom" => function(value, channel(block.saturating_add(CUSTOM)), "input", mode, plan),
            "index" | "id" | "type" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

fn function(value: Value<'_>, channel: Channel, text: &str, mode: Mode, plan: &mut Plan) {
    for (key, value) in value.members() {
        match key.as_ref() {
            "name" => plan.structural(value),
            key if key == text && value.kind() == Kind::String => plan.site(value, channel.clone(), mode, None),
            key if key == text => plan.source(value, channel.clone()),
            _ => plan.other(value),
        }
    }
}

fn audio(audio: Value<'_>, transcript: Channel, mode: Mode, plan: &mut Plan) {
    for (key, value) in audio.members() {
        match key.as_ref() {
            "transcript" => plan.site(value, transcript.clone(), mode, None),
            "data" => plan.opaque(value, Signal::OpaqueAudio),
            "id" | "expires_at" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}

fn reasoning_detail(detail: Value<'_>, plan: &mut Plan) {
    for (key, value) in detail.members() {
        match key.as_ref() {
            "data" | "signature" => plan.sealed(value),
            "type" | "id" | "format" | "index" => plan.structural(value),
            _ => plan.other(value),
        }
    }
}
