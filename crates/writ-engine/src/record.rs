//! Decision entries: the skeleton that is kept for years, and the personal part that is sealed.

use std::collections::BTreeSet;

use writ_base::Moment;
use writ_model::facts::Classes;
use writ_model::interaction::ConversationId;
use writ_model::record::{ClassSeen, DecisionPersonal, DecisionSkeleton};
use writ_model::schema::Stage;
use writ_model::{Certainty, Decision, Direction, Fact, Facts};

use crate::commands::NewDecision;
use crate::inspection::Context;
use crate::reading::Reading;
use crate::situation;

/// The entry of a prompt's decision.
pub(crate) fn decision(
    context: &Context,
    decision: &Decision,
    facts: &Facts,
    reading: Option<&Reading>,
    stage: Stage,
    conversation: Option<ConversationId>,
    reference: Option<String>,
) -> NewDecision {
    let read_in_full = reading.is_some() && situation::in_full(facts);
    let mut new = entry(context, decision, facts, Direction::Prompt, read_in_full);
    new.skeleton.decided_at = match stage {
        Stage::Body => "body".into(),
        stage => format!("{}, body not read", stage.as_str()),
    };
    new.skeleton.reference = reference;
    if let Some(personal) = &mut new.personal {
        personal.conversation = conversation;
        personal.model = reading.and_then(|reading| reading.message.model.clone());
        personal.justification = context.opening.reason.as_ref().map(|reason| reason.expose().clone());
    }
    new
}

/// Adds what the person chose to have removed: it was found, and did not leave.
pub(crate) fn add_removed(context: &Context, new: &mut NewDecision, removed: &Classes) {
    for (class, found) in removed {
        let Some(band) = context.snapshot.policy.class_band(class, found.likely) else { continue };
        let certainty = if found.certain > 0 { Certainty::Certain } else { Certainty::Likely };
        if new.skeleton.classes.iter().all(|seen| seen.class != *class) {
            new.skeleton.classes.push(ClassSeen { class: class.clone(), band, certainty, redacted: true });
        }
        new.skeleton.by_choice.insert(class.clone());
    }
}

/// The entry of an answer's decision.
pub(crate) fn answer(
    context: &Context,
    decision: &Decision,
    facts: &Facts,
    conversation: Option<ConversationId>,
    read_in_full: bool,
) -> NewDecision {
    let mut new = entry(context, decision, facts, Direction::Answer, read_in_full);
    if let Some(personal) = &mut new.personal {
        personal.conversation = conversation;
    }
    new
}

fn entry(
    context: &Context,
    decision: &Decision,
    facts: &Facts,
    direction: Direction,
    read_in_full: bool,
) -> NewDecision {
    let Context { snapshot, opening, interaction, .. } = context;
    let differs = decision.full.decided != decision.enforced.decided;
    let skeleton = DecisionSkeleton {
        interaction: *interaction,
        direction,
        hour: hour(facts.decided_at),
        service: opening.service.clone(),
        category: known(&facts.category, writ_model::Category::Unknown),
        tier: opening.tier.clone(),
        status: known(&facts.status, writ_model::Status::Discovered),
        account: opening.account,
        who: opening.caller.who,
        identity: opening.caller.identity,
        action: known(&facts.action, writ_model::Action::Submit),
        channel: opening.caller.channel,
        format: Some(opening.endpoint.wire_format()),
        classes: facts.data.known().map(|classes| seen(context, classes, decision)).unwrap_or_default(),
        signals: facts.signal.known().into_iter().flat_map(|set| set.iter()).collect(),
        unreadable: facts.unreadable.known().into_iter().flat_map(|set| set.iter()).collect(),
        enforced: decision.enforced.effect,
        full: decision.full.effect,
        decided: decision.enforced.decided.clone(),
        decided_full: if differs { decision.full.decided.clone() } else { Vec::new() },
        exceptions: decision.enforced.exceptions.clone(),
        rollout: decision.enforced.rollout.clone(),
        decided_at: Stage::Body.as_str().to_owned(),
        snapshot: snapshot.hashes(),
        reference: None,
        read_in_full,
        unread: opening.unread(),
        regardless: None,
        by_choice: BTreeSet::new(),
    };
    let personal = (!opening.caller.protected).then(|| DecisionPersonal {
        principal: opening.caller.principal,
        on_behalf_of: opening.caller.on_behalf_of,
        facts: facts.clone(),
        decision: decision.clone(),
        conversation: None,
        account_name: None,
        address: opening.caller.address.clone(),
        host: Some(opening.destination.host.clone()),
        model: None,
        client: opening.caller.client.clone(),
        justification: None,
        digests: BTreeSet::new(),
    });
    NewDecision { skeleton, personal }
}

fn seen(context: &Context, classes: &Classes, decision: &Decision) -> Vec<ClassSeen> {
    let class_seen = |(class, found): (&writ_model::Term, &writ_model::facts::Found)| {
        let certainty = if found.certain > 0 { Certainty::Certain } else { Certainty::Likely };
        let band = context.snapshot.policy.class_band(class, found.likely)?;
        let redacted = decision.enforced.redact.contains(class);
        Some(ClassSeen { class: class.clone(), band, certainty, redacted })
    };
    classes.iter().filter_map(class_seen).collect()
}

fn known<T: Copy>(fact: &Fact<T>, otherwise: T) -> T {
    fact.known().copied().unwrap_or(otherwise)
}

/// The start of the hour: skeletons do not tell the minute.
fn hour(moment: Moment) -> Moment {
    Moment::from_seconds(moment.seconds().div_euclid(3600) * 3600)
}
