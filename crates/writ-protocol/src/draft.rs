//! A message in the making: the walk over a body along the shape of its format.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;
use writ_base::Limit;
use writ_model::interaction::{Content, Text};
use writ_model::{Author, Part, Set, Signal, Unreadable};

use crate::codec::Codec;
use crate::json::{Defect, Kind, Node, Tape};
use crate::media::{self, Media};
use crate::message::{Message, Turn};
use crate::shape::{By, Place, Shape, Whole};
use crate::splice::{Form, Map, Piece, Site, TurnMap};

/// How deeply JSON inside JSON strings is read: arguments, results that quote JSON, and once more.
pub static NESTED: Limit = Limit::new("protocol.nested_json", "levels", 4);

/// A string of at least this many bytes inside a composite is a part of its own: it is not copied, and a composite
/// that changes does not make it new.
const LONG: usize = 1024;
/// A composite is cut after this many bytes, so that a change makes little text new.
const COMPOSITE: usize = 16 << 10;
/// Room for decoded text that is taken at once; most bodies need no more, and long ones hold few escapes.
const ARENA: usize = 16 << 10;
/// A number of fewer characters than this at a structural place carries nothing worth showing.
const SHORT_NUMBER: usize = 7;
/// Where text stands that no shape names.
pub(crate) const ELSE: Place = Place::of("(other fields)", Author::Unknown);
/// Where structural values stand that are none of the format's own words.
pub(crate) const STRUCTURE: &str = "(structure)";
/// Where bytes stand behind the point at which the structure broke.
const REST: &str = "(not understood)";

/// Collects what the walk finds.
#[derive(Default)]
pub(crate) struct Draft {
    parts: Vec<DraftPart>,
    /// Decoded text of all parts that are not plain pieces of the body.
    arena: String,
    pieces: Vec<Piece>,
    sites: Vec<Site>,
    structure: String,
    turns: Vec<Turn>,
    turn_maps: Vec<TurnMap>,
    signals: Set<Signal>,
    tools: Vec<String>,
    author: Option<Author>,
    turn: Option<usize>,
    composite: Option<Composite>,
    nesting: usize,
    fixed: bool,
}

struct DraftPart {
    author: Author,
    turn: Option<usize>,
    location: &'static str,
    content: DraftContent,
    editable: bool,
    pieces: Range<usize>,
}

enum DraftContent {
    Body(Range<usize>),
    Arena(Range<usize>),
    Opaque(Signal, usize),
}

/// A composite text that is being collected.
#[derive(Clone, Copy)]
struct Composite {
    place: Place,
    arena: usize,
    pieces: usize,
}

/// The JSON text that is being walked: the body, or a string inside it.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    text: &'s str,
    tape: &'s Tape,
    site: usize,
}

