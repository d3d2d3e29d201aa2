//! OpenAI: chat completions, Responses and the smaller endpoints. Source: OpenAI API reference; openai SDK 3.54.

use writ_model::{Author, Signal};

use super::Codec;
use crate::shape::{Field, Place, Shape};

pub(super) static CHAT: Codec = Codec { shape: &CHAT_BODY, marks: &["messages"], list: false, program: false };
pub(super) static RESPONSES: Codec = Codec {
    shape: &RESPONSES_BODY,
    marks: &["input", "instructions", "prompt", "previous_response_id", "conversation"],
    list: false,
    program: false,
};
pub(super) static OTHER: Codec = Codec { shape: &OTHER_BODY, marks: &["input", "prompt"], list: false, program: true };
pub(super) static CHAT_ANSWER: Codec =
    Codec { shape: &CHAT_ANSWER_BODY, marks: &["choices", "error"], list: false, program: false };
pub(super) static RESPONSES_ANSWER: Codec =
    Codec { shape: &RESPONSES_ANSWER_BODY, marks: &["output", "error", "input_tokens"], list: false, program: false };

/// Values with a closed meaning.
static WORD: Shape = Shape::Words(&[
    "user",
    "assistant",
    "system",
    "developer",
    "tool",
    "function",
    "text",
    "input_text",
    "output_text",
    "image_url",
    "input_image",
    "input_audio",
    "input_file",
    "file",
    "refusal",
    "custom",
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "reasoning",
    "summary_text",
    "reasoning_text",
    "item_reference",
    "auto",
    "none",
    "required",
    "low",
    "medium",
    "high",
    "minimal",
    "default",
    "flex",
    "priority",
    "json_object",
    "json_schema",
    "completed",
    "in_progress",
    "incomplete",
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "chat.completion",
    "response",
    "audio",
    "wav",
    "mp3",
    "content",
    "disabled",
    "detailed",
    "concise",
    "list",
    "embedding",
    "float",
    "base64",
    "url_citation",
    "output",
    "error",
]);
/// Ids, names and settings: shown among the structural values.
static ID: Shape = Shape::Words(&[]);
static MODEL: Shape = Shape::Words(&[]);

static META: Shape = Shape::Composite(Place::of("metadata", Author::Metadata));
static USER: Shape = Shape::Text(Place::of("user", Author::Metadata));
static STOP: Shape = Shape::Text(Place::of("stop", Author::Metadata));
static FORMAT: Shape = Shape::Composite(Place::of("response_format", Author::ToolDefinition));
static TOOLS: Shape = Shape::Tool(Place::of("tools[]", Author::ToolDefinition));
static LOCATION: Shape = Shape::Composite(Place::of("user_location", Author::Metadata));
static ERROR: Shape = Shape::Composite(Place::of("error", Author::Metadata));
static SAFETY: Shape = Shape::Text(Place::of("safety_identifier", Author::Metadata));
static CACHE_KEY: Shape = Shape::Text(Place::of("prompt_cache_key", Author::Metadata));

