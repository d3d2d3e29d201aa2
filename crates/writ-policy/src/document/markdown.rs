//! From text to sections, blocks and tables: as much Markdown as a policy needs. Total on any text.

use writ_base::ContentHash;
use writ_model::Term;

use crate::control::schema::is_control_key;
use crate::diagnostic::{Code, Problems};
use crate::document::front::FrontMatter;
use crate::document::line::{Entry, entries};
use crate::document::source::{Line, Span, Text, lines};
use crate::document::{Block, BlockKind, Caption, Document, Item, Section, Table, limits};
use crate::words;

pub(crate) fn read(source: &str, problems: &mut Problems) -> Document {
    let mut document =
        Document { hash: ContentHash::of(source.as_bytes()), front: FrontMatter::default(), sections: Vec::new() };
    if !limits::TEXT.admits(source.len()) {
        let text = format!("this text has more than {} bytes", limits::TEXT.value());
        problems.add(Code::Limit, Span::default(), text);
        return document;
    }
    hidden_characters(source, problems);
    let all = lines(source);
    let (front, body) = front_matter(&all, problems);
    document.front = FrontMatter::read(front, problems);
    let mut reader = Reader { source, rest: body, sections: vec![Section::default()] };
    while let Some((line, rest)) = reader.rest.split_first() {
        reader.rest = rest;
        reader.piece(*line, problems);
    }
    document.sections = reader.sections;
    belong(&mut document.sections);
    document
}

/// The front matter's entries and the lines after it.
fn front_matter<'a, 'l>(all: &'a [Line<'l>], problems: &mut Problems) -> (Vec<Entry>, &'a [Line<'l>]) {
    let rule = |line: &Line<'_>| line.text.trim_end() == "---";
    let start = Span::at(all.first().map_or(0, |line| line.start));
    let Some((_, after)) = all.split_first().filter(|(first, _)| rule(first)) else {
        problems
            .add(Code::MissingFrontMatter, start, "this text does not start with front matter")
            .help("start with a line `---`, then `writ: 1` and the other keys, then a line `---`");
        return (Vec::new(), all);
    };
    let Some(end) = after.iter().position(rule) else {
        let first = all.first().map_or(start, |line| line.span());
        problems
            .add(Code::MissingFrontMatter, first, "this front matter is not closed")
            .help("end it with a line `---`");
        return (Vec::new(), after);
    };
    let (front, rest) = after.split_at(end);
    (entries(front, false, &words::is_front_key, problems), rest.get(1..).unwrap_or_default())
}

/// Each section belongs to its own clause, or to that of the nearest heading above it with a lower level.
fn belong(sections: &mut [Section]) {
    let mut open: Vec<(u8, Option<Term>)> = Vec::new();
    for section in sections {
        while open.last().is_some_and(|(level, _)| *level >= section.level) {
            open.pop();
        }
        section.clause = section.id.clone().or_else(|| open.last().and_then(|(_, clause)| clause.clone()));
        open.push((section.level, section.clause.clone()));
    }
}

struct Reader<'a, 'l> {
    source: &'l str,
    rest: &'a [Line<'l>],
    sections: Vec<Section>,
}

