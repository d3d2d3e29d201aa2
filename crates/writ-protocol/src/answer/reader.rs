//! The format of an answer: which reader an event gets, and what is remembered between events.

use writ_model::{Signal, WireFormat};

use super::plan::{End, Mode, Plan, Site};
use super::value::Value;
use super::{Channel, anthropic, chat, gemini, responses};
use crate::endpoint::Endpoint;
use crate::json::{Defect, Kind, Tape};

/// Longest value that is remembered of an answer's own names, in bytes.
const NAME_BYTES: usize = 256;

/// Reads the events of one answer.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) format: WireFormat,
    pub(super) names: Names,
    /// Function calls of a Gemini answer so far.
    calls: u32,
}

/// What an answer says of itself: for events of our own.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Keys and raw JSON values, in the order of the answer.
    pub(super) members: Vec<(String, String)>,
    pub(super) id: Option<String>,
}

impl Names {
    /// Remembers a short scalar; the first one with this key counts.
    pub(super) fn keep(&mut self, key: &str, value: Value<'_>) {
        let raw = match value.kind() {
            Kind::String => format!("\"{}\"", value.raw()),
            Kind::Number | Kind::Literal => value.raw().to_owned(),
            Kind::Key | Kind::Array | Kind::Object => return,
        };
        if raw.len() <= NAME_BYTES && !self.members.iter().any(|(known, _)| known == key) {
            self.members.push((key.to_owned(), raw));
        }
    }

    /// Remembers the answer's id.
    pub(super) fn identify(&mut self, id: Option<Value<'_>>) {
        if self.id.is_none() {
            let id = id.filter(|id| id.raw().len() <= NAME_BYTES).and_then(Value::text);
            self.id = id.filter(|id| !id.is_empty()).map(|id| id.into_owned());
        }
    }

    /// The raw JSON value that was remembered.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.members.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

impl Reader {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { format: endpoint.wire_format(), names: Names::default(), calls: 0 }
    }

    /// What the data of an event says.
    pub(super) fn event(&mut self, data: &str) -> Plan {
        if data.trim_ascii() == "[DONE]" {
            return Plan { ends: vec![End::All], ..Plan::default() };
        }
        self.read(data, false)
    }

    /// What a whole answer says.
    pub(super) fn whole(&mut self, data: &str) -> Plan {
        let mut plan = self.read(data, true);
        plan.ends.push(End::All);
        plan
    }

    fn read(&mut self, data: &str, whole: bool) -> Plan {
        let tape = Tape::read(data);
        let mut plan = Plan { known: self.format != WireFormat::AnyJson, ..Plan::default() };
        match tape.defect {
            None | Some(Defect::LoneSurrogate) => {}
            Some(Defect::DuplicateKey | Defect::ControlCharacter) => plan.signals.insert(Signal::MalformedJson),
            Some(Defect::Syntax | Defect::Utf8 | Defect::Trailing | Defect::TooDeep | Defect::TooMany) => {
                return self.plain(data, plan);
            }
        }
        let Some(root) = Value::root(data, &tape) else { return plan };
        let names = &mut self.names;
        match (self.format, whole) {
            (WireFormat::OpenaiChat, _) => chat::read(root, names, &mut plan),
            (WireFormat::OpenaiResponses, false) => responses::read(root, names, &mut plan),
            (WireFormat::OpenaiResponses, true) => responses::read_whole(root, names, &mut plan),
            (WireFormat::AnthropicMessages, false) => anthropic::read(root, names, &mut plan),
            (WireFormat::AnthropicMessages, true) => anthropic::read_whole(root, names, &mut plan),
            (WireFormat::GeminiGenerate, _) => gemini::read(root, names, &mut self.calls, &mut plan),
            (WireFormat::AnyJson, _) => plan.other(root),
        }
        if self.format != WireFormat::AnyJson && root.kind() != Kind::Object {
            plan.other(root);
        }
        plan
    }

    /// Data that is no JSON: one text. In a format that is known this is a defect.
    fn plain(&self, data: &str, mut plan: Plan) -> Plan {
        if data.trim_ascii().is_empty() {
            return plan;
        }
        if plan.known {
            plan.signals.insert(Signal::MalformedJson);
        }
        let (place, channel) = (0..data.len(), Channel::OTHER);
        plan.sites.push(Site { place, escaped: false, channel, mode: Mode::Plain, item: None });
        plan
    }
}

/// An index of the format, or the position where there is none.
pub(super) fn index(value: Option<Value<'_>>, position: usize) -> u32 {
    let stated = value.and_then(Value::number).and_then(|number| u32::try_from(number).ok());
    stated.unwrap_or_else(|| u32::try_from(position).unwrap_or(u32::MAX))
}