static CHAT_BODY: Shape = Shape::Object(
    None,
    &[
        ("messages", &MESSAGES),
        ("model", &MODEL),
        ("tools", &TOOLS),
        ("functions", &TOOLS),
        ("tool_choice", &TOOL_CHOICE),
        ("function_call", &TOOL_CHOICE),
        ("response_format", &FORMAT),
        ("user", &USER),
        ("safety_identifier", &SAFETY),
        ("prompt_cache_key", &CACHE_KEY),
        ("metadata", &META),
        ("stop", &STOP),
        ("prediction", &PREDICTION),
        ("audio", &AUDIO_SETTINGS),
        ("modalities", &WORD),
        ("stream", &WORD),
        ("stream_options", &STREAM_OPTIONS),
        ("web_search_options", &WEB_SEARCH),
        ("temperature", &WORD),
        ("top_p", &WORD),
        ("n", &WORD),
        ("seed", &WORD),
        ("max_tokens", &WORD),
        ("max_completion_tokens", &WORD),
        ("presence_penalty", &WORD),
        ("frequency_penalty", &WORD),
        ("logprobs", &WORD),
        ("top_logprobs", &WORD),
        ("service_tier", &WORD),
        ("reasoning_effort", &WORD),
        ("verbosity", &WORD),
        ("parallel_tool_calls", &WORD),
        ("store", &WORD),
    ],
);
static TOOL_CHOICE: Shape = Shape::Object(
    None,
    &[("type", &WORD), ("name", &ID), ("mode", &WORD), ("function", &NAMED), ("tools", &NAMED), ("custom", &NAMED)],
);
static NAMED: Shape = Shape::Object(None, &[("type", &WORD), ("name", &ID)]);
static STREAM_OPTIONS: Shape = Shape::Object(None, &[("include_usage", &WORD), ("include_obfuscation", &WORD)]);
static WEB_SEARCH: Shape = Shape::Object(None, &[("user_location", &LOCATION), ("search_context_size", &WORD)]);
static AUDIO_SETTINGS: Shape = Shape::Object(None, &[("voice", &ID), ("format", &WORD)]);
static PREDICTION: Shape = Shape::Object(None, &[("type", &WORD), ("content", &PREDICTED)]);
static PREDICTED: Shape =
    Shape::Object(Some(Place::of("prediction.content", Author::User)), &[("type", &WORD), ("text", &PREDICTED_TEXT)]);
static PREDICTED_TEXT: Shape = Shape::Text(Place::of("prediction.content", Author::User));

static MESSAGES: Shape = Shape::Turns(Place::turn("messages[].content"), CHAT_MESSAGE);
static CHAT_MESSAGE: &[Field] = &[
    ("role", &WORD),
    ("content", &CHAT_CONTENT),
    ("name", &CHAT_NAME),
    ("tool_calls", &TOOL_CALL),
    ("tool_call_id", &ID),
    ("function_call", &FUNCTION_CALL),
    ("refusal", &REFUSAL),
    ("reasoning_content", &REASONING),
    ("reasoning", &REASONING),
    ("audio", &AUDIO_REFERENCE),
    ("annotations", &ANNOTATIONS),
];
static CHAT_NAME: Shape = Shape::Text(Place::of("messages[].name", Author::Metadata));
static REFUSAL: Shape = Shape::Text(Place::turn("messages[].refusal"));
static REASONING: Shape = Shape::Text(Place::turn("messages[].reasoning_content"));
static ANNOTATIONS: Shape = Shape::Composite(Place::of("annotations[]", Author::Metadata));
static CHAT_CONTENT: Shape = Shape::Object(
    Some(Place::turn("messages[].content")),
    &[
        ("type", &WORD),
        ("text", &CHAT_TEXT),
        ("refusal", &REFUSAL),
        ("image_url", &CHAT_IMAGE),
        ("input_audio", &CHAT_AUDIO),
        ("file", &CHAT_FILE),
        ("cache_control", &CACHE_CONTROL),
    ],
);
static CACHE_CONTROL: Shape = Shape::Object(None, &[("type", &ID), ("ttl", &ID)]);
static CHAT_TEXT: Shape = Shape::Text(Place::turn("messages[].content[].text"));
static CHAT_IMAGE: Shape = Shape::Object(None, &[("url", &CHAT_IMAGE_URL), ("detail", &WORD)]);
static CHAT_IMAGE_URL: Shape = Shape::Url(Place::turn("messages[].content[].image_url.url"), Signal::OpaqueImage);
static CHAT_AUDIO: Shape = Shape::Object(None, &[("data", &CHAT_AUDIO_DATA), ("format", &WORD)]);
static CHAT_AUDIO_DATA: Shape = Shape::Media(Place::turn("messages[].content[].input_audio.data"), Signal::OpaqueAudio);
static CHAT_FILE: Shape =
    Shape::Object(None, &[("file_data", &CHAT_FILE_DATA), ("file_id", &CHAT_FILE_ID), ("filename", &CHAT_FILE_NAME)]);
