//! What an event says: which of its strings are text of which channel, and which channels end with it.

use std::ops::Range;

use writ_model::{Set, Signal};

use super::value::Value;
use super::{Channel, ChannelKind};
use crate::json::Kind;

/// A structural string (an id, a name, a word of the format) is at most this long; longer ones are read as text.
const STRUCTURAL_BYTES: usize = 256;
/// Keys of content that only the service reads, in the formats that are known.
const SEALED: [&str; 6] =
    ["signature", "encrypted_content", "encrypted_index", "thoughtSignature", "thought_signature", "redacted_thinking"];

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) sites: Vec<Site>,
    pub(super) ends: Vec<End>,
    /// Probabilities of the tokens of a text: they repeat it.
    pub(super) logprobs: Vec<(Range<usize>, &'static str)>,
    /// The event's running number.
    pub(super) number: Option<(Range<usize>, u64)>,
    pub(super) signals: Set<Signal>,
    /// Whether keys of sealed content are known to mean that.
    pub(super) known: bool,
}

/// A text of an event.
#[derive(Debug)]
pub(super) struct Site {
    /// The inside of the string, or the value if `mode` is [`Mode::Source`].
    pub(super) place: Range<usize>,
    pub(super) escaped: bool,
    pub(super) channel: Channel,
    pub(super) mode: Mode,
    /// The id of the item that the text belongs to.
    pub(super) item: Option<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// More text of its channel.
    Delta,
    /// The whole text of its channel.
    Whole,
    /// The whole text of its channel, which is the source of a JSON value.
    Source,
    /// The event itself is the text: it is no JSON.
    Plain,
}

/// Which channels end.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    All,
    Output(u32),
    Block(u32, u32),
}

impl End {
    pub(super) fn ends(self, channel: &Channel) -> bool {
        match self {
            Self::All => true,
            Self::Output(output) => channel.output == output,
            Self::Block(output, block) => (channel.output, channel.block) == (output, block),
        }
    }
}

impl Plan {
    /// Whether the channel ends with this event.
    pub(super) fn ends(&self, channel: &Channel) -> bool {
        self.ends.iter().any(|end| end.ends(channel))
    }

    /// More text of a channel. A value that is no string is walked.
    pub(super) fn delta(&mut self, value: Value<'_>, channel: Channel, item: Option<Value<'_>>) {
        self.site(value, channel, Mode::Delta, item);
    }

    /// The whole text of a channel. A value that is no string is walked.
    pub(super) fn whole(&mut self, value: Value<'_>, channel: Channel) {
        self.site(value, channel, Mode::Whole, None);
    }

    /// More text or the whole of it, as `mode` says.
    pub(super) fn site(&mut self, value: Value<'_>, channel: Channel, mode: Mode, item: Option<Value<'_>>) {
        if value.kind() != Kind::String {
            return self.other(value);
        }
        if !value.raw().is_empty() {
            let item = item.filter(|item| item.kind() == Kind::String).map(Value::place);
            self.sites.push(Site { place: value.place(), escaped: value.escaped(), channel, mode, item });
        }
    }

    /// An object of tool arguments, as its source.
    pub(super) fn source(&mut self, value: Value<'_>, channel: Channel) {
        match value.kind() {
            Kind::String => self.whole(value, channel),
            Kind::Literal => {}
            _ if value.members().next().is_none() && value.elements().next().is_none() => {}
            _ => {
                let site = Site { place: value.place(), escaped: false, channel, mode: Mode::Source, item: None };
                self.sites.push(site);
            }
        }
    }

    /// Every string of a value whose meaning is not known.
    pub(super) fn other(&mut self, value: Value<'_>) {
        match value.kind() {
            Kind::String => self.whole(value, Channel::OTHER),
            Kind::Array => value.elements().for_each(|element| self.other(element)),
            Kind::Object => {
                for (key, member) in value.members() {
                    if self.known && member.kind() == Kind::String && SEALED.contains(&key.as_ref()) {
                        self.sealed(member);
                    } else {
                        self.other(member);
                    }
                }
            }
            _ => {}
        }
    }

    /// An id, a name or a word of the format: carries no text unless it is too long for that.
    pub(super) fn structural(&mut self, value: Value<'_>) {
        if value.kind() != Kind::String || value.raw().len() > STRUCTURAL_BYTES {
            self.other(value);
        }
    }

    /// Content that only the service reads: never offered, never edited.
    pub(super) fn sealed(&mut self, value: Value<'_>) {
        self.opaque(value, Signal::OpaqueEncrypted);
    }

    /// Content without a reader.
    pub(super) fn opaque(&mut self, value: Value<'_>, signal: Signal) {
        match value.kind() {
            Kind::String if value.raw().is_empty() => {}
            Kind::String => self.signals.insert(signal),
            _ => self.other(value),
        }
    }

    /// Probabilities of tokens: dropped if a text of the event changes, because they repeat it.
    pub(super) fn logprobs(&mut self, value: Value<'_>) {
        match value.kind() {
            Kind::Array if value.elements().next().is_some() => self.logprobs.push((value.place(), "[]")),
            Kind::Object => self.logprobs.push((value.place(), "null")),
            _ => {}
        }
    }
}

impl Channel {
    /// The channel of all strings whose meaning is not known.
    pub const OTHER: Self = Self { output: 0, block: 0, kind: ChannelKind::Other };
}
