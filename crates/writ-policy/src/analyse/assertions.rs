//! Assertions, proved over all possible situations.
//!
//! What an assertion speaks about is drawn as rules of the language, so that its keys mean what they mean in a rule: a
//! rule with its keys, one for each class that must not pass, and one that says what is not read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use writ_base::{Limit, Moment};
use writ_model::facts::Fact;
use writ_model::schema::Dimension;
use writ_model::standing::{ExceptionGrant, POSTURE, RolloutId};
use writ_model::{Account, Action, Effect, Signal, Term, Unreadable, Value as _};

use crate::assertion::{Assertion, Claim};
use crate::diagram::{Diagram, Diagrams, Full, Live, TooLarge, World};
use crate::eval::testing::blank;
use crate::eval::{Policy, StandingError};
use crate::rule::{KeyTest, KeyValue, Keys, Rule};

use super::lens;
use super::standing::above_the_text;
use super::{Witness, reproduced, words};

/// Moments at which assertions are proved: now, whenever an exception begins, and whenever the roll-out changes.
pub static ASSERTION_MOMENTS: Limit = Limit::new("policy.assertion_moments", "moments", 64);

/// What came of all assertions of a policy.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// One for each assertion, in the order of the text.
    pub assertions: Vec<Proved>,
    /// A situation in which the roll-out is stricter than the text; there is none.
    pub above_the_text: Option<Witness>,
}

/// What came of one assertion.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The assertion.
    pub assertion: Assertion,
    /// What the full verdict does.
    pub outcome: Outcome,
    /// Situations in which the enforced verdict does not meet it yet.
    pub not_yet: Option<NotYet>,
    /// What `in what is read` leaves out, as far as it would break the assertion.
    pub left_out: Vec<LeftOut>,
}

/// Whether an assertion holds.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// In every possible situation.
    Holds,
    /// Not in this one.
    Fails {
        /// The situation, with the verdict.
        witness: Box<Witness>,
        /// Readable rows of where it fails.
        regions: Vec<String>,
    },
}

/// An assertion that holds as written but is not in force everywhere.
#[derive(Clone, Debug)]
pub struct NotYet {
    /// From when on it is met.
    pub from: Option<Moment>,
    /// The roll-out entries that suspend what it needs.
    pub because: Vec<RolloutId>,
    /// A situation, with both verdicts.
    pub witness: Box<Witness>,
}

/// Content that is not read, and passes.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Why it is not read.
    pub what: &'static str,
    /// A situation.
    pub words: String,
}

impl Proof {
    /// The assertions that fail.
    pub fn failing(&self) -> impl Iterator<Item = &Proved> {
        self.assertions.iter().filter(|proved| matches!(proved.outcome, Outcome::Fails { .. }))
    }

    /// Whether all assertions hold as written.
    pub fn holds(&self) -> bool {
        self.failing().next().is_none()
    }
}

impl Proved {
    /// In one sentence what is wrong, if the assertion fails.
    pub fn failure(&self) -> Option<String> {
        let Outcome::Fails { witness, .. } = &self.outcome else { return None };
        Some(format!("`{}` does not hold: {witness}", self.assertion.sentence()))
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let (holds, witness, regions) = match &self.outcome {
            Outcome::Holds => (true, Value::Null, Vec::new()),
            Outcome::Fails { witness, regions } => (false, witness.to_json(), regions.clone()),
        };
        let not_yet = self.not_yet.as_ref().map(|not_yet| {
            json!({
                "from": not_yet.from.map(|from| from.to_string()),
                "because": not_yet.because.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "witness": not_yet.witness.to_json(),
            })
        });
        let left_out: Vec<Value> =
            self.left_out.iter().map(|left| json!({ "what": left.what, "for-example": left.words })).collect();
        json!({
            "assertion": self.assertion.sentence(),
            "clause": self.assertion.clause,
            "holds": holds,
            "witness": witness,
            "where": regions,
            "not-yet-in-force": not_yet,
            "left-out": left_out,
        })
    }
}

