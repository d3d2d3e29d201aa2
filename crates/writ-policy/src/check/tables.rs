//! Rule tables: a grid of rules whose visible caption names the two dimensions and what holds for every cell.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::schema::{Kind, Values};
use writ_model::{Dimension, Term};

use crate::check::Checker;
use crate::check::keys;
use crate::check::rules::{self, Draft};
use crate::diagnostic::Code;
use crate::document::source::{Span, Text};
use crate::document::{Caption, Section, Table, limits};
use crate::rule::{KeyTest, KeyValue};
use crate::words;

/// The values of one row or column.
struct Label {
    /// Nothing if the label has a diagnostic.
    test: Option<KeyTest>,
    span: Span,
}

impl Checker<'_> {
    pub(super) fn table(&mut self, section: &Section, table: &Table) {
        let Some(caption) = &table.caption else { return self.looks_like_rules(table) };
        let Some(clause) = self.clause(section, table.span, "rule table") else { return };
        let Some((row_dimension, column_dimension)) = self.dimensions(caption) else { return };
        let mut common = Draft::new(caption.span);
        for entry in &caption.entries {
            let dimension = Dimension::named(&entry.key);
            let named = dimension.is_some_and(|named| named == row_dimension || named == column_dimension);
            if named || !(dimension.is_some() || words::CAPTION_KEYS.contains(&entry.key.as_str())) {
                self.caption_key(entry.key.as_str(), entry.key_span, named);
                continue;
            }
            self.entry(&mut common, entry);
        }
        if !limits::COLUMNS.admits(table.header.len()) {
            let text = format!("this table has more than {} columns", limits::COLUMNS.value());
            self.problems.add(Code::Limit, table.span, text);
            return;
        }
        if table.header.len() < 2 || table.rows.is_empty() {
            let text = "a rule table has a column of values, a header of values and at least one cell";
            self.problems.add(Code::MalformedTable, table.span, text);
            return;
        }
        let columns: Vec<&Text> = table.header.iter().skip(1).collect();
        let rows: Vec<&Text> = table.rows.iter().filter_map(|row| row.first()).collect();
        let first = self.rules.len();
        let (columns, column_gap) = self.labels(column_dimension, &columns);
        let (rows, row_gap) = self.labels(row_dimension, &rows);
        let common = Grid { common, clause, row_dimension, column_dimension };
        for (row, label) in table.rows.iter().zip(&rows) {
            if row.len() != table.header.len() {
                let text = format!("this row has {} cells, the header has {}", row.len(), table.header.len());
                self.problems.add(Code::MalformedTable, label.span, text);
            }
            for (cell, column) in row.iter().skip(1).zip(&columns) {
                self.cell(cell, label, column, &common);
            }
        }
        let own = first..self.rules.len();
        for (dimension, gap) in [(row_dimension, row_gap), (column_dimension, column_gap)] {
            let table = OpenTable { dimension, missing: gap.unlisted, rules: own.clone(), span: caption.span };
            self.gaps.push((table, gap.unsure));
        }
    }

    /// Tables that leave out values of a dimension without `other`, where no other rule names them either. Where some
    /// rule does, or a label speaks about a part of a value, the table is given back: only all situations together show
    /// whether anything is left open.
    pub(super) fn incomplete_tables(&mut self) -> Vec<OpenTable> {
        let mut open = Vec::new();
        if self.problems.has_errors() {
            return open;
        }
        for (mut gap, unsure) in std::mem::take(&mut self.gaps) {
            let others = self.rules.iter().enumerate().filter(|(place, _)| !gap.rules.contains(place));
            let tests: Vec<&KeyTest> = others.filter_map(|(_, rule)| rule.keys.on(gap.dimension)).collect();
            let decided = |value: &KeyValue| {
                tests.iter().any(|test| test.values.contains(&KeyValue::AnyClass) || named(value, test) != test.not)
            };
            let (named, missing): (Vec<_>, Vec<_>) = std::mem::take(&mut gap.missing).into_iter().partition(decided);
            if !missing.is_empty() {
                let text = format!("{}, and no other rule does", gap.silent_about(&missing));
                self.problems.add(Code::IncompleteTable, gap.span, text).help(OpenTable::HELP);
            }
            let asked = [named, unsure].concat();
            if !asked.is_empty() {
                open.push(OpenTable { missing: asked, ..gap });
            }
        }
        open
    }

    fn caption_key(&mut self, key: &str, span: Span, named: bool) {
        let text = if named {
            format!("`{key}` is a dimension of the table itself")
        } else {
            format!("the caption of a rule table has no key `{key}`")
        };
        let dimensions = Dimension::ALL.iter().map(|dimension| dimension.key());
        let known = words::CAPTION_KEYS.iter().copied().chain(dimensions);
        let problem = self.problems.add(Code::UnknownKey, span, text);
        let problem = problem.help("effects stand in the cells, examples in rule blocks");
        if !named {
            problem.nearest(key, known);
        }
    }

    /// `data by status`.
    fn dimensions(&mut self, caption: &Caption) -> Option<(Dimension, Dimension)> {
        let subject = caption.subject.whole();
        let words: Vec<&str> = subject.as_str().split_whitespace().collect();
        let help = "write `Rule table: ROWS by COLUMNS.`: `Rule table: data by status.`";
        let &[row, "by", column] = words.as_slice() else {
            let text = "this caption does not name the dimensions of rows and columns";
            self.problems.add(Code::MalformedTable, subject.span(), text).help(help);
            return None;
        };
        let mut found = Vec::new();
        for name in [row, column] {
            match Dimension::named(name) {
                Some(dimension) => found.push(dimension),
                None => {
                    let known = Dimension::ALL.iter().map(|dimension| dimension.key());
                    let text = format!("`{name}` is no dimension");
                    self.problems.add(Code::UnknownKey, subject.span(), text).help(help).nearest(name, known);
                }
            }
        }
        match *found.as_slice() {
            [row, column] if row != column => Some((row, column)),
            [_, _] => {
                let text = "rows and columns are about the same dimension";
                self.problems.add(Code::MalformedTable, subject.span(), text);
                None
            }
            _ => None,
        }
    }

    /// The values of all rows or of all columns; `other` is what none of them lists.
    fn labels(&mut self, dimension: Dimension, cells: &[&Text]) -> (Vec<Label>, Gap) {
        let mut labels = Vec::new();
        let mut listed: BTreeMap<KeyValue, Span> = BTreeMap::new();
        let mut other: Option<Span> = None;
        for cell in cells {
            let span = cell.span();
            if cell.as_str() == "other" {
                if let Some(first) = other.replace(span) {
                    let text = "`other` stands twice in this table";
                    self.problems.add(Code::DuplicateKey, span, text).see(first, "first here");
                }
                labels.push(Label { test: None, span });
                continue;
            }
            let terms = cell.whole().terms();
            let test = keys::test(dimension, &terms, span, self.vocabulary, self.problems);
            let test = test.filter(|test| self.label(test, span, &mut listed));
            labels.push(Label { test, span });
        }
        if let Some(span) = other {
            let rest = self.others(dimension, &listed, span);
            for label in labels.iter_mut().filter(|label| label.span == span) {
                label.test.clone_from(&rest);
            }
        }
        if labels.iter().any(|label| label.test.is_none()) {
            return (labels, Gap::default());
        }
        let (unlisted, unsure) = match other {
            Some(_) => (Vec::new(), in_part(&listed)),
            None => (self.missing(dimension, &listed), [in_part(&listed), beyond(dimension, &listed)].concat()),
        };
        (labels, Gap { unlisted, unsure })
    }

    /// Values that a table without `other` does not list, of dimensions where a situation always has one of them.
    fn missing(&self, dimension: Dimension, listed: &BTreeMap<KeyValue, Span>) -> Vec<KeyValue> {
        match (dimension.spec().kind, dimension.spec().values) {
            // A rule without `action` speaks about what leaves; a table about some actions is not about the others.
            (Kind::One, Values::Closed(values)) if dimension != Dimension::Action => {
                let all = (0_u8..).zip(values).map(|(index, _)| KeyValue::Closed(index));
                all.filter(|value| !listed.contains_key(value)).collect()
            }
            (Kind::Classes, _) if !listed.contains_key(&KeyValue::AnyClass) => {
                let rest = self.unlisted_classes(listed);
                let plain = [KeyValue::Plain].into_iter().filter(|plain| !listed.contains_key(plain));
                plain.chain(rest).collect()
            }
            _ => Vec::new(),
        }
    }

    /// All classes that a table does not list, in whatever band.
    fn unlisted_classes(&self, listed: &BTreeMap<KeyValue, Span>) -> Vec<KeyValue> {
        let named =
            |class: &Term| listed.keys().any(|value| matches!(value, KeyValue::Class { class: it, .. } if it == class));
        let rest = self.vocabulary.classes.keys().filter(|class| !named(class));
        rest.map(|class| KeyValue::Class { class: class.clone(), band: None, certainty: None }).collect()
    }

    /// Whether a label's values may stand in a table.
    fn label(&mut self, test: &KeyTest, span: Span, listed: &mut BTreeMap<KeyValue, Span>) -> bool {
        if test.not {
            let text = "`not` is refused in a table";
            self.problems.add(Code::RefusedHere, span, text).help("write `other` for what the table does not list");
            return false;
        }
        for value in &test.values {
            if let Some(first) = listed.insert(value.clone(), span) {
                let text = "a value of this cell is listed in another one of the same table";
                self.problems.add(Code::DuplicateName, span, text).see(first, "first here");
                return false;
            }
        }
        true
    }

    /// What no row or column lists.
    fn others(&mut self, dimension: Dimension, listed: &BTreeMap<KeyValue, Span>, span: Span) -> Option<KeyTest> {
        let spec = dimension.spec();
        let test = match (spec.kind, spec.values) {
            (Kind::Ordered, _) => {
                let text = format!("`other` is refused on `{}`, which is ordered", dimension.key());
                self.problems.add(Code::RefusedHere, span, text).help("name the value that is meant");
                return None;
            }
            (Kind::Classes, _) => return self.other_classes(listed, span),
            (_, Values::Closed(values)) => {
                let all = (0_u8..).zip(values).map(|(index, _)| KeyValue::Closed(index));
                KeyTest { dimension, not: false, values: all.filter(|value| !listed.contains_key(value)).collect() }
            }
            // Names that nobody can list: all but those that the table does.
            (_, Values::Open(_)) => KeyTest { dimension, not: true, values: listed.keys().cloned().collect() },
        };
        if test.values.is_empty() {
            let text = format!("nothing is left for `other`: the table lists every value of `{}`", dimension.key());
            self.problems.add(Code::MalformedTable, span, text).help("leave it out");
            return None;
        }
        Some(test)
    }

    fn other_classes(&mut self, listed: &BTreeMap<KeyValue, Span>, span: Span) -> Option<KeyTest> {
        let dimension = Dimension::Data;
        if listed.contains_key(&KeyValue::AnyClass) {
            let text = "nothing is left for `other`: `any` already contains every class";
            self.problems.add(Code::MalformedTable, span, text).help("leave it out");
            return None;
        }
        if !listed.contains_key(&KeyValue::Plain) {
            let text = "`other` would mean `plain` as well, which every interaction contains";
            self.problems.add(Code::MalformedTable, span, text).help("add `plain` to the table");
            return None;
        }
        let values = self.unlisted_classes(listed);
        if values.is_empty() {
            let text = "nothing is left for `other`: the table lists every class";
            self.problems.add(Code::MalformedTable, span, text).help("leave it out");
            return None;
        }
        Some(KeyTest { dimension, not: false, values })
    }

    fn cell(&mut self, cell: &Text, row: &Label, column: &Label, grid: &Grid) {
        let Some((then, redact)) = rules::effect(cell.as_str()) else {
            let text = match cell.as_str() {
                "" => "this cell is empty, but every cell of a rule table says something".to_owned(),
                other => format!("`{other}` is no effect"),
            };
            let known = rules::EFFECTS.iter().map(|(name, ..)| *name);
            let problem = self.problems.add(Code::UnknownValue, cell.span(), text);
            problem.help("write `allow`, `coach`, `justify`, `block` or `redact`").nearest(cell.as_str(), known);
            return;
        };
        let (Some(row), Some(column)) = (&row.test, &column.test) else { return };
        let mut draft = grid.common.clone();
        draft.place = cell.span();
        draft.keys.tests.splice(0..0, [row.clone(), column.clone()]);
        for dimension in [grid.row_dimension, grid.column_dimension] {
            draft.seen.insert((dimension, false), cell.span());
        }
        draft.cell(then, redact);
        self.finish(draft, grid.clause.clone());
    }

    /// A table full of effects that nobody runs.
    fn looks_like_rules(&mut self, table: &Table) {
        if full_of_effects(table) {
            let text = "this table is printed, but does not run";
            let help = "add a caption below it: `Rule table: ROWS by COLUMNS.`";
            self.problems.add(Code::TableDoesNotRun, table.span, text).help(help);
        }
    }
}

