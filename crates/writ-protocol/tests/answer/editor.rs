//! Editors.

use std::collections::BTreeMap;

use writ_protocol::answer::{Channel, ChannelKind, Flow, TextEditor};

/// What the editor looks for.
pub const MARKER: &str = "[NAME-1]";
/// What it puts there: with everything that needs an escape.
pub const NAME: &str = "Jörg \"Ö\"\n\\Müller\u{2028}";

/// The edited text of a channel.
pub fn edited(kind: ChannelKind, text: &str) -> String {
    match kind {
        // Tool arguments are the source of JSON.
        ChannelKind::ToolArguments => {
            let quoted = serde_json::to_string(NAME).unwrap();
            text.replace(MARKER, &quoted[1..quoted.len() - 1])
        }
        _ => text.replace(MARKER, NAME),
    }
}

/// Replaces a marker and holds back the last `hold` characters of every channel.
#[derive(Default)]
pub struct Replacing {
    pub hold: usize,
    /// Stops when a text has this word.
    pub stop: Option<&'static str>,
    held: BTreeMap<Channel, String>,
    /// Channels that were offered, in order.
    pub seen: Vec<(Channel, String)>,
}

impl Replacing {
    pub fn holding(hold: usize) -> Self {
        Self { hold, ..Self::default() }
    }

    pub fn stopping(word: &'static str) -> Self {
        Self { stop: Some(word), ..Self::default() }
    }

    fn flow(&self, text: &str) -> Flow {
        if self.stop.is_some_and(|word| text.contains(word)) { Flow::Stop } else { Flow::Continue }
    }
}

/// How much of a text may be delivered: not the last `hold` characters, no piece of a marker.
fn ready(text: &str, hold: usize) -> usize {
    let mut end = text.char_indices().rev().nth(hold).map_or(0, |(at, c)| at + c.len_utf8());
    if hold == 0 {
        end = text.len();
    }
    for (at, _) in text.match_indices('[') {
        let rest = &text[at..];
        let length = MARKER.len().min(rest.len());
        if at < end && rest.as_bytes()[..length] == MARKER.as_bytes()[..length] && at + MARKER.len() > end {
            return at;
        }
    }
    end
}

impl TextEditor for Replacing {
    fn edit(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow {
        self.seen.push((channel.clone(), text.to_owned()));
        let held = self.held.entry(channel.clone()).or_default();
        held.push_str(text);
        let ready: String = held.drain(..ready(held, self.hold)).collect();
        out.push_str(&edited(channel.kind, &ready));
        self.flow(text)
    }

    fn finish(&mut self, channel: &Channel, out: &mut String) -> Flow {
        out.push_str(&edited(channel.kind, &self.held.remove(channel).unwrap_or_default()));
        Flow::Continue
    }

    fn whole(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow {
        self.seen.push((channel.clone(), text.to_owned()));
        out.push_str(&edited(channel.kind, text));
        self.flow(text)
    }
}

/// Changes nothing.
pub struct Same;

impl TextEditor for Same {
    fn edit(&mut self, _: &Channel, text: &str, out: &mut String) -> Flow {
        out.push_str(text);
        Flow::Continue
    }

    fn finish(&mut self, _: &Channel, _: &mut String) -> Flow {
        Flow::Continue
    }

    fn whole(&mut self, _: &Channel, text: &str, out: &mut String) -> Flow {
        out.push_str(text);
        Flow::Continue
    }
}
