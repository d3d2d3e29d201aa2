//! What a person may choose instead. An offer is shown only if the verdict after taking it is below block.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use smallvec::SmallVec;
use writ_model::values::Status;
use writ_model::verdict::Offer;
use writ_model::{Fact, Facts, Term, Verdict};

use crate::rule::{KeyValue, PolicyModel, Rule};

use super::rows::{Mask, mask};
use super::situation::Situation;
use super::weigh::{Bound, Held, Hit, Weighed, selected, views};
use super::{Policy, lower};

/// Rules that offer something, with their places.
type Offering<'a> = SmallVec<[(usize, &'a Rule); 8]>;

/// Judges what each offer leads to, over one situation and for one of the verdicts.
struct Asking<'a, 'f> {
    policy: &'a Policy,
    situation: &'a Situation<'f>,
    facts: &'a Facts,
    /// Whether the enforced verdict is meant, or the full one.
    enforced: bool,
    held: &'a Held,
    /// Places of the rules that make the verdict block.
    stopping: OnceCell<SmallVec<[u32; 8]>>,
}

impl Asking<'_, '_> {
    fn offers(&self, offering: &Offering<'_>) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        // Most offers mean the same whichever rule makes them; an exception is one for the rule's clause. Each question
        // is judged once.
        let mut refused: SmallVec<[(&Offer, Option<&Term>); 4]> = SmallVec::new();
        for (_, rule) in offering {
            for offer in &rule.offers {
                let question = (offer, matches!(offer, Offer::AskException).then_some(&rule.clause));
                if offers.contains(offer) || refused.contains(&question) {
                    continue;
                }
                if self.helps(offering, rule, offer) {
                    offers.push(offer.clone());
                } else {
                    refused.push(question);
                }
            }
        }
        offers
    }

    /// Whether the verdict after taking the offer may be below block.
    fn helps(&self, offering: &Offering<'_>, rule: &Rule, offer: &Offer) -> bool {
        match offer {
            Offer::Object => true,
            // The catalog knows what the other service is cleared for; whoever has it judges the new interaction.
            Offer::Redirect(service) => self.facts.service.known() != Some(service),
            Offer::AskException => self.passes_excepted(&rule.clause),
            Offer::AskVetting if self.situation.pending => self.passes_anew(&vetted(self.facts)),
            Offer::AskVetting => self.passes(&self.situation.vetted(&self.policy.layout), self.facts),
            Offer::Redact => {
                let removed = self.policy.redactable(offering, self.situation);
                if self.facts.data.pending() || removed.is_empty() || !removed.is_disjoint(&self.facts.unredactable) {
                    return false;
                }
                if self.situation.pending {
                    return self.passes_anew(&without(self.facts, &removed));
                }
                let after = self.situation.without(&self.policy.layout, self.facts, &removed);
                self.passes(&after, self.facts)
            }
        }
    }

    /// As [`Asking::passes`], where something is pending that the offer may settle.
    fn passes_anew(&self, after: &Facts) -> bool {
        self.passes(&Situation::of(&self.policy.layout, after), after)
    }

    fn passes(&self, situation: &Situation<'_>, facts: &Facts) -> bool {
        let bound = bound(situation);
        let (demanding, _) = views(situation, bound);
        // Where a rule that stops the situation still does no other row need be looked at.
        let still = |place: &u32| {
            let hit = Hit { rule: *place, read: true, unread: false };
            self.policy.raises(*place, demanding)
                && self.policy.stops(hit, &self.held.live, situation, facts, bound, self.enforced)
        };
        // An exception may apply to what is left that did not apply before.
        let same = self.held.live.is_empty() && self.policy.exceptions.is_empty();
        let stopped = same && self.stopping().iter().any(still);
        !stopped && !self.policy.blocks(situation, facts, bound, self.enforced)
    }

    /// As [`Asking::passes`], with an exception from a clause.
    fn passes_excepted(&self, clause: &Term) -> bool {
        let (policy, held) = (self.policy, self.held);
        let of_other = |place: &u32| policy.rule_at(*place).is_some_and(|rule| rule.clause != *clause);
        if held.stopped_unread || self.stopping().iter().any(of_other) {
            return false;
        }
        let foreseen = |open| policy.covers(clause, open);
        held.open.as_ref().is_none_or(|open| {
            !policy.posture_blocks(self.situation, self.facts, held.bound, self.enforced) || foreseen(open)
        })
    }

    fn stopping(&self) -> &[u32] {
        self.stopping.get_or_init(|| {
            let held = self.held;
            let stops = |hit: &&Hit| {
                self.policy.stops(**hit, &held.live, self.situation, self.facts, held.bound, self.enforced)
            };
            held.hits.iter().filter(stops).map(|hit| hit.rule).collect()
        })
    }
}

fn bound(situation: &Situation<'_>) -> Bound {
    if situation.pending { Bound::Least } else { Bound::Exact }
}