impl Draft {
    /// Reads a JSON body.
    pub(crate) fn json(body: &Bytes, codec: &'static Codec) -> Message {
        let exact = ByteString::try_from(body.clone());
        let utf8 = exact.is_ok();
        let text = exact.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into());
        let tape = Tape::read(&text);
        let arena = String::with_capacity(text.len().min(ARENA));
        let mut draft = Self { sites: vec![Site::BODY], arena, ..Self::default() };
        let mut unreadable = Set::EMPTY;
        let broken = (!utf8).then_some(Defect::Utf8).or(tape.defect);
        match broken {
            Some(Defect::TooMany) => unreadable.insert(Unreadable::TooLarge),
            Some(_) => draft.signals.insert(Signal::MalformedJson),
            None => {}
        }
        draft.fixed = broken.is_some();
        let source = Source { text: &text, tape: &tape, site: 0 };
        if let Some((index, root)) = tape.root() {
            if !codec.fits(source.text, &tape) {
                draft.signals.insert(Signal::MalformedFormat);
            }
            draft.walk(source, index, root, codec.shape, None);
        }
        if tape.read < text.len() && broken.is_some() {
            draft.plain(tape.read..text.len(), Place::of(REST, Author::Unknown));
        }
        let mut message = draft.finish(&text, body.len());
        message.unreadable = unreadable;
        codec.describe(source.text, &tape, &mut message);
        message
    }

    /// A body that is one text.
    pub(crate) fn text(body: &ByteString) -> Message {
        let mut draft = Self { sites: vec![Site::BODY], ..Self::default() };
        draft.plain(0..body.len(), Place::of("body", Author::Unknown));
        draft.finish(body, body.len())
    }

    /// A draft over a body that is not JSON.
    pub(crate) fn of_body() -> Self {
        Self { sites: vec![Site::BODY], ..Self::default() }
    }

    /// A piece of the body that is text as it stands.
    pub(crate) fn plain(&mut self, range: Range<usize>, place: Place) {
        let piece = Piece { text: 0..range.len(), site: 0, span: range.clone(), form: Form::Plain };
        self.part(place, DraftContent::Body(range), &[piece]);
    }

    /// A piece of the body that `text` was decoded from.
    pub(crate) fn decoded(&mut self, text: &str, span: Range<usize>, form: Form, place: Place) {
        let start = self.arena.len();
        self.arena.push_str(text);
        let piece = Piece { text: 0..text.len(), site: 0, span, form };
        self.part(place, DraftContent::Arena(start..self.arena.len()), &[piece]);
    }

    /// A piece of the body without a reader.
    pub(crate) fn opaque(&mut self, signal: Signal, length: usize, place: Place) {
        self.signals.insert(signal);
        self.part(place, DraftContent::Opaque(signal, length), &[]);
    }

    /// A structural value, shown so that nothing hides in it.
    pub(crate) fn structural(&mut self, value: &str) {
        if !value.is_empty() {
            self.structure.push_str(value);
            self.structure.push('\n');
        }
    }

    /// The message.
    pub(crate) fn finish(mut self, body: &ByteString, length: usize) -> Message {
        let structure = self.arena.len()..self.arena.len() + self.structure.len();
        self.arena.push_str(&self.structure);
        if !structure.is_empty() {
            let end = self.pieces.len();
            let place = Place { whole: Whole::Fixed, ..Place::of(STRUCTURE, Author::Metadata) };
            self.push(place, Author::Metadata, DraftContent::Arena(structure), end..end);
        }
        let arena = ByteString::from(self.arena);
        let fixed = self.fixed;
        let mut spans = Vec::with_capacity(self.parts.len());
        let mut parts = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.into_iter().enumerate() {
            spans.push(part.pieces);
            let content = match part.content {
                DraftContent::Body(range) => Content::Text(Text::of(body, range)),
                DraftContent::Arena(range) => Content::Text(Text::of(&arena, range)),
                DraftContent::Opaque(signal, length) => Content::Opaque { signal, length },
            };
            let editable = part.editable && !fixed;
            parts.push(Part {
                index,
                author: part.author,
                turn: part.turn,
                location: part.location,
                content,
                editable,
            });
        }
        let map = Map { length, fixed, sites: self.sites, pieces: self.pieces, parts: spans, turns: self.turn_maps };
        Message { parts, signals: self.signals, turns: self.turns, tools: self.tools, map, ..Message::default() }
    }

    fn walk(&mut self, source: Source<'_>, index: usize, node: Node, shape: &'static Shape, parent: Option<usize>) {
        if let Shape::Turns(place, fields) = shape {
            return self.turns(source, index, node, *place, fields);
        }
        if node.kind == Kind::Array && !matches!(shape, Shape::Composite(_)) {
            if is_tokens(source, index, shape) {
                return self.opaque(Signal::OpaqueFormat, node.inner().len(), place_of(shape));
            }
            return source.tape.elements(index).for_each(|(at, element)| self.walk(source, at, element, shape, parent));
        }
        match (shape, node.kind) {
            (_, Kind::Literal) => {}
            (Shape::Words(words), Kind::String) => {
                let value = decoded(source, node);
                if !words.contains(&value.as_ref()) {
                    self.structural(&value);
                }
            }
            (Shape::Words(_), Kind::Number) => self.number(source, node),
            (Shape::Text(place), Kind::String) | (Shape::Object(Some(place), _), Kind::String) => {
                self.note_whole(source, node, place);
                self.string(source, node, *place);
            }
            (Shape::Composite(place), Kind::String) => {
                self.note_whole(source, node, place);
                self.string(source, node, *place);
            }
            (Shape::Composite(place), _) => {
                self.note_whole(source, node, place);
                self.composite(source, index, node, *place);
            }
            (Shape::Tool(place), Kind::Object) => {
                self.tools.extend(tool_name(source, index));
                self.composite(source, index, node, *place);
            }
            (Shape::Reference(place), Kind::String) => self.reference(source, node, *place),
            (Shape::Encrypted(place), Kind::String) => self.encrypted(source, node, *place),
            (Shape::Url(place, kind), Kind::String) => self.url(source, node, *place, *kind),
            (Shape::Media(place, kind), Kind::String) => {
                let declared = parent.and_then(|parent| media_type(source, parent));
                self.media(source, node, *place, media::signal(declared.as_deref(), *kind));
            }
            (Shape::Object(_, fields), Kind::Object) => self.object(source, index, fields),
            _ => self.unknown(source, index, node),
        }
    }

    fn object(&mut self, source: Source<'_>, index: usize, fields: &'static [crate::shape::Field]) {
        for (key, at, value) in source.tape.members(index) {
            let name = decoded(source, key);
            match Shape::field(fields, &name) {
                Some(shape) => self.walk(source, at, value, shape, Some(index)),
                None => {
                    self.structural(&name);
                    self.unknown(source, at, value);
                }
            }
        }
    }

    /// A value that no shape names: all of it is text of an unknown author.
    fn unknown(&mut self, source: Source<'_>, index: usize, node: Node) {
        match node.kind {
            Kind::String => self.string(source, node, ELSE),
            Kind::Number => self.number(source, node),
            Kind::Array | Kind::Object => self.composite(source, index, node, ELSE),
            Kind::Literal | Kind::Key => {}
        }
    }

    fn number(&mut self, source: Source<'_>, node: Node) {
        let digits = source.text.get(node.inner()).unwrap_or_default();
        if digits.len() >= SHORT_NUMBER {
            self.structural(digits);
        }
    }

    fn turns(
        &mut self,
        source: Source<'_>,
        index: usize,
        node: Node,
        place: Place,
        fields: &'static [crate::shape::Field],
    ) {
        let list = self.turns.len();
        let turn = |draft: &mut Self, at: usize, node: Node, removable: bool| {
            let author = match node.kind {
                Kind::Object => author_of(source, at),
                _ => Author::User,
            };
            let (first, number) = (draft.parts.len(), draft.turns.len());
            draft.author = Some(author);
            draft.turn = Some(number);
            draft.turns.push(Turn { author, parts: first..first, linked: false });
            let content = content_of(source, at, node);
            draft.turn_maps.push(TurnMap { list, span: node.outer(), removable, content, wholes: Vec::new() });
            match node.kind {
                Kind::Object => draft.object(source, at, fields),
                Kind::String => draft.string(source, node, place),
                _ => draft.unknown(source, at, node),
            }
            let end = draft.parts.len();
            if let Some(turn) = draft.turns.last_mut() {
                turn.parts.end = end;
            }
            draft.author = None;
            draft.turn = None;
        };
        match node.kind {
            Kind::Array => source.tape.elements(index).for_each(|(at, node)| turn(self, at, node, true)),
            Kind::Literal => {}
            _ => turn(self, index, node, false),
        }
    }

    /// Remembers what to replace when the text of the current turn is replaced.
    fn note_whole(&mut self, source: Source<'_>, node: Node, place: &Place) {
        let (Some(turn), Some(map)) = (self.turns.last_mut(), self.turn_maps.last_mut()) else { return };
        if self.turn.is_none() {
            return;
        }
        turn.linked |= place.links();
        if source.site == 0 {
            map.wholes.push((node.outer(), place.whole));
        }
    }

    /// A string that is text: JSON inside it is read, anything else stands for itself.
    fn string(&mut self, source: Source<'_>, node: Node, place: Place) {
        let raw = source.text.get(node.inner()).unwrap_or_default();
        let start = self.arena.len();
        let content = if node.escaped || source.site != 0 {
            crate::json::text::unescape(raw, &mut self.arena);
            if looks_like_json(self.arena.get(start..).unwrap_or_default()) {
                let text = self.arena.split_off(start);
                if self.nested(source, node, &text, place) {
                    return;
                }
                self.arena.push_str(&text);
            }
            DraftContent::Arena(start..self.arena.len())
        } else {
            if self.nested(source, node, raw, place) {
                return;
            }
            DraftContent::Body(node.inner())
        };
        let length = match &content {
            DraftContent::Arena(range) | DraftContent::Body(range) => range.len(),
            DraftContent::Opaque(..) => 0,
        };
        if length > 0 {
            let piece = Piece { text: 0..length, site: source.site, span: node.inner(), form: Form::Json };
            self.part(place, content, &[piece]);
        }
    }

    /// Reads a string that is itself a JSON array or object; false if it is none.
    fn nested(&mut self, source: Source<'_>, node: Node, text: &str, place: Place) -> bool {
        if !looks_like_json(text) || self.nesting >= NESTED.value() {
            return false;
        }
        let tape = Tape::read(text);
        let Some((index, root)) = tape.root() else { return false };
        if tape.defect.is_some_and(|defect| defect != Defect::DuplicateKey) {
            return false;
        }
        let site = self.sites.len();
        self.sites.push(Site { parent: source.site, span: node.inner() });
        self.nesting += 1;
        let inner = Source { text, tape: &tape, site };
        match self.composite {
            Some(_) => self.compose(inner, index, root),
            None => self.composite(inner, index, root, place),
        }
        self.nesting -= 1;
        true
    }

    /// All strings, numbers and keys of a value as one text.
    fn composite(&mut self, source: Source<'_>, index: usize, node: Node, place: Place) {
        self.begin(place);
        self.compose(source, index, node);
        self.end();
    }

    fn begin(&mut self, place: Place) {
        self.composite = Some(Composite { place, arena: self.arena.len(), pieces: self.pieces.len() });
    }

    fn end(&mut self) {
        let Some(open) = self.composite.take() else { return };
        if self.arena.len() > open.arena {
            let content = DraftContent::Arena(open.arena..self.arena.len());
            let author = self.author_at(&open.place);
            self.push(open.place, author, content, open.pieces..self.pieces.len());
        }
    }

    fn compose(&mut self, source: Source<'_>, index: usize, node: Node) {
        match node.kind {
            Kind::Object => {
                for (key, at, value) in source.tape.members(index) {
                    let name = decoded(source, key);
                    self.line();
                    self.piece(source, &name, key, Form::Fixed);
                    self.arena.push_str(if matches!(value.kind, Kind::Array | Kind::Object) { ":" } else { ": " });
                    self.value(source, at, value);
                }
            }
            Kind::Array => {
                for (at, element) in source.tape.elements(index) {
                    self.line();
                    self.value(source, at, element);
                }
            }
            _ => self.value(source, index, node),
        }
    }

    fn value(&mut self, source: Source<'_>, index: usize, node: Node) {
        match node.kind {
            Kind::Array | Kind::Object => self.compose(source, index, node),
            Kind::Number => {
                let digits = source.text.get(node.inner()).unwrap_or_default();
                self.piece(source, digits, node, Form::Number);
            }
            Kind::String => {
                let text = decoded(source, node);
                if text.len() >= LONG {
                    self.long(source, node, &text);
                } else if !self.nested(source, node, &text, ELSE) {
                    self.piece(source, &text, node, Form::Json);
                }
            }
            Kind::Literal | Kind::Key => {}
        }
    }

    /// A long string inside a composite: a part of its own, or base64 without a reader.
    fn long(&mut self, source: Source<'_>, node: Node, text: &str) {
        let Some(open) = self.composite else { return };
        if self.nested(source, node, text, open.place) {
            return;
        }
        self.end();
        if media::is_base64(text) {
            self.media(source, node, open.place, Signal::OpaqueFile);
        } else {
            self.string(source, node, open.place);
        }
        self.begin(open.place);
    }

    fn line(&mut self) {
        let Some(open) = self.composite else { return };
        let length = self.arena.len() - open.arena;
        if length > COMPOSITE {
            self.end();
            self.begin(open.place);
        } else if length > 0 {
            self.arena.push('\n');
        }
    }

    fn piece(&mut self, source: Source<'_>, text: &str, node: Node, form: Form) {
        let start = self.arena.len() - self.composite.map_or(0, |open| open.arena);
        self.arena.push_str(text);
        self.pieces.push(Piece { text: start..start + text.len(), site: source.site, span: node.inner(), form });
    }

    fn reference(&mut self, source: Source<'_>, node: Node, place: Place) {
        let text = decoded(source, node);
        if !text.is_empty() {
            self.signals.insert(Signal::OpaqueReference);
            self.fixed_text(&text, place);
        }
    }

    /// Encrypted content looks like it: anything short or with other characters is text, whatever its field says.
    fn encrypted(&mut self, source: Source<'_>, node: Node, place: Place) {
        const SHORTEST: usize = 64;
        self.note_whole(source, node, &place);
        let text = decoded(source, node);
        if text.len() >= SHORTEST && media::is_base64(&text) {
            self.opaque(Signal::OpaqueEncrypted, text.len(), place);
        } else if !text.is_empty() {
            self.fixed_text(&text, place);
        }
    }

    /// Text that cannot be edited.
    fn fixed_text(&mut self, text: &str, place: Place) {
        let start = self.arena.len();
        self.arena.push_str(text);
        let content = DraftContent::Arena(start..self.arena.len());
        self.part(Place { whole: Whole::Fixed, ..place }, content, &[]);
    }

    fn url(&mut self, source: Source<'_>, node: Node, place: Place, kind: Signal) {
        let text = decoded(source, node);
        if media::is_data_url(&text) {
            return self.media(source, node, place, kind);
        }
        if !text.is_empty() {
            self.signals.insert(Signal::OpaqueReference);
        }
        self.note_whole(source, node, &place);
        self.string(source, node, place);
    }

    /// Content in base64: what decodes to text is text; what is no base64 is text as it stands.
    fn media(&mut self, source: Source<'_>, node: Node, place: Place, kind: Signal) {
        let text = decoded(source, node);
        match media::read(&text, kind) {
            Media::Text(decoded) => {
                self.note_whole(source, node, &place);
                let start = self.arena.len();
                self.arena.push_str(&decoded);
                let content = DraftContent::Arena(start..self.arena.len());
                let piece = Piece { text: 0..decoded.len(), site: source.site, span: node.inner(), form: Form::Base64 };
                self.part(place, content, &[piece]);
            }
            Media::Opaque(signal) => {
                self.note_whole(source, node, &Place { whole: Whole::Fixed, ..place });
                if let Some(turn) = self.turns.last_mut() {
                    turn.linked |= self.turn.is_some() && place.links();
                }
                self.opaque(signal, text.len(), place);
            }
            Media::Plain => {
                self.note_whole(source, node, &place);
                self.string(source, node, place);
            }
        }
    }

    fn part(&mut self, place: Place, content: DraftContent, pieces: &[Piece]) {
        let first = self.pieces.len();
        self.pieces.extend_from_slice(pieces);
        let author = self.author_at(&place);
        self.push(place, author, content, first..self.pieces.len());
    }

    fn push(&mut self, place: Place, author: Author, content: DraftContent, pieces: Range<usize>) {
        let editable =
            self.pieces.get(pieces.clone()).unwrap_or_default().iter().any(|piece| piece.form != Form::Fixed);
        let turn = self.turn;
        self.parts.push(DraftPart { author, turn, location: place.location, content, editable, pieces });
    }

    fn author_at(&self, place: &Place) -> Author {
        match place.author {
            By::Turn => self.author.unwrap_or(Author::User),
            By::Always(author) => author,
        }
    }
}