impl<'l> Reader<'_, 'l> {
    fn piece(&mut self, line: Line<'l>, problems: &mut Problems) {
        if line.blank() {
            return;
        }
        if let Some(fence) = Fence::opening(line) {
            return self.block(fence, line, problems);
        }
        if heading_level(line).is_some() {
            return self.heading(line, problems);
        }
        if line.trimmed().text.starts_with('|') {
            return self.table(line, problems);
        }
        self.prose(line, problems);
    }

    fn add(&mut self, item: Item) {
        if let Some(section) = self.sections.last_mut() {
            section.items.push(item);
        }
    }

    fn block(&mut self, fence: Fence, opening: Line<'l>, problems: &mut Problems) {
        let end = self.rest.iter().position(|line| fence.closed_by(*line));
        let (inside, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        if end.is_none() {
            let text = "this block is not closed";
            problems.add(Code::MalformedBlock, opening.span(), text).help("end it with a line of three backticks");
        }
        let last = rest.first().or(inside.last()).unwrap_or(&opening);
        let span = opening.span().to(last.span());
        let info = Text::of(self.source, Span::new(opening.start + fence.info, opening.span().end));
        let (word, argument) = info.whole().first_word();
        let Some(kind) = BlockKind::named(word.as_str()) else {
            let known = words::BLOCKS.iter().map(|(name, _)| *name);
            if words::nearest(word.as_str(), known.clone()).is_some() {
                let text = format!("`{}` is no kind of block", word.as_str());
                problems.add(Code::UnknownKind, word.span(), text).nearest(word.as_str(), known);
            }
            return self.add(Item::Code(span));
        };
        let argument = Text::of(self.source, argument.span());
        let known = match kind {
            BlockKind::Define => words::is_define_key,
            BlockKind::Control => is_control_key,
            _ => words::is_rule_key,
        };
        let entries = entries(inside, true, &known, problems);
        self.add(Item::Block(Block { kind, argument, opening: opening.span(), span, entries }));
    }

    fn heading(&mut self, line: Line<'l>, problems: &mut Problems) {
        if !limits::SECTIONS.admits(self.sections.len()) {
            let text = format!("this text has more than {} headings", limits::SECTIONS.value());
            problems.add(Code::Limit, line.span(), text);
            self.rest = &[];
            return;
        }
        let level = heading_level(line).unwrap_or(1);
        let content = line.trimmed();
        let skipped = usize::from(level);
        let text = content.text.get(skipped..).unwrap_or_default();
        let content = Line { text, start: content.start + skipped }.trimmed();
        hidden_markup(content.text, content.start, problems);
        let (title, id) = heading_id(content, problems);
        let (number, title) = heading_number(title.trim().trim_end_matches('#').trim_end());
        self.sections.push(Section {
            level,
            number: number.to_owned(),
            title: title.to_owned(),
            id,
            clause: None,
            heading: line.span(),
            items: Vec::new(),
        });
    }

    fn table(&mut self, first: Line<'l>, problems: &mut Problems) {
        let count = self.rest.iter().take_while(|line| line.trimmed().text.starts_with('|')).count();
        let (more, rest) = self.rest.split_at(count);
        self.rest = rest;
        let span = first.span().to(more.last().unwrap_or(&first).span());
        let header = cells(first);
        let Some((_, rows)) = more.split_first().filter(|(rule, _)| is_table_rule(**rule)) else {
            let text = "this table has no line `|---|---|` below its header";
            problems.add(Code::MalformedTable, first.span(), text);
            return self.add(Item::Prose(span));
        };
        let rows: Vec<Vec<Text>> = rows.iter().map(|line| cells(*line)).collect();
        for cell in header.iter().chain(rows.iter().flatten()) {
            hidden_markup(cell.as_str(), cell.span().start, problems);
        }
        self.add(Item::Table(Table { header, rows, span, caption: None }));
    }

    fn prose(&mut self, first: Line<'l>, problems: &mut Problems) {
        let starts_other = |line: &Line<'l>| {
            line.blank()
                || Fence::opening(*line).is_some()
                || heading_level(*line).is_some()
                || line.trimmed().text.starts_with('|')
        };
        let count = self.rest.iter().position(starts_other).unwrap_or(self.rest.len());
        let (more, rest) = self.rest.split_at(count);
        self.rest = rest;
        let all = || std::iter::once(&first).chain(more);
        for line in all() {
            prose_line(*line, problems);
        }
        if let Some(line) = more.iter().find(|line| is_underline(**line)) {
            problems
                .add(Code::MalformedHeading, line.span(), "this line would make a heading of the one above")
                .help("mark headings with `#`; put an empty line before a line of hyphens");
        }
        hidden_markup(
            self.source.get(first.start..all().last().map_or(first.start, |l| l.span().end)).unwrap_or_default(),
            first.start,
            problems,
        );
        let span = first.trimmed().span().to(all().last().unwrap_or(&first).span());
        self.paragraph(span, problems);
    }

    /// A paragraph, a caption or a mode.
    fn paragraph(&mut self, span: Span, problems: &mut Problems) {
        let text = span.of(self.source);
        if let Some(caption) = caption(self.source, span, "Rule table:") {
            swallowed(&caption, problems);
            let items = self.sections.last_mut().map(|section| &mut section.items);
            match items.and_then(|items| items.last_mut()) {
                Some(Item::Table(table)) if table.caption.is_none() => table.caption = Some(caption),
                _ => {
                    let text = "this caption does not follow a table";
                    let help =
                        "put it directly below the table that it makes run; each line of the table starts with `|`";
                    problems.add(Code::CaptionWithoutTable, span, text).help(help);
                }
            }
            return;
        }
        if let Some(mode) = caption(self.source, span, "Mode:") {
            return self.add(Item::Mode(mode));
        }
        for line in lines(text).iter().filter(|line| like_caption(line.text)) {
            let line = Line { start: span.start + line.start, ..*line }.trimmed();
            let help = "write `Rule table: ...` or `Mode: ...` in a paragraph of its own, without emphasis";
            problems.add(Code::WrongPlace, line.span(), "this line reads like a caption, but does not run").help(help);
        }
        self.add(Item::Prose(span));
    }
}

