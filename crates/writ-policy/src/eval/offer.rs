//! What a person may choose instead. An offer is shown only if the verdict after taking it is below block.

use std::borrow::Cow;
use std::collections::BTreeSet;

use writ_model::values::Status;
use writ_model::verdict::{Cause, Offer};
use writ_model::{Decision, Effect, Fact, Facts, Term, Verdict};

use crate::rule::{KeyValue, PolicyModel, Rule};

use super::rows::{Mask, mask};
use super::situation::Situation;
use super::weigh::{Bound, selected};
use super::{Policy, lower};

/// Which of the two verdicts.
type Side = fn(&Decision) -> &Verdict;

const SIDES: [Side; 2] = [|decision| &decision.enforced, |decision| &decision.full];

impl Policy {
    /// The classes that the person's choice of *redact* removes: those of the rules that decided the verdict and offer
    /// it. The verdict is then taken again over what is left.
    pub fn offered_redaction(&self, verdict: &Verdict, facts: &Facts) -> BTreeSet<Term> {
        let situation = Situation::of(&self.layout, facts);
        let mut classes = BTreeSet::new();
        for (place, rule) in self.offering(verdict) {
            if let (true, Some(selection)) = (rule.offers.contains(&Offer::Redact), self.selections.get(place)) {
                classes.extend(selected(*selection, &situation, Bound::Exact).cloned());
            }
        }
        classes
    }

    /// Fills in the offers of both verdicts.
    pub(super) fn add_offers(&self, facts: &Facts, decision: &mut Decision) {
        let [enforced, full] = SIDES;
        decision.full.offers = self.offers(facts, decision, full);
        // Without a roll-out both verdicts are one.
        decision.enforced.offers =
            if self.rollout.is_empty() { decision.full.offers.clone() } else { self.offers(facts, decision, enforced) };
    }

    fn offers(&self, facts: &Facts, decision: &Decision, side: Side) -> Vec<Offer> {
        let verdict = side(decision);
        let mut offers: Vec<Offer> = Vec::new();
        // Most offers mean the same whichever rule makes them; an exception is one for the rule's clause. Each question
        // is judged once.
        let mut refused: Vec<(&Offer, Option<&Term>)> = Vec::new();
        for (_, rule) in self.offering(verdict) {
            for offer in &rule.offers {
                let question = (offer, matches!(offer, Offer::AskException).then_some(&rule.clause));
                if offers.contains(offer) || refused.contains(&question) {
                    continue;
                }
                if self.helps(facts, verdict, side, rule, offer) {
                    offers.push(offer.clone());
                } else {
                    refused.push(question);
                }
            }
        }
        offers
    }

    /// The rules that decided a verdict and offer something, with their places, in the order of the text.
    fn offering<'a>(&'a self, verdict: &'a Verdict) -> impl Iterator<Item = (usize, &'a Rule)> {
        let decided = |rule: &Rule| verdict.decided.iter().any(|cause| is_of(cause, rule));
        // Most verdicts are allow, and no rule is looked at for them.
        let rules = if verdict.decided.is_empty() { &[] } else { self.model.rules.as_slice() };
        rules.iter().enumerate().filter(move |(_, rule)| !rule.offers.is_empty() && decided(rule))
    }

    /// Whether the verdict after taking the offer may be below block.
    fn helps(&self, facts: &Facts, verdict: &Verdict, side: Side, rule: &Rule, offer: &Offer) -> bool {
        let after = match offer {
            Offer::Object => return true,
            // The catalog knows what the other service is cleared for; whoever has it judges the new interaction.
            Offer::Redirect(service) => return facts.service.known() != Some(service),
            Offer::Redact => {
                let removed = self.offered_redaction(verdict, facts);
                let Some(after) = without(facts, &removed) else { return false };
                Cow::Owned(after)
            }
            Offer::AskVetting => Cow::Owned(vetted(facts)),
            Offer::AskException => Cow::Borrowed(facts),
        };
        let exempt = matches!(offer, Offer::AskException).then_some(&rule.clause);
        let situation = Situation::of(&self.layout, &after);
        let bound = if situation.pending { Bound::Least } else { Bound::Exact };
        side(&self.weigh(&situation, &after, bound, exempt).decision).effect < Effect::Block
    }

    /// What an exception for a clause would cover if it named nothing itself.
    pub(super) fn clause_cover(&self, clause: &Term) -> Mask {
        let values = clause_values(&self.model, clause);
        let bits = values.iter().flat_map(|value| lower::covered(&self.layout, value));
        mask(bits.chain([self.layout.plain()]))
    }
}

fn is_of(cause: &Cause, rule: &Rule) -> bool {
    cause.rule == rule.number && cause.clause == rule.clause
}

/// The facts after these classes were removed; `None` if that changes nothing or cannot be done.
pub(super) fn without(facts: &Facts, removed: &BTreeSet<Term>) -> Option<Facts> {
    let Fact::Known(found) = &facts.data else { return None };
    if removed.is_empty() || !removed.is_disjoint(&facts.unredactable) {
        return None;
    }
    let mut found = found.clone();
    found.retain(|class, _| !removed.contains(class));
    Some(Facts { data: Fact::Known(found), ..facts.clone() })
}

/// The facts after the service was vetted and approved for what was found.
pub(super) fn vetted(facts: &Facts) -> Facts {
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
