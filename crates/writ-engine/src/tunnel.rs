//! Connections to AI services that are not opened: judged by what is known outside them, and recorded like the rest.

use std::sync::Arc;

use writ_base::Moment;
use writ_base::telemetry::Counter;
use writ_model::interaction::InteractionId;
use writ_model::record::{Ending, OutcomeSkeleton, Regardless};
use writ_model::schema::Stage;
use writ_model::{Account, Action, Declared, Refusal, Set, Signal, Term};
use writ_protocol::Endpoint;

use crate::commands::NewDecision;
use crate::engine::Engine;
use crate::inspection::Context;
use crate::opening::{Caller, Handling, Opening};
use crate::permit::{Destination, Grounds, Permit, Permitted, TunnelTo};
use crate::snapshot::Snapshot;
use crate::{record, situation};

/// A connection that asks to be passed on.
#[derive(Clone, Debug)]
pub struct TunnelOpening {
    /// Who asks.
    pub caller: Caller,
    /// The service, by its catalog id.
    pub service: Term,
    /// The plan of the account, if something outside the connection tells it.
    pub tier: Term,
    /// Where it goes.
    pub destination: Destination,
    /// What the edge saw: a name hidden, names that disagree.
    pub signals: Set<Signal>,
}

/// The verdict over a connection.
#[derive(Debug)]
pub struct TunnelVerdict {
    /// The decision entry: to be written before anything is sent.
    pub new: NewDecision,
    /// Makes the outcome entry.
    pub end: TunnelEnd,
    /// Lets the connection pass, if it may.
    pub permit: Option<Permitted<TunnelTo>>,
    /// What to answer, if it may not.
    pub refusal: Option<Refusal>,
}

/// The open end of a connection's record.
#[derive(Clone, Copy, Debug)]
pub struct TunnelEnd {
    interaction: InteractionId,
    started: Moment,
}

impl TunnelEnd {
    /// Which interaction.
    pub fn interaction(&self) -> InteractionId {
        self.interaction
    }

    /// The outcome entry.
    pub fn outcome(self, ending: Ending, bytes_up: u64, bytes_down: u64, now: Moment) -> OutcomeSkeleton {
        OutcomeSkeleton {
            interaction: self.interaction,
            ending,
            status: None,
            bytes_up,
            bytes_down,
            restored: 0,
            duration_ms: u64::try_from(now.since(self.started).as_millis()).unwrap_or(u64::MAX),
            judged_us: 0,
        }
    }
}

impl Engine {
    /// Judges a connection to an AI service that will not be opened (action `tunnel`).
    pub fn tunnel(self: &Arc<Self>, snapshot: &Arc<Snapshot>, opening: TunnelOpening, now: Moment) -> TunnelVerdict {
        self.judge_tunnel(snapshot, opening, now, None)
    }

    /// Refuses a connection or request whose names disagree (CONNECT target, SNI, authority), whatever the policy says:
    /// the record carries the signal `circumvention`.
    pub fn names_disagree(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        mut opening: TunnelOpening,
        now: Moment,
    ) -> TunnelVerdict {
        opening.signals.insert(Signal::Circumvention);
        self.judge_tunnel(snapshot, opening, now, Some(Regardless::NamesDisagree))
    }

    /// Refuses a connection whatever the policy says: the organisation refuses the host.
    pub fn refuse_tunnel(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        opening: TunnelOpening,
        now: Moment,
    ) -> TunnelVerdict {
        self.judge_tunnel(snapshot, opening, now, Some(Regardless::HostRefused))
    }

    fn judge_tunnel(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        tunnel: TunnelOpening,
        now: Moment,
        regardless: Option<Regardless>,
    ) -> TunnelVerdict {
        let interaction = InteractionId::new(now, &*self.options.randomness);
        let opening = opening(tunnel);
        let context = Context { engine: Arc::clone(self), snapshot: Arc::clone(snapshot), opening, interaction };
        let mut facts = situation::at_head(&context.opening, snapshot, now);
        facts.action = Action::Tunnel.into();
        facts.signal = context.opening.signals.into();
        facts.cleared = situation::cleared(&context.opening, snapshot, now).into();
        let facts = facts.completed();
        let mut decision = snapshot.policy.decide(&facts);
        if let Some(regardless) = regardless {
            regardless.apply(&mut decision);
        }
        Counter::Interactions.increment();
        let passes = decision.enforced.effect.passes();
        if passes {
            Counter::Allowed.increment()
        } else {
            Counter::Blocked.increment()
        }
        let refusal = (!passes).then(|| context.refusal(&decision.enforced, &facts, None, now).refusal);
        let reference = refusal.as_ref().map(|refusal| refusal.reference.clone());
        let mut new = record::decision(&context, &decision, &facts, None, Stage::Head, None, reference);
        new.skeleton.format = None;
        new.skeleton.regardless = regardless;
        let clauses: Arc<[Term]> = decision.enforced.clauses().into_iter().cloned().collect();
        let permit = passes.then(|| {
            let destination = context.opening.destination.clone();
            Permit::issue(interaction, destination, Grounds::Verdict(clauses)).clear(TunnelTo)
        });
        TunnelVerdict { new, end: TunnelEnd { interaction, started: now }, permit, refusal }
    }
}

/// A connection as an opening without a request.
fn opening(tunnel: TunnelOpening) -> Opening {
    Opening {
        caller: tunnel.caller,
        service: tunnel.service,
        tier: tunnel.tier,
        account: Account::Unknown,
        destination: tunnel.destination,
        endpoint: Endpoint::Other,
        method: http::Method::CONNECT,
        path_and_query: String::new(),
        headers: http::HeaderMap::new(),
        declared: Declared::NotAsked,
        reason: None,
        repository: None,
        handling: Handling::Inspect,
        passthrough: true,
        navigation: false,
        signals: tunnel.signals,
    }
}
