//! What the studio knows of a text, worked out away from the requests that ask for it and kept for a while.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use writ_base::{Moment, Sensitive};
use writ_engine::Snapshot;
use writ_model::facts::Classes;
use writ_model::record::SnapshotHashes;
use writ_policy::Parsed;
use writ_policy::analyse::{self, Report};
use writ_policy::diagram::World;
use writ_policy::eval::explain;
use writ_policy::example::{Example, ExampleKind, example_facts};
use writ_store::state::Draft;

use crate::frame::Visit;
use crate::parts::{Beside, PolicyReading};
use crate::reply::{Failure, broken};
use crate::{Console, limits};

/// A text with all that follows from it. Not to be printed: a draft is its account's.
pub(crate) struct Study {
    /// The text.
    pub(crate) text: String,
    /// The text, parsed.
    pub(crate) parsed: Parsed,
    /// Ready to judge, if it can.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Why the server would not take the text over, beside errors in it and examples that fail.
    pub(crate) obstacles: Vec<String>,
    /// What reading left out.
    pub(crate) notes: Vec<String>,
    /// What became of each example, in the order of the text; empty where the text cannot judge.
    pub(crate) trials: Vec<Trial>,
    /// What holds for all situations at once; nothing where the text cannot judge.
    pub(crate) report: Option<Report>,
}

/// What became of an example.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Whether its rule does what it claims.
    pub(crate) holds: bool,
    /// What detection found in its text.
    pub(crate) found: Classes,
    /// Where its rule applies although it should not: the keys that held.
    pub(crate) because: Vec<String>,
}

impl Study {
    /// Works everything out.
    fn of(text: String, reading: PolicyReading, world: &World, now: Moment) -> Self {
        let PolicyReading { parsed, snapshot, obstacles, notes } = reading;
        let try_all = |snapshot: &Arc<Snapshot>| parsed.examples.iter().map(|it| Trial::of(snapshot, it)).collect();
        let trials = snapshot.as_ref().map(try_all).unwrap_or_default();
        let report = snapshot.as_ref().map(|snapshot| analyse::report(&snapshot.policy, &parsed, world, now));
        Self { text, parsed, snapshot, obstacles, notes, trials, report }
    }

    /// The examples with what became of them; nothing where the text cannot judge.
    pub(crate) fn tried(&self) -> impl Iterator<Item = (&Example, &Trial)> {
        self.parsed.examples.iter().zip(&self.trials)
    }

    /// Whether the server would take the text over.
    pub(crate) fn runs(&self) -> bool {
        let refused = self.report.as_ref().is_none_or(Report::refused);
        !refused && self.obstacles.is_empty() && self.trials.iter().all(|trial| trial.holds)
    }
}

impl Trial {
    fn of(snapshot: &Snapshot, example: &Example) -> Self {
        let holds = snapshot.try_example(example).is_ok();
        let facts = snapshot.facts_of_text(&example.text, example_facts(example));
        let found = facts.data.known().cloned().unwrap_or_default();
        let because = if holds || example.kind == ExampleKind::Violates {
            Vec::new()
        } else {
            let explanation = explain(&snapshot.policy, &facts);
            let rule = explanation.applied.iter().find(|it| it.clause == example.clause && it.rule == example.rule);
            let keys = rule.into_iter().flat_map(|rule| &rule.keys);
            keys.map(|key| format!("{}: {}{}", key.key, if key.not { "not " } else { "" }, key.listed.join(", ")))
                .collect()
        };
        Self { holds, found, because }
    }
}

/// Studies under way and kept.
pub(crate) struct Workshop {
    kept: Mutex<VecDeque<(SnapshotHashes, Arc<Study>)>>,
    places: Arc<Semaphore>,
}

impl Default for Workshop {
    fn default() -> Self {
        Self { kept: Mutex::default(), places: Arc::new(Semaphore::new(limits::STUDIES.value())) }
    }
}

impl Workshop {
    fn kept(&self, key: SnapshotHashes) -> Option<Arc<Study>> {
        let mut kept = self.kept.lock();
        let place = kept.iter().position(|(other, _)| *other == key)?;
        let found = kept.remove(place)?;
        let study = Arc::clone(&found.1);
        kept.push_front(found);
        Some(study)
    }