/// Proves the assertions of a policy with the exceptions and the roll-out that stand beside it, now and at every later
/// moment at which an exception begins.
///
/// # Errors
/// If the diagrams need more than a named limit admits. Such a policy runs all the same.
pub fn prove(policy: &Policy, world: &World, at: Moment) -> Result<Proof, TooLarge> {
    if policy.model().assertions.is_empty() {
        return Ok(Proof::default());
    }
    let asked = Asked::of(policy)?;
    let mut diagrams = Diagrams::of(&[policy, &asked.policy], world)?;
    let heaviest = diagrams.heaviest();
    proof(&mut diagrams, policy, &asked, world, at).map_err(|error| error.or_of(&heaviest))
}

fn proof(
    diagrams: &mut Diagrams<'_>,
    policy: &Policy,
    asked: &Asked,
    world: &World,
    at: Moment,
) -> Result<Proof, TooLarge> {
    let mut prover = Prover::new(diagrams, policy, asked, world, at)?;
    let mut proof = Proof::default();
    for (number, assertion) in policy.model().assertions.iter().enumerate() {
        proof.assertions.push(prover.prove(number, assertion)?);
    }
    proof.above_the_text = prover.above()?;
    reproduced(proof.above_the_text.is_none());
    Ok(proof)
}

/// Proves the assertions as if one more exception stood beside the policy: before it is approved.
///
/// # Errors
/// If the exception does not fit the policy, or the diagrams need more than a named limit admits.
pub fn prove_with(
    policy: &Policy,
    exception: ExceptionGrant,
    world: &World,
    at: Moment,
) -> Result<Result<Proof, TooLarge>, StandingError> {
    let standing = policy.standing();
    let granted = standing.exceptions.iter().map(|exception| exception.grant.clone());
    let granted = granted.filter(|granted| granted.id != exception.id).chain([exception.clone()]).collect();
    Ok(prove(&policy.with_standing(granted, standing.rollout.clone())?, world, at))
}

