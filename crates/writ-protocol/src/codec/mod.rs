//! The wire formats as tables, and what else a body says about itself.

mod anthropic;
mod gemini;
mod openai;

use writ_model::Author;

use crate::draft::{member, string_member, text_of};
use crate::endpoint::Endpoint;
use crate::json::{Kind, Node, Tape};
use crate::message::Message;
use crate::shape::{Place, Shape};

/// How one direction of an endpoint is read.
pub(crate) struct Codec {
    pub(crate) shape: &'static Shape,
    /// A body has at least one of these members, or it is not of this format; any body is if there are none.
    marks: &'static [&'static str],
    /// Whether a body may be a list of such objects.
    list: bool,
    /// Whether only programs read the answer.
    program: bool,
}

/// How requests to an endpoint are read.
pub(crate) fn prompt(endpoint: Endpoint) -> &'static Codec {
    match endpoint {
        Endpoint::OpenaiChat => &openai::CHAT,
        Endpoint::OpenaiResponses => &openai::RESPONSES,
        Endpoint::OpenaiOther => &openai::OTHER,
        Endpoint::AnthropicMessages | Endpoint::AnthropicCountTokens => &anthropic::MESSAGES,
        Endpoint::AnthropicBatches => &anthropic::BATCHES,
        Endpoint::GeminiGenerate { .. } => &gemini::GENERATE,
        Endpoint::GeminiCountTokens => &gemini::COUNT,
        Endpoint::GeminiEmbed => &gemini::EMBED,
        _ => &ANY,
    }
}

/// How whole answers of an endpoint are read.
pub(crate) fn answer(endpoint: Endpoint) -> &'static Codec {
    match endpoint {
        Endpoint::OpenaiChat => &openai::CHAT_ANSWER,
        Endpoint::OpenaiResponses => &openai::RESPONSES_ANSWER,
        Endpoint::AnthropicMessages => &anthropic::MESSAGES_ANSWER,
        Endpoint::GeminiGenerate { .. } => &gemini::GENERATE_ANSWER,
        _ => &ANY,
    }
}

/// JSON of an unknown kind: every member of the outermost object is one text, or several if it is long.
static ANY: Codec = Codec { shape: &ANYTHING, marks: &[], list: true, program: true };
static ANYTHING: Shape = Shape::Object(Some(Place::of("(any)", Author::Unknown)), &[]);

impl Codec {
    /// Whether a body has the outer form of this format.
    pub(crate) fn fits(&self, text: &str, tape: &Tape) -> bool {
        let has_mark = |index| self.marks.iter().any(|mark| member(text, tape, index, mark).is_some());
        match tape.root() {
            _ if self.marks.is_empty() => true,
            Some((index, Node { kind: Kind::Object, .. })) => has_mark(index),
            Some((index, Node { kind: Kind::Array, .. })) => {
                self.list && tape.elements(index).all(|(at, node)| node.kind == Kind::Object && has_mark(at))
            }
            _ => false,
        }
    }

    /// Fills in what the body says about itself: model, streaming, a format that only programs read.
    pub(crate) fn describe(&self, text: &str, tape: &Tape, message: &mut Message) {
        message.structured = self.program;
        let Some((root, Node { kind: Kind::Object, .. })) = tape.root() else { return };
        message.model = string_member(text, tape, root, "model").map(|name| name.into_owned());
        let literal = |node: Node| text.get(node.inner()) == Some("true");
        message.stream = member(text, tape, root, "stream").is_some_and(|(_, node)| literal(node));
        message.structured |= Demand { text, tape }.structured(root);
    }
}

/// Looks for a demand that the answer be in a form for programs.
struct Demand<'b> {
    text: &'b str,
    tape: &'b Tape,
}

impl Demand<'_> {
    fn structured(&self, root: usize) -> bool {
        let openai = self.at(root, &["response_format", "type"]).is_some_and(|kind| kind != "text");
        let responses = self.at(root, &["text", "format", "type"]).is_some_and(|kind| kind != "text");
        let anthropic = ["output_format", "output_config"].iter().any(|name| {
            let found = member(self.text, self.tape, root, name);
            found.is_some_and(|(at, node)| {
                node.kind == Kind::Object
                    && (*name == "output_format" || member(self.text, self.tape, at, "format").is_some())
            })
        });
        let gemini = member(self.text, self.tape, root, "generationConfig").is_some_and(|(at, _)| {
            let mime = string_member(self.text, self.tape, at, "responseMimeType");
            let schema =
                |name| member(self.text, self.tape, at, name).is_some_and(|(_, node)| node.kind == Kind::Object);
            mime.is_some_and(|mime| mime != "text/plain") || schema("responseSchema") || schema("responseJsonSchema")
        });
        let mode = self.at(root, &["toolConfig", "functionCallingConfig", "mode"]);
        openai || responses || anthropic || gemini || self.forced(root) || mode.is_some_and(|mode| mode == "ANY")
    }

    /// Whether a tool call is forced.
    fn forced(&self, root: usize) -> bool {
        ["tool_choice", "function_call"].iter().any(|name| {
            let Some((at, node)) = member(self.text, self.tape, root, name) else { return false };
            match node.kind {
                Kind::String => !matches!(text_of(self.text, node).as_ref(), "auto" | "none"),
                Kind::Object => {
                    let kind = string_member(self.text, self.tape, at, "type");
                    !kind.is_some_and(|kind| matches!(kind.as_ref(), "auto" | "none" | "allowed_tools"))
                }
                _ => false,
            }
        })
    }

    fn at(&self, root: usize, path: &[&str]) -> Option<String> {
        let (last, objects) = path.split_last()?;
        let mut object = root;
        for name in objects {
            object = member(self.text, self.tape, object, name)?.0;
        }
        Some(string_member(self.text, self.tape, object, last)?.into_owned())
    }
}