/// Whether every cell of a table is an effect.
pub(crate) fn full_of_effects(table: &Table) -> bool {
    let mut cells = table.rows.iter().flat_map(|row| row.iter().skip(1)).peekable();
    cells.peek().is_some() && cells.all(|text| rules::effect(text.as_str()).is_some())
}

/// What the labels of a table do not list.
#[derive(Default)]
struct Gap {
    /// Values of which no label speaks.
    unlisted: Vec<KeyValue>,
    /// Values that cells may decide all the same, or only in part.
    unsure: Vec<KeyValue>,
}

/// Classes that are listed in some amounts only.
fn in_part(listed: &BTreeMap<KeyValue, Span>) -> Vec<KeyValue> {
    let whole = |class: &Term| KeyValue::Class { class: class.clone(), band: None, certainty: None };
    let classes = listed.keys().filter_map(|value| match value {
        KeyValue::Class { class, .. } => Some(whole(class)),
        _ => None,
    });
    let classes: BTreeSet<KeyValue> = classes.filter(|class| !listed.contains_key(class)).collect();
    classes.into_iter().collect()
}

/// Values above the highest that is listed on an ordered dimension, and `other` where nobody can list all names.
fn beyond(dimension: Dimension, listed: &BTreeMap<KeyValue, Span>) -> Vec<KeyValue> {
    match (dimension.spec().kind, dimension.spec().values) {
        (Kind::Ordered, Values::Closed(values)) => {
            let highest = listed.keys().max();
            let all = (0_u8..).zip(values).map(|(index, _)| KeyValue::Closed(index));
            all.filter(|value| highest.is_some_and(|highest| value > highest)).collect()
        }
        (Kind::One, Values::Open(_)) => vec![OpenTable::OTHER],
        _ => Vec::new(),
    }
}

