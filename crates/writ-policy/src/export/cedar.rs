//! What a policy lets pass, as Cedar policies (<https://docs.cedarpolicy.com>): Cedar's answer is *allow* exactly where
//! the full verdict, with the exceptions in force, is below block.
//!
//! One `permit` lets everything pass, and every way to a block is a `forbid`, which wins in Cedar: rows that demand it,
//! redactions that cannot be fulfilled, content that could not be read, and what nothing foresees where the posture is
//! block. Cedar knows two answers; coach, justify, redactions and offers have no place in it.
//!
//! The principal of a request is who acts, its action what is done, its resource the service. Everything else is in the
//! context, which [`schema`] declares and [`Request`] builds from facts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use writ_base::Moment;
use writ_model::facts::Groups;
use writ_model::schema::{Dimension, Values};
use writ_model::{Action, Band, Certainty, Effect, Fact, Facts, Level, Set, Term, Value, Who};

use crate::eval::Policy;
use crate::eval::readable::{Atom, Condition, ReadableException, ReadableRow, ReadableRows};
use crate::rule::{KeyValue, Rule};

/// The namespace of all names.
const NAMESPACE: &str = "Writ";

/// The policies.
pub fn policies(policy: &Policy) -> String {
    let writer = Writer { policy, rows: policy.readable() };
    let mut out = format!(
        "// Writ policy: text {}, rows {}, standing {}\n\
         // Cedar allows exactly where the full verdict is below block.\n\n\
         @id(\"permit\")\npermit (principal, action, resource);\n",
        policy.text_hash(),
        policy.rows_hash(),
        policy.standing_hash(),
    );
    writer.blocks(&mut out);
    writer.redactions(&mut out);
    writer.unread(&mut out);
    writer.posture(&mut out);
    out
}

/// The schema of requests to these policies.
pub fn schema(policy: &Policy) -> String {
    let mut out = format!("namespace {NAMESPACE} {{\n  entity Who;\n  entity Service;\n\n  type Found = {{\n");
    for class in policy.readable().classes.keys() {
        let _ = writeln!(out, "    {}?: {{ likely: Long, certain: Long }},", quoted(class));
    }
    out.push_str("  };\n\n  type Facts = {\n");
    for dimension in in_context() {
        let kind = if set_valued(dimension) { "Set<String>" } else { "String" };
        let _ = writeln!(out, "    {}: {kind},", quoted(dimension.key()));
    }
    out.push_str(
        "    classes: Set<String>,      // classes found\n    \
             found: Found,              // how many distinct values of them\n    \
             cleared: Set<String>,      // classes found that vetting allows at (service, tier)\n    \
             uncleared: Set<String>,    // classes found that it does not allow\n    \
             unredactable: Set<String>, // classes found of which a span cannot be edited\n    \
             decidedAt: Long,           // nanoseconds since 1970\n  };\n\n",
    );
    let actions = Action::ALL.iter().map(|action| quoted(action.as_str())).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "  action {actions} appliesTo {{ principal: Who, resource: Service, context: Facts }};\n}}");
    out
}

/// A request to the policies, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id of the principal, of type `Writ::Who`: `employee`.
    pub principal: String,
    /// The id of the action, of type `Writ::Action`: `submit`.
    pub action: String,
    /// The id of the resource, of type `Writ::Service`: `chatgpt`.
    pub resource: String,
    /// Everything else: an object.
    pub context: Json,
}

impl Request {
    /// The request for a situation; `None` where something of it is pending.
    pub fn of(facts: &Facts) -> Option<Self> {
        Some(Self {
            principal: facts.who.known()?.as_str().to_owned(),
            action: facts.action.known()?.as_str().to_owned(),
            resource: facts.service.known()?.to_string(),
            context: context(facts)?,
        })
    }
}

