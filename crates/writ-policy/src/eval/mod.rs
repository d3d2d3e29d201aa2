//! The meaning of policies: facts to verdicts, as POLICY.md sections 2, 4 and 5 say.
//!
//! [`Policy`] holds the rows that rules lower to and judges situations with them; [`mod@reference`] follows the words of the
//! language literally and slowly, and is the oracle of the rows (invariant POL-4). Readings that the words leave open:
//!
//! * A key that names `unknown` speaks about it itself, in both senses.
//! * A directory's set of groups that contains `unknown` could not be read.
//! * Under a class, `not` refuses the class from the band and certainty named upwards.
//! * `cleared` in a raising rule without `data` speaks about every class found. `plain` is not subject to clearance.
//! * `not` on `action` names nothing: such a rule does not judge answers and does not foresee a tunnel.
//! * A pending action is one that leaves: every other one is known from the connection, from the head, or because it
//!   is an answer. In a row for unreadable content an action keeps its direction only.
//! * Unreadable answers are blocked only by rows: rules that do not name `receive` or `tool-result` do not judge them.
//! * Only a rule that says `fail: open` opens unreadable content. Where an exception or the roll-out suspends the rules
//!   that fail closed, content is stopped by default, as it would be without them; the roll-out has no entry for that.
//! * An exception without `data` has no condition on what was found.
//! * A roll-out entry counts while it is in force and for those in its ring; where none counts the step is enforce. If the
//!   directory cannot say whether a person is in a group, the stricter possibility holds.

mod answer;
mod encoding;
mod error;
mod explain;
pub(crate) mod layout;
mod lower;
mod offer;
pub mod readable;
pub mod reference;
mod resolve;
pub(crate) mod rows;
pub(crate) mod situation;
mod staged;
mod standing;
pub mod testing;
mod weigh;

use std::collections::BTreeMap;
use std::sync::Arc;

use writ_base::ContentHash;
use writ_model::schema::Dimension;
use writ_model::standing::{ExceptionGrant, POSTURE, RolloutEntry};
use writ_model::{Action, Band, Decision, Effect, Facts, Term, Value, Who};

use crate::rule::{ClassDefinition, ClauseModel, PolicyModel, Rule};

pub use answer::{AnswerDuty, AnswerScan, ClassesToScan};
pub use error::{CompileError, KeyError, StandingError};
pub use explain::{AppliedRule, Explanation, HeldKey, explain};
pub use layout::{CLASSES, SITUATION_BITS};
pub use lower::{ROWS, UNLESS_ROWS};
pub use resolve::keys;
pub use staged::Staged;
pub use standing::{Exception, Standing};

use encoding::Encoder;
use layout::Layout;
use rows::{Bits, Gates, Mask, Rows, Test, Tests, mask};
use situation::Situation;
use weigh::Bound;

/// The clause name of a block that stands because content could not be read, no rule opens it, and none in force stops it.
pub const UNREADABLE: Term = Term::fixed("unreadable");

/// A policy that can judge: immutable, to be shared between threads behind one `Arc`.
#[derive(Clone, Debug)]
pub struct Policy {
    model: Arc<PolicyModel>,
    standing: Arc<Standing>,
    text_hash: ContentHash,
    rows_hash: ContentHash,
    standing_hash: ContentHash,
    pub(crate) layout: Layout,
    pub(crate) rows: Rows,
    gates: Gates,
    /// The classes of each rule, in the order of the model.
    pub(crate) selections: Vec<Selection>,
    /// The places of all rules in the model, by clause and number.
    places: Vec<u32>,
    pub(crate) exceptions: Vec<LoweredException>,
    pub(crate) rollout: BTreeMap<Term, Vec<RolloutEntry>>,
    pub(crate) fixed: Fixed,
}

impl Policy {
    /// Lowers a policy to rows. `text_hash` is that of the assembled, signed text.
    ///
    /// # Errors
    /// If the policy needs more than a named limit admits.
    pub fn compile(model: PolicyModel, text_hash: ContentHash) -> Result<Self, CompileError> {
        let standing = Standing::default();
        let mut policy = Self::lower(Arc::new(model), standing, text_hash, ContentHash::default())?;
        policy.rows_hash = policy.hash_rows();
        Ok(policy)
    }