/// What assertions speak about, as rules.
struct Asked {
    policy: Policy,
    parts: Vec<Parts>,
    /// Rules for content that is not read, with why.
    unread: Vec<(&'static str, usize)>,
    /// What is sent under personal accounts.
    personal: usize,
    /// What is sent or uploaded.
    sent: usize,
}

/// Places of the rules of one assertion.
struct Parts {
    situation: usize,
    /// A value of `passes` and its rule.
    passes: Vec<(KeyValue, usize)>,
}

impl Asked {
    fn of(policy: &Policy) -> Result<Self, TooLarge> {
        let mut rules = Vec::new();
        let classes: Vec<KeyValue> = policy.classes().keys().map(whole).collect();
        let assertions = policy.model().assertions.iter();
        let parts = assertions.map(|assertion| parts(assertion, &classes, &mut rules)).collect();
        let mut add = |tests: Vec<KeyTest>| {
            rules.push(raised(Keys { tests }));
            rules.len() - 1
        };
        let family = |name: &str| -> Vec<u8> {
            Signal::ALL.iter().filter(|signal| signal.family() == name).map(|signal| signal.index()).collect()
        };
        let everything: Vec<u8> = Action::ALL.iter().map(|action| action.index()).collect();
        let all = || key(Dimension::Action, everything.clone());
        let unread = vec![
            ("connections that are not inspected", add(vec![key(Dimension::Action, vec![Action::Tunnel.index()])])),
            ("content without a reader", add(vec![all(), key(Dimension::Signal, family("opaque"))])),
            ("malformed content", add(vec![all(), key(Dimension::Signal, family("malformed"))])),
            ("content that could not be read", {
                let reasons = Unreadable::ALL.iter().map(|reason| reason.index()).collect();
                add(vec![all(), key(Dimension::Unreadable, reasons)])
            }),
        ];
        let sent = || key(Dimension::Action, vec![Action::Submit.index(), Action::Upload.index()]);
        let personal = add(vec![sent(), key(Dimension::Account, vec![Account::Personal.index()])]);
        let sent = add(vec![sent()]);
        Ok(Self { policy: lens::of_rules(policy.model(), rules)?, parts, unread, personal, sent })
    }
}

fn whole(class: &Term) -> KeyValue {
    KeyValue::Class { class: class.clone(), band: None, certainty: None }
}

fn key(dimension: Dimension, values: Vec<u8>) -> KeyTest {
    KeyTest { dimension, not: false, values: values.into_iter().map(KeyValue::Closed).collect() }
}

fn raised(keys: Keys) -> Rule {
    Rule { keys, then: Effect::Block, ..blank(POSTURE, 1) }
}

/// The rules of one assertion. What it says of `cleared` belongs to the classes of `data`, or else to those that must not
/// pass. Without `action` a class also passes through a connection that is not inspected.
fn parts(assertion: &Assertion, classes: &[KeyValue], rules: &mut Vec<Rule>) -> Parts {
    let mut add = |tests: Vec<KeyTest>| {
        rules.push(raised(Keys { tests }));
        rules.len() - 1
    };
    let of_data = assertion.keys.on(Dimension::Data).is_some();
    let keys = assertion.keys.tests.iter().filter(|test| of_data || test.dimension != Dimension::Cleared);
    let mut situation: Vec<KeyTest> = keys.cloned().collect();
    let action = assertion.keys.on(Dimension::Action).cloned();
    let values = match &assertion.claim {
        // Each class has a rule of its own, so that no class is taken for another one or for none.
        Claim::NeverPasses(values) if values.contains(&KeyValue::AnyClass) => classes,
        Claim::NeverPasses(values) => values.as_slice(),
        Claim::AtLeast(_) => &[],
    };
    let action = match (action, &assertion.claim) {
        (Some(action), _) => Some(action),
        (None, Claim::AtLeast(_)) => None,
        (None, Claim::NeverPasses(_)) => {
            let leaving = [Action::Submit, Action::Upload, Action::ToolCall, Action::Tunnel];
            let leaving = key(Dimension::Action, leaving.map(|action| action.index()).to_vec());
            situation.push(leaving.clone());
            Some(leaving)
        }
    };
    let cleared = assertion.keys.on(Dimension::Cleared).filter(|_| !of_data);
    let passes = values.iter().map(|value| {
        let data = KeyTest { dimension: Dimension::Data, not: false, values: vec![value.clone()] };
        let cleared = cleared.filter(|_| *value != KeyValue::Plain).cloned();
        (value.clone(), add(action.clone().into_iter().chain([data]).chain(cleared).collect()))
    });
    let passes = passes.collect();
    Parts { situation: add(situation), passes }
}

struct Prover<'a, 'p> {
    diagrams: &'a mut Diagrams<'p>,
    policy: &'a Policy,
    asked: &'a Asked,
    /// Now and whenever an exception begins, with the verdicts then.
    moments: Vec<(Moment, Live)>,
    /// Content that is not read, with why.
    unread: Vec<(&'static str, Diagram)>,
}

impl<'a, 'p> Prover<'a, 'p> {
    fn new(
        diagrams: &'a mut Diagrams<'p>,
        policy: &'a Policy,
        asked: &'a Asked,
        world: &World,
        at: Moment,
    ) -> Result<Self, TooLarge> {
        let mut prover = Self { diagrams, policy, asked, moments: Vec::new(), unread: Vec::new() };
        let begins = policy.standing().exceptions.iter().map(|exception| exception.grant.from);
        let moments: BTreeSet<Moment> = begins.filter(|begin| *begin > at).chain([at]).collect();
        if !ASSERTION_MOMENTS.admits(moments.len()) {
            return Err(TooLarge::of(None));
        }
        for moment in moments {
            let live = prover.diagrams.live(0, moment)?;
            if prover.moments.last().is_none_or(|(_, last)| last.full != live.full) {
                prover.moments.push((moment, live));
            }
        }
        for (why, rule) in &asked.unread {
            let region = prover.region(*rule)?;
            prover.unread.push((*why, region));
        }
        let quiet = prover.quiet()?;
        for (streams, why, rule) in [
            (world.personal_unread, "content under personal accounts", asked.personal),
            (world.protected_unread, "content of protected persons", asked.sent),
        ] {
            if streams {
                let region = prover.region(rule)?;
                let region = prover.diagrams.both(region, quiet)?;
                prover.unread.push((why, region));
            }
        }
        Ok(prover)
    }

