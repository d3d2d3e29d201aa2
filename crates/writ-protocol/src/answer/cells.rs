//! Which texts of answers are offered to an editor: a cell per format, location and transport, each with a test case.

use writ_model::WireFormat;

use super::ChannelKind;

/// A location of an answer whose text is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The format.
    pub format: WireFormat,
    /// Whether the answer is a stream; else one document.
    pub stream: bool,
    /// The location, as docs/coverage.md lists it.
    pub location: &'static str,
    /// How it is offered.
    pub kind: ChannelKind,
}

const fn cell(format: WireFormat, stream: bool, location: &'static str, kind: ChannelKind) -> Cell {
    Cell { format, stream, location, kind }
}

use ChannelKind::{Other, Reasoning, Refusal, Text, ToolArguments};
use WireFormat::{AnthropicMessages, AnyJson, GeminiGenerate, OpenaiChat, OpenaiResponses};

/// Where strings stand that no location names.
const ELSE: &str = "(other fields)";

/// All cells of the answer direction.
pub const CELLS: &[Cell] = &[
    cell(OpenaiChat, true, "choices[].delta.content", Text),
    cell(OpenaiChat, true, "choices[].delta.refusal", Refusal),
    cell(OpenaiChat, true, "choices[].delta.reasoning_content", Reasoning),
    cell(OpenaiChat, true, "choices[].delta.reasoning", Reasoning),
    cell(OpenaiChat, true, "choices[].delta.tool_calls[].function.arguments", ToolArguments),
    cell(OpenaiChat, true, "choices[].delta.tool_calls[].custom.input", ToolArguments),
    cell(OpenaiChat, true, "choices[].delta.function_call.arguments", ToolArguments),
    cell(OpenaiChat, true, "choices[].delta.audio.transcript", Text),
    cell(OpenaiChat, true, ELSE, Other),
    cell(OpenaiChat, false, "choices[].message.content", Text),
    cell(OpenaiChat, false, "choices[].message.content[].text", Text),
    cell(OpenaiChat, false, "choices[].message.refusal", Refusal),
    cell(OpenaiChat, false, "choices[].message.reasoning_content", Reasoning),
    cell(OpenaiChat, false, "choices[].message.tool_calls[].function.arguments", ToolArguments),
    cell(OpenaiChat, false, "choices[].message.tool_calls[].custom.input", ToolArguments),
    cell(OpenaiChat, false, "choices[].message.audio.transcript", Text),
    cell(OpenaiChat, false, ELSE, Other),
    cell(OpenaiResponses, true, "response.output_text.delta", Text),
    cell(OpenaiResponses, true, "response.output_text.done", Text),
    cell(OpenaiResponses, true, "response.content_part.done", Text),
    cell(OpenaiResponses, true, "response.output_item.done", Text),
    cell(OpenaiResponses, true, "response.completed", Text),
    cell(OpenaiResponses, true, "response.refusal.delta", Refusal),
    cell(OpenaiResponses, true, "response.refusal.done", Refusal),
    cell(OpenaiResponses, true, "response.reasoning_summary_text.delta", Reasoning),
    cell(OpenaiResponses, true, "response.reasoning_summary_text.done", Reasoning),
    cell(OpenaiResponses, true, "response.reasoning_summary_part.done", Reasoning),
    cell(OpenaiResponses, true, "response.reasoning_text.delta", Reasoning),
    cell(OpenaiResponses, true, "response.function_call_arguments.delta", ToolArguments),
    cell(OpenaiResponses, true, "response.function_call_arguments.done", ToolArguments),
    cell(OpenaiResponses, true, "response.mcp_call_arguments.delta", ToolArguments),
    cell(OpenaiResponses, true, "response.custom_tool_call_input.delta", ToolArguments),
    cell(OpenaiResponses, true, "response.code_interpreter_call_code.delta", ToolArguments),
    cell(OpenaiResponses, true, ELSE, Other),
    cell(OpenaiResponses, false, "output[].content[].text", Text),
    cell(OpenaiResponses, false, "output[].content[].refusal", Refusal),
    cell(OpenaiResponses, false, "output[].summary[].text", Reasoning),
    cell(OpenaiResponses, false, "output[].arguments", ToolArguments),
    cell(OpenaiResponses, false, ELSE, Other),
    cell(AnthropicMessages, true, "content_block_start.content_block.text", Text),
    cell(AnthropicMessages, true, "content_block_delta.delta.text", Text),
    cell(AnthropicMessages, true, "content_block_delta.delta.partial_json", ToolArguments),
    cell(AnthropicMessages, true, ELSE, Other),
    cell(AnthropicMessages, false, "content[].text", Text),
    cell(AnthropicMessages, false, "content[].input", ToolArguments),
    cell(AnthropicMessages, false, ELSE, Other),
    cell(GeminiGenerate, true, "candidates[].content.parts[].text", Text),
    cell(GeminiGenerate, true, "candidates[].content.parts[].text (thought)", Reasoning),
    cell(GeminiGenerate, true, "candidates[].content.parts[].functionCall.args", ToolArguments),
    cell(GeminiGenerate, true, ELSE, Other),
    cell(GeminiGenerate, false, "candidates[].content.parts[].text", Text),
    cell(GeminiGenerate, false, "candidates[].content.parts[].text (thought)", Reasoning),
    cell(GeminiGenerate, false, "candidates[].content.parts[].functionCall.args", ToolArguments),
    cell(GeminiGenerate, false, ELSE, Other),
    cell(AnyJson, true, ELSE, Other),
    cell(AnyJson, false, ELSE, Other),
];
