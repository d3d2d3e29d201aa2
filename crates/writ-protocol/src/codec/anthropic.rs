//! Anthropic Messages. Source: Anthropic API reference; anthropic SDK 2.12.

use writ_model::{Author, Signal};

use super::Codec;
use crate::shape::{Field, Place, Shape};

pub(super) static MESSAGES: Codec = Codec { shape: &BODY, marks: &["messages"], list: false, program: false };
pub(super) static BATCHES: Codec = Codec { shape: &BATCH, marks: &["requests"], list: false, program: true };
pub(super) static MESSAGES_ANSWER: Codec =
    Codec { shape: &ANSWER, marks: &["content", "error"], list: false, program: false };

/// Values with a closed meaning.
static WORD: Shape = Shape::Words(&[
    "user",
    "assistant",
    "system",
    "text",
    "image",
    "document",
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "search_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "base64",
    "url",
    "file",
    "content",
    "ephemeral",
    "5m",
    "1h",
    "auto",
    "any",
    "tool",
    "none",
    "enabled",
    "disabled",
    "adaptive",
    "low",
    "medium",
    "high",
    "max",
    "standard",
    "standard_only",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "message",
    "error",
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "pause_turn",
    "refusal",
    "container_upload",
    "direct",
]);
/// Ids, names and settings: shown among the structural values.
static ID: Shape = Shape::Words(&[]);

static BATCH: Shape = Shape::Object(None, &[("requests", &BATCH_REQUEST)]);
static BATCH_REQUEST: Shape = Shape::Object(None, &[("custom_id", &ID), ("params", &BODY)]);
static BODY: Shape = Shape::Object(
    None,
    &[
        ("system", &SYSTEM),
        ("messages", &TURNS),
        ("model", &ID),
        ("tools", &TOOLS),
        ("tool_choice", &TOOL_CHOICE),
        ("metadata", &META),
        ("stop_sequences", &STOP),
        ("mcp_servers", &MCP),
        ("container", &CONTAINER),
        ("output_format", &FORMAT),
        ("output_config", &FORMAT),
        ("thinking", &THINKING_SETTINGS),
        ("context_management", &CONTEXT),
        ("max_tokens", &WORD),
        ("stream", &WORD),
        ("temperature", &WORD),
        ("top_p", &WORD),
        ("top_k", &WORD),
        ("service_tier", &WORD),
        ("cache_control", &CACHE),
        ("anthropic_version", &ID),
    ],
);
static SYSTEM: Shape = Shape::Object(
    Some(Place::of("system", Author::System)),
    &[("type", &WORD), ("text", &SYSTEM_TEXT), ("cache_control", &CACHE), ("citations", &CITATIONS)],
);
static SYSTEM_TEXT: Shape = Shape::Text(Place::of("system[].text", Author::System));
static CACHE: Shape = Shape::Object(None, &[("type", &WORD), ("ttl", &WORD), ("scope", &ID)]);
static TOOLS: Shape = Shape::Tool(Place::of("tools[]", Author::ToolDefinition));
static TOOL_CHOICE: Shape =
    Shape::Object(None, &[("type", &WORD), ("name", &ID), ("disable_parallel_tool_use", &WORD)]);
static META: Shape = Shape::Composite(Place::of("metadata", Author::Metadata));
static STOP: Shape = Shape::Text(Place::of("stop_sequences[]", Author::Metadata));
static MCP: Shape = Shape::Composite(Place::of("mcp_servers[]", Author::Metadata));
static CONTAINER: Shape = Shape::Reference(Place::fixed("container"));
static FORMAT: Shape = Shape::Composite(Place::of("output_format", Author::ToolDefinition));
static CONTEXT: Shape = Shape::Composite(Place::of("context_management", Author::Metadata));
static THINKING_SETTINGS: Shape = Shape::Object(None, &[("type", &WORD), ("budget_tokens", &WORD), ("display", &ID)]);

