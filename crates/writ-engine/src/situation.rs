//! Facts: what a verdict rests on, from the opening, the snapshot and the reading.

use std::collections::{BTreeMap, BTreeSet};

use writ_base::{KeyedDigest, Moment};
use writ_catalog::{Catalog, Service};
use writ_model::facts::{Classes, Facts, Found};
use writ_model::finding::Finding;
use writ_model::{Action, Activity, Category, Certainty, Fact, Level, Origin, Part, Set, Signal, Term};

use crate::history::History;
use crate::opening::Opening;
use crate::reading::Reading;
use crate::snapshot::Snapshot;

/// The facts that settle at connect and head; those of the body are pending.
pub(crate) fn at_head(opening: &Opening, snapshot: &Snapshot, now: Moment) -> Facts {
    let caller = &opening.caller;
    let facts = Facts {
        who: caller.who.into(),
        identity: caller.identity.into(),
        entity: caller.entity.clone().into(),
        group: caller.groups.clone().into(),
        account: opening.account.into(),
        channel: caller.channel.into(),
        device: caller.device.into(),
        person_region: caller.person_region.clone().into(),
        training: caller.training.into(),
        attestation: caller.attestation.into(),
        share: caller.share,
        decided_at: now,
        ..Facts::default()
    };
    let mut facts = of_service(facts, &opening.service, opening.tier.clone(), &snapshot.catalog);
    facts.cleared = Fact::Pending;
    facts
}

/// The same facts, had the prompt gone to another service.
pub(crate) fn at_service(facts: Facts, service: &Service, tier: Term, catalog: &Catalog) -> Facts {
    of_service(facts, &service.id, tier, catalog)
}

/// The same facts, had the prompt gone to this service, which the catalog need not know.
pub(crate) fn of_service(mut facts: Facts, service: &Term, tier: Term, catalog: &Catalog) -> Facts {
    let category = catalog.service(service).map_or(Category::Unknown, |service| service.category);
    let vetting = catalog.vetting(service, &tier, facts.decided_at);
    facts.service = service.clone().into();
    facts.category = category.into();
    facts.tier = tier.into();
    facts.status = vetting.status.into();
    facts.service_region = vetting.region.unwrap_or(Term::UNKNOWN).into();
    facts.cleared = vetting.cleared.into();
    facts
}

/// The classes that vetting allows for the opening's service and plan.
pub(crate) fn cleared(opening: &Opening, snapshot: &Snapshot, now: Moment) -> BTreeSet<Term> {
    snapshot.catalog.vetting(&opening.service, &opening.tier, now).cleared
}

/// Completes facts with what the body says, as far as it leaves: stopped turns of the history do not, nor what the
/// person chose to have removed, which is returned beside them.
pub(crate) fn with_body(
    mut facts: Facts,
    opening: &Opening,
    snapshot: &Snapshot,
    reading: &Reading,
    history: &History,
    action: Action,
) -> (Facts, Classes) {
    let (mut tally, mut removed) = (Tally::default(), Tally::default());
    let kept = |part: usize| history.keeps(part);
    let chosen = |part: &Part, class: &Term| history.chosen(part).is_some_and(|classes| classes.contains(class));
    for (part, findings) in reading.message.parts.iter().zip(&reading.findings).filter(|(part, _)| kept(part.index)) {
        for finding in findings.iter() {
            let tally = if chosen(part, &finding.class) { &mut removed } else { &mut tally };
            tally.count(finding, part.editable);
        }
    }
    for seam in reading.seams.iter().filter(|seam| kept(seam.first.0) && kept(seam.second.0)) {
        let halves = [seam.first.0, seam.second.0].map(|index| reading.message.parts.get(index));
        let editable = halves.iter().flatten().all(|part| part.editable);
        let by_choice = halves.iter().flatten().any(|part| chosen(part, &seam.finding.class));
        let tally = if by_choice { &mut removed } else { &mut tally };
        tally.count(&seam.finding, editable);
    }
    reading.in_query.iter().for_each(|finding| tally.count(finding, false));
    let mut signals = reading.signals;
    signals.extend_from(opening.signals);
    for part in reading.message.parts.iter().filter(|part| kept(part.index)) {
        if let writ_model::interaction::Content::Opaque { signal, .. } = part.content {
            signals.insert(signal);
        }
    }
    if asks_for_websocket(opening) {
        signals.insert(Signal::OpaqueWebsocket);
    }
    facts.action = action.into();
    facts.unredactable = tally.fixed.clone();
    facts.data = tally.classes().into();
    facts.cleared = cleared(opening, snapshot, facts.decided_at).into();
    facts.declared = opening.declared.into();
    facts.level = Level::from(opening.declared).into();
    facts.origin = Origin::Unknown.into();
    facts.activity = Set::one(Activity::Unknown).into();
    facts.signal = signals.into();
    facts.unreadable = reading.unreadable.into();
    (facts, removed.classes())
}

/// Completes facts where nothing of the content is read: an ordinary prompt in which nothing was found.
pub(crate) fn unread(mut facts: Facts, opening: &Opening, snapshot: &Snapshot, action: Action) -> Facts {
    facts.action = action.into();
    facts.cleared = cleared(opening, snapshot, facts.decided_at).into();
    facts.completed()
}

/// Whether the client asks to go on as a WebSocket: its messages have no reader here. Where a rule refuses it, clients
/// fall back to HTTP.
pub(crate) fn asks_for_websocket(opening: &Opening) -> bool {
    let upgrade = opening.headers.get(http::header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Counts distinct values per class.
#[derive(Default)]
pub(crate) struct Tally {
    values: BTreeMap<Term, BTreeMap<KeyedDigest, Certainty>>,
    pub(crate) fixed: BTreeSet<Term>,
}

impl Tally {
    /// Counts a finding.
    pub(crate) fn count(&mut self, finding: &Finding, editable: bool) {
        let values = self.values.entry(finding.class.clone()).or_default();
        let certainty = values.entry(finding.value).or_insert(finding.certainty);
        *certainty = (*certainty).max(finding.certainty);
        if !editable {
            self.fixed.insert(finding.class.clone());
        }
    }

    /// The classes found, with counts.
    pub(crate) fn classes(&self) -> Classes {
        let count = |values: &BTreeMap<KeyedDigest, Certainty>, least: Certainty| {
            u32::try_from(values.values().filter(|certainty| **certainty >= least).count()).unwrap_or(u32::MAX)
        };
        let found =
            |values| Found { likely: count(values, Certainty::Likely), certain: count(values, Certainty::Certain) };
        self.values.iter().map(|(class, values)| (class.clone(), found(values))).collect()
    }
}

/// Whether everything was read.
pub(crate) fn in_full(facts: &Facts) -> bool {
    let unread = |signal: Signal| matches!(signal.family(), "opaque" | "malformed");
    let signals = facts.signal.known().copied().unwrap_or_default();
    facts.unreadable.known().is_none_or(|set| set.is_empty()) && !signals.iter().any(unread)
}

/// Whether a signal says that the body cannot be what its endpoint expects.
pub(crate) fn malformed(signals: Set<Signal>) -> bool {
    signals.iter().any(|signal| signal.family() == "malformed")
}