fn context(facts: &Facts) -> Option<Json> {
    let mut context = serde_json::Map::new();
    for dimension in in_context() {
        context.insert(dimension.key().to_owned(), value(facts, dimension)?);
    }
    let (data, cleared) = (facts.data.known()?, facts.cleared.known()?);
    let found = data.iter().filter(|(_, found)| found.likely.max(found.certain) > 0);
    let found: Vec<_> = found.collect();
    let names = |wanted: &dyn Fn(&Term) -> bool| -> Json {
        found.iter().filter(|(class, _)| wanted(class)).map(|(class, _)| class.as_str()).collect::<Vec<_>>().into()
    };
    let counts = found.iter().map(|(class, found)| {
        (class.to_string(), json!({ "likely": found.likely.max(found.certain), "certain": found.certain }))
    });
    context.insert("found".into(), Json::Object(counts.collect()));
    context.insert("classes".into(), names(&|_| true));
    context.insert("cleared".into(), names(&|class| cleared.contains(class)));
    context.insert("uncleared".into(), names(&|class| !cleared.contains(class)));
    context.insert("unredactable".into(), facts.unredactable.iter().map(Term::as_str).collect::<Vec<_>>().into());
    context.insert("decidedAt".into(), facts.decided_at.nanos().into());
    Some(Json::Object(context))
}

/// The value of a dimension in the context.
fn value(facts: &Facts, dimension: Dimension) -> Option<Json> {
    fn one<T: Value>(fact: &Fact<T>) -> Option<Json> {
        Some(fact.known()?.name().into())
    }
    fn set<T: Value>(fact: &Fact<Set<T>>) -> Option<Json> {
        Some(fact.known()?.iter().map(Value::name).collect::<Vec<_>>().into())
    }
    let term = |fact: &Fact<Term>| Some(Json::from(fact.known()?.as_str()));
    match dimension {
        Dimension::Who => one(&facts.who),
        Dimension::Identity => one(&facts.identity),
        Dimension::Entity => term(&facts.entity),
        Dimension::Group => Some(match facts.group.known()? {
            // A directory that answers `unknown` could not be read, whatever else it says.
            Groups::Known(groups) if !groups.contains(Term::UNKNOWN.as_str()) => {
                groups.iter().map(Term::as_str).collect::<Vec<_>>().into()
            }
            _ => json!([Term::UNKNOWN.as_str()]),
        }),
        Dimension::Action => one(&facts.action),
        Dimension::Service => term(&facts.service),
        Dimension::Category => one(&facts.category),
        Dimension::Tier => term(&facts.tier),
        Dimension::Status => one(&facts.status),
        Dimension::Account => one(&facts.account),
        Dimension::Level => one(&facts.level),
        Dimension::Declared => one(&facts.declared),
        Dimension::Origin => one(&facts.origin),
        Dimension::Activity => set(&facts.activity),
        Dimension::Channel => one(&facts.channel),
        Dimension::Device => one(&facts.device),
        Dimension::PersonRegion => term(&facts.person_region),
        Dimension::ServiceRegion => term(&facts.service_region),
        Dimension::Training => one(&facts.training),
        Dimension::Attestation => one(&facts.attestation),
        Dimension::Signal => set(&facts.signal),
        Dimension::Unreadable => set(&facts.unreadable),
        Dimension::Data | Dimension::Cleared => None,
    }
}

/// The dimensions that are attributes of the context under their own key.
fn in_context() -> impl Iterator<Item = Dimension> {
    let elsewhere = [Dimension::Who, Dimension::Action, Dimension::Service, Dimension::Data, Dimension::Cleared];
    Dimension::ALL.iter().copied().filter(move |dimension| !elsewhere.contains(dimension))
}

fn set_valued(dimension: Dimension) -> bool {
    dimension.spec().kind == writ_model::schema::Kind::Set
}

struct Writer<'a> {
    policy: &'a Policy,
    rows: ReadableRows,
}