static TURNS: Shape = Shape::Turns(Place::turn("messages[].content"), TURN);
static TURN: &[Field] = &[("role", &WORD), ("content", &CONTENT)];
static CONTENT: Shape = Shape::Object(
    Some(Place::turn("messages[].content")),
    &[
        ("type", &WORD),
        ("text", &TEXT),
        ("source", &SOURCE),
        ("title", &TITLE),
        ("context", &DOCUMENT_CONTEXT),
        ("citations", &CITATIONS),
        ("cache_control", &CACHE),
        ("id", &ID),
        ("name", &ID),
        ("server_name", &ID),
        ("caller", &CALLER),
        ("input", &INPUT),
        ("tool_use_id", &ID),
        ("is_error", &WORD),
        ("content", &RESULT),
        ("thinking", &THINKING),
        ("signature", &SIGNATURE),
        ("data", &REDACTED),
        ("file_id", &FILE_ID),
    ],
);
static CALLER: Shape = Shape::Object(None, &[("type", &WORD), ("tool_id", &ID)]);
static TEXT: Shape = Shape::Text(Place::turn("messages[].content[].text"));
static TITLE: Shape = Shape::Text(Place::of("messages[].content[].title", Author::Metadata));
static DOCUMENT_CONTEXT: Shape = Shape::Text(Place::turn("messages[].content[].context"));
static CITATIONS: Shape = Shape::Composite(Place::of("messages[].content[].citations", Author::Metadata));
static SOURCE: Shape = Shape::Object(
    Some(Place::turn("messages[].content[].source")),
    &[
        ("type", &WORD),
        ("media_type", &WORD),
        ("data", &DATA),
        ("url", &SOURCE_URL),
        ("file_id", &FILE_ID),
        ("content", &CONTENT),
    ],
);
static DATA: Shape = Shape::Media(Place::turn("messages[].content[].source.data"), Signal::OpaqueFile);
static SOURCE_URL: Shape = Shape::Url(Place::turn("messages[].content[].source.url"), Signal::OpaqueFile);
static FILE_ID: Shape = Shape::Reference(Place::turn("messages[].content[].source.file_id"));
static INPUT: Shape = Shape::Composite(Place::call("messages[].content[].input"));
static THINKING: Shape = Shape::Text(Place::fixed("messages[].content[].thinking"));
static SIGNATURE: Shape = Shape::Encrypted(Place::fixed("messages[].content[].signature"));
static REDACTED: Shape = Shape::Encrypted(Place::fixed("messages[].content[].data"));

/// What a tool gave back: a string, or blocks.
static RESULT: Shape = Shape::Object(
    Some(Place::result("messages[].content[].content")),
    &[
        ("type", &WORD),
        ("text", &RESULT_TEXT),
        ("source", &RESULT_SOURCE),
        ("title", &RESULT_TITLE),
        ("url", &RESULT_URL),
        ("page_age", &RESULT_TITLE),
        ("encrypted_content", &RESULT_ENCRYPTED),
        ("content", &RESULT),
        ("citations", &CITATIONS),
        ("cache_control", &CACHE),
        ("tool_name", &ID),
    ],
);
static RESULT_TEXT: Shape = Shape::Text(Place::result("messages[].content[].content[].text"));
static RESULT_TITLE: Shape = Shape::Text(Place::result("messages[].content[].content[].title"));
static RESULT_URL: Shape = Shape::Text(Place::result("messages[].content[].content[].url"));
static RESULT_ENCRYPTED: Shape = Shape::Encrypted(Place::fixed("messages[].content[].content[].encrypted_content"));
static RESULT_SOURCE: Shape = Shape::Object(
    Some(Place::result("messages[].content[].content[].source")),
    &[
        ("type", &WORD),
        ("media_type", &WORD),
        ("data", &RESULT_DATA),
        ("url", &RESULT_SOURCE_URL),
        ("file_id", &FILE_ID),
        ("content", &RESULT),
    ],
);
static RESULT_DATA: Shape =
    Shape::Media(Place::result("messages[].content[].content[].source.data"), Signal::OpaqueFile);
static RESULT_SOURCE_URL: Shape =
    Shape::Url(Place::result("messages[].content[].content[].source.url"), Signal::OpaqueFile);

/// An answer is a turn without a list around it; its members stand beside those of the envelope.
static ANSWER: Shape = Shape::Turns(Place::turn("messages[].content"), ANSWER_FIELDS);
static ANSWER_FIELDS: &[Field] = &[
    ("id", &ID),
    ("type", &WORD),
    ("role", &WORD),
    ("model", &ID),
    ("content", &CONTENT),
    ("stop_reason", &WORD),
    ("stop_sequence", &STOP),
    ("usage", &USAGE),
    ("container", &CONTAINER_ANSWER),
    ("context_management", &CONTEXT),
    ("error", &ERROR),
    ("request_id", &ID),
];
static USAGE: Shape = Shape::Composite(Place::of("usage", Author::Metadata));
static CONTAINER_ANSWER: Shape = Shape::Composite(Place::of("container", Author::Metadata));
static ERROR: Shape = Shape::Composite(Place::of("error", Author::Metadata));
