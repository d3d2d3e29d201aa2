//! Events of our own that deliver text which was held when its channel ended.

use writ_model::WireFormat;

use super::reader::Names;
use super::weave::{Due, escape};
use super::{ChannelKind, chat, responses};

/// An event of our own: its name (server-sent events of some formats have one) and its data.
pub(crate) struct Extra {
    pub(crate) name: Option<&'static str>,
    pub(crate) data: String,
}

impl Extra {
    /// An event without a name.
    pub(crate) fn unnamed(data: String) -> Self {
        Self { name: None, data }
    }
}

/// The event that delivers `due`. `number` is its running number, where the format has one.
pub(super) fn extra(format: WireFormat, names: &Names, due: &Due, number: u64) -> Option<Extra> {
    let text = escape(&due.text);
    match format {
        WireFormat::OpenaiChat => Some(Extra::unnamed(chunk(names, due, &text))),
        WireFormat::OpenaiResponses => response_delta(due, &text, number),
        WireFormat::AnthropicMessages => Some(block_delta(due, &text)),
        WireFormat::GeminiGenerate => Some(Extra::unnamed(generation(names, due, &text))),
        // All texts of unknown JSON are whole: no channel is ever open.
        WireFormat::AnyJson => None,
    }
}

fn chunk(names: &Names, due: &Due, text: &str) -> String {
    let block = due.channel.block;
    let delta = match due.channel.kind {
        ChannelKind::Text if block == chat::SECOND => format!("\"audio\":{{\"transcript\":\"{text}\"}}"),
        ChannelKind::Text | ChannelKind::Other => format!("\"content\":\"{text}\""),
        ChannelKind::Refusal => format!("\"refusal\":\"{text}\""),
        ChannelKind::Reasoning if block == chat::SECOND => format!("\"reasoning\":\"{text}\""),
        ChannelKind::Reasoning => format!("\"reasoning_content\":\"{text}\""),
        ChannelKind::ToolArguments if block == chat::LEGACY => {
            format!("\"function_call\":{{\"arguments\":\"{text}\"}}")
        }
        ChannelKind::ToolArguments => match block.checked_sub(chat::CUSTOM) {
            Some(index) => format!("\"tool_calls\":[{{\"index\":{index},\"custom\":{{\"input\":\"{text}\"}}}}]"),
            None => format!("\"tool_calls\":[{{\"index\":{block},\"function\":{{\"arguments\":\"{text}\"}}}}]"),
        },
    };
    let output = due.channel.output;
    format!(
        "{{{}\"choices\":[{{\"index\":{output},\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":null}}]}}",
        members(names)
    )
}

fn response_delta(due: &Due, text: &str, number: u64) -> Option<Extra> {
    let block = due.channel.block;
    let (name, at) = match due.channel.kind {
        ChannelKind::Text => ("response.output_text.delta", format!("\"content_index\":{block},\"logprobs\":[],")),
        ChannelKind::Refusal => ("response.refusal.delta", format!("\"content_index\":{block},")),
        ChannelKind::Reasoning => match block.checked_sub(responses::REASONING_TEXT) {
            Some(index) => ("response.reasoning_text.delta", format!("\"content_index\":{index},")),
            None => ("response.reasoning_summary_text.delta", format!("\"summary_index\":{block},")),
        },
        ChannelKind::ToolArguments => {
            let name = match block {
                0 => "response.function_call_arguments.delta",
                1 => "response.mcp_call_arguments.delta",
                2 => "response.custom_tool_call_input.delta",
                _ => "response.code_interpreter_call_code.delta",
            };
            (name, String::new())
        }
        ChannelKind::Other => return None,
    };
    let item = due.item.as_deref().unwrap_or_default();
    let output = due.channel.output;
    let data = format!(
        "{{\"type\":\"{name}\",\"sequence_number\":{number},\"item_id\":\"{item}\",\"output_index\":{output},{at}\
         \"delta\":\"{text}\"}}"
    );
    Some(Extra { name: Some(name), data })
}

fn block_delta(due: &Due, text: &str) -> Extra {
    let delta = match due.channel.kind {
        ChannelKind::ToolArguments => format!("\"type\":\"input_json_delta\",\"partial_json\":\"{text}\""),
        _ => format!("\"type\":\"text_delta\",\"text\":\"{text}\""),
    };
    let index = due.channel.block;
    let data = format!("{{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{{delta}}}}}");
    Extra { name: Some("content_block_delta"), data }
}

fn generation(names: &Names, due: &Due, text: &str) -> String {
    let thought = if due.channel.kind == ChannelKind::Reasoning { ",\"thought\":true" } else { "" };
    let part = format!("{{\"text\":\"{text}\"{thought}}}");
    let index = due.channel.output;
    format!(
        "{{{}\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}},\"index\":{index}}}]}}",
        members(names)
    )
}

fn members(names: &Names) -> String {
    names.members.iter().map(|(key, value)| format!("\"{key}\":{value},")).collect()
}