impl Writer<'_> {
    fn rule(&self, row: &ReadableRow) -> Option<&Rule> {
        self.policy.model().rules.get(row.rule)
    }

    /// Rows that demand block.
    fn blocks(&self, out: &mut String) {
        for (number, row) in self.rows.raise.iter().enumerate() {
            let Some(rule) = self.rule(row).filter(|rule| rule.then == Effect::Block) else { continue };
            forbid(out, &format!("block {number}"), Some(rule), self.raised(row, rule, Vec::new()));
        }
    }

    /// Rows that demand a redaction which cannot be fulfilled.
    fn redactions(&self, out: &mut String) {
        for (number, row) in self.rows.raise.iter().enumerate() {
            let Some(rule) = self.rule(row).filter(|rule| rule.redact) else { continue };
            let body = self.raised(row, rule, vec![unfulfillable(rule)]);
            forbid(out, &format!("redact {number}"), Some(rule), body);
        }
    }

    /// Content that could not be read: rows that fail closed, and the default where no row opens it.
    fn unread(&self, out: &mut String) {
        let some = || "!context.unreadable.isEmpty()".to_owned();
        for (number, row) in self.rows.failure.iter().enumerate() {
            let Some(rule) = self.rule(row).filter(|rule| rule.fail_closed) else { continue };
            forbid(out, &format!("unread {number}"), Some(rule), self.raised(row, rule, vec![some()]));
        }
        let opened = self.rows.failure.iter().filter(|row| self.rule(row).is_some_and(|rule| !rule.fail_closed));
        let opened = any(opened.map(|row| self.all(&row.conditions)));
        let answers = [Action::Receive, Action::ToolResult];
        let action = actions(Action::ALL.iter().filter(|action| !answers.contains(action)));
        forbid(out, "unread by default", None, vec![action, some(), not(opened)]);
    }

    /// What nothing foresees, where the posture is block. What the same rows and exceptions cover stands together.
    fn posture(&self, out: &mut String) {
        let model = self.policy.model();
        let blocks = |who: &&Who| model.postures.get(who).copied().unwrap_or(Effect::Block) == Effect::Block;
        let who = among("principal", Who::ALL.iter().filter(blocks).map(|who| uid("Who", who.as_str())));
        let mut together: BTreeMap<Vec<usize>, Vec<Atom>> = BTreeMap::new();
        for atom in self.coverable() {
            together.entry(self.covering(&atom)).or_default().push(atom);
        }
        let rows = self.rows.foresee.len();
        for (number, (places, atoms)) in together.into_iter().enumerate() {
            let covers = places.into_iter().filter_map(|place| match place.checked_sub(rows) {
                None => Some(self.all(&self.rows.foresee.get(place)?.conditions)),
                Some(place) => Some(self.covers(self.rows.exceptions.get(place)?)),
            });
            let body = vec![
                actions(Action::ALL.iter().filter(|action| action.has_posture())),
                who.clone(),
                self.data(&atoms),
                not(any(covers)),
            ];
            forbid(out, &format!("posture {number}"), None, body);
        }
    }

    /// Everything that can be found, and `plain`.
    fn coverable(&self) -> Vec<Atom> {
        let found = self.rows.classes.keys().flat_map(|class| {
            let amounts =
                Band::ALL.iter().flat_map(|band| [Certainty::Likely, Certainty::Certain].map(|it| (*band, it)));
            amounts.map(|(band, certainty)| Atom::Found { class: class.clone(), band, certainty })
        });
        let undefined = [false, true].map(|cleared| Atom::Undefined { cleared });
        [Atom::Plain].into_iter().chain(undefined).chain(found).collect()
    }

    /// The rows, and after them the exceptions, that cover this.
    fn covering(&self, atom: &Atom) -> Vec<usize> {
        let rows = self.rows.foresee.iter().map(|row| &row.covers);
        let all = rows.chain(self.rows.exceptions.iter().map(|exception| &exception.covers));
        all.enumerate().filter(|(_, covers)| covers.contains(atom)).map(|(place, _)| place).collect()
    }

    /// The condition under which an exception covers what it names.
    fn covers(&self, exception: &ReadableException) -> String {
        let whole = [self.in_force(exception), exception.covers_where.as_ref().map_or(always(), |it| self.holds(it))];
        all(whole)
    }

    /// An exception applies: it is in force, and this is its situation.
    fn in_force(&self, exception: &ReadableException) -> String {
        let grants = &self.policy.standing().exceptions;
        let dates = grants.iter().find(|it| it.grant.id == exception.id).map(|it| (it.grant.from, it.grant.until));
        let (from, until) = dates.unwrap_or((Moment::EPOCH, Moment::EPOCH));
        let times = format!("context.decidedAt >= {} && context.decidedAt < {}", from.nanos(), until.nanos());
        all([times, self.all(&exception.conditions)])
    }

    /// The body of a row that raises: its conditions, more of them, and no exception for its clause.
    fn raised(&self, row: &ReadableRow, rule: &Rule, more: Vec<String>) -> Vec<String> {
        let grants = &self.policy.standing().exceptions;
        let of_clause = |id| grants.iter().any(|it| it.grant.id == id && it.grant.clause == rule.clause);
        let exceptions = self.rows.exceptions.iter().filter(|exception| of_clause(exception.id));
        let excepted = exceptions.map(|exception| not(self.in_force(exception)));
        row.conditions.iter().map(|condition| self.holds(condition)).chain(more).chain(excepted).collect()
    }

    fn all(&self, conditions: &[Condition]) -> String {
        all(conditions.iter().map(|condition| self.holds(condition)))
    }

    /// A condition of a row.
    fn holds(&self, condition: &Condition) -> String {
        let some = self.some(condition.dimension, &condition.atoms);
        if condition.none { not(some) } else { some }
    }

    /// Whether one of these is so.
    fn some(&self, dimension: Dimension, atoms: &[Atom]) -> String {
        let place = match dimension {
            Dimension::Data | Dimension::Cleared => return self.data(atoms),
            Dimension::Level => return self.level(atoms),
            Dimension::Action => {
                return among("action", atoms.iter().filter_map(name).map(|action| uid("Action", action)));
            }
            Dimension::Who => return among("principal", atoms.iter().filter_map(name).map(|who| uid("Who", who))),
            Dimension::Service => {
                let services = |names: Vec<String>| among("resource", names.into_iter().map(|it| uid("Service", &it)));
                return match self.others(dimension, atoms) {
                    Some(others) => not(services(others)),
                    None => services(atoms.iter().filter_map(name).map(str::to_owned).collect()),
                };
            }
            other => format!("context[{}]", quoted(other.key())),
        };
        let names = || atoms.iter().filter_map(name).map(quoted);
        if set_valued(dimension) {
            return meets(&place, names());
        }
        match self.others(dimension, atoms) {
            Some(others) => not(among(&place, others.iter().map(|name| quoted(name)))),
            None => among(&place, names()),
        }
    }

    /// Where these hold `any other name`: the names of an open dimension that are not among them.
    fn others(&self, dimension: Dimension, atoms: &[Atom]) -> Option<Vec<String>> {
        let open = matches!(dimension.spec().values, Values::Open(_)) && atoms.contains(&Atom::Other);
        let names = self.rows.names.get(&dimension).filter(|_| open)?;
        let outside = names.iter().filter(|name| !atoms.contains(&Atom::Open((*name).clone())));
        let unknown = (!atoms.contains(&Atom::Unknown)).then_some(Term::UNKNOWN);
        Some(outside.cloned().chain(unknown).map(|name| name.to_string()).collect())
    }

    /// Whether one of these was found, or is cleared, or is not.
    fn data(&self, atoms: &[Atom]) -> String {
        if atoms.contains(&Atom::Plain) {
            return always();
        }
        let mut parts: Vec<String> = Vec::new();
        // A class that was found at all, by the set in which it stands.
        let mut sets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for atom in atoms {
            match atom {
                Atom::Found { class, band: Band::One, certainty: Certainty::Likely } => {
                    sets.entry("context.classes").or_default().push(class);
                }
                Atom::Found { class, band, certainty } if !self.implied(atoms, class, *band, *certainty) => {
                    parts.push(self.amount(class, *band, *certainty));
                }
                Atom::Cleared { class, cleared } => sets.entry(cleared_set(*cleared)).or_default().push(class),
                Atom::Undefined { cleared } => {
                    let known = self.rows.classes.keys().map(|class| quoted(class)).collect::<Vec<_>>().join(", ");
                    parts.push(not(format!("[{known}].containsAll({})", cleared_set(*cleared))));
                }
                _ => {}
            }
        }
        let found = sets.into_iter().map(|(set, classes)| meets(set, classes.into_iter().map(quoted)));
        any(found.chain(parts))
    }

    /// Whether another of these asks for less of the same class.
    fn implied(&self, atoms: &[Atom], class: &Term, band: Band, certainty: Certainty) -> bool {
        atoms.iter().any(|atom| match atom {
            Atom::Found { class: other, band: less, certainty: surer } => {
                other == class && *less <= band && *surer <= certainty && (*less, *surer) != (band, certainty)
            }
            _ => false,
        })
    }

    fn amount(&self, class: &Term, band: Band, certainty: Certainty) -> String {
        let least = self.rows.classes.get(class).map_or(1, |class| match band {
            Band::One => 1,
            Band::Few => class.few.min(class.bulk).max(1),
            Band::Bulk => class.bulk.max(1),
        });
        let name = quoted(class);
        format!("(context.found has {name} && context.found[{name}].{} >= {least})", certainty.as_str())
    }

    /// The level is the highest of what is stated, what the person declared and the levels of the classes found.
    fn level(&self, atoms: &[Atom]) -> String {
        let wanted = |level: &Level| atoms.contains(&Atom::Closed(level.as_str()));
        any(Level::ALL.iter().filter(|level| wanted(level)).map(|level| {
            let next = Level::ALL.iter().find(|higher| *higher > level);
            all([self.at_least(*level), next.map_or(always(), |next| not(self.at_least(*next)))])
        }))
    }

    fn at_least(&self, level: Level) -> String {
        if level == Level::Unstated {
            return always();
        }
        let levels = || Level::ALL.iter().filter(|higher| **higher >= level).map(|level| quoted(level.as_str()));
        let classes = self.rows.classes.iter().filter(|(_, class)| class.level >= level);
        any([
            among("context.level", levels()),
            among("context.declared", levels()),
            meets("context.classes", classes.map(|(name, _)| quoted(name))),
        ])
    }
}

