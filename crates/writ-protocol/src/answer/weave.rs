//! Offers the texts of an event to the editor, and turns what it returns into edits of the event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::plan::{Mode, Plan, Site};
use super::{CHANNELS, Channel, ChannelKind, Flow, TextEditor};
use crate::json::{Defect, Tape, text};

/// An edit of the data of an event: what stands in the place of some of its bytes.
pub(super) type DataEdit = (Range<usize>, String);

/// The channels that have begun and not ended, with the id of the item they belong to.
pub(super) type Open = BTreeMap<Channel, Option<Box<str>>>;

/// What became of an event.
#[derive(Debug, Default)]
pub(super) struct Woven {
    /// Edits of its data, in rising order, none overlapping.
    pub(super) edits: Vec<DataEdit>,
    /// Text that is due before it.
    pub(super) due: Vec<Due>,
}

/// Text that the editor still held when its channel ended.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) channel: Channel,
    pub(super) item: Option<Box<str>>,
    pub(super) text: String,
}

/// Why an event is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The editor says so.
    Stopped,
    /// An event is larger than [`super::EVENT`], or more than [`CHANNELS`] are open.
    TooLarge,
}

impl Flow {
    fn go_on(self) -> Result<(), Halt> {
        match self {
            Self::Continue => Ok(()),
            Self::Stop => Err(Halt::Stopped),
        }
    }
}

/// Offers what the plan says of `data`.
pub(super) fn weave(data: &str, plan: &Plan, open: &mut Open, editor: &mut dyn TextEditor) -> Result<Woven, Halt> {
    let mut woven = Woven::default();
    let ended = open.keys().filter(|channel| ends_before(plan, channel));
    for channel in in_reading_order(ended) {
        finish(channel, open, editor, &mut woven.due)?;
    }
    let mut outputs = Vec::with_capacity(plan.sites.len());
    for site in &plan.sites {
        outputs.push(offer(data, site, open, editor)?);
    }
    end_within(plan, open, editor, &mut outputs)?;
    for (site, output) in plan.sites.iter().zip(&outputs) {
        woven.edits.extend(edit(data, site, output));
    }
    if !woven.edits.is_empty() {
        woven.edits.extend(plan.logprobs.iter().map(|(place, empty)| (place.clone(), (*empty).to_owned())));
    }
    woven.edits.sort_by_key(|(place, _)| place.start);
    Ok(woven)
}

/// Ends all channels.
pub(super) fn finish_all(open: &mut Open, editor: &mut dyn TextEditor) -> Result<Vec<Due>, Halt> {
    let mut due = Vec::new();
    for channel in in_reading_order(open.keys()) {
        finish(channel, open, editor, &mut due)?;
    }
    Ok(due)
}

/// Channels in the order in which they end: what was thought before what is said.
fn in_reading_order<'c>(channels: impl Iterator<Item = &'c Channel>) -> Vec<Channel> {
    let mut channels: Vec<Channel> = channels.cloned().collect();
    channels.sort_by_key(|channel| channel.kind != ChannelKind::Reasoning);
    channels
}

/// Whether an open channel has to be complete before this event: it ends with it and gets no more text, or the event
/// repeats its text.
fn ends_before(plan: &Plan, channel: &Channel) -> bool {
    let of = |mode| move |site: &Site| site.channel == *channel && site.mode == mode;
    let grows = plan.sites.iter().any(of(Mode::Delta));
    let repeats = plan.sites.iter().any(of(Mode::Whole)) || plan.sites.iter().any(of(Mode::Source));
    !grows && (repeats || plan.ends(channel))
}

fn finish(channel: Channel, open: &mut Open, editor: &mut dyn TextEditor, due: &mut Vec<Due>) -> Result<(), Halt> {
    let mut text = String::new();
    let item = open.remove(&channel).flatten();
    editor.finish(&channel, &mut text).go_on()?;
    if !text.is_empty() {
        due.push(Due { channel, item, text });
    }
    Ok(())
}

fn offer(data: &str, site: &Site, open: &mut Open, editor: &mut dyn TextEditor) -> Result<String, Halt> {
    let text = text_of(data, site);
    let mut output = String::with_capacity(text.len());
    if site.mode == Mode::Delta {
        if !open.contains_key(&site.channel) {
            if !CHANNELS.admits(open.len() + 1) {
                return Err(Halt::TooLarge);
            }
            let item = site.item.clone().and_then(|item| data.get(item)).filter(|item| item.len() <= ITEM_BYTES);
            open.insert(site.channel.clone(), item.map(Box::from));
        }
        editor.edit(&site.channel, &text, &mut output).go_on()?;
    } else {
        editor.whole(&site.channel, &text, &mut output).go_on()?;
    }
    Ok(output)
}

/// Longest id of an item that is remembered for events of our own.
const ITEM_BYTES: usize = 256;