/// `Rule table: data by status. Severity: moderate. Why: ...`
fn caption(source: &str, span: Span, start: &str) -> Option<Caption> {
    let text = Text::of(source, span);
    let rest = text.as_str().strip_prefix(start)?;
    let offset = text.as_str().len() - rest.len();
    // A sentence starts with `Word:` after a full stop; a key is one word, so that prose with a colon stays prose.
    let mut starts = Vec::new();
    for (at, _) in text.as_str().match_indices(". ") {
        let after = text.as_str().get(at + 2..).unwrap_or_default();
        let start = at + 2 + after.bytes().take(words::NAME_CHARS_MAX).take_while(|byte| *byte == b' ').count();
        let after = text.as_str().get(start..).unwrap_or_default();
        // A key is short; looking further would make the work quadratic.
        let Some(colon) = after.bytes().take(words::NAME_CHARS_MAX).position(|byte| byte == b':') else { continue };
        let word = after.get(..colon).unwrap_or_default();
        let key = word.to_lowercase();
        let known = words::CAPTION_KEYS.contains(&key.as_str()) || writ_model::Dimension::named(&key).is_some();
        if at >= offset && word.is_ascii() && (known || capitalised(word)) {
            starts.push((at, start, key));
        }
    }
    let whole = text.whole();
    let subject_end = starts.first().map_or(whole.as_str().len(), |(stop, ..)| *stop);
    let subject = Text::of(source, whole.part(offset, subject_end).trim().span());
    let mut entries = Vec::new();
    for (number, (_, at, key)) in starts.iter().enumerate() {
        let last = starts.get(number + 1);
        // The full stop that ends a sentence belongs to it where the sentence is text: `why` is shown as written.
        let keeps_stop = key == "why" || key == "reason";
        let end = last.map_or(whole.as_str().len(), |(stop, ..)| if keeps_stop { stop + 1 } else { *stop });
        let value = whole.part(at + key.len() + 1, end).trim();
        let mut span = value.span();
        if !keeps_stop && span.of(source).ends_with('.') {
            span.end -= 1;
        }
        let value = Text::of(source, span);
        let key_span = whole.part(*at, at + key.len()).span();
        entries.push(Entry { key: key.clone(), key_span, value, items: Vec::new() });
    }
    let subject = match subject.as_str().strip_suffix('.') {
        Some(_) => Text::of(source, Span::new(subject.span().start, subject.span().end - 1)),
        None => subject,
    };
    Some(Caption { span, subject, entries })
}

/// Whether a reader would take a line of prose for a caption.
fn like_caption(line: &str) -> bool {
    let start: String = line
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '>' | '-' | '+' | '`'))
        .chars()
        .take("rule table".len() + 3)
        .filter(|c| !matches!(c, '*' | '_' | '`'))
        .collect();
    let start = start.to_lowercase();
    let table = start.strip_prefix("rule table").is_some_and(|rest| rest.trim_start().starts_with(':'));
    table || start.starts_with("mode:")
}

/// A sentence that lacks the full stop before it, and so became part of the text above it.
fn swallowed(caption: &Caption, problems: &mut Problems) {
    for text in caption.entries.iter().map(|entry| &entry.value).chain([&caption.subject]) {
        let mut from = 0;
        for word in text.as_str().split(' ') {
            let span = text.whole().part(from, from + word.len()).span();
            from += word.len() + 1;
            let Some(key) = word.strip_suffix(':').filter(|key| capitalised(key)) else { continue };
            let lower = key.to_lowercase();
            if words::CAPTION_KEYS.contains(&lower.as_str()) || words::is_rule_key(&lower) {
                let text = format!("`{key}` does not start a sentence, so that it would not run");
                problems.add(Code::MalformedTable, span, text).help("put a full stop before it");
            }
        }
    }
}