/// Whether a redaction that the rule demands cannot be fulfilled: a class that it selects is found and cannot be edited.
fn unfulfillable(rule: &Rule) -> String {
    let asked = rule.keys.tests.iter().filter(|key| key.dimension == Dimension::Cleared);
    let asked: Vec<_> = asked.collect();
    let allows =
        |cleared: bool| asked.iter().all(|key| key.values.contains(&KeyValue::Closed(cleared.into())) != key.not);
    let set = match (allows(false), allows(true)) {
        (true, true) => "context.classes",
        (false, true) => cleared_set(true),
        (true, false) => cleared_set(false),
        (false, false) => return NEVER.to_owned(),
    };
    let data = rule.keys.tests.iter().filter(|key| key.dimension == Dimension::Data && !key.not);
    let values: Vec<&KeyValue> = data.flat_map(|key| &key.values).collect();
    if values.is_empty() || values.contains(&&KeyValue::AnyClass) {
        return format!("context.unredactable.containsAny({set})");
    }
    let classes = values.into_iter().filter_map(|value| match value {
        KeyValue::Class { class, .. } => Some(quoted(class)),
        _ => None,
    });
    any(classes
        .map(|class| all([format!("{set}.contains({class})"), format!("context.unredactable.contains({class})")])))
}

/// The set of the classes found that are cleared, or are not.
const fn cleared_set(cleared: bool) -> &'static str {
    if cleared { "context.cleared" } else { "context.uncleared" }
}

