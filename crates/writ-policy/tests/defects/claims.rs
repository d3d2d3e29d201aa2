//! What a finding claims, held against the evaluator: its witness is decided as it says, and what it says of all
//! situations holds in many random ones.

use std::collections::BTreeSet;

use writ_base::ContentHash;
use writ_model::standing::POSTURE;
use writ_model::{Action, Activity, Category, Effect, Facts, Set, Term, Verdict};
use writ_policy::analyse::Witness;
use writ_policy::eval::testing::{Seeded, situation};
use writ_policy::eval::{Policy, Standing, explain};
use writ_policy::rule::{KeyValue, PolicyModel, Rule};

use super::examine::{AT, Examined, NOT_ENFORCED, Said, place, world};

/// Random situations that a claim about all situations is held against.
const SITUATIONS: usize = 400;

/// Whether a finding comes with a situation that shows it.
pub(super) fn shown(code: &str) -> bool {
    matches!(
        code,
        "gap"
            | "dead-rule"
            | "overruled-allow"
            | "overruled-cell"
            | "wide-unless"
            | "wide-exception"
            | "weaker-than-baseline"
            | "assertion-fails"
            | "example-contradicts-rule"
    )
}

/// Holds what was said against the evaluator.
pub(super) fn check(examined: &Examined, said: &Said, seed: u64) -> Result<(), String> {
    let Some(policy) = &examined.policy else { return Ok(()) };
    if let Some(witness) = &said.witness
        && policy.decide(&witness.facts) != witness.decision
    {
        return Err("the evaluator decides the witness otherwise".to_owned());
    }
    if said.witness.is_none() && shown(&said.code) {
        return Err("no situation shows it".to_owned());
    }
    let holds = match (said.code.as_str(), &said.witness) {
        ("gap", Some(witness)) => only_the_posture(&witness.decision.full),
        ("dead-rule", Some(witness)) => dead(policy, said, &witness.facts, seed),
        ("vacuous-rule", _) => never_applies(policy, said, seed),
        ("overruled-allow" | "overruled-cell", Some(witness)) => overruled(policy, said, witness),
        ("wide-unless", Some(witness)) => carved_out(policy, said, witness) && never_applies(policy, said, seed),
        ("wide-exception", Some(witness)) => relaxed(policy, witness),
        ("weaker-than-baseline", Some(witness)) => weaker(examined, witness),
        ("example-contradicts-rule", Some(_)) => true,
        ("assertion-fails", Some(witness)) => broken(&witness.decision.full),
        (NOT_ENFORCED, _) => true,
        _ => true,
    };
    if holds { Ok(()) } else { Err("the evaluator does not bear it out".to_owned()) }
}

fn only_the_posture(verdict: &Verdict) -> bool {
    let deciding = verdict.decided.iter().filter(|cause| cause.effect == verdict.effect);
    deciding.map(|cause| &cause.clause).collect::<BTreeSet<_>>() == BTreeSet::from([&POSTURE])
}

/// Effect, and redactions where something goes on.
fn outcome(policy: &Policy, facts: &Facts) -> (Effect, Vec<Term>) {
    let full = policy.decide(facts).full;
    let redact = if full.effect == Effect::Block { Vec::new() } else { full.redact.into_iter().collect() };
    (full.effect, redact)
}

/// Without the rule nothing is decided otherwise.
fn dead(policy: &Policy, said: &Said, facts: &Facts, seed: u64) -> bool {
    let Some(without) = changed(policy, said, |rules, place| drop(rules.remove(place))) else { return false };
    outcome(policy, facts) == outcome(&without, facts)
        && situations(policy, seed).all(|facts| outcome(policy, &facts) == outcome(&without, &facts))
}

/// The rule applies to nothing that was read, where everything could be told.
fn never_applies(policy: &Policy, said: &Said, seed: u64) -> bool {
    situations(policy, seed).filter(told).all(|facts| !applies(policy, said, &facts))
}