    /// The same policy with these exceptions and this roll-out instead of those it had. The rows hash stays: standing
    /// objects change no rule.
    ///
    /// # Errors
    /// If an object names no clause, an exception's keys are no keys or reach beyond its clause, a time ends before it
    /// begins, or the keys need more than a named limit admits.
    pub fn with_standing(
        &self,
        exceptions: Vec<ExceptionGrant>,
        rollout: Vec<RolloutEntry>,
    ) -> Result<Self, StandingError> {
        let standing = Standing::resolve(&self.model, exceptions, rollout)?;
        Ok(Self::lower(Arc::clone(&self.model), standing, self.text_hash, self.rows_hash)?)
    }

    /// The same policy with standing objects that were resolved and checked before.
    ///
    /// # Errors
    /// If their keys need more than a named limit admits.
    pub fn with_resolved(&self, standing: Standing) -> Result<Self, CompileError> {
        Self::lower(Arc::clone(&self.model), standing, self.text_hash, self.rows_hash)
    }

    fn lower(
        model: Arc<PolicyModel>,
        standing: Standing,
        text_hash: ContentHash,
        rows_hash: ContentHash,
    ) -> Result<Self, CompileError> {
        let keys: Vec<_> = standing.exceptions.iter().map(|exception| &exception.keys).collect();
        let layout = Layout::new(&model, &keys, &standing.groups())?;
        let rows = lower::rows(&layout, &model)?;
        let selections = model.rules.iter().map(|rule| Selection::of(&layout, rule)).collect();
        let mut places: Vec<u32> = (0u32..).zip(&model.rules).map(|(place, _)| place).collect();
        places.sort_by_key(|place| model.rules.get(*place as usize).map(|rule| (rule.clause.clone(), rule.number)));
        let exceptions = standing.exceptions.iter().map(|e| LoweredException::of(&layout, &model, e)).collect();
        let mut rollout = BTreeMap::<Term, Vec<RolloutEntry>>::new();
        for entry in &standing.rollout {
            rollout.entry(entry.clause.clone()).or_default().push(entry.clone());
        }
        let standing_hash = standing.hash();
        let fixed = Fixed::of(&layout, &model);
        let standing = Arc::new(standing);
        Ok(Self {
            model,
            standing,
            text_hash,
            rows_hash,
            standing_hash,
            layout,
            gates: rows.gates(),
            rows,
            selections,
            places,
            exceptions,
            rollout,
            fixed,
        })
    }

    /// Judges a situation: both verdicts. Total. A fact that is still pending counts as a risk: rules that raise apply
    /// to it, rules that foresee do not.
    pub fn decide(&self, facts: &Facts) -> Decision {
        let situation = Situation::of(&self.layout, facts);
        let bound = if situation.pending { Bound::Most } else { Bound::Exact };
        let mut weighed = self.weigh(&situation, facts, bound, None);
        self.add_offers(&situation, facts, &mut weighed);
        weighed.decision
    }

    /// Judges a situation as if an exception from this clause, without a condition of its own, were in force: what
    /// asking for one could lead to. Offers are left out.
    pub fn decide_as_if_excepted(&self, facts: &Facts, clause: &Term) -> Decision {
        let situation = Situation::of(&self.layout, facts);
        let bound = if situation.pending { Bound::Most } else { Bound::Exact };
        self.weigh(&situation, facts, bound, Some(clause)).decision
    }

    /// The model that was compiled.
    pub fn model(&self) -> &PolicyModel {
        &self.model
    }

    /// What stands beside the policy, with keys resolved.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The hash of the signed text.
    pub const fn text_hash(&self) -> ContentHash {
        self.text_hash
    }

    /// The hash of the rows: a function of the rules, postures and classes alone (invariant POL-3).
    pub const fn rows_hash(&self) -> ContentHash {
        self.rows_hash
    }

    /// The hash of exceptions and roll-out.
    pub const fn standing_hash(&self) -> ContentHash {
        self.standing_hash
    }

    /// The number of rows.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The clause with this id.
    pub fn clause(&self, id: &str) -> Option<&ClauseModel> {
        self.model.clauses.iter().find(|clause| clause.id == id)
    }

