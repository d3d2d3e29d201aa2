//! Clauses: ids, modes, controls, and prose that promises more than anything keeps.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::values::Value as _;
use writ_model::{Mode, Term};

use crate::diagnostic::{Code, Problems};
use crate::document::source::Span;
use crate::document::{Block, BlockKind, Caption, Document, Item, Section};
use crate::rule::{ClauseModel, Rule};
use crate::words;

/// What stands in one clause.
struct Clause<'a> {
    section: &'a Section,
    rules: Option<Runs>,
    /// The kind of its first control.
    control: Option<&'a str>,
    stated: Option<Stated>,
    /// Where its prose promises, and in which words.
    promise: Option<Span>,
    /// Whether blocks, rule tables or modes stand in it, also such as could not be read.
    blocks: bool,
}

/// What the rules of a clause do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Some raise.
    Raises,
    /// None does: they foresee and report.
    Reports,
}

/// The mode that a clause states.
struct Stated {
    mode: Mode,
    /// The clause that makes it true.
    by: Option<Term>,
    why: bool,
    span: Span,
}

/// The clauses with their modes.
pub(super) fn check(document: &Document, source: &str, rules: &[Rule], problems: &mut Problems) -> Vec<ClauseModel> {
    let mut running: BTreeMap<&Term, Runs> = BTreeMap::new();
    for rule in rules {
        let runs = running.entry(&rule.clause).or_insert(Runs::Reports);
        *runs = if rule.raises() { Runs::Raises } else { *runs };
    }
    let mut clauses: BTreeMap<&Term, Clause<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for (id, section) in document.clauses() {
        if let Some(first) = clauses.get(id) {
            let text = format!("the id `{id}` is given to two clauses");
            problems.add(Code::DuplicateName, section.heading, text).see(first.section.heading, "first here");
            continue;
        }
        let runs = running.get(id).copied();
        clauses.insert(id, Clause { section, rules: runs, control: None, stated: None, promise: None, blocks: false });
        order.push(id);
    }
    for section in &document.sections {
        collect(section, document, source, &mut clauses, problems);
    }
    let modes: BTreeMap<&Term, Mode> = order.iter().filter_map(|id| Some((*id, clauses.get(id)?.own_mode()))).collect();
    for id in &order {
        if let Some(clause) = clauses.get(id) {
            clause.check(id, &modes, problems);
        }
    }
    without_mode(document, &clauses, &modes, problems);
    let model = |id: &&Term| {
        let clause = clauses.get(id)?;
        Some(ClauseModel {
            id: (*id).clone(),
            number: clause.section.number.clone(),
            title: clause.section.title.clone(),
            mode: modes.get(id).copied().unwrap_or(Mode::TextOnly),
        })
    };
    order.iter().filter_map(model).collect()
}

impl Clause<'_> {
    /// The stated mode, or what its blocks make it.
    fn own_mode(&self) -> Mode {
        match (&self.stated, self.rules, self.control) {
            (Some(stated), ..) => stated.mode,
            (None, Some(_), _) => Mode::Enforced,
            (None, None, Some("attestation")) => Mode::Attested,
            (None, None, Some(_)) => Mode::Process,
            (None, None, None) => Mode::TextOnly,
        }
    }

    fn check(&self, id: &Term, modes: &BTreeMap<&Term, Mode>, problems: &mut Problems) {
        let Some(stated) = &self.stated else { return };
        let mismatch = match stated.mode {
            _ if stated.by.is_some() => None,
            Mode::Detected if self.rules == Some(Runs::Raises) => Some("a rule of this clause does more than report"),
            Mode::Enforced | Mode::Detected if self.rules.is_none() => Some("no rule stands in this clause"),
            Mode::Attested | Mode::Process if self.control.is_none() => Some("no control stands in this clause"),
            Mode::TextOnly if self.rules.is_some() || self.control.is_some() => {
                Some("rules or controls stand in this clause")
            }
            Mode::TextOnly if !stated.why => Some("a clause that is text only gives its reason"),
            _ => None,
        };
        if let Some(text) = mismatch {
            let help = match stated.mode {
                Mode::TextOnly if self.rules.is_some() || self.control.is_some() => "leave the mode out",
                Mode::TextOnly => "write `Mode: text-only. Reason: ...`",
                Mode::Detected if self.rules.is_some() => "leave the mode out: a clause with such a rule is enforced",
                _ => "name the clause that makes it true: `Mode: enforced by #health.`",
            };
            problems.add(Code::ModeMismatch, stated.span, text).help(help);
        }
        let Some(by) = &stated.by else { return };
        match modes.get(by) {
            Some(mode) if *mode == stated.mode && by != id => {}
            Some(mode) => {
                let text = format!("the clause `{by}` is {}, not {}", mode.as_str(), stated.mode.as_str());
                problems.add(Code::ModeMismatch, stated.span, text);
            }
            None => {
                let text = format!("no clause has the id `{by}`");
                let known = modes.keys().map(|id| id.as_str());
                problems.add(Code::UndefinedName, stated.span, text).nearest(by, known);
            }
        }
    }
}

/// For each clause, the clauses whose headings stand above it.
fn ancestors(document: &Document) -> BTreeMap<&Term, Vec<&Term>> {
    let mut all = BTreeMap::new();
    let mut open: Vec<(u8, Option<&Term>)> = Vec::new();
    for section in &document.sections {
        while open.last().is_some_and(|(level, _)| *level >= section.level) {
            open.pop();
        }
        if let Some(id) = &section.id {
            all.entry(id).or_insert_with(|| open.iter().filter_map(|(_, clause)| *clause).collect());
        }
        open.push((section.level, section.id.as_ref()));
    }
    all
}