static CHAT_FILE_DATA: Shape = Shape::Media(Place::turn("messages[].content[].file.file_data"), Signal::OpaqueFile);
static CHAT_FILE_ID: Shape = Shape::Reference(Place::turn("messages[].content[].file.file_id"));
static CHAT_FILE_NAME: Shape = Shape::Text(Place::of("messages[].content[].file.filename", Author::Metadata));
static TOOL_CALL: Shape = Shape::Object(
    None,
    &[("id", &ID), ("type", &WORD), ("index", &WORD), ("function", &FUNCTION_CALL), ("custom", &CUSTOM_CALL)],
);
static FUNCTION_CALL: Shape = Shape::Object(None, &[("name", &ID), ("arguments", &CHAT_ARGUMENTS)]);
static CHAT_ARGUMENTS: Shape = Shape::Text(Place::call_text("messages[].tool_calls[].function.arguments"));
static CUSTOM_CALL: Shape = Shape::Object(None, &[("name", &ID), ("input", &CUSTOM_INPUT)]);
static CUSTOM_INPUT: Shape = Shape::Text(Place::call_text("messages[].tool_calls[].custom.input"));
static AUDIO_REFERENCE: Shape = Shape::Object(
    None,
    &[("id", &AUDIO_ID), ("data", &CHAT_ANSWER_AUDIO), ("transcript", &TRANSCRIPT), ("expires_at", &WORD)],
);
static AUDIO_ID: Shape = Shape::Reference(Place::turn("messages[].audio.id"));
static CHAT_ANSWER_AUDIO: Shape = Shape::Media(Place::turn("messages[].audio.data"), Signal::OpaqueAudio);
static TRANSCRIPT: Shape = Shape::Text(Place::turn("messages[].audio.transcript"));

static RESPONSES_BODY: Shape = Shape::Object(
    None,
    &[
        ("input", &INPUT),
        ("instructions", &INSTRUCTIONS),
        ("model", &MODEL),
        ("tools", &TOOLS),
        ("tool_choice", &TOOL_CHOICE),
        ("text", &TEXT_FORMAT),
        ("previous_response_id", &PREVIOUS),
        ("conversation", &CONVERSATION),
        ("prompt", &STORED_PROMPT),
        ("user", &USER),
        ("safety_identifier", &SAFETY),
        ("prompt_cache_key", &CACHE_KEY),
        ("metadata", &META),
        ("include", &ID),
        ("reasoning", &REASONING_SETTINGS),
        ("stream", &WORD),
        ("stream_options", &STREAM_OPTIONS),
        ("store", &WORD),
        ("background", &WORD),
        ("temperature", &WORD),
        ("top_p", &WORD),
        ("max_output_tokens", &WORD),
        ("max_tool_calls", &WORD),
        ("parallel_tool_calls", &WORD),
        ("truncation", &WORD),
        ("service_tier", &WORD),
        ("top_logprobs", &WORD),
        ("type", &ID),
    ],
);
static INSTRUCTIONS: Shape =
    Shape::Object(Some(Place::of("instructions", Author::System)), &[("content", &INSTRUCTIONS_TEXT)]);
static INSTRUCTIONS_TEXT: Shape = Shape::Composite(Place::of("instructions", Author::System));
static TEXT_FORMAT: Shape = Shape::Object(None, &[("format", &FORMAT), ("verbosity", &WORD)]);
static PREVIOUS: Shape = Shape::Reference(Place::fixed("previous_response_id"));
static CONVERSATION_ID: Shape = Shape::Reference(Place::fixed("conversation"));
/// A string is the id itself; it is shown as text of an unknown author, which hides nothing.
static CONVERSATION: Shape = Shape::Object(None, &[("id", &CONVERSATION_ID)]);
static STORED_PROMPT: Shape = Shape::Object(
    Some(Place::of("prompt", Author::User)),
    &[("id", &PROMPT_ID), ("version", &ID), ("variables", &PROMPT_VARIABLES)],
);
static PROMPT_ID: Shape = Shape::Reference(Place::fixed("prompt.id"));
static PROMPT_VARIABLES: Shape = Shape::Composite(Place::of("prompt.variables", Author::User));
static REASONING_SETTINGS: Shape =
    Shape::Object(None, &[("effort", &WORD), ("summary", &WORD), ("generate_summary", &WORD)]);

