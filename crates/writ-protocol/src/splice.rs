//! Edits: from spans of decoded text back to bytes of the body, through every level of escapes (invariant PRO-2).

use std::borrow::Cow;
use std::ops::Range;

use writ_model::Part;

use crate::json::text::{BackMap, escaped, unescape};
use crate::message::Message;
use crate::shape::Whole;
use crate::{form, media};

/// A change to a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit {
    /// Puts `with` in the place of a span of a part's text.
    Replace {
        /// The number of the part.
        part: usize,
        /// Bytes of the part's text.
        span: Range<usize>,
        /// The new text.
        with: String,
    },
    /// Puts `with` in the place of all that a turn says. Tool calls and results that other turns refer to stay, with
    /// empty arguments and `with` as the result.
    ReplaceTurnText {
        /// The number of the turn.
        turn: usize,
        /// The new text.
        with: String,
    },
    /// Takes a turn out.
    RemoveTurn {
        /// The number of the turn.
        turn: usize,
    },
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Replace { part, span, with } => write!(f, "Replace({part}, {span:?}, [{} B])", with.len()),
            Self::ReplaceTurnText { turn, with } => write!(f, "ReplaceTurnText({turn}, [{} B])", with.len()),
            Self::RemoveTurn { turn } => write!(f, "RemoveTurn({turn})"),
        }
    }
}

/// Why edits cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEdit {
    /// The body is broken: its readers may disagree about what an edit does.
    #[error("cannot edit: the body is malformed or has no reader")]
    Malformed,
    /// The body is not the one that was read.
    #[error("cannot edit: the body is not the one that was read")]
    OtherBody,
    /// No part has this number.
    #[error("cannot edit: there is no part {0}")]
    NoPart(usize),
    /// No turn has this number.
    #[error("cannot edit: there is no turn {0}")]
    NoTurn(usize),
    /// The place is signed, encrypted, opaque, a key or structure.
    #[error("cannot edit: part {0} has a place here that must stay as it is")]
    Fixed(usize),
    /// The span is none of the part's text.
    #[error("cannot edit: the span is not a span of the text of part {0}")]
    Span(usize),
    /// Two edits touch the same bytes.
    #[error("cannot edit: two edits overlap")]
    Overlap,
    /// The turn is signed, or other turns refer to it.
    #[error("cannot edit: turn {0} is signed, or other turns refer to it")]
    Linked(usize),
    /// The turn is the only one.
    #[error("cannot edit: a request without turn {0} has none left")]
    LastTurn(usize),
}

/// How the text of a piece is written at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The inside of a JSON string.
    Json,
    /// A JSON number; edited, it becomes a string.
    Number,
    /// The inside of a JSON string that is base64, perhaps after a `data:` header.
    Base64,
    /// As it stands.
    Plain,
    /// Percent-encoded form data.
    Percent,
    /// A key: it cannot be edited.
    Fixed,
}

/// A stretch of a part's text that stands at one place.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Bytes of the part's text.
    pub(crate) text: Range<usize>,
    /// Which text it was read from.
    pub(crate) site: usize,
    /// Bytes of that text.
    pub(crate) span: Range<usize>,
    pub(crate) form: Form,
}

/// A text that pieces were read from: the body (number 0), or a JSON string inside another.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) parent: usize,
    /// The inside of the string, in bytes of the parent's text.
    pub(crate) span: Range<usize>,
}

impl Site {
    pub(crate) const BODY: Self = Self { parent: 0, span: 0..0 };
}

/// A turn in the bytes of the body.
#[derive(Clone, Debug)]
pub(crate) struct TurnMap {
    /// Which list it is an element of.
    pub(crate) list: usize,
    pub(crate) span: Range<usize>,
    pub(crate) removable: bool,
    /// The value of its content, and whether text there has to be a list of parts (Gemini).
    pub(crate) content: Option<(Range<usize>, bool)>,
    /// Its values one by one, for a turn that has to stay in form.
    pub(crate) wholes: Vec<(Range<usize>, Whole)>,
}

/// The way from parts and turns back into the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    pub(crate) length: usize,
    pub(crate) fixed: bool,
    pub(crate) sites: Vec<Site>,
    pub(crate) pieces: Vec<Piece>,
    /// Per part, its pieces.
    pub(crate) parts: Vec<Range<usize>>,
    pub(crate) turns: Vec<TurnMap>,
}

/// New text for bytes of a site.
struct Change {
    span: Range<usize>,
    with: String,
}

impl Map {
    /// A map of a body that cannot be edited.
    pub(crate) fn fixed(length: usize) -> Self {
        Self { length, fixed: true, ..Self::default() }
    }