    /// What people call a clause: number and heading, or what stands for the posture. Nothing if there is no such clause.
    pub fn clause_name(&self, id: &str) -> Option<String> {
        if id == POSTURE.as_str() {
            return Some("what no rule foresees".to_owned());
        }
        self.clause(id).map(|clause| format!("{} {}", clause.number, clause.title).trim().to_owned())
    }

    /// The rule with this number in the clause with this id.
    pub fn rule(&self, clause: &str, number: u16) -> Option<&Rule> {
        self.model.rules.get(self.place_of(clause, number)?)
    }

    /// The place of a rule in the model.
    fn place_of(&self, clause: &str, number: u16) -> Option<usize> {
        let key = |place: &u32| self.model.rules.get(*place as usize).map(|rule| (rule.clause.as_str(), rule.number));
        let found = self.places.binary_search_by(|place| key(place).cmp(&Some((clause, number)))).ok()?;
        self.places.get(found).map(|place| *place as usize)
    }

    /// All classes, shipped and own.
    pub fn classes(&self) -> &BTreeMap<Term, ClassDefinition> {
        &self.model.classes
    }

    /// The effect of what nothing foresees, for a `who`.
    pub fn posture_of(&self, who: Who) -> Effect {
        posture(&self.model, who)
    }

    /// The band of `count` distinct values of a class; `None` for no value. A class that the policy does not define has
    /// the default bands.
    pub fn class_band(&self, class: &str, count: u32) -> Option<Band> {
        self.model.classes.get(class).unwrap_or(&layout::UNDEFINED).band(count)
    }

    fn hash_rows(&self) -> ContentHash {
        let mut out = Encoder::default();
        out.text(encoding::VERSION);
        self.layout.encode(&mut out);
        out.list(&self.fixed.postures, |out, effect| out.number(*effect as u64));
        out.list(&self.model.rules, encode_rule);
        self.rows.encode(&mut out);
        out.hash()
    }
}

/// What a rule says beside its rows; texts for people are in the text hash.
fn encode_rule(out: &mut Encoder, rule: &Rule) {
    out.text(&rule.clause);
    out.number(rule.number.into());
    out.number(rule.then as u64);
    for flag in [rule.redact, rule.foresees, rule.fail_closed, rule.ask_level] {
        out.number(flag.into());
    }
    out.list(&rule.override_roles, |out, role| out.text(role));
    out.list(&rule.offers, |out, offer| out.text(&offer::canonical(offer)));
    out.number(rule.severity.map_or(0, |severity| u64::from(severity.index()) + 1));
    out.number(rule.restore as u64);
    out.number(rule.every_seconds);
}

/// The classes of a rule: what it redacts, and what an acknowledgement must name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    all: bool,
    /// One bit per class, by its place.
    classes: u128,
    /// Whether classes are selected that are not cleared, that are cleared.
    clearance: [bool; 2],
}

impl Selection {
    fn of(layout: &Layout, rule: &Rule) -> Self {
        let values = lower::data_values(&rule.keys);
        let clearance = lower::clearance(&rule.keys);
        let silent = values.is_empty() && (rule.redact || clearance.is_some());
        let places = values.iter().filter_map(|value| layout.class(layout::class_of(value)?));
        Self {
            all: silent || values.contains(&&crate::rule::KeyValue::AnyClass),
            classes: places.fold(0, |all, place| all | 1 << place),
            clearance: clearance.map_or([true; 2], |allowed| [allowed(false), allowed(true)]),
        }
    }

    const fn empty(self) -> bool {
        !self.all && self.classes == 0
    }

    pub(crate) fn names(self, place: Option<u16>) -> bool {
        self.all || place.is_some_and(|place| self.classes & (1 << place) != 0)
    }

    pub(crate) const fn allows(self, cleared: bool) -> bool {
        let [not_cleared, is_cleared] = self.clearance;
        if cleared { is_cleared } else { not_cleared }
    }
}

/// An exception as tests and a cover.
#[derive(Clone, Debug)]
pub(crate) struct LoweredException {
    pub(crate) tests: Tests,
    /// What it covers, and the test under which it does: a tunnel only where it is named.
    pub(crate) cover: Mask,
    pub(crate) covers: Test,
}

