//! How proofs grow, and what other libraries make of the same diagrams.

pub mod encoding;
pub mod library;
#[path = "../../src/time.rs"]
pub mod time;

use anyhow::Context as _;
use writ_base::ContentHash;
use writ_catalog::Catalog;
use writ_policy::check::{RulePlace, parse_with};
use writ_policy::diagram::World;
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Size, cell_of, sized, tangled};
use writ_policy::words::Names;

const GENERAL: &str = include_str!("../../../catalog/policies/general.md");

/// A policy that is measured.
pub struct Subject {
    /// What it is.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// Where its rules stand, as far as the analyser asks.
    pub places: Vec<RulePlace>,
}

/// The general policy, with the catalog's services.
///
/// # Errors
/// If it does not run.
pub fn general() -> anyhow::Result<Subject> {
    let catalog = Catalog::builtin();
    let services = catalog.services().iter().map(|service| service.id.clone()).collect();
    let parsed = parse_with(GENERAL, Names { services, ..Names::default() });
    let model = parsed.model.context("the general policy does not run; see `writ policy check`")?;
    Ok(Subject {
        name: "general".to_owned(),
        policy: Policy::compile(model, parsed.hash)?,
        places: parsed.places.clone(),
    })
}

/// A generated policy.
///
/// # Errors
/// If it needs more than a named limit admits.
pub fn generated(size: Size) -> anyhow::Result<Subject> {
    let policy = Policy::compile(sized(size, 1), ContentHash::default())?;
    let place = |place| RulePlace { cell: cell_of(place, size.rules), ..RulePlace::default() };
    let name = format!("{} rules, {} classes, {} groups", size.rules, size.classes, size.groups);
    Ok(Subject { name, policy, places: (0..size.rules).map(place).collect() })
}

/// A policy whose proof explodes.
///
/// # Errors
/// If it needs more than a named limit admits.
pub fn exploding(groups: usize) -> anyhow::Result<Subject> {
    let policy = Policy::compile(tangled(groups, 1), ContentHash::default())?;
    let name = format!("{groups} groups tangled with {groups} classes");
    Ok(Subject { name, policy, places: Vec::new() })
}

/// What the catalog knows of services.
pub fn world() -> World {
    let catalog = Catalog::builtin();
    let services = catalog.services().iter().map(|service| (service.id.clone(), service.category));
    World { services: services.collect(), ..World::default() }
}

/// How busy the machine is, as Linux says.
pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// With a comma between thousands.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(",")
}
