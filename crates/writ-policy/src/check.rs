//! From the document to the model: names resolved, values in range, and what only the whole document shows.

mod assertions;
mod clauses;
mod controls;
pub(crate) mod keys;
mod processes;
mod references;
mod rules;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use writ_base::ContentHash;
use writ_model::values::Value as _;
use writ_model::{Action, Dimension, Signal, Term};

use crate::assertion::Assertion;
use crate::control::ControlKind;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::document::define::{self, Definitions};
use crate::document::source::Span;
use crate::document::{BlockKind, Document, Item};
use crate::example::{self, Example, Situation};
use crate::rule::{KeyValue, PolicyModel, Rule};
use crate::words::{Names, Vocabulary};

pub use tables::OpenTable;
pub(crate) use tables::full_of_effects;

/// A text, read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The hash of the text: what signatures bind.
    pub hash: ContentHash,
    /// The document, as far as it could be read.
    pub document: Document,
    /// What the define blocks say to detection.
    pub definitions: Definitions,
    /// What the document's names mean.
    pub vocabulary: Vocabulary,
    /// The examples of all rules, in the order of the text.
    pub examples: Vec<Example>,
    /// Where each rule of the model stands.
    pub places: Vec<RulePlace>,
    /// Where each assertion of the model stands.
    pub assertion_places: Vec<Span>,
    /// Rule tables that leave out values which other rules name.
    pub open_tables: Vec<OpenTable>,
    /// The policy; nothing if a diagnostic is an error.
    pub model: Option<PolicyModel>,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a policy. Total on any text (invariant POL-1): what cannot be read has a diagnostic.
pub fn parse(source: &str) -> Parsed {
    parse_with(source, Names::default())
}

/// Reads a policy, knowing the names of catalog and directory, so that a misspelt one is an error.
pub fn parse_with(source: &str, names: Names) -> Parsed {
    let mut problems = Problems::default();
    let document = Document::read(source, &mut problems);
    let mut vocabulary = Vocabulary::new(names);
    if document.front.translates() {
        return translation_alone(document, vocabulary, problems);
    }
    vocabulary.roles.extend(document.front.owners.keys().cloned());
    let definitions = define::read(&document, &mut vocabulary, &mut problems);
    let mut checker = Checker::new(&document, &vocabulary, &mut problems);
    checker.situation();
    checker.sections();
    checker.marks();
    checker.opaque_kinds(source);
    let open_tables = checker.incomplete_tables();
    let kinds = document.blocks(BlockKind::Control).filter_map(|(_, block)| clauses::control_kind(block));
    let kinds: BTreeSet<_> = kinds.filter_map(ControlKind::named).collect();
    processes::check(&checker.controls, &kinds, &document.front, &checker.wanted, checker.problems);
    let Checker { rules, examples, controls, places, assertions, assertion_places, .. } = checker;
    let clauses = clauses::check(&document, source, &rules, &mut problems);
    references::check(&document, source, &definitions, &mut problems);
    let model = (!problems.has_errors()).then(|| PolicyModel {
        postures: document.front.postures.clone(),
        classes: vocabulary.classes.clone(),
        clauses,
        rules,
        assertions,
        controls: controls.into_iter().map(|control| control.model).collect(),
    });
    let diagnostics = problems.into_sorted();
    Parsed {
        hash: document.hash,
        document,
        definitions,
        vocabulary,
        examples,
        places,
        assertion_places,
        open_tables,
        model,
        diagnostics,
    }
}

/// Whether a rule speaks about what people and programs send; one about answers alone decides nothing of that.
fn leaves(rule: &Rule) -> bool {
    let sent = [Action::Submit, Action::Upload, Action::ToolCall].map(|action| KeyValue::Closed(action.index()));
    rule.keys.on(Dimension::Action).is_none_or(|test| sent.iter().any(|value| test.values.contains(value) != test.not))
}

/// Where a rule stands in the document.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RulePlace {
    /// The opening of its block, or its cell.
    pub span: Span,
    /// It is a cell of a rule table.
    pub cell: bool,
    /// Where each set of its `unless` stands.
    pub unless: Vec<Span>,
}