impl Policy {
    /// The classes that the person's choice of *redact* removes: those of the rules that decided the verdict and offer
    /// it. The verdict is then taken again over what is left.
    pub fn offered_redaction(&self, verdict: &Verdict, facts: &Facts) -> BTreeSet<Term> {
        self.redactable(&self.offering(verdict), &Situation::of(&self.layout, facts))
    }

    fn redactable(&self, offering: &Offering<'_>, situation: &Situation<'_>) -> BTreeSet<Term> {
        let mut classes = BTreeSet::new();
        for (place, rule) in offering {
            if let (true, Some(selection)) = (rule.offers.contains(&Offer::Redact), self.selections.get(*place)) {
                classes.extend(selected(*selection, situation, Bound::Exact).cloned());
            }
        }
        classes
    }

    /// Fills in the offers of both verdicts.
    pub(super) fn add_offers(&self, situation: &Situation<'_>, facts: &Facts, weighed: &mut Weighed) {
        let decision = &mut weighed.decision;
        let full = self.offering_of(&weighed.held, &decision.full);
        // Without a roll-out both verdicts are one.
        let one = self.rollout.is_empty();
        let enforced = if one { Offering::new() } else { self.offering_of(&weighed.held, &decision.enforced) };
        if full.is_empty() && enforced.is_empty() {
            return;
        }
        let bound = bound(situation);
        // The strictest that may come is weighed; what an offer leads to may be less.
        let other = (bound != weighed.held.bound).then(|| self.held(situation, facts, bound, &mut BTreeSet::new()));
        let held = other.as_ref().unwrap_or(&weighed.held);
        let asking = |enforced| Asking { policy: self, situation, facts, enforced, held, stopping: OnceCell::new() };
        decision.full.offers = asking(false).offers(&full);
        decision.enforced.offers = if one { decision.full.offers.clone() } else { asking(true).offers(&enforced) };
    }

    /// As [`Policy::offering`], for a verdict of the rules that hold: its causes are in the order of the rules.
    fn offering_of(&self, held: &Held, verdict: &Verdict) -> Offering<'_> {
        let mut hits = held.hits.iter().filter_map(|hit| Some((hit.rule as usize, self.rule_at(hit.rule)?)));
        let causes = verdict.decided.iter().filter(|cause| cause.rule != 0);
        let rules =
            causes.filter_map(|cause| hits.find(|(_, rule)| rule.number == cause.rule && rule.clause == cause.clause));
        rules.filter(|(_, rule)| !rule.offers.is_empty()).collect()
    }

    /// The rules that decided a verdict and offer something, with their places, in the order of the text.
    fn offering(&self, verdict: &Verdict) -> Offering<'_> {
        let places = verdict.decided.iter().filter_map(|cause| self.place_of(&cause.clause, cause.rule));
        let rules = places.filter_map(|place| Some((place, self.model.rules.get(place)?)));
        let mut offering: Offering<'_> = rules.filter(|(_, rule)| !rule.offers.is_empty()).collect();
        offering.sort_unstable_by_key(|(place, _)| *place);
        offering
    }

    /// What an exception for a clause would cover if it named nothing itself.
    pub(super) fn clause_cover(&self, clause: &Term) -> Mask {
        let values = clause_values(&self.model, clause);
        let bits = values.iter().flat_map(|value| lower::covered(&self.layout, value));
        mask(bits.chain([self.layout.plain()]))
    }
}

/// The facts after these classes were removed.
fn without(facts: &Facts, removed: &BTreeSet<Term>) -> Facts {
    let mut found = facts.data.known().cloned().unwrap_or_default();
    found.retain(|class, _| !removed.contains(class));
    Facts { data: Fact::Known(found), ..facts.clone() }
}

/// The facts after the service was vetted and approved for what was found.
fn vetted(facts: &Facts) -> Facts {
    let mut cleared = facts.cleared.known().cloned().unwrap_or_default();
    cleared.extend(facts.data.known().into_iter().flatten().map(|(class, _)| class.clone()));
    Facts { status: Fact::Known(Status::Approved), cleared: Fact::Known(cleared), ..facts.clone() }
}

/// The classes that the rules of a clause name, however much of them was found.
pub(super) fn clause_values(model: &PolicyModel, clause: &Term) -> Vec<KeyValue> {
    let whole = |value: &KeyValue| match value {
        KeyValue::Class { class, .. } => KeyValue::Class { class: class.clone(), band: None, certainty: None },
        other => other.clone(),
    };
    let rules = model.rules.iter().filter(|rule| rule.clause == *clause);
    rules.flat_map(|rule| lower::data_values(&rule.keys)).map(whole).collect()
}

/// The canonical text of an offer, for the rows hash.
pub(super) fn canonical(offer: &Offer) -> String {
    match offer {
        Offer::Redact => "redact".to_owned(),
        Offer::Redirect(service) => format!("redirect {service}"),
        Offer::AskException => "ask-exception".to_owned(),
        Offer::AskVetting => "ask-vetting".to_owned(),
        Offer::Object => "object".to_owned(),
    }
}
