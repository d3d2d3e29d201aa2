//! Gemini generateContent, streamGenerateContent, countTokens and embeddings. Source: Gemini API reference;
//! google-genai SDK 3.4. Field names are read in both spellings, `systemInstruction` and `system_instruction`.

use writ_model::{Author, Signal};

use super::Codec;
use crate::shape::{Field, Place, Shape};

pub(super) static GENERATE: Codec = Codec { shape: &BODY, marks: &["contents"], list: false, program: false };
pub(super) static COUNT: Codec =
    Codec { shape: &COUNT_BODY, marks: &["contents", "generateContentRequest"], list: false, program: true };
pub(super) static EMBED: Codec =
    Codec { shape: &EMBED_BODY, marks: &["content", "requests"], list: false, program: true };
pub(super) static GENERATE_ANSWER: Codec = Codec {
    shape: &ANSWER,
    marks: &["candidates", "promptFeedback", "usageMetadata", "error"],
    list: true,
    program: false,
};

/// Values with a closed meaning.
static WORD: Shape = Shape::Words(&[
    "user",
    "model",
    "function",
    "text/plain",
    "application/json",
    "image/png",
    "image/jpeg",
    "image/webp",
    "application/pdf",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "AUTO",
    "ANY",
    "NONE",
    "VALIDATED",
    "OUTCOME_OK",
    "OUTCOME_FAILED",
    "PYTHON",
    "TEXT",
    "IMAGE",
    "AUDIO",
    "LOW",
    "MEDIUM",
    "HIGH",
    "MINIMAL",
]);
/// Ids, names and settings: shown among the structural values.
static ID: Shape = Shape::Words(&[]);

static COUNT_BODY: Shape = Shape::Object(
    None,
    &[("contents", &CONTENTS), ("generateContentRequest", &BODY), ("systemInstruction", &SYSTEM), ("tools", &TOOLS)],
);
static EMBED_BODY: Shape = Shape::Object(
    None,
    &[
        ("content", &CONTENTS),
        ("requests", &EMBED_REQUEST),
        ("model", &ID),
        ("title", &TITLE),
        ("taskType", &ID),
        ("outputDimensionality", &WORD),
    ],
);
static EMBED_REQUEST: Shape = Shape::Object(
    None,
    &[("content", &CONTENTS), ("model", &ID), ("title", &TITLE), ("taskType", &ID), ("outputDimensionality", &WORD)],
);
static TITLE: Shape = Shape::Text(Place::of("title", Author::Metadata));
static BODY: Shape = Shape::Object(
    None,
    &[
        ("contents", &CONTENTS),
        ("systemInstruction", &SYSTEM),
        ("tools", &TOOL_LIST),
        ("toolConfig", &TOOL_CONFIG),
        ("generationConfig", &CONFIG),
        ("safetySettings", &SAFETY),
        ("cachedContent", &CACHED),
        ("labels", &LABELS),
        ("model", &ID),
        ("serviceTier", &ID),
        ("store", &WORD),
    ],
);
static SYSTEM: Shape =
    Shape::Object(Some(Place::of("systemInstruction", Author::System)), &[("role", &WORD), ("parts", &SYSTEM_PART)]);
static SYSTEM_PART: Shape = Shape::Object(
    Some(Place::of("systemInstruction", Author::System)),
    &[("text", &SYSTEM_TEXT), ("inlineData", &INLINE), ("fileData", &FILE)],
);
static SYSTEM_TEXT: Shape = Shape::Text(Place::of("systemInstruction.parts[].text", Author::System));
/// A tool is a list of functions, or one of Google's own with its settings.
static TOOL_LIST: Shape = Shape::Object(None, &[("functionDeclarations", &TOOLS)]);
static TOOLS: Shape = Shape::Tool(Place::of("tools[].functionDeclarations[]", Author::ToolDefinition));
static TOOL_CONFIG: Shape = Shape::Object(
    None,
    &[("functionCallingConfig", &CALLING), ("retrievalConfig", &LABELS), ("includeServerSideToolInvocations", &WORD)],
);
static CALLING: Shape = Shape::Object(None, &[("mode", &WORD), ("allowedFunctionNames", &ID)]);
static CONFIG: Shape = Shape::Object(
    None,
    &[
        ("stopSequences", &STOP),
        ("responseSchema", &SCHEMA),
        ("responseJsonSchema", &SCHEMA),
        ("responseMimeType", &WORD),
        ("responseModalities", &WORD),
        ("candidateCount", &WORD),
        ("maxOutputTokens", &WORD),
        ("temperature", &WORD),
        ("topP", &WORD),
        ("topK", &WORD),
        ("seed", &WORD),
        ("presencePenalty", &WORD),
        ("frequencyPenalty", &WORD),
        ("mediaResolution", &ID),
        ("thinkingConfig", &THINKING),
        ("speechConfig", &SPEECH),
        ("imageConfig", &SPEECH),
    ],
);
static THINKING: Shape =
    Shape::Object(None, &[("includeThoughts", &WORD), ("thinkingBudget", &WORD), ("thinkingLevel", &WORD)]);