/// Whether a text begins and ends like a JSON array or object.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_ascii().as_bytes();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// The text of a string or key.
pub(crate) fn decoded<'s>(source: Source<'s>, node: Node) -> Cow<'s, str> {
    text_of(source.text, node)
}

/// The text of a string or key of `text`.
pub(crate) fn text_of(text: &str, node: Node) -> Cow<'_, str> {
    let raw = text.get(node.inner()).unwrap_or_default();
    if !node.escaped {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    crate::json::text::unescape(raw, &mut text);
    Cow::Owned(text)
}

/// The member `name` of an object.
pub(crate) fn member(text: &str, tape: &Tape, object: usize, name: &str) -> Option<(usize, Node)> {
    let exact = |key: &Node| !key.escaped && text.get(key.inner()) == Some(name);
    let found = tape.members(object).find(|(key, _, _)| exact(key));
    let same = || tape.members(object).find(|(key, _, _)| crate::shape::same_name(&text_of(text, *key), name));
    found.or_else(same).map(|(_, at, value)| (at, value))
}

/// The string member `name` of an object.
pub(crate) fn string_member<'s>(text: &'s str, tape: &Tape, object: usize, name: &str) -> Option<Cow<'s, str>> {
    let (_, value) = member(text, tape, object, name)?;
    (value.kind == Kind::String).then(|| text_of(text, value))
}