    /// Where a rule of the assertions applies.
    fn region(&mut self, rule: usize) -> Result<Diagram, TooLarge> {
        let demands = self.diagrams.chart(1).map(|chart| chart.demands.as_slice()).unwrap_or_default();
        let read = demands.get(rule).map_or(Diagram::NEVER, |demand| demand.read);
        let possible = self.diagrams.possible();
        self.diagrams.both(read, possible)
    }

    /// Where nothing is found in the content, as where it streams unread.
    fn quiet(&mut self) -> Result<Diagram, TooLarge> {
        let pen = crate::diagram::Pen::new(self.policy, 0, &self.diagrams.space);
        Ok(pen.quiet(&mut self.diagrams.forest)?)
    }

    fn prove(&mut self, number: usize, assertion: &Assertion) -> Result<Proved, TooLarge> {
        let mut outcome = Outcome::Holds;
        let moments = std::mem::take(&mut self.moments);
        for (moment, live) in &moments {
            let broken = self.broken(number, assertion, &live.full, assertion.read_only)?;
            if let Some(facts) = self.diagrams.situation(broken, *moment)? {
                let regions = self.diagrams.regions(broken, super::REGIONS)?;
                let regions = regions.regions.iter().map(|(region, _)| words::region(region)).collect();
                outcome = Outcome::Fails { witness: Box::new(Witness::of(self.policy, facts)), regions };
                break;
            }
        }
        let not_yet = match (&outcome, moments.first()) {
            (Outcome::Holds, Some((now, live))) => self.not_yet(number, assertion, *now, live)?,
            _ => None,
        };
        let left_out = match moments.first() {
            Some((now, live)) if assertion.read_only => self.left_out(number, assertion, *now, live)?,
            _ => Vec::new(),
        };
        self.moments = moments;
        Ok(Proved { assertion: assertion.clone(), outcome, not_yet, left_out })
    }

    /// Where an assertion is broken by a verdict.
    fn broken(
        &mut self,
        number: usize,
        assertion: &Assertion,
        verdict: &crate::diagram::Outcome,
        read_only: bool,
    ) -> Result<Diagram, TooLarge> {
        let asked = self.asked;
        let parts = asked.parts.get(number).ok_or(Full)?;
        let mut situation = self.region(parts.situation)?;
        let unread = self.unread.iter().map(|(_, set)| *set).collect::<Vec<_>>();
        let unread = self.diagrams.forest.any(unread)?;
        if read_only {
            situation = self.diagrams.without(situation, unread)?;
        }
        match &assertion.claim {
            Claim::AtLeast(effect) => {
                let reached = self.diagrams.forest.at_least(verdict.effect, *effect as u8)?;
                self.diagrams.without(situation, reached)
            }
            Claim::NeverPasses(_) => {
                let stopped = self.diagrams.forest.at_least(verdict.effect, Effect::Block as u8)?;
                let going = self.diagrams.without(situation, stopped)?;
                let mut passing = vec![unread];
                for (value, rule) in &parts.passes {
                    passing.push(self.passing(value, *rule, verdict)?);
                }
                let passing = self.diagrams.forest.any(passing)?;
                self.diagrams.both(going, passing)
            }
        }
    }

    /// Where a value of `passes` is found and not redacted.
    fn passing(
        &mut self,
        value: &KeyValue,
        rule: usize,
        verdict: &crate::diagram::Outcome,
    ) -> Result<Diagram, TooLarge> {
        let found = self.region(rule)?;
        match value {
            KeyValue::Class { class, .. } => {
                let redacted = verdict.redacts.get(class).copied().unwrap_or(Diagram::NEVER);
                self.diagrams.without(found, redacted)
            }
            _ => Ok(found),
        }
    }

