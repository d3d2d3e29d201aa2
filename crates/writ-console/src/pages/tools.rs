//! AI services in use, and what the organisation decided about them.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_base::Moment;
use writ_engine::Snapshot;
use writ_store::index::ToolSeen;

use super::{Shared, service_name};
use crate::charts::grouped;
use crate::frame::{Frame, Visit};
use crate::reply::{Failure, Reply, page as show};
use crate::{Console, limits, words};

/// The services seen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tools {
    /// In how many days.
    pub(crate) days: u64,
    /// The least number of people that is said.
    pub(crate) k: u64,
    /// The services, most used first.
    pub(crate) tools: Vec<Tool>,
}

/// A service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tool {
    /// Its catalog id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Who offers it.
    pub(crate) vendor: String,
    /// What kind it is.
    pub(crate) category: String,
    /// What was decided, by plan.
    pub(crate) statuses: Vec<String>,
    /// The classes that may go there.
    pub(crate) cleared: String,
    /// First seen in this time.
    pub(crate) first: String,
    /// Last seen.
    pub(crate) last: String,
    /// How many people, if enough.
    pub(crate) people: String,
    /// How many prompts.
    pub(crate) uses: String,
    /// How many stops.
    pub(crate) stops: String,
}

#[derive(Template)]
#[template(path = "tools.html")]
struct ToolsPage {
    frame: Frame,
    view: Tools,
}

const DAYS: u64 = 90;

/// `GET /tools`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console).await?;
    show(&ToolsPage { frame: console.frame(&visit, "Tools seen"), view })
}

/// Reads them.
pub(crate) async fn read(console: &Console) -> Result<Tools, Failure> {
    let (from, to) = super::overview::span(console, DAYS);
    let mut seen = console.parts.index.tools(from, to).await?;
    seen.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.service.cmp(&b.service)));
    let (snapshot, now) = ((console.parts.snapshot)(), console.parts.clock.now());
    Ok(Tools { days: DAYS, k: limits::K, tools: seen.iter().map(|tool| row(&snapshot, tool, now)).collect() })
}

fn row(snapshot: &Snapshot, tool: &ToolSeen, now: Moment) -> Tool {
    let service = snapshot.catalog.service(&tool.service);
    let mut tiers: BTreeSet<&str> =
        service.into_iter().flat_map(|service| &service.tiers).map(|tier| tier.id.as_str()).collect();
    tiers.insert("unknown");
    let mut statuses: BTreeSet<String> = BTreeSet::new();
    let mut cleared: BTreeSet<String> = BTreeSet::new();
    for tier in tiers {
        let vetting = snapshot.catalog.vetting(&tool.service, tier, now);
        let decided =
            vetting.owner.is_some() || vetting.since.is_some() || vetting.status != writ_model::Status::Discovered;
        if decided && tier != "unknown" {
            statuses.insert(format!("{}: {}", tier, vetting.status));
        } else if decided {
            statuses.insert(vetting.status.to_string());
        }
        cleared.extend(vetting.cleared.iter().map(|class| words::class(class).to_lowercase()));
    }
    if statuses.is_empty() {
        statuses.insert("discovered".into());
    }
    let cleared: Vec<String> = cleared.into_iter().collect();
    Tool {
        id: tool.service.clone(),
        name: service_name(&snapshot.catalog, &tool.service),
        vendor: service.map(|service| service.vendor.clone()).unwrap_or_default(),
        category: service
            .map_or_else(|| "unknown".into(), |service| words::sentence(&service.category.as_str().replace('-', " "))),
        statuses: statuses.into_iter().collect(),
        cleared: if cleared.is_empty() { "nothing special".into() } else { cleared.join(", ") },
        first: words::day(tool.first),
        last: words::day(tool.last),
        people: people(tool.persons),
        uses: grouped(tool.records),
        stops: grouped(tool.stopped),
    }
}

/// A number of people, unless so few that they could be told.
pub(crate) fn people(count: u64) -> String {
    if count < limits::K { format!("fewer than {}", limits::K) } else { grouped(count) }
}