/// One word with a capital: `Severity`.
fn capitalised(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_uppercase())
        && letters.all(|c| c.is_ascii_lowercase() || c == '-')
        && word.len() > 1
}

/// An opening fence.
#[derive(Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
    /// Where the info starts in the line.
    info: usize,
}

impl Fence {
    /// A fence may be indented as far as it likes: nothing that looks like a block may stay without effect.
    fn opening(line: Line<'_>) -> Option<Self> {
        let content = line.trimmed();
        let mark = content.text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let length = content.text.chars().take_while(|c| *c == mark).count();
        let info = content.text.get(length..).unwrap_or_default();
        (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Self {
            mark,
            length,
            info: content.start - line.start + length,
        })
    }

    fn closed_by(self, line: Line<'_>) -> bool {
        let text = line.text.trim();
        text.len() >= self.length && text.chars().all(|c| c == self.mark)
    }
}

fn heading_level(line: Line<'_>) -> Option<u8> {
    let text = line.text.trim_start_matches(' ');
    let marks = text.chars().take_while(|c| *c == '#').count();
    let after = text.get(marks..).unwrap_or_default();
    let level = u8::try_from(marks).ok().filter(|level| (1..=6).contains(level))?;
    (line.indent() <= 3 && (after.is_empty() || after.starts_with([' ', '\t']))).then_some(level)
}

/// The text of a heading without `{#id}`, and the id.
fn heading_id<'l>(content: Line<'l>, problems: &mut Problems) -> (&'l str, Option<Term>) {
    let open = content.text.rfind('{').filter(|_| content.text.ends_with('}'));
    let Some(open) = open else {
        if let Some(at) = content.text.find("{#") {
            let span = Span::new(content.start + at, content.span().end);
            problems.add(Code::MalformedHeading, span, "the id does not end the heading").help("write `{#id}` last");
        }
        return (content.text, None);
    };
    let inside = content.text.get(open + 1..content.text.len() - 1).unwrap_or_default();
    let span = Span::new(content.start + open, content.span().end);
    let title = content.text.get(..open).unwrap_or_default();
    match inside.strip_prefix('#') {
        Some(id) if id == writ_model::standing::POSTURE.as_str() => {
            let text = "`posture` is the name of what the front matter says, not of a clause";
            problems.add(Code::MalformedHeading, span, text);
            (title, None)
        }
        Some(id) if words::is_name(id) => (title, Some(Term::from(id))),
        _ => {
            problems
                .add(Code::MalformedHeading, span, "this is no id of a clause")
                .help("write `{#id}` with lower-case letters, digits and hyphens");
            (title, None)
        }
    }
}

fn heading_number(title: &str) -> (&str, &str) {
    let (first, rest) = title.split_once(' ').unwrap_or((title, ""));
    let number = first.trim_end_matches(['.', ')']);
    let numeric = number.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    if numeric { (number, rest.trim_start()) } else { ("", title) }
}

fn is_underline(line: Line<'_>) -> bool {
    let text = line.text.trim();
    !text.is_empty() && line.indent() <= 3 && (text.chars().all(|c| c == '=') || text.chars().all(|c| c == '-'))
}

fn is_table_rule(line: Line<'_>) -> bool {
    let text = line.text.trim();
    text.contains('-') && text.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// The cells of a line: between bars that are not escaped and not inside code.
fn cells(line: Line<'_>) -> Vec<Text> {
    let line = line.trimmed();
    let (mut cells, mut from, mut code, mut escaped) = (Vec::new(), None, false, false);
    for (at, c) in line.text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '`' => code = !code,
            '|' if !code => {
                cells.extend(from.map(|from| cell(line, from, at)));
                from = Some(at + 1);
            }
            _ => {}
        }
    }
    // A last cell without a closing bar.
    let rest = from.filter(|from| line.text.get(*from..).is_some_and(|text| !text.trim().is_empty()));
    cells.extend(rest.map(|from| cell(line, from, line.text.len())));
    cells.truncate(limits::COLUMNS.value() + 1);
    cells
}