fn collect<'a>(
    section: &'a Section,
    document: &Document,
    source: &str,
    clauses: &mut BTreeMap<&'a Term, Clause<'a>>,
    problems: &mut Problems,
) {
    let promise = section.items.iter().find_map(|item| promise(item, document, source));
    let Some(clause) = section.clause.as_ref().and_then(|id| clauses.get_mut(id)) else {
        outside(section, promise, problems);
        return;
    };
    let title = words::promise(section.heading.of(source), document.front.language());
    let title = title.map(|(start, end)| Span::new(section.heading.start + start, section.heading.start + end));
    clause.promise = clause.promise.or(promise).or(title);
    for item in &section.items {
        clause.blocks |= match item {
            Item::Block(_) | Item::Mode(_) => true,
            Item::Table(table) => table.caption.is_some(),
            _ => false,
        };
        match item {
            Item::Block(block) if block.kind == BlockKind::Control => {
                clause.control = clause.control.or_else(|| control_kind(block));
            }
            Item::Mode(caption) => {
                let stated = stated(caption, problems);
                if let (Some(first), Some(_)) = (&clause.stated, &stated) {
                    let text = "this clause states its mode twice";
                    problems.add(Code::DuplicateKey, caption.span, text).see(first.span, "first here");
                } else {
                    clause.stated = stated;
                }
            }
            _ => {}
        }
    }
}

fn promise(item: &Item, document: &Document, source: &str) -> Option<Span> {
    let span = match item {
        Item::Prose(span) => span,
        Item::Table(table) if table.caption.is_none() => &table.span,
        _ => return None,
    };
    let (start, end) = words::promise(span.of(source), document.front.language())?;
    Some(Span::new(span.start + start, span.start + end))
}

/// Prose that belongs to no clause.
fn outside(section: &Section, promise: Option<Span>, problems: &mut Problems) {
    if let Some(span) = promise {
        let text = "this prose promises something, but stands in no clause";
        let help = "give the heading above it an id, so that a rule or a control can make it true";
        problems.add(Code::PromiseWithoutMode, span, text).help(help);
    }
    for item in &section.items {
        if let Item::Mode(caption) = item {
            problems.add(Code::WrongPlace, caption.span, "this mode stands in no clause");
        }
    }
}

/// `Mode: enforced by #health.` or `Mode: text-only. Reason: ...`
fn stated(caption: &Caption, problems: &mut Problems) -> Option<Stated> {
    let (word, rest) = caption.subject.whole().first_word();
    let Some(mode) = Mode::named(word.as_str()) else {
        let text = format!("`{}` is no mode", word.as_str());
        let problem = problems.add(Code::UnknownValue, word.span(), text);
        problem.among(word.as_str(), Mode::ALL.iter().map(|mode| mode.as_str()));
        return None;
    };
    let by = match rest.as_str().strip_prefix("by #") {
        Some(id) if words::is_name(id) => Some(Term::from(id)),
        _ if rest.is_empty() => None,
        _ => {
            let help = "write `by #CLAUSE`, or nothing";
            problems.add(Code::InvalidValue, rest.span(), "this does not belong to a mode").help(help);
            None
        }
    };
    let mut why = false;
    for entry in &caption.entries {
        if entry.key == "reason" {
            why = !entry.value.as_str().is_empty();
        } else {
            let text = format!("a mode has no key `{}`", entry.key);
            problems.add(Code::UnknownKey, entry.key_span, text).help("write `Reason: ...`");
        }
    }
    Some(Stated { mode, by, why, span: caption.span })
}

/// Clauses that nothing in them or in the clauses below them makes true; those that promise are worse.
fn without_mode(
    document: &Document,
    clauses: &BTreeMap<&Term, Clause<'_>>,
    modes: &BTreeMap<&Term, Mode>,
    problems: &mut Problems,
) {
    // A clause is kept by what stands under it, and that is also what its deeper clauses say.
    let mut kept: BTreeSet<&Term> = BTreeSet::new();
    let ancestors = ancestors(document);
    for (id, mode) in modes {
        let stated = clauses.get(id).is_some_and(|clause| clause.stated.is_some());
        if *mode != Mode::TextOnly || stated {
            kept.insert(id);
            kept.extend(ancestors.get(id).into_iter().flatten());
        }
    }
    for (id, clause) in clauses {
        if kept.contains(id) {
            continue;
        }
        let help = "add a rule or a control, or state how it is kept: `Mode: text-only. Reason: ...`";
        if let Some(span) = clause.promise {
            let text = format!("the clause `{id}` promises something that no rule, control or mode makes true");
            problems.add(Code::PromiseWithoutMode, span, text).help(help);
        } else if !clause.blocks {
            let text = format!("the clause `{id}` has no mode: no rule, control or statement says how it is made true");
            problems.add(Code::ClauseWithoutMode, clause.section.heading, text).help(help);
        }
    }
}

/// The kind of a control: `control training`, or the key `kind`.
pub(crate) fn control_kind(block: &Block) -> Option<&str> {
    let argument = block.argument.as_str();
    let kind = if argument.is_empty() { block.entry("kind")?.value.as_str() } else { argument };
    (!kind.is_empty()).then_some(kind)
}