static STOP: Shape = Shape::Text(Place::of("generationConfig.stopSequences[]", Author::Metadata));
static SCHEMA: Shape = Shape::Composite(Place::of("generationConfig.responseSchema", Author::ToolDefinition));
static SPEECH: Shape = Shape::Composite(Place::of("generationConfig.speechConfig", Author::Metadata));
static SAFETY: Shape = Shape::Object(None, &[("category", &ID), ("threshold", &ID), ("method", &ID)]);
static CACHED: Shape = Shape::Reference(Place::fixed("cachedContent"));
static LABELS: Shape = Shape::Composite(Place::of("labels", Author::Metadata));

static CONTENTS: Shape = Shape::Turns(Place::turn("contents[].parts[].text"), CONTENT);
static CONTENT: &[Field] = &[("role", &WORD), ("parts", &PART)];
static PART: Shape = Shape::Object(
    Some(Place::turn("contents[].parts[].text")),
    &[
        ("text", &TEXT),
        ("inlineData", &INLINE),
        ("fileData", &FILE),
        ("functionCall", &CALL),
        ("functionResponse", &RESPONSE),
        ("executableCode", &CODE),
        ("codeExecutionResult", &CODE_RESULT),
        ("thought", &WORD),
        ("thoughtSignature", &SIGNATURE),
        ("mediaResolution", &MEDIA_RESOLUTION),
        ("videoMetadata", &VIDEO),
    ],
);
static TEXT: Shape = Shape::Text(Place::turn("contents[].parts[].text"));
static INLINE: Shape = Shape::Object(None, &[("mimeType", &WORD), ("data", &DATA), ("displayName", &NAME)]);
static DATA: Shape = Shape::Media(Place::turn("contents[].parts[].inlineData.data"), Signal::OpaqueFile);
static NAME: Shape = Shape::Text(Place::of("contents[].parts[].inlineData.displayName", Author::Metadata));
static FILE: Shape = Shape::Object(None, &[("mimeType", &WORD), ("fileUri", &URI), ("displayName", &NAME)]);
static URI: Shape = Shape::Reference(Place::turn("contents[].parts[].fileData.fileUri"));
static CALL: Shape = Shape::Object(None, &[("id", &ID), ("name", &ID), ("args", &ARGUMENTS)]);
static ARGUMENTS: Shape = Shape::Composite(Place::call("contents[].parts[].functionCall.args"));
static RESPONSE: Shape = Shape::Object(
    None,
    &[
        ("id", &ID),
        ("name", &ID),
        ("response", &RESULT),
        ("parts", &RESULT_PART),
        ("willContinue", &WORD),
        ("scheduling", &ID),
    ],
);
static RESULT: Shape = Shape::Composite(Place::result_object("contents[].parts[].functionResponse.response"));
static RESULT_PART: Shape = Shape::Object(
    Some(Place::result("contents[].parts[].functionResponse.parts[]")),
    &[("text", &RESULT_TEXT), ("inlineData", &INLINE), ("fileData", &FILE)],
);
static RESULT_TEXT: Shape = Shape::Text(Place::result("contents[].parts[].functionResponse.parts[]"));
static CODE: Shape = Shape::Object(None, &[("language", &WORD), ("code", &CODE_TEXT), ("id", &ID)]);
static CODE_TEXT: Shape = Shape::Text(Place::turn("contents[].parts[].executableCode.code"));
static CODE_RESULT: Shape = Shape::Object(None, &[("outcome", &WORD), ("output", &CODE_OUTPUT), ("id", &ID)]);
static CODE_OUTPUT: Shape = Shape::Text(Place::result("contents[].parts[].codeExecutionResult.output"));
static SIGNATURE: Shape = Shape::Encrypted(Place::fixed("contents[].parts[].thoughtSignature"));
static MEDIA_RESOLUTION: Shape = Shape::Object(None, &[("level", &ID)]);
static VIDEO: Shape = Shape::Object(None, &[("startOffset", &ID), ("endOffset", &ID), ("fps", &WORD)]);

static ANSWER: Shape = Shape::Object(
    None,
    &[
        ("candidates", &CANDIDATE),
        ("promptFeedback", &FEEDBACK),
        ("usageMetadata", &FEEDBACK),
        ("modelVersion", &ID),
        ("responseId", &ID),
        ("createTime", &ID),
        ("error", &ERROR),
    ],
);
static CANDIDATE: Shape = Shape::Object(
    None,
    &[
        ("content", &CONTENTS),
        ("finishReason", &WORD),
        ("finishMessage", &FINISH),
        ("index", &WORD),
        ("safetyRatings", &FEEDBACK),
        ("citationMetadata", &GROUNDING),
        ("groundingMetadata", &GROUNDING),
        ("urlContextMetadata", &GROUNDING),
        ("tokenCount", &WORD),
        ("avgLogprobs", &WORD),
    ],
);
static FINISH: Shape = Shape::Text(Place::of("candidates[].finishMessage", Author::Assistant));
static FEEDBACK: Shape = Shape::Composite(Place::of("usageMetadata", Author::Metadata));
static GROUNDING: Shape = Shape::Composite(Place::of("candidates[].groundingMetadata", Author::Metadata));
static ERROR: Shape = Shape::Composite(Place::of("error", Author::Metadata));