fn applies(policy: &Policy, said: &Said, facts: &Facts) -> bool {
    let explanation = explain(policy, facts);
    let own = |clause: &Term, rule: u16| said.rule == Some((clause.clone(), rule));
    explanation.applied.iter().any(|it| own(&it.clause, it.rule) && !it.unread)
}

/// The verdict is stricter than what the rule or cell says, and not because of the posture.
fn overruled(policy: &Policy, said: &Said, witness: &Witness) -> bool {
    let full = &witness.decision.full;
    rule(policy, said).is_some_and(|rule| {
        let redacted = rule.then == Effect::Allow && !rule.redact && !full.redact.is_empty();
        full.effect > rule.then || redacted
    })
}

/// Without the `unless` the rule would apply.
fn carved_out(policy: &Policy, said: &Said, witness: &Witness) -> bool {
    let bare =
        changed(policy, said, |rules, place| rules.iter_mut().skip(place).take(1).for_each(|it| it.unless.clear()));
    bare.is_some_and(|bare| applies(&bare, said, &witness.facts)) && !applies(policy, said, &witness.facts)
}

/// Without exceptions the verdict is stricter.
fn relaxed(policy: &Policy, witness: &Witness) -> bool {
    let text = policy.with_resolved(Standing::default()).unwrap();
    let (strict, now) = (text.decide(&witness.facts).full, &witness.decision.full);
    now.effect < strict.effect || !strict.redact.is_subset(&now.redact)
}

fn weaker(examined: &Examined, witness: &Witness) -> bool {
    let Some(baseline) = &examined.baseline else { return false };
    let (strict, now) = (baseline.decide(&witness.facts).full, &witness.decision.full);
    now.effect < strict.effect || now.effect < Effect::Block && !strict.redact.is_subset(&now.redact)
}

/// Something goes on: an assertion that demands a block or forbids a class to pass.
fn broken(verdict: &Verdict) -> bool {
    verdict.effect < Effect::Block
}

fn rule<'p>(policy: &'p Policy, said: &Said) -> Option<&'p Rule> {
    let (clause, number) = said.rule.as_ref()?;
    policy.rule(clause, *number)
}

/// The policy with a change to the rule that was found.
fn changed(policy: &Policy, said: &Said, change: impl FnOnce(&mut Vec<Rule>, usize)) -> Option<Policy> {
    let (clause, number) = said.rule.as_ref()?;
    let place = place(policy, clause, *number)?;
    let mut model: PolicyModel = policy.model().clone();
    change(&mut model.rules, place);
    Policy::compile(model, ContentHash::default()).ok()
}

/// Possible situations in which what a policy names is common.
pub(super) fn situations(policy: &Policy, seed: u64) -> impl Iterator<Item = Facts> {
    let named = Named::of(policy.model());
    (0..SITUATIONS).map(move |number| {
        let mut random = Seeded::new(seed ^ (u64::try_from(number).unwrap() << 20));
        let mut facts = situation(&mut random);
        named.put_into(&mut facts, &mut random);
        possible(&mut facts);
        facts
    })
}

/// Names that the keys of a policy mention.
struct Named {
    classes: Vec<Term>,
    services: Vec<Term>,
    groups: Vec<Term>,
    others: Vec<(writ_model::Dimension, Vec<Term>)>,
}

impl Named {
    fn of(model: &PolicyModel) -> Self {
        use writ_model::Dimension;
        let tests = || {
            let keys = model.rules.iter().flat_map(|rule| std::iter::once(&rule.keys).chain(&rule.unless));
            keys.flat_map(|keys| &keys.tests)
        };
        let open = |dimension: Dimension| -> Vec<Term> {
            let values = tests().filter(|test| test.dimension == dimension).flat_map(|test| &test.values);
            let names =
                values.filter_map(|value| if let KeyValue::Open(name) = value { Some(name.clone()) } else { None });
            names.collect::<BTreeSet<_>>().into_iter().collect()
        };
        let mentioned = tests().flat_map(|test| &test.values).filter_map(|value| match value {
            KeyValue::Class { class, .. } => Some(class.clone()),
            _ => None,
        });
        let others = [Dimension::Tier, Dimension::Entity, Dimension::PersonRegion, Dimension::ServiceRegion];
        Self {
            classes: mentioned.collect::<BTreeSet<_>>().into_iter().collect(),
            services: open(Dimension::Service),
            groups: open(Dimension::Group),
            others: others.map(|dimension| (dimension, open(dimension))).to_vec(),
        }
    }