/// A rule table that leaves out values of one of its dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTable {
    /// The dimension.
    pub dimension: Dimension,
    /// The values that it leaves out.
    pub missing: Vec<KeyValue>,
    /// The rules of its cells, by their places in the model.
    pub rules: std::ops::Range<usize>,
    /// Its caption.
    pub span: Span,
}

impl OpenTable {
    /// What to do about it.
    pub(crate) const HELP: &'static str = "add them, or a row or column `other`; until then the posture decides";

    /// Stands for every name that the table does not list.
    pub(crate) const OTHER: KeyValue = KeyValue::Open(Term::fixed("other"));

    /// `this table says nothing about `credentials` on `data``.
    pub(crate) fn silent_about(&self, missing: &[KeyValue]) -> String {
        let names = missing.iter().map(|value| format!("`{}`", value.name(self.dimension)));
        let names = names.collect::<Vec<_>>().join(", ");
        format!("this table says nothing about {names} on `{}`", self.dimension.key())
    }
}

/// Whether a key lists a value; a class in whatever band.
fn named(value: &KeyValue, test: &KeyTest) -> bool {
    match value {
        KeyValue::Class { class, .. } => {
            test.values.iter().any(|it| matches!(it, KeyValue::Class { class: named, .. } if named == class))
        }
        value => test.values.contains(value),
    }
}

/// What all cells of a table share.
struct Grid {
    common: Draft,
    clause: Term,
    row_dimension: Dimension,
    column_dimension: Dimension,
}