    pub(crate) fn splice(&self, message: &Message, body: &[u8], edits: &[Edit]) -> Result<Vec<u8>, CannotEdit> {
        if body.len() != self.length {
            return Err(CannotEdit::OtherBody);
        }
        if edits.is_empty() {
            return Ok(body.to_vec());
        }
        edits.iter().try_for_each(|edit| cannot_edit(message, edit))?;
        let text = std::str::from_utf8(body).map_err(|_| CannotEdit::Malformed)?;
        let mut desk = Desk::new(self, text);
        self.replace(message, edits, &mut desk)?;
        self.edit_turns(message, edits, &mut desk)?;
        desk.apply()
    }

    fn replace(&self, message: &Message, edits: &[Edit], desk: &mut Desk<'_>) -> Result<(), CannotEdit> {
        let mut replacements: Vec<(usize, &Range<usize>, &str)> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Replace { part, span, with } => Some((*part, span, with.as_str())),
                _ => None,
            })
            .collect();
        replacements.sort_by_key(|(part, span, _)| (*part, span.start, span.end));
        for pair in replacements.windows(2) {
            if let [(part, before, _), (next, after, _)] = pair
                && part == next
                && after.start < before.end
            {
                return Err(CannotEdit::Overlap);
            }
        }
        for group in replacements.chunk_by(|a, b| a.0 == b.0) {
            let Some(number) = group.first().map(|first| first.0) else { continue };
            let part = message.parts.get(number).ok_or(CannotEdit::NoPart(number))?;
            self.replace_in(part, group, desk)?;
        }
        Ok(())
    }

    /// Edits of one part, in order: each lands in the first piece that it touches, the others lose what it covers.
    fn replace_in(
        &self,
        part: &Part,
        edits: &[(usize, &Range<usize>, &str)],
        desk: &mut Desk<'_>,
    ) -> Result<(), CannotEdit> {
        let pieces = self.pieces_of(part.index);
        let text = part.text().unwrap_or_default();
        let mut placed = vec![false; edits.len()];
        for piece in pieces {
            let mut local = Vec::new();
            for ((_, span, with), placed) in edits.iter().zip(&mut placed) {
                let Some(covered) = covered(span, &piece.text) else { continue };
                if span.is_empty() && *placed {
                    continue;
                }
                let with = if std::mem::replace(placed, true) { "" } else { with };
                let relative = covered.start - piece.text.start..covered.end - piece.text.start;
                local.push((relative, with));
            }
            if !local.is_empty() {
                let piece_text = text.get(piece.text.clone()).ok_or(CannotEdit::Span(part.index))?;
                desk.edit(piece, piece_text, &local).ok_or(CannotEdit::Span(part.index))?;
            }
        }
        if placed.contains(&false) { Err(CannotEdit::Fixed(part.index)) } else { Ok(()) }
    }

    fn pieces_of(&self, part: usize) -> &[Piece] {
        let range = self.parts.get(part).cloned().unwrap_or_default();
        self.pieces.get(range).unwrap_or_default()
    }

    fn edit_turns(&self, message: &Message, edits: &[Edit], desk: &mut Desk<'_>) -> Result<(), CannotEdit> {
        let mut removed = vec![false; self.turns.len()];
        for edit in edits {
            match edit {
                Edit::Replace { .. } => {}
                Edit::ReplaceTurnText { turn, with } => {
                    let linked = message.turns.get(*turn).is_some_and(|turn| turn.linked);
                    let map = self.turns.get(*turn).ok_or(CannotEdit::NoTurn(*turn))?;
                    desk.replace_turn(map, linked, with).ok_or(CannotEdit::Linked(*turn))?;
                }
                Edit::RemoveTurn { turn } => {
                    let slot = removed.get_mut(*turn).ok_or(CannotEdit::NoTurn(*turn))?;
                    *slot = true;
                }
            }
        }
        self.remove_turns(&removed, desk)
    }

    /// Takes elements out of their lists, each with the comma that it no longer needs.
    fn remove_turns(&self, removed: &[bool], desk: &mut Desk<'_>) -> Result<(), CannotEdit> {
        let turns: Vec<(usize, &TurnMap, bool)> =
            self.turns.iter().zip(removed).enumerate().map(|(at, (turn, gone))| (at, turn, *gone)).collect();
        for list in turns.chunk_by(|a, b| a.1.list == b.1.list) {
            if let (true, Some((first, _, _))) = (list.iter().all(|(_, _, gone)| *gone), list.first()) {
                return Err(CannotEdit::LastTurn(*first));
            }
            let mut kept_before: Option<&TurnMap> = None;
            for run in list.chunk_by(|a, b| a.2 == b.2) {
                let (Some((_, first, gone)), Some((last_number, last, _))) = (run.first(), run.last()) else {
                    continue;
                };
                if !gone {
                    kept_before = Some(last);
                    continue;
                }
                let next = list.iter().find(|(number, _, _)| number > last_number).map(|(_, turn, _)| turn);
                let span = match (next, kept_before) {
                    (Some(next), _) => first.span.start..next.span.start,
                    (None, Some(before)) => before.span.end..last.span.end,
                    (None, None) => first.span.start..last.span.end,
                };
                desk.change(0, span, String::new());
            }
        }
        Ok(())
    }
}

