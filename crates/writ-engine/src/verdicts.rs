//! Verdicts of one snapshot, by the facts that they rest on. Judging is a function of facts, and most interactions have
//! the facts of an earlier one: then nothing is judged twice. What is remembered is never a verdict over a *text*; the
//! facts of every text are made anew.

use std::sync::Arc;

use writ_base::{KeyedDigest, Moment};
use writ_model::Decision;
use writ_model::facts::{Facts, Reading};
use writ_model::schema::Dimension;
use writ_model::standing::Ring;
use writ_policy::eval::{AnswerDuty, Policy, Staged};

use crate::limits;
use crate::memory::Memory;

/// What a snapshot's policy said.
#[derive(Debug)]
pub(crate) struct Verdicts {
    key: [u8; 32],
    /// The moments at which something beside the policy begins or ends, sorted: between two of them time does not matter.
    changes: Vec<Moment>,
    /// Whether a roll-out goes by share.
    by_share: bool,
    decisions: Memory<KeyedDigest, Arc<Decision>>,
    early: Memory<KeyedDigest, Option<Arc<Decision>>>,
    duties: Memory<KeyedDigest, Arc<AnswerDuty>>,
}

/// Dimensions on which what an answer needs does not depend: they settle with the answer.
const OF_ANSWERS: &[Dimension] = &[
    Dimension::Action,
    Dimension::Data,
    Dimension::Level,
    Dimension::Declared,
    Dimension::Origin,
    Dimension::Activity,
    Dimension::Signal,
    Dimension::Unreadable,
];

impl Verdicts {
    /// An empty memory of what `policy` says.
    pub(crate) fn of(policy: &Policy) -> Self {
        let standing = policy.standing();
        let exceptions = standing.exceptions.iter().flat_map(|exception| [exception.grant.from, exception.grant.until]);
        let rollout = standing.rollout.iter().flat_map(|entry| [entry.from, entry.until]);
        let mut changes: Vec<Moment> = exceptions.chain(rollout).collect();
        changes.sort_unstable();
        Self {
            key: *policy.rows_hash().as_bytes(),
            changes,
            by_share: standing.rollout.iter().any(|entry| matches!(entry.ring, Ring::Share(_))),
            decisions: Memory::new(&limits::DECISIONS),
            early: Memory::new(&limits::EARLY),
            duties: Memory::new(&limits::DUTIES),
        }
    }

    /// As [`Policy::decide`].
    pub(crate) fn decide(&self, policy: &Policy, facts: &Facts) -> Arc<Decision> {
        if !facts.acknowledged.is_empty() {
            // They hold for one content and end by themselves.
            return Arc::new(policy.decide(facts));
        }
        let key = self.digest(facts, &[]);
        self.decisions.recall(&key).unwrap_or_else(|| {
            let decision = Arc::new(policy.decide(facts));
            self.decisions.keep(key, Arc::clone(&decision));
            decision
        })
    }

    /// The decision of [`Policy::decide_staged`] where it is an early block.
    pub(crate) fn early_block(&self, policy: &Policy, facts: &Facts) -> Option<Arc<Decision>> {
        let block = || match policy.decide_staged(facts) {
            Staged::EarlyBlock(decision) => Some(Arc::new(decision)),
            Staged::Open { .. } | Staged::Settled(_) => None,
        };
        if !facts.acknowledged.is_empty() {
            return block();
        }
        let key = self.digest(facts, &[]);
        self.early.recall(&key).unwrap_or_else(|| {
            let block = block();
            self.early.keep(key, block.clone());
            block
        })
    }

    /// As [`Policy::could_redact_or_raise_answers`].
    pub(crate) fn answer_duty(&self, policy: &Policy, facts: &Facts) -> Arc<AnswerDuty> {
        let key = self.digest(facts, OF_ANSWERS);
        self.duties.recall(&key).unwrap_or_else(|| {
            let duty = Arc::new(policy.could_redact_or_raise_answers(facts));
            self.duties.keep(key, Arc::clone(&duty));
            duty
        })
    }