/// Who wrote a turn: by its role, or by the type of item that it is.
fn author_of(source: Source<'_>, turn: usize) -> Author {
    let field = |name| string_member(source.text, source.tape, turn, name);
    let known = |role: &str| match role {
        "system" => Some(Author::System),
        "developer" => Some(Author::Developer),
        "user" => Some(Author::User),
        "assistant" | "model" => Some(Author::Assistant),
        "tool" | "function" => Some(Author::Tool),
        _ => None,
    };
    if let Some(role) = field("role") {
        return known(&role).unwrap_or(Author::Unknown);
    }
    match field("type").as_deref() {
        Some(kind) if kind.ends_with("_output") || kind.ends_with("_response") => Author::Tool,
        Some(kind) if kind.ends_with("_call") || kind == "reasoning" => Author::Assistant,
        Some("message") | None => Author::User,
        Some(_) => Author::Unknown,
    }
}

/// The content of a turn as a whole, and how text replaces it.
fn content_of(source: Source<'_>, index: usize, node: Node) -> Option<(Range<usize>, bool)> {
    match node.kind {
        Kind::String => Some((node.outer(), false)),
        Kind::Object => {
            let content = member(source.text, source.tape, index, "content").map(|(_, value)| (value.outer(), false));
            let parts = || member(source.text, source.tape, index, "parts").map(|(_, value)| (value.outer(), true));
            content.or_else(parts)
        }
        _ => None,
    }
}

/// The name of a tool: its own, or that of the function that it is.
fn tool_name(source: Source<'_>, index: usize) -> Option<String> {
    let own = string_member(source.text, source.tape, index, "name");
    let inner = || {
        let (function, _) = member(source.text, source.tape, index, "function")?;
        string_member(source.text, source.tape, function, "name")
    };
    own.or_else(inner).map(Cow::into_owned)
}

/// The media type that an object declares for its data.
fn media_type<'s>(source: Source<'s>, object: usize) -> Option<Cow<'s, str>> {
    ["media_type", "mime_type"].iter().find_map(|name| string_member(source.text, source.tape, object, name))
}

/// Whether text is given as a list of token numbers, which nobody here can read.
fn is_tokens(source: Source<'_>, array: usize, shape: &'static Shape) -> bool {
    let first = source.tape.elements(array).next();
    matches!(shape, Shape::Text(_)) && first.is_some_and(|(_, node)| node.kind == Kind::Number)
}

fn place_of(shape: &'static Shape) -> Place {
    match shape {
        Shape::Text(place) => *place,
        _ => ELSE,
    }
}