/// Why one edit cannot be made, as far as the message alone can tell.
pub(crate) fn cannot_edit(message: &Message, edit: &Edit) -> Result<(), CannotEdit> {
    let map = &message.map;
    if map.fixed {
        return Err(CannotEdit::Malformed);
    }
    match edit {
        Edit::Replace { part, span, .. } => {
            let Some(found) = message.parts.get(*part) else { return Err(CannotEdit::NoPart(*part)) };
            let text = found.text().ok_or(CannotEdit::Fixed(*part))?;
            if text.get(span.clone()).is_none() {
                return Err(CannotEdit::Span(*part));
            }
            let mut touched =
                map.pieces_of(*part).iter().filter(|piece| covered(span, &piece.text).is_some()).peekable();
            let fixed = touched.peek().is_none() || touched.any(|piece| piece.form == Form::Fixed);
            if fixed && !(span.is_empty() && found.editable) { Err(CannotEdit::Fixed(*part)) } else { Ok(()) }
        }
        Edit::ReplaceTurnText { turn, .. } => {
            let (Some(found), Some(place)) = (message.turns.get(*turn), map.turns.get(*turn)) else {
                return Err(CannotEdit::NoTurn(*turn));
            };
            let replaceable = if found.linked {
                !place.wholes.is_empty() && place.wholes.iter().all(|(_, whole)| *whole != Whole::Fixed)
            } else {
                place.content.is_some()
            };
            if replaceable { Ok(()) } else { Err(CannotEdit::Linked(*turn)) }
        }
        Edit::RemoveTurn { turn } => {
            let (Some(found), Some(place)) = (message.turns.get(*turn), map.turns.get(*turn)) else {
                return Err(CannotEdit::NoTurn(*turn));
            };
            if found.linked {
                return Err(CannotEdit::Linked(*turn));
            }
            if place.removable { Ok(()) } else { Err(CannotEdit::LastTurn(*turn)) }
        }
    }
}

/// What a span covers of a piece; an empty span belongs to the pieces that it touches.
fn covered(span: &Range<usize>, piece: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (span.start.max(piece.start), span.end.min(piece.end));
    let touches = if span.is_empty() { start <= end } else { start < end };
    touches.then_some(start..end)
}

/// Collects changes per site and carries them outward to the body.
struct Desk<'a> {
    map: &'a Map,
    body: &'a str,
    /// Text of each inner site, decoded when first needed.
    texts: Vec<Option<String>>,
    changes: Vec<Vec<Change>>,
}

impl<'a> Desk<'a> {
    fn new(map: &'a Map, body: &'a str) -> Self {
        let count = map.sites.len().max(1);
        Self { map, body, texts: vec![None; count], changes: (0..count).map(|_| Vec::new()).collect() }
    }

    fn change(&mut self, site: usize, span: Range<usize>, with: String) {
        if let Some(changes) = self.changes.get_mut(site) {
            changes.push(Change { span, with });
        }
    }

    /// Edits of one piece, in order, relative to its text.
    fn edit(&mut self, piece: &Piece, text: &str, edits: &[(Range<usize>, &str)]) -> Option<()> {
        let site = self.text(piece.site)?;
        let raw = site.get(piece.span.clone())?;
        let shift = |span: Range<usize>| piece.span.start + span.start..piece.span.start + span.end;
        let changes: Vec<(Range<usize>, String)> = match piece.form {
            Form::Json => {
                let mut map = BackMap::new(raw);
                let mut change = |(span, with): &(Range<usize>, &str)| {
                    let span = map.raw_of(span.start)?..map.raw_of(span.end)?;
                    Some((shift(span), escaped(with)))
                };
                edits.iter().map(&mut change).collect::<Option<_>>()?
            }
            Form::Percent => {
                let mut map = form::PercentMap::new(raw);
                let mut change = |(span, with): &(Range<usize>, &str)| {
                    let span = map.raw_of(span.start)?..map.raw_of(span.end)?;
                    Some((shift(span), form::percent_encoded(with)))
                };
                edits.iter().map(&mut change).collect::<Option<_>>()?
            }
            Form::Plain => edits.iter().map(|(span, with)| (shift(span.clone()), (*with).to_owned())).collect(),
            Form::Number => vec![(piece.span.clone(), format!("\"{}\"", escaped(&edited(text, edits)?)))],
            Form::Base64 => {
                let mut old = String::new();
                unescape(raw, &mut old);
                vec![(piece.span.clone(), escaped(&media::write(&old, &edited(text, edits)?)))]
            }
            Form::Fixed => return None,
        };
        let number = piece.site;
        changes.into_iter().for_each(|(span, with)| self.change(number, span, with));
        Some(())
    }