    fn put_into(&self, facts: &mut Facts, random: &mut Seeded) {
        use writ_model::Dimension;
        use writ_model::facts::{Fact, Found, Groups};
        let mut data = facts.data.known().cloned().unwrap_or_default();
        let mut cleared = facts.cleared.known().cloned().unwrap_or_default();
        for class in &self.classes {
            if random.chance(40) {
                let likely = random.pick(&[1, 1, 3, 12], 1);
                let certain = random.pick(&[0, 1, likely], likely).min(likely);
                data.insert(class.clone(), Found { likely, certain });
            }
            if random.chance(40) {
                cleared.insert(class.clone());
            }
        }
        (facts.data, facts.cleared) = (data.into(), cleared.into());
        if random.chance(70) {
            let service = random.pick(&self.services, Term::fixed("elsewhere"));
            facts.service = service.into();
        }
        if let (Fact::Known(Groups::Known(groups)), true) = (&mut facts.group, random.chance(60)) {
            groups.extend(self.groups.iter().filter(|_| random.chance(50)).cloned());
        }
        for (dimension, names) in self.others.iter().filter(|(_, names)| !names.is_empty()) {
            let name = random.pick(names, Term::UNKNOWN);
            match dimension {
                Dimension::Tier => facts.tier = name.into(),
                Dimension::Entity => facts.entity = name.into(),
                Dimension::PersonRegion => facts.person_region = name.into(),
                _ => facts.service_region = name.into(),
            }
        }
    }
}

/// Makes a situation one that can be: nothing of a tunnel or a sign-in is read, a service has its category, a prompt wants
/// something.
fn possible(facts: &mut Facts) {
    facts.unredactable.clear();
    facts.acknowledged.clear();
    facts.decided_at = AT;
    if let Some(service) = facts.service.known() {
        match world().services.get(service) {
            Some(category) => facts.category = (*category).into(),
            None if service.unknown() => facts.category = Category::Unknown.into(),
            None => {}
        }
    }
    if facts.activity.known().is_none_or(|set| set.is_empty()) {
        facts.activity = Set::one(Activity::Else).into();
    }
    if matches!(facts.action.known(), Some(Action::Tunnel | Action::SignIn)) {
        *facts = Facts {
            data: Default::default(),
            cleared: Default::default(),
            level: Default::default(),
            declared: Default::default(),
            origin: Default::default(),
            activity: Default::default(),
            signal: Default::default(),
            unreadable: Default::default(),
            ..facts.clone()
        }
        .completed();
    }
}

/// Whether nothing is unknown that would be a risk.
fn told(facts: &Facts) -> bool {
    use writ_model::facts::Groups;
    use writ_model::{Currency, Device, Who};
    let names = [&facts.entity, &facts.service, &facts.tier, &facts.person_region, &facts.service_region];
    let known = names.iter().all(|name| name.known().is_some_and(|name| !name.unknown()));
    let groups = matches!(facts.group.known(), Some(Groups::Known(groups)) if !groups.contains(Term::UNKNOWN.as_str()));
    known
        && groups
        && facts.who.known() != Some(&Who::Unknown)
        && facts.category.known() != Some(&Category::Unknown)
        && facts.device.known() != Some(&Device::Unknown)
        && facts.training.known() != Some(&Currency::Unknown)
        && facts.attestation.known() != Some(&Currency::Unknown)
}
