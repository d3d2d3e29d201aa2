//! Verdicts before everything is known (POLICY.md section 4, *Stages*).

use std::collections::BTreeSet;

use writ_base::InvariantId;
use writ_model::verdict::Offer;
use writ_model::{Decision, Effect, Facts};

use super::Policy;
use super::situation::Situation;
use super::weigh::{Bound, same_outcome};

/// What can be said while facts are pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged {
    /// What is pending may change the verdict: nothing is sent and nothing is refused yet. The enforced effect lies
    /// between these two.
    Open {
        /// The least effect that may come.
        least: Effect,
        /// The strictest effect that may come.
        most: Effect,
    },
    /// The enforced verdict is block, whatever settles: with the clauses known so far, without an override (it can be
    /// overridden only by sending again), and with the offers that may still help.
    EarlyBlock(Decision),
    /// Whatever settles, effect and redactions of both verdicts are these: bytes may stream.
    Settled(Decision),
}

impl Policy {
    /// Judges a situation of which facts may be pending. However the pending facts settle, a complete decision blocks
    /// where this one says [`Staged::EarlyBlock`], and has the same effect and redactions where it says
    /// [`Staged::Settled`] (invariant POL-4). A pending action is taken to be one that leaves the organisation.
    pub fn decide_staged(&self, facts: &Facts) -> Staged {
        let situation = Situation::of(&self.layout, facts);
        if !situation.pending {
            let mut weighed = self.weigh(&situation, facts, Bound::Exact, None);
            self.add_offers(&situation, facts, &mut weighed);
            return Staged::Settled(weighed.decision);
        }
        let mut weighed = self.weigh(&situation, facts, Bound::Least, None);
        if weighed.decision.enforced.effect == Effect::Block {
            self.add_offers(&situation, facts, &mut weighed);
            let mut least = weighed.decision;
            for verdict in [&mut least.enforced, &mut least.full] {
                verdict.offers.retain(|offer| *offer != Offer::Redact);
                verdict.override_roles = BTreeSet::new();
            }
            return Staged::EarlyBlock(least);
        }
        let most = self.weigh(&situation, facts, Bound::Most, None).decision;
        let least = &weighed.decision;
        InvariantId::EvaluatorsAgree.check(least.enforced.effect <= most.enforced.effect);
        if same_outcome(least, &most) {
            self.add_offers(&situation, facts, &mut weighed);
            return Staged::Settled(weighed.decision);
        }
        Staged::Open { least: least.enforced.effect, most: most.enforced.effect }
    }
}
