//! What a person may choose instead. An offer is shown only if the verdict after taking it is below block.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use smallvec::SmallVec;
use writ_model::values::Status;
use writ_model::verdict::Offer;
use writ_model::{Decision, Effect, Fact, Facts, Term, Verdict};

use crate::rule::{KeyValue, PolicyModel, Rule};

use super::rows::{Mask, mask};
use super::situation::Situation;
use super::weigh::{Bound, Hits, selected, views};
use super::{Policy, lower};

/// Rules that offer something, with their places.
type Offering<'a> = SmallVec<[(usize, &'a Rule); 8]>;

/// Which of the two verdicts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Enforced,
    Full,
}

/// Judges what each offer leads to, over one situation.
struct Asking<'a, 'f> {
    policy: &'a Policy,
    situation: &'a Situation<'f>,
    facts: &'a Facts,
    /// Which rows hold: the same for every clause from which an exception could be asked for.
    hits: OnceCell<(Hits, bool)>,
}

impl Asking<'_, '_> {
    fn offers(&self, verdict: &Verdict, side: Side) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        // Most offers mean the same whichever rule makes them; an exception is one for the rule's clause. Each question
        // is judged once.
        let mut refused: SmallVec<[(&Offer, Option<&Term>); 4]> = SmallVec::new();
        let offering = self.policy.offering(verdict);
        for (_, rule) in &offering {
            for offer in &rule.offers {
                let question = (offer, matches!(offer, Offer::AskException).then_some(&rule.clause));
                if offers.contains(offer) || refused.contains(&question) {
                    continue;
                }
                if self.helps(&offering, side, rule, offer) {
                    offers.push(offer.clone());
                } else {
                    refused.push(question);
                }
            }
        }
        offers
    }

    /// Whether the verdict after taking the offer may be below block.
    fn helps(&self, offering: &Offering<'_>, side: Side, rule: &Rule, offer: &Offer) -> bool {
        match offer {
            Offer::Object => true,
            // The catalog knows what the other service is cleared for; whoever has it judges the new interaction.
            Offer::Redirect(service) => self.facts.service.known() != Some(service),
            Offer::AskException => self.passes_excepted(&rule.clause, side),
            Offer::AskVetting if self.situation.pending => self.passes_anew(&vetted(self.facts), side),
            Offer::AskVetting => self.passes(&self.situation.vetted(&self.policy.layout), self.facts, side),
            Offer::Redact => {
                let removed = self.policy.redactable(offering, self.situation);
                if self.facts.data.pending() || removed.is_empty() || !removed.is_disjoint(&self.facts.unredactable) {
                    return false;
                }
                if self.situation.pending {
                    return self.passes_anew(&without(self.facts, &removed), side);
                }
                let after = self.situation.without(&self.policy.layout, self.facts, &removed);
                self.passes(&after, self.facts, side)
            }
        }
    }

    /// As [`Asking::passes`], where something is pending that the offer may settle.
    fn passes_anew(&self, after: &Facts, side: Side) -> bool {
        self.passes(&Situation::of(&self.policy.layout, after), after, side)
    }

    fn passes(&self, situation: &Situation<'_>, facts: &Facts, side: Side) -> bool {
        below_block(self.policy.effects(situation, facts, bound(situation), None), side)
    }

    /// As [`Asking::passes`], with an exception from a clause.
    fn passes_excepted(&self, clause: &Term, side: Side) -> bool {
        let bound = bound(self.situation);
        let hits = self.hits.get_or_init(|| {
            let (demanding, relaxing) = views(self.situation, bound);
            self.policy.hits(demanding, relaxing)
        });
        below_block(self.policy.effects_of(hits, self.situation, self.facts, bound, Some(clause)), side)
    }
}

fn bound(situation: &Situation<'_>) -> Bound {
    if situation.pending { Bound::Least } else { Bound::Exact }
}

fn below_block([enforced, full]: [Effect; 2], side: Side) -> bool {
    (if side == Side::Enforced { enforced } else { full }) < Effect::Block
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
    pub(super) fn add_offers(&self, situation: &Situation<'_>, facts: &Facts, decision: &mut Decision) {
        let asking = Asking { policy: self, situation, facts, hits: OnceCell::new() };
        decision.full.offers = asking.offers(&decision.full, Side::Full);
        // Without a roll-out both verdicts are one.
        decision.enforced.offers = if self.rollout.is_empty() {
            decision.full.offers.clone()
        } else {
            asking.offers(&decision.enforced, Side::Enforced)
        };
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