fn cell(line: Line<'_>, from: usize, to: usize) -> Text {
    let text = line.text.get(from..to).unwrap_or_default();
    let content = Line { text, start: line.start + from }.trimmed();
    let mut cell = Text::empty(content.start);
    cell.push(content.text, content.start);
    cell
}

/// What looks like a block but would be printed as something else, and text that is not printed.
fn prose_line(line: Line<'_>, problems: &mut Problems) {
    let content = line.trimmed();
    let inner = content.text.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
    let inner =
        inner.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '*' | '+' | '.' | ')' | ' '));
    if inner.starts_with("```") || inner.starts_with("~~~") {
        problems
            .add(Code::WrongPlace, content.span(), "a block inside a quote or on the line of a list item does not run")
            .help("start the block on a line of its own");
    }
    let label = content.text.strip_prefix('[').and_then(|text| text.split_once(']'));
    if label.is_some_and(|(_, after)| after.starts_with(':')) {
        problems
            .add(Code::HiddenText, content.span(), "a link definition is not printed")
            .help("write the address where it is used: `[text](address)`");
    }
}

/// Raw HTML, comments and character references in a text that is printed.
fn hidden_markup(text: &str, start: usize, problems: &mut Problems) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'`' => at = code_end(bytes, at),
            b'<' => match markup(text, at) {
                Markup::Hidden(end) => {
                    let span = Span::new(start + at, start + end);
                    let help = "write it as Markdown; put a backslash before a `<` that is meant as such";
                    problems.add(Code::HiddenText, span, "HTML and comments are refused").help(help);
                    at = end;
                }
                Markup::Shown => {}
            },
            _ => {}
        }
        at += 1;
    }
}

/// How far the end of a tag is looked for, in bytes: a longer address in `<...>` counts as hidden.
const TAG_BYTES_MAX: usize = 256;

/// How far the end of code is looked for, in bytes: what is longer counts as no code.
const CODE_BYTES_MAX: usize = 10_000;

enum Markup {
    Hidden(usize),
    Shown,
}

fn markup(text: &str, at: usize) -> Markup {
    let after = text.get(at + 1..).unwrap_or_default();
    if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        return Markup::Shown;
    }
    let close = after.bytes().take(TAG_BYTES_MAX).position(|byte| matches!(byte, b'>' | b'\n'));
    let closed = close.is_some_and(|close| after.as_bytes().get(close) == Some(&b'>'));
    let end = match close {
        Some(close) => close + usize::from(closed),
        None => after.find(char::is_whitespace).unwrap_or(after.len()),
    };
    let inside = after.get(..end).unwrap_or_default().trim_end_matches('>');
    let scheme =
        inside.split_once(':').is_some_and(|(scheme, _)| matches!(scheme, "https" | "http" | "mailto" | "tel"));
    if closed && (scheme || (inside.contains('@') && !inside.contains([' ', '"']))) {
        return Markup::Shown;
    }
    Markup::Hidden(at + 1 + end)
}

/// The last backtick of the code that starts at `at`, or of the opening ones if it is not closed.
fn code_end(bytes: &[u8], at: usize) -> usize {
    let run = |from: usize| bytes.iter().skip(from).take_while(|byte| **byte == b'`').count();
    let length = run(at);
    let mut next = at + length;
    let window = bytes.get(..(next + CODE_BYTES_MAX).min(bytes.len())).unwrap_or(bytes);
    while let Some(found) = window.iter().skip(next).position(|byte| *byte == b'`') {
        let close = next + found;
        let closing = run(close);
        if closing == length {
            return close + closing - 1;
        }
        next = close + closing;
    }
    at + length - 1
}

/// Characters that are not seen, or that change the order in which others are seen.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn hidden_characters(source: &str, problems: &mut Problems) {
    let carriage = |at: usize| !source.get(at + 1..).unwrap_or_default().starts_with('\n');
    let hidden = source.char_indices().filter(|(at, c)| match c {
        '\u{feff}' => *at != 0,
        '\r' => carriage(*at),
        c => invisible(*c),
    });
    for (at, c) in hidden.take(limits::DIAGNOSTICS.value()) {
        let text = format!("the character U+{:04X} cannot be seen", u32::from(c));
        problems.add(Code::HiddenText, Span::new(at, at + c.len_utf8()), text).help("remove it");
    }
}