impl LoweredException {
    fn of(layout: &Layout, model: &PolicyModel, exception: &Exception) -> Self {
        let tests = exception.keys.tests.iter().map(|key| lower::relaxing_test(layout, key)).collect();
        let values = exception.covered_values(model);
        let cover = values.iter().flat_map(|value| lower::covered(layout, value));
        let named = lower::names_tunnel(&exception.keys);
        let actions = Action::ALL.iter().copied().filter(|action| named || *action != Action::Tunnel);
        Self { tests, cover: mask(cover.chain([layout.plain()])), covers: lower::action_test(layout, actions) }
    }
}

/// What is the same in every evaluation of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    /// The bits of the data region.
    data: Bits,
    data_words: std::ops::Range<u8>,
    pub(crate) unreadable: Test,
    /// Actions about which the posture speaks.
    pub(crate) posture_actions: Test,
    /// Actions that are stopped where they could not be read and no row says what then happens.
    pub(crate) stopped_unread: Test,
    /// The posture of each `who`, in the order of the schema.
    pub(crate) postures: Vec<Effect>,
}

impl Fixed {
    fn of(layout: &Layout, model: &PolicyModel) -> Self {
        let pieces = mask(layout.data());
        let mut data = Bits::EMPTY;
        pieces.iter().for_each(|piece| data.add(*piece));
        let first = pieces.first().map_or(0, |piece| piece.word);
        let last = pieces.last().map_or(0, |piece| piece.word);
        let answers = [Action::Receive, Action::ToolResult];
        let all = Action::ALL.iter().copied();
        Self {
            data,
            data_words: first..last + 1,
            unreadable: Test::any(layout.bits(Dimension::Unreadable)),
            posture_actions: lower::action_test(layout, all.clone().filter(|action| action.has_posture())),
            stopped_unread: lower::action_test(layout, all.filter(|action| !answers.contains(action))),
            postures: Who::ALL.iter().map(|who| posture(model, *who)).collect(),
        }
    }
}

/// The posture of a `who`; block where the document is silent.
fn posture(model: &PolicyModel, who: Who) -> Effect {
    model.postures.get(&who).copied().unwrap_or(Effect::Block)
}

#[cfg(test)]
mod tests {
    use super::testing::{Seeded, arbitrary, situation, synthetic};
    use super::*;

    /// Whether the comparison of rows with the reference evaluator tells a policy from a corrupted one.
    fn differs(policy: &Policy, seed: u64) -> bool {
        let mut random = Seeded::new(seed);
        (0..600).any(|_| {
            let facts = situation(&mut random);
            policy.decide(&facts) != reference::decide(policy.model(), policy.standing(), &facts)
        })
    }

    #[test]
    fn pol_4_the_oracle_catches_a_corrupted_row() {
        let (mut corrupted, mut caught) = (0, 0);
        for seed in 0..8 {
            let model = arbitrary(&mut Seeded::new(seed), 6);
            let sound = Policy::compile(model, ContentHash::default()).unwrap();
            assert!(!differs(&sound, seed));
            let mut broken = Vec::new();
            for place in 0..sound.rows.raise.len().min(2) {
                let mut policy = sound.clone();
                let row = &mut policy.rows.raise[place];
                row.tests = row.tests.iter().map(Test::negated).collect();
                policy.gates = policy.rows.gates();
                broken.push(policy);
                let mut policy = sound.clone();
                policy.rows.raise.remove(place);
                policy.gates = policy.rows.gates();
                broken.push(policy);
            }
            for place in 0..sound.rows.foresee.len().min(2) {
                let mut policy = sound.clone();
                policy.rows.foresee[place].cover = mask(policy.layout.data());
                policy.gates = policy.rows.gates();
                broken.push(policy);
            }
            corrupted += broken.len();
            caught += broken.iter().filter(|policy| differs(policy, seed)).count();
        }
        // Some corruptions change nothing: the row never decided anything, or another one says the same.
        assert!(corrupted > 20 && caught * 10 >= corrupted * 6, "{caught} of {corrupted}");
    }

    #[test]
    fn a_synthetic_policy_has_the_rules_asked_for_and_is_the_same_for_a_seed() {
        let policy = Policy::compile(synthetic(150, 1), ContentHash::default()).unwrap();
        assert_eq!(policy.model().rules.len(), 150);
        let again = Policy::compile(synthetic(150, 1), ContentHash::default()).unwrap();
        assert_eq!(policy.rows_hash(), again.rows_hash());
        assert!(!differs(&policy, 1));
    }
}
