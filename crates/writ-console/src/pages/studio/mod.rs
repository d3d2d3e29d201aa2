//! The studio: the policy as whoever answers for it works on it. Clauses with their rules and figures, the text with its
//! diagnostics, findings, and made-up situations. Nothing here puts a text into force: the server follows its file.

pub(crate) mod answer;
pub(crate) mod clause;
pub(crate) mod clauses;
pub(crate) mod diff;
pub(crate) mod findings;
pub(crate) mod problems;
pub(crate) mod situation;
pub(crate) mod text;
pub(crate) mod whatif;
pub(crate) mod workshop;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use writ_base::Moment;
use writ_identity::Permission;
use writ_model::standing::RolloutEntry;
use writ_store::index::ClauseFigures;

use crate::assets::STUDIO;
use crate::frame::Visit;
use crate::reply::Failure;
use crate::{Console, limits, words};
use workshop::Of;

/// What an address of the studio says beside its path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// Which text: `running` or `draft`.
    pub(crate) of: String,
    /// Clauses of this mode only.
    pub(crate) mode: String,
}

/// What stands around a page of the studio, within the frame.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) script: &'static str,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) texts: Vec<Tab>,
}

/// A link that is the present one or not.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) href: String,
    pub(crate) label: &'static str,
    pub(crate) current: bool,
}

/// The pages of the studio: where, what they say, what they need beside the studio itself.
const TABS: [(&str, &str, Option<Permission>); 4] = [
    ("/studio", "Clauses", None),
    ("/studio/text", "Text", Some(Permission::KeepDraft)),
    ("/studio/findings", "Findings", None),
    ("/studio/try", "What if", None),
];

impl Console {
    /// What stands around a page of the studio. `here` is the path of its tab; `of` is the text that is looked at, where
    /// the page looks at one and the visitor has a draft to choose.
    pub(crate) fn bench(&self, visit: &Visit, here: &str, of: Option<Of>) -> Bench {
        let suffix = if of == Some(Of::Draft) { "?of=draft" } else { "" };
        let allowed = TABS.iter().filter(|(.., needs)| needs.is_none_or(|needs| visit.may(needs)));
        let tabs = allowed.map(|(path, label, _)| Tab {
            href: if matches!(*path, "/studio" | "/studio/findings") {
                format!("{path}{suffix}")
            } else {
                (*path).into()
            },
            label,
            current: *path == here,
        });
        let texts = of.into_iter().flat_map(|of| {
            [(Of::Running, "What runs"), (Of::Draft, "Your draft")].map(|(it, label)| Tab {
                href: if it == Of::Draft { format!("{}?of=draft", visit.path) } else { visit.path.clone() },
                label,
                current: it == of,
            })
        });
        Bench { script: &STUDIO.path, tabs: tabs.collect(), texts: texts.collect() }
    }
}

/// The stage of a clause for a ring, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StageOf {
    /// `observe`, `coach`, `enforce`.
    pub(crate) step: String,
    /// For whom.
    pub(crate) ring: String,
    /// Until when; then the clause is enforced as written.
    pub(crate) until: String,
}

/// The entries of a roll-out that are in force, by clause.
pub(crate) fn stages(rollout: &[RolloutEntry], now: Moment) -> BTreeMap<String, Vec<StageOf>> {
    let mut stages: BTreeMap<String, Vec<StageOf>> = BTreeMap::new();
    for entry in rollout.iter().filter(|entry| entry.from <= now && now < entry.until) {
        let stage =
            StageOf { step: entry.step.to_string(), ring: entry.ring.to_string(), until: words::day(entry.until) };
        stages.entry(entry.clause.to_string()).or_default().push(stage);
    }
    stages
}

/// Days over which the studio counts what clauses decided.
pub(crate) const DAYS: u64 = 30;

/// How often each clause decided lately.
pub(crate) async fn figures(console: &Arc<Console>) -> Result<BTreeMap<String, ClauseFigures>, Failure> {
    let (from, to) = super::overview::span(console, DAYS);
    let figures = console.parts.index.clause_figures(from, to, limits::K).await?;
    Ok(figures.into_iter().map(|figure| (figure.clause.clone(), figure)).collect())
}

/// How often a clause decided, in words that tell nobody.
pub(crate) fn decided(figures: Option<&ClauseFigures>) -> String {
    match figures {
        None => "not once".into(),
        Some(figures) if !figures.enough => format!("by fewer than {} people", limits::K),
        Some(figures) => crate::charts::grouped(figures.decided.values().sum()),
    }
}

/// `3 rules`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