/// A language version decides nothing: what it says runs in the version that prevails.
fn translation_alone(document: Document, vocabulary: Vocabulary, mut problems: Problems) -> Parsed {
    let (language, prevails) = (document.front.language(), document.front.prevails.as_deref().unwrap_or_default());
    let text = format!("this is the version in `{language}`; the one in `{prevails}` prevails, and only that one runs");
    let help = "check it beside the other one: `writ policy check POLICY --translation FILE`";
    problems.add(Code::TranslationAlone, document.front.at("prevails"), text).help(help);
    Parsed {
        hash: document.hash,
        document,
        definitions: Definitions::default(),
        vocabulary,
        examples: Vec::new(),
        places: Vec::new(),
        assertion_places: Vec::new(),
        open_tables: Vec::new(),
        model: None,
        diagnostics: problems.into_sorted(),
    }
}

/// The examples of all rules, in the order of the text.
pub fn examples(parsed: &Parsed) -> &[Example] {
    &parsed.examples
}

/// Goes through the document in the order of the text.
pub(crate) struct Checker<'a> {
    document: &'a Document,
    vocabulary: &'a Vocabulary,
    problems: &'a mut Problems,
    default: Situation,
    rules: Vec<Rule>,
    examples: Vec<Example>,
    places: Vec<RulePlace>,
    assertions: Vec<Assertion>,
    assertion_places: Vec<Span>,
    /// How many values the rules have so far.
    values: usize,
    /// How many rules each clause has so far.
    numbers: BTreeMap<Term, u16>,
    controls: Vec<controls::Control>,
    /// Processes that rules lead to.
    wanted: processes::Wanted,
    /// What rule tables leave out.
    gaps: Vec<(OpenTable, Vec<KeyValue>)>,
}

impl<'a> Checker<'a> {
    fn new(document: &'a Document, vocabulary: &'a Vocabulary, problems: &'a mut Problems) -> Self {
        Self {
            document,
            vocabulary,
            problems,
            default: Situation::default(),
            rules: Vec::new(),
            examples: Vec::new(),
            places: Vec::new(),
            assertions: Vec::new(),
            assertion_places: Vec::new(),
            values: 0,
            numbers: BTreeMap::new(),
            controls: Vec::new(),
            wanted: processes::Wanted::new(),
            gaps: Vec::new(),
        }
    }

    fn situation(&mut self) {
        if let Some(text) = &self.document.front.situation {
            self.default = example::situation(text.whole(), self.vocabulary, self.problems);
        }
    }

    /// Only language versions have marks of what was translated.
    fn marks(&mut self) {
        if !self.document.front.translated.is_empty() {
            let text = "`translated` belongs to language versions; this is the version that prevails";
            self.problems.add(Code::WrongPlace, self.document.front.at("translated"), text).help("leave it out");
        }
    }

    fn sections(&mut self) {
        for section in &self.document.sections {
            for item in &section.items {
                match item {
                    Item::Block(block) => match block.kind {
                        BlockKind::Rule => self.rule_block(section, block),
                        BlockKind::Prove => self.prove(section, block),
                        BlockKind::Include => {
                            let text = "this file was not put in";
                            let help = "files are put in before the text is read: give the including file";
                            self.problems.add(Code::NotIncluded, block.span, text).help(help);
                        }
                        BlockKind::Control => self.control(section, block),
                        BlockKind::Define => {}
                    },
                    Item::Table(table) => self.table(section, table),
                    Item::Prose(_) | Item::Code(_) | Item::Mode(_) => {}
                }
            }
        }
    }

    /// Content that has no reader is decided by rules: each kind needs one.
    fn opaque_kinds(&mut self, source: &str) {
        let decided = |signal: &Signal| {
            let leaving = self.rules.iter().filter(|rule| leaves(rule));
            let tests = leaving.flat_map(|rule| &rule.keys.tests);
            let mut signals = tests.filter(|test| test.dimension == Dimension::Signal && !test.not);
            signals.any(|test| test.values.contains(&KeyValue::Closed(signal.index())))
        };
        let open: Vec<_> =
            Signal::ALL.iter().filter(|signal| signal.family() == "opaque" && !decided(signal)).collect();
        if open.is_empty() || self.problems.has_errors() {
            return;
        }
        let kinds: Vec<_> = open.iter().map(|signal| format!("`{}`", signal.as_str())).collect();
        let text = format!("no rule decides what happens with {}", kinds.join(", "));
        let first = source.split('\n').next().unwrap_or_default().trim_end().len();
        let help = "add a rule with `signal: opaque`; until then such content is judged by what could be read";
        self.problems.add(Code::OpaqueUndecided, Span::new(0, first), text).help(help);
    }
}