static INPUT: Shape = Shape::Turns(Place::of("input", Author::User), ITEM);
static ITEM: &[Field] = &[
    ("type", &WORD),
    ("role", &WORD),
    ("content", &ITEM_CONTENT),
    ("id", &ID),
    ("call_id", &ID),
    ("status", &WORD),
    ("phase", &ID),
    ("name", &ID),
    ("arguments", &ITEM_ARGUMENTS),
    ("input", &ITEM_CUSTOM_INPUT),
    ("output", &ITEM_OUTPUT),
    ("summary", &ITEM_SUMMARY),
    ("encrypted_content", &ITEM_ENCRYPTED),
    ("result", &ITEM_RESULT),
    ("action", &ITEM_ACTION),
    ("queries", &ITEM_ACTION),
    ("results", &ITEM_RESULTS),
    ("code", &ITEM_CODE),
    ("outputs", &ITEM_RESULTS),
    // A plain list of content without a message around it.
    ("text", &ITEM_TEXT),
    ("image_url", &ITEM_IMAGE),
    ("file_id", &ITEM_FILE_ID),
    ("file_data", &ITEM_FILE_DATA),
    ("file_url", &ITEM_FILE_URL),
    ("filename", &ITEM_FILE_NAME),
    ("detail", &WORD),
];
static ITEM_CONTENT: Shape = Shape::Object(
    Some(Place::turn("input[].content")),
    &[
        ("type", &WORD),
        ("text", &ITEM_TEXT),
        ("refusal", &ITEM_REFUSAL),
        ("image_url", &ITEM_IMAGE),
        ("file_id", &ITEM_FILE_ID),
        ("file_data", &ITEM_FILE_DATA),
        ("file_url", &ITEM_FILE_URL),
        ("filename", &ITEM_FILE_NAME),
        ("input_audio", &ITEM_AUDIO),
        ("detail", &WORD),
        ("annotations", &ANNOTATIONS),
        ("logprobs", &WORD),
    ],
);
static ITEM_TEXT: Shape = Shape::Text(Place::turn("input[].content[].text"));
static ITEM_REFUSAL: Shape = Shape::Text(Place::turn("input[].content[].refusal"));
static ITEM_IMAGE: Shape = Shape::Url(Place::turn("input[].content[].image_url"), Signal::OpaqueImage);
static ITEM_FILE_ID: Shape = Shape::Reference(Place::turn("input[].content[].file_id"));
static ITEM_FILE_DATA: Shape = Shape::Media(Place::turn("input[].content[].file_data"), Signal::OpaqueFile);
static ITEM_FILE_URL: Shape = Shape::Url(Place::turn("input[].content[].file_url"), Signal::OpaqueFile);
static ITEM_FILE_NAME: Shape = Shape::Text(Place::of("input[].content[].filename", Author::Metadata));
static ITEM_AUDIO: Shape = Shape::Object(None, &[("data", &ITEM_AUDIO_DATA), ("format", &WORD)]);
static ITEM_AUDIO_DATA: Shape = Shape::Media(Place::turn("input[].content[].input_audio.data"), Signal::OpaqueAudio);
static ITEM_ARGUMENTS: Shape = Shape::Text(Place::call_text("input[].arguments"));
static ITEM_CUSTOM_INPUT: Shape = Shape::Text(Place::call_text("input[].input"));
static ITEM_OUTPUT: Shape = Shape::Object(
    Some(Place::result("input[].output")),
    &[
        ("type", &WORD),
        ("text", &ITEM_OUTPUT_TEXT),
        ("image_url", &ITEM_IMAGE),
        ("file_id", &ITEM_FILE_ID),
        ("file_data", &ITEM_FILE_DATA),
        ("file_url", &ITEM_FILE_URL),
        ("filename", &ITEM_FILE_NAME),
    ],
);
static ITEM_OUTPUT_TEXT: Shape = Shape::Text(Place::result("input[].output[].text"));
static ITEM_SUMMARY: Shape = Shape::Object(None, &[("type", &WORD), ("text", &ITEM_SUMMARY_TEXT)]);
static ITEM_SUMMARY_TEXT: Shape = Shape::Text(Place::fixed("input[].summary[].text"));
static ITEM_ENCRYPTED: Shape = Shape::Encrypted(Place::fixed("input[].encrypted_content"));
static ITEM_RESULT: Shape = Shape::Media(Place::fixed("input[].result"), Signal::OpaqueImage);
static ITEM_ACTION: Shape = Shape::Composite(Place::call("input[].action"));
static ITEM_RESULTS: Shape = Shape::Composite(Place::result_object("input[].results"));
static ITEM_CODE: Shape = Shape::Text(Place::call_text("input[].code"));