/// Writes a policy that forbids where all of these hold; nothing where one of them never does.
fn forbid(out: &mut String, id: &str, rule: Option<&Rule>, body: Vec<String>) {
    let body = body.into_iter().filter(|part| part != ALWAYS).collect::<Vec<_>>();
    if body.iter().any(|part| part == NEVER) {
        return;
    }
    let _ = write!(out, "\n@id({})\n", quoted(id));
    if let Some(rule) = rule {
        let _ = writeln!(out, "@clause({}) @rule(\"{}\")", quoted(&rule.clause), rule.number);
    }
    out.push_str("forbid (principal, action, resource)");
    if !body.is_empty() {
        let _ = write!(out, " when {{\n  {}\n}}", body.join(" &&\n  "));
    }
    out.push_str(";\n");
}

const ALWAYS: &str = "true";
const NEVER: &str = "false";

fn always() -> String {
    ALWAYS.to_owned()
}

fn not(part: String) -> String {
    match part.as_str() {
        ALWAYS => NEVER.to_owned(),
        NEVER => always(),
        _ => match part.strip_prefix('!').filter(|rest| rest.starts_with('(')) {
            Some(rest) => rest.to_owned(),
            None => format!("!({part})"),
        },
    }
}

/// Whether one of these holds.
fn any(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, NEVER, ALWAYS, " || ")
}