    fn keep(&self, key: SnapshotHashes, study: Arc<Study>) {
        let mut kept = self.kept.lock();
        kept.push_front((key, study));
        kept.truncate(limits::STUDIES_KEPT.value());
    }
}

/// Which text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The policy that runs.
    Running,
    /// The visitor's own draft.
    Draft,
}

impl Of {
    /// From an address; what runs where it says nothing else.
    pub(crate) fn named(word: &str) -> Self {
        if word == "draft" { Self::Draft } else { Self::Running }
    }

    /// The word in addresses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Draft => "draft",
        }
    }
}

impl Console {
    /// The visitor's draft.
    pub(crate) async fn draft(&self, visit: &Visit) -> Result<Option<Draft>, Failure> {
        Ok(self.parts.state.draft(visit.account).await?)
    }

    /// The policy that runs, studied.
    pub(crate) async fn study_running(self: &Arc<Self>) -> Result<Arc<Study>, Failure> {
        let (policy, snapshot) = ((self.parts.policy)(), (self.parts.snapshot)());
        let key = SnapshotHashes { policy: policy.parsed.hash, ..snapshot.hashes() };
        if let Some(study) = self.workshop.kept(key) {
            return Ok(study);
        }
        let console = Arc::clone(self);
        self.work(move || {
            let reading = PolicyReading {
                parsed: policy.parsed.clone(),
                snapshot: Some(snapshot),
                obstacles: Vec::new(),
                notes: Vec::new(),
            };
            let (world, now) = ((console.parts.world)(), console.parts.clock.now());
            let study = Arc::new(Study::of(policy.text.clone(), reading, &world, now));
            console.workshop.keep(key, Arc::clone(&study));
            study
        })
        .await
    }

    /// A draft, studied as if it stood in the place of what runs.
    pub(crate) async fn study_draft(self: &Arc<Self>, draft: &Draft) -> Result<Arc<Study>, Failure> {
        let running = (self.parts.snapshot)().hashes();
        let key = SnapshotHashes { policy: draft.hash, rows: Default::default(), ..running };
        if let Some(study) = self.workshop.kept(key) {
            return Ok(study);
        }
        self.study_and_keep(draft.text.clone(), Some(key)).await
    }

    /// The text that is looked at, studied; nothing where a draft is asked for and there is none.
    pub(crate) async fn study(self: &Arc<Self>, visit: &Visit, of: Of) -> Result<Option<Arc<Study>>, Failure> {
        match of {
            Of::Running => Ok(Some(self.study_running().await?)),
            Of::Draft => match self.draft(visit).await? {
                Some(draft) => Ok(Some(self.study_draft(&draft).await?)),
                None => Ok(None),
            },
        }
    }

    /// Any text, studied as if it stood in the place of what runs. Nothing of it is kept.
    pub(crate) async fn study_text(self: &Arc<Self>, text: Sensitive<String>) -> Result<Arc<Study>, Failure> {
        self.study_and_keep(text, None).await
    }

    async fn study_and_keep(
        self: &Arc<Self>,
        text: Sensitive<String>,
        key: Option<SnapshotHashes>,
    ) -> Result<Arc<Study>, Failure> {
        let (state, now) = (&self.parts.state, self.parts.clock.now());
        let beside = Beside { exceptions: state.exceptions(now).await?, rollout: state.rollout(now).await? };
        let console = Arc::clone(self);
        self.work(move || {
            let reading = (console.parts.read_policy)(text.expose(), beside);
            let study = Arc::new(Study::of(text.into_exposed(), reading, &(console.parts.world)(), now));
            if let Some(key) = key {
                console.workshop.keep(key, Arc::clone(&study));
            }
            study
        })
        .await
    }

    /// Does long work on another thread: a bounded number at once, and for so long. What is not done in time goes on
    /// to its end, so that what it makes is there when somebody asks again.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let places = Arc::clone(&self.workshop.places);
        let done = async {
            let place = places.acquire_owned().await.map_err(|error| broken(&error))?;
            let task = tokio::task::spawn_blocking(move || {
                let made = work();
                drop(place);
                made
            });
            task.await.map_err(|error| broken(&error))
        };
        tokio::time::timeout(limits::STUDY_WITHIN, done).await.unwrap_or_else(|_| {
            limits::STUDIES.hit();
            Err(Failure::Unusable("The studio is busy with other texts. Try again in a moment.".into()))
        })
    }
}