/// Ends the channels that get their last text in this event: what is held goes into it.
fn end_within(plan: &Plan, open: &mut Open, editor: &mut dyn TextEditor, outputs: &mut [String]) -> Result<(), Halt> {
    if plan.ends.is_empty() {
        return Ok(());
    }
    for (index, site) in plan.sites.iter().enumerate() {
        let later = plan.sites.get(index + 1..).unwrap_or_default();
        let last = site.mode == Mode::Delta && !later.iter().any(|other| other.channel == site.channel);
        if last
            && plan.ends(&site.channel)
            && open.remove(&site.channel).is_some()
            && let Some(output) = outputs.get_mut(index)
        {
            editor.finish(&site.channel, output).go_on()?;
        }
    }
    Ok(())
}

fn text_of<'d>(data: &'d str, site: &Site) -> Cow<'d, str> {
    let raw = data.get(site.place.clone()).unwrap_or_default();
    if !site.escaped {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    text::unescape(raw, &mut text);
    Cow::Owned(text)
}

/// The edit that turns the text of a site into another one; what begins and ends alike stays as it was written.
fn edit(data: &str, site: &Site, output: &str) -> Option<DataEdit> {
    let old = text_of(data, site);
    if old == output {
        return None;
    }
    match site.mode {
        Mode::Plain => Some((site.place.clone(), output.to_owned())),
        Mode::Source => Some((site.place.clone(), source(output))),
        Mode::Delta | Mode::Whole => {
            let (head, tail) = alike(&old, output);
            let changed = output.get(head..output.len() - tail).unwrap_or_default();
            let raw = data.get(site.place.clone()).unwrap_or_default();
            let place = raw_place(raw, site.escaped, head..old.len() - tail);
            let (place, changed) = place.map_or((0..raw.len(), output), |place| (place, changed));
            let start = site.place.start;
            Some((start + place.start..start + place.end, escape(changed)))
        }
    }
}

/// How many bytes at the beginning and at the end are the same, at character boundaries and without overlap.
fn alike(old: &str, new: &str) -> (usize, usize) {
    let boundary = |at: usize| old.is_char_boundary(at) && new.is_char_boundary(at);
    let mut head = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !boundary(head) {
        head -= 1;
    }
    let most = old.len().min(new.len()) - head;
    let mut tail = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(|(a, b)| a == b).count();
    while !(old.is_char_boundary(old.len() - tail) && new.is_char_boundary(new.len() - tail)) {
        tail -= 1;
    }
    (head, tail)
}

fn raw_place(raw: &str, escaped: bool, place: Range<usize>) -> Option<Range<usize>> {
    if !escaped {
        return Some(place);
    }
    let mut map = text::BackMap::new(raw);
    let start = map.raw_of(place.start)?;
    Some(start..map.raw_of(place.end)?)
}

/// A JSON value that the editor returned; text that is none becomes a string, so that the event stays JSON.
fn source(output: &str) -> String {
    match Tape::read(output).defect {
        None | Some(Defect::LoneSurrogate) => on_one_line(output.to_owned()),
        Some(_) => format!("\"{}\"", escape(output)),
    }
}

/// `text` as the inside of a JSON string on one line.
pub(super) fn escape(text: &str) -> String {
    on_one_line(text::escaped(text))
}

/// JSON with line and paragraph separators escaped: it allows them inside strings, but some clients split events at
/// them (httpx's line decoder does, under the Gemini SDK).
pub(crate) fn on_one_line(json: String) -> String {
    if !json.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return json;
    }
    json.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// `data` with the edits made.
pub(super) fn splice(data: &str, edits: &[DataEdit]) -> String {
    let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let mut spliced = String::with_capacity(data.len() + added);
    let mut at = 0;
    for (place, text) in edits {
        spliced.push_str(data.get(at..place.start).unwrap_or_default());
        spliced.push_str(text);
        at = place.end;
    }
    spliced.push_str(data.get(at..).unwrap_or_default());
    spliced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_stays() {
        assert_eq!(alike("abcde", "abXde"), (2, 2));
        assert_eq!(alike("aaa", "aa"), (2, 0));
        assert_eq!(alike("é1", "è1"), (0, 1), "inside a character");
        assert_eq!(alike("", "x"), (0, 0));
        assert_eq!(alike("😀", "😁"), (0, 0));
    }

    #[test]
    fn separators_are_escaped() {
        assert_eq!(escape("a\u{2028}\u{2029}\u{85}\"\n"), "a\\u2028\\u2029\\u0085\\\"\\n");
    }

    #[test]
    fn a_source_that_is_no_json_becomes_a_string() {
        assert_eq!(source("{\"a\":1}"), "{\"a\":1}");
        assert_eq!(source("[\"\u{2028}\"]"), "[\"\\u2028\"]");
        assert_eq!(source("{\"a\":"), "\"{\\\"a\\\":\"");
    }
}