    /// Whether the enforced verdict meets an assertion that holds as written, and from when on.
    fn not_yet(
        &mut self,
        number: usize,
        assertion: &Assertion,
        now: Moment,
        live: &Live,
    ) -> Result<Option<NotYet>, TooLarge> {
        let broken = self.broken(number, assertion, &live.enforced, assertion.read_only)?;
        let Some(facts) = self.diagrams.situation(broken, now)? else { return Ok(None) };
        let witness = Witness::of(self.policy, facts);
        let because = suspending(self.policy, &witness, now);
        let from = self.met_from(number, assertion, now)?;
        Ok(Some(NotYet { from, because, witness: Box::new(witness) }))
    }

    /// The first change of the roll-out or of the exceptions from which on the enforced verdict meets the assertion.
    fn met_from(&mut self, number: usize, assertion: &Assertion, now: Moment) -> Result<Option<Moment>, TooLarge> {
        let standing = self.policy.standing();
        let ends = standing.rollout.iter().flat_map(|entry| [entry.from, entry.until]);
        let begins = standing.exceptions.iter().flat_map(|it| [it.grant.from, it.grant.until]);
        let changes: BTreeSet<Moment> = ends.chain(begins).filter(|change| *change > now).collect();
        if !ASSERTION_MOMENTS.admits(changes.len()) {
            return Ok(None);
        }
        let mut met = None;
        for change in changes.into_iter().rev() {
            let live = self.diagrams.live(0, change)?;
            let broken = self.broken(number, assertion, &live.enforced, assertion.read_only)?;
            if self.diagrams.any(broken)? {
                break;
            }
            met = Some(change);
        }
        Ok(met)
    }

    /// Content that is not read and would break an assertion that leaves it out.
    fn left_out(
        &mut self,
        number: usize,
        assertion: &Assertion,
        now: Moment,
        live: &Live,
    ) -> Result<Vec<LeftOut>, TooLarge> {
        let broken = self.broken(number, assertion, &live.full, false)?;
        let mut all = Vec::new();
        for (what, set) in self.unread.clone() {
            let here = self.diagrams.both(broken, set)?;
            if let Some(facts) = self.diagrams.situation(here, now)? {
                all.push(LeftOut { what, words: words::situation(&facts) });
            }
        }
        Ok(all)
    }

    /// A situation in which the roll-out is stricter than the text.
    fn above(&mut self) -> Result<Option<Witness>, TooLarge> {
        let moments = std::mem::take(&mut self.moments);
        for (moment, live) in &moments {
            let above = above_the_text(self.diagrams, live)?;
            if let Some(witness) = Witness::in_set(self.diagrams, self.policy, above, *moment)? {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }
}

/// The entries of the roll-out by which a verdict is milder than the text: those in force for the clauses that demand
/// more in the full verdict.
fn suspending(policy: &Policy, witness: &Witness, now: Moment) -> Vec<RolloutId> {
    let (full, enforced) = (&witness.decision.full, &witness.decision.enforced);
    let causes = full.decided.iter().chain(&full.applied);
    let same = |cause| enforced.decided.contains(cause) || enforced.applied.contains(cause);
    let suspended: BTreeSet<&Term> = causes.filter(|cause| !same(*cause)).map(|cause| &cause.clause).collect();
    let group = match &witness.facts.group {
        Fact::Known(writ_model::facts::Groups::Known(groups)) => Some(groups),
        _ => None,
    };
    let concerns = |ring: &writ_model::standing::Ring| match ring {
        writ_model::standing::Ring::Everyone => true,
        writ_model::standing::Ring::Share(end) => witness.facts.share < *end,
        writ_model::standing::Ring::Group(name) => group.is_none_or(|groups| groups.contains(name)),
    };
    let entries = policy.standing().rollout.iter().filter(|entry| {
        entry.from <= now && now < entry.until && suspended.contains(&entry.clause) && concerns(&entry.ring)
    });
    entries.map(|entry| entry.id).collect()
}