    /// A digest of everything in facts that a verdict rests on, acknowledgements and some dimensions aside.
    fn digest(&self, facts: &Facts, but: &[Dimension]) -> KeyedDigest {
        let mut out = Vec::with_capacity(512);
        let number = |out: &mut Vec<u8>, number: u64| out.extend_from_slice(&number.to_le_bytes());
        let text = |out: &mut Vec<u8>, text: &str| {
            number(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        };
        number(&mut out, self.changes.partition_point(|change| *change <= facts.decided_at) as u64);
        number(&mut out, if self.by_share { facts.share.into() } else { 0 });
        for dimension in Dimension::ALL.iter().filter(|dimension| !but.contains(dimension)) {
            out.push(*dimension as u8);
            match facts.read(*dimension) {
                Reading::Pending => out.push(0),
                Reading::Closed(index) => out.extend([1, index]),
                Reading::Open(name) => {
                    out.push(2);
                    text(&mut out, name);
                }
                Reading::ClosedSet(bits) => {
                    out.push(3);
                    number(&mut out, bits);
                }
                Reading::OpenSet(None) => out.push(4),
                Reading::OpenSet(Some(names)) => {
                    out.push(5);
                    number(&mut out, names.len() as u64);
                    names.iter().for_each(|name| text(&mut out, name));
                }
                Reading::Classes(classes) => {
                    out.push(6);
                    number(&mut out, classes.len() as u64);
                    for (name, found) in classes {
                        text(&mut out, name);
                        number(&mut out, found.likely.into());
                        number(&mut out, found.certain.into());
                    }
                }
            }
        }
        facts.unredactable.iter().for_each(|name| text(&mut out, name));
        KeyedDigest::of(&self.key, &out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_base::ContentHash;
    use writ_model::Fact;
    use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation};

    /// Facts that differ from others in a few places, one of which may be the time.
    fn mixed(random: &mut Seeded, facts: &Facts, other: &Facts) -> Facts {
        let mut facts = facts.clone();
        macro_rules! mix {
            ($($field:ident),+ $(,)?) => {
                $(if random.chance(4) { facts.$field = other.$field.clone(); })+
            };
        }
        mix!(
            who,
            identity,
            entity,
            group,
            action,
            service,
            category,
            tier,
            status,
            account,
            data,
            cleared,
            level,
            declared,
            origin,
            activity,
            channel,
            device,
            person_region,
            service_region,
            training,
            attestation,
            signal,
            unreadable,
            unredactable,
            acknowledged,
            share,
            decided_at,
        );
        facts
    }

    #[test]
    fn pol_4_what_is_remembered_is_what_would_be_judged() {
        let mut repeated = 0;
        for seed in 0..30 {
            let mut random = Seeded::new(seed);
            let policy = Policy::compile(arbitrary(&mut random, 8), ContentHash::default()).unwrap();
            let policy = policy.with_resolved(arbitrary_standing(&mut random)).unwrap();
            let verdicts = Verdicts::of(&policy);
            let common: Vec<Facts> = (0..4).map(|_| situation(&mut random)).collect();
            for _ in 0..150 {
                let (one, other) = (random.pick(&common, common[0].clone()), random.pick(&common, common[1].clone()));
                let facts = mixed(&mut random, &one, &other);
                repeated += usize::from(verdicts.decisions.recall(&verdicts.digest(&facts, &[])).is_some());
                assert_eq!(*verdicts.decide(&policy, &facts), policy.decide(&facts));
                assert_eq!(*verdicts.answer_duty(&policy, &facts), policy.could_redact_or_raise_answers(&facts));
                let head = Facts { action: Fact::Pending, data: Fact::Pending, cleared: Fact::Pending, ..facts };
                let block = match policy.decide_staged(&head) {
                    Staged::EarlyBlock(decision) => Some(decision),
                    _ => None,
                };
                assert_eq!(verdicts.early_block(&policy, &head).as_deref(), block.as_ref());
            }
        }
        assert!(repeated > 500, "{repeated} of 4500 were judged before");
    }
}