    fn replace_turn(&mut self, turn: &TurnMap, linked: bool, with: &str) -> Option<()> {
        let with = escaped(with);
        if !linked {
            let (span, list) = turn.content.clone()?;
            let value = if list { format!("[{{\"text\":\"{with}\"}}]") } else { format!("\"{with}\"") };
            self.change(0, span, value);
            return Some(());
        }
        for (span, whole) in &turn.wholes {
            let value = match whole {
                Whole::Text => format!("\"{with}\""),
                Whole::Object => "{}".to_owned(),
                Whole::ObjectText => "\"{}\"".to_owned(),
                Whole::Result => format!("{{\"result\":\"{with}\"}}"),
                Whole::Fixed => return None,
            };
            self.change(0, span.clone(), value);
        }
        Some(())
    }

    /// Carries changes of inner sites outward, then makes those of the body.
    fn apply(mut self) -> Result<Vec<u8>, CannotEdit> {
        for number in (1..self.changes.len()).rev() {
            let mut changes = self.changes.get_mut(number).map(std::mem::take).unwrap_or_default();
            if changes.is_empty() {
                continue;
            }
            sort(&mut changes)?;
            let site = self.map.sites.get(number).ok_or(CannotEdit::OtherBody)?;
            let outward = {
                let parent = self.text(site.parent).ok_or(CannotEdit::OtherBody)?;
                let mut map = BackMap::new(parent.get(site.span.clone()).ok_or(CannotEdit::OtherBody)?);
                let carry = |change: Change| {
                    let span = map.raw_of(change.span.start)?..map.raw_of(change.span.end)?;
                    let span = site.span.start + span.start..site.span.start + span.end;
                    Some(Change { span, with: escaped(&change.with) })
                };
                changes.into_iter().map(carry).collect::<Option<Vec<_>>>().ok_or(CannotEdit::OtherBody)?
            };
            if let Some(parent) = self.changes.get_mut(site.parent) {
                parent.extend(outward);
            }
        }
        let mut changes = self.changes.first_mut().map(std::mem::take).unwrap_or_default();
        sort(&mut changes)?;
        let grown: usize = changes.iter().map(|change| change.with.len()).sum();
        let mut out = Vec::with_capacity(self.body.len() + grown);
        let mut from = 0;
        for change in &changes {
            out.extend_from_slice(self.body.as_bytes().get(from..change.span.start).ok_or(CannotEdit::OtherBody)?);
            out.extend_from_slice(change.with.as_bytes());
            from = change.span.end;
        }
        out.extend_from_slice(self.body.as_bytes().get(from..).ok_or(CannotEdit::OtherBody)?);
        Ok(out)
    }

    /// The text of a site.
    fn text(&mut self, number: usize) -> Option<Cow<'a, str>> {
        if number == 0 {
            return Some(Cow::Borrowed(self.body));
        }
        if self.texts.get(number)?.is_none() {
            let site = self.map.sites.get(number)?;
            let parent = self.text(site.parent)?;
            let mut text = String::new();
            unescape(parent.get(site.span.clone())?, &mut text);
            *self.texts.get_mut(number)? = Some(text);
        }
        self.texts.get(number)?.clone().map(Cow::Owned)
    }
}

fn sort(changes: &mut [Change]) -> Result<(), CannotEdit> {
    changes.sort_by_key(|change| (change.span.start, change.span.end));
    let overlap = changes.windows(2).any(|pair| match pair {
        [before, after] => after.span.start < before.span.end,
        _ => false,
    });
    if overlap { Err(CannotEdit::Overlap) } else { Ok(()) }
}

/// A text with edits made; they are in order.
fn edited(text: &str, edits: &[(Range<usize>, &str)]) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (span, with) in edits {
        out.push_str(text.get(from..span.start)?);
        out.push_str(with);
        from = span.end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}