/// Whether all of these hold.
fn all(parts: impl IntoIterator<Item = String>) -> String {
    joined(parts, ALWAYS, NEVER, " && ")
}

/// Parts joined by an operator; `neutral` ones are left out, and one that `decides` stands for all.
fn joined(parts: impl IntoIterator<Item = String>, neutral: &str, decides: &str, operator: &str) -> String {
    let mut kept: Vec<String> = parts.into_iter().filter(|part| part != neutral).collect();
    if kept.iter().any(|part| part == decides) {
        return decides.to_owned();
    }
    match kept.len() {
        0 => neutral.to_owned(),
        1 => kept.swap_remove(0),
        _ => format!("({})", kept.join(operator)),
    }
}

/// Whether something is one of these.
fn among(place: &str, values: impl Iterator<Item = String>) -> String {
    match values.collect::<Vec<_>>().as_slice() {
        [] => NEVER.to_owned(),
        [one] => format!("{place} == {one}"),
        several => format!("[{}].contains({place})", several.join(", ")),
    }
}

/// Whether a set has one of these.
fn meets(set: &str, values: impl Iterator<Item = String>) -> String {
    match values.collect::<Vec<_>>().as_slice() {
        [] => NEVER.to_owned(),
        [one] => format!("{set}.contains({one})"),
        several => format!("{set}.containsAny([{}])", several.join(", ")),
    }
}

fn actions<'a>(actions: impl Iterator<Item = &'a Action>) -> String {
    among("action", actions.map(|action| uid("Action", action.as_str())))
}

/// The name that an atom stands for, on dimensions other than `data` and `cleared`.
fn name(atom: &Atom) -> Option<&str> {
    match atom {
        Atom::Closed(name) => Some(name),
        Atom::Open(name) => Some(name),
        Atom::Unknown => Some("unknown"),
        _ => None,
    }
}

fn uid(kind: &str, id: &str) -> String {
    format!("{NAMESPACE}::{kind}::{}", quoted(id))
}

/// A string literal of Cedar: that of JSON, but for control characters, which Cedar writes as `\u{..}`.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