static OTHER_BODY: Shape = Shape::Object(
    None,
    &[
        ("input", &OTHER_INPUT),
        ("prompt", &OTHER_PROMPT),
        ("suffix", &OTHER_SUFFIX),
        ("instructions", &INSTRUCTIONS),
        ("model", &MODEL),
        ("user", &USER),
        ("metadata", &META),
        ("stop", &STOP),
        ("voice", &ID),
        ("response_format", &WORD),
        ("encoding_format", &WORD),
        ("dimensions", &WORD),
        ("stream", &WORD),
        ("temperature", &WORD),
        ("max_tokens", &WORD),
        ("n", &WORD),
        ("size", &ID),
        ("quality", &WORD),
    ],
);
static OTHER_INPUT: Shape = Shape::Text(Place::of("input", Author::User));
static OTHER_PROMPT: Shape = Shape::Text(Place::of("prompt", Author::User));
static OTHER_SUFFIX: Shape = Shape::Text(Place::of("suffix", Author::User));

static CHAT_ANSWER_BODY: Shape = Shape::Object(
    None,
    &[
        ("id", &ID),
        ("object", &WORD),
        ("created", &ID),
        ("model", &MODEL),
        ("choices", &CHOICES),
        ("usage", &USAGE),
        ("system_fingerprint", &ID),
        ("service_tier", &WORD),
        ("error", &ERROR),
    ],
);
static CHOICES: Shape = Shape::Object(
    None,
    &[
        ("index", &WORD),
        ("message", &CHOICE_MESSAGE),
        ("delta", &CHOICE_MESSAGE),
        ("finish_reason", &WORD),
        ("text", &CHOICE_TEXT),
        ("logprobs", &LOGPROBS),
    ],
);
static CHOICE_MESSAGE: Shape = Shape::Turns(Place::turn("messages[].content"), CHAT_MESSAGE);
static CHOICE_TEXT: Shape = Shape::Text(Place::of("choices[].text", Author::Assistant));
static LOGPROBS: Shape = Shape::Composite(Place::of("choices[].logprobs", Author::Assistant));
static USAGE: Shape = Shape::Composite(Place::of("usage", Author::Metadata));

static RESPONSES_ANSWER_BODY: Shape = Shape::Object(
    None,
    &[
        ("id", &ID),
        ("object", &WORD),
        ("created_at", &ID),
        ("completed_at", &ID),
        ("status", &WORD),
        ("model", &MODEL),
        ("output", &OUTPUT),
        ("output_text", &OUTPUT_TEXT),
        ("usage", &USAGE),
        ("error", &ERROR),
        ("incomplete_details", &ERROR),
        ("instructions", &INSTRUCTIONS),
        ("tools", &TOOLS),
        ("tool_choice", &TOOL_CHOICE),
        ("text", &TEXT_FORMAT),
        ("reasoning", &REASONING_SETTINGS),
        ("metadata", &META),
        ("user", &USER),
        ("previous_response_id", &PREVIOUS),
        ("temperature", &WORD),
        ("top_p", &WORD),
        ("truncation", &WORD),
        ("store", &WORD),
        ("parallel_tool_calls", &WORD),
        ("service_tier", &WORD),
    ],
);
static OUTPUT: Shape = Shape::Turns(Place::turn("output[]"), ITEM);
static OUTPUT_TEXT: Shape = Shape::Text(Place::of("output_text", Author::Assistant));
