//! What an organisation adds: its own services, its decisions about services, and host modes it chose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use writ_base::Moment;
use writ_model::{Status, Term};

use crate::accounts::{AccountMarker, TenantValue};
use crate::catalog::{is_id, read};
use crate::error::CatalogError;
use crate::service::{HostMode, Service};

/// The tier that stands for "we do not know the plan"; it is the weakest.
const UNKNOWN_TIER: &str = "unknown";

/// An organisation's part of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OrganisationServices {
    /// Its own services: own models, tenants under own names, services that the catalog lacks.
    #[serde(default, rename = "service")]
    pub services: Vec<Service>,
    /// Its decisions about services.
    #[serde(default, rename = "vetting")]
    pub vettings: Vec<VettingEntry>,
    /// Host modes that it chose.
    #[serde(default, rename = "mode")]
    pub modes: Vec<ModeChoice>,
    /// Values of tenant headers.
    #[serde(default, rename = "tenant", skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantValue>,
    /// How its accounts are told from others.
    #[serde(default, rename = "account", skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountMarker>,
}

impl OrganisationServices {
    /// Reads and joins TOML texts.
    ///
    /// # Errors
    /// A text that is not of this form or is too large. Names of services are checked by
    /// [`crate::Catalog::with_organisation`].
    pub fn load(texts: &[&str]) -> Result<Self, CatalogError> {
        let mut all = Self::default();
        for (at, text) in texts.iter().enumerate() {
            let Self { services, vettings, modes, tenants, accounts } = read(at + 1, text)?;
            all.services.extend(services);
            all.vettings.extend(vettings);
            all.modes.extend(modes);
            all.tenants.extend(tenants);
            all.accounts.extend(accounts);
        }
        Ok(all)
    }
}

/// The mode of a service's hosts as the organisation chose it. Hosts shared with other uses (mode `paths` in the
/// catalog) follow only the choice `paths`, which turns reading their AI paths on; sign-in and static hosts follow only
/// `refuse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeChoice {
    /// Id of the service.
    pub service: Term,
    /// What was chosen.
    pub mode: HostMode,
}

/// A decision about (service, tier).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VettingEntry {
    /// Id of the service.
    pub service: Term,
    /// The plan that was vetted; `unknown` decides for all plans that no other entry names.
    pub tier: Term,
    /// Where it stands in its life cycle.
    pub status: Status,
    /// The data classes that may be sent there.
    #[serde(default)]
    pub cleared: BTreeSet<Term>,
    /// Where it is hosted for us, as agreed; a name that the policy uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Term>,
    /// Who answers for it: a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// From when the decision holds (`YYYY-MM-DD`, or with a time in UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// From when it no longer holds: the entry falls back to `discovered` at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What the organisation decided about (service, tier), at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetting {
    /// Where it stands; `discovered` where nothing is said.
    pub status: Status,
    /// Data classes that may be sent there; empty where nothing is said.
    pub cleared: BTreeSet<Term>,
    /// Where it is hosted for us; `None` = unknown.
    pub region: Option<Term>,
    /// The role that answers for it.
    pub owner: Option<String>,
    /// From when the decision holds.
    pub since: Option<Moment>,
    /// When it ends.
    pub until: Option<Moment>,
}

impl Vetting {
    fn discovered() -> Self {
        Self {
            status: Status::Discovered,
            cleared: BTreeSet::new(),
            region: None,
            owner: None,
            since: None,
            until: None,
        }
    }

    fn in_force(&self, now: Moment) -> bool {
        self.since.is_none_or(|since| since <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// Decisions by service and tier.
#[derive(Debug, Default)]
pub(crate) struct Vettings(BTreeMap<Term, BTreeMap<Term, Vetting>>);

impl Vettings {
    pub(crate) fn build(entries: &[VettingEntry], known: impl Fn(&str) -> bool) -> Result<Self, CatalogError> {
        CatalogError::check_limit(&crate::limits::VETTINGS, entries.len())?;
        let mut table: BTreeMap<Term, BTreeMap<Term, Vetting>> = BTreeMap::new();
        for entry in entries {
            if !known(&entry.service) {
                return Err(CatalogError::UnknownService { id: entry.service.to_string() });
            }
            let vetting = decision(entry)?;
            let tiers = table.entry(entry.service.clone()).or_default();
            if tiers.insert(entry.tier.clone(), vetting).is_some() {
                return Err(CatalogError::service(&entry.service, format!("tier `{}` is decided twice", entry.tier)));
            }
        }
        Ok(Self(table))
    }

    /// See [`crate::Catalog::vetting`].
    pub(crate) fn decide(&self, service: Option<&Service>, id: &str, tier: &str, now: Moment) -> Vetting {
        let Some(tiers) = self.0.get(id) else { return Vetting::discovered() };
        let said = |tier: &str| tiers.get(tier).filter(|vetting| vetting.in_force(now));
        if let Some(vetting) = said(tier).or_else(|| said(UNKNOWN_TIER)) {
            return vetting.clone();
        }
        if tier != UNKNOWN_TIER {
            return Vetting::discovered();
        }
        let listed = service.into_iter().flat_map(|service| &service.tiers).map(|tier| tier.id.as_str());
        let names: BTreeSet<&str> =
            listed.chain(tiers.keys().map(Term::as_str)).filter(|t| *t != UNKNOWN_TIER).collect();
        names
            .into_iter()
            .map(|name| said(name).cloned().unwrap_or_else(Vetting::discovered))
            .reduce(weaker)
            .unwrap_or_else(Vetting::discovered)
    }
}

/// Rank for "the weakest of several": approved is 0, denied is the highest.
const fn weakness(status: Status) -> u8 {
    match status {
        Status::Approved => 0,
        Status::Conditional => 1,
        Status::InReview => 2,
        Status::Requested => 3,
        Status::Discovered => 4,
        Status::Retired => 5,
        Status::Denied => 6,
    }
}

/// The weaker of two: the worse status, only what both clear, and the rest only where both agree.
fn weaker(a: Vetting, b: Vetting) -> Vetting {
    Vetting {
        status: if weakness(a.status) >= weakness(b.status) { a.status } else { b.status },
        cleared: a.cleared.intersection(&b.cleared).cloned().collect(),
        region: a.region.filter(|region| Some(region) == b.region.as_ref()),
        owner: a.owner.filter(|owner| Some(owner) == b.owner.as_ref()),
        since: a.since.max(b.since),
        until: match (a.until, b.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    }
}

fn decision(entry: &VettingEntry) -> Result<Vetting, CatalogError> {
    let fail = |problem: String| Err(CatalogError::service(&entry.service, problem));
    if !is_id(&entry.tier) {
        return fail(format!("tier `{}` is not an id; write lower case with hyphens", entry.tier));
    }
    if let Some(class) = entry.cleared.iter().find(|class| !is_id(class)) {
        return fail(format!("class `{class}` is not an id; write lower case with hyphens"));
    }
    let moment = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => Moment::parse(text).map(Some).ok_or_else(|| {
            CatalogError::service(
                &entry.service,
                format!("`{text}` is not a date; write \"2026-08-19\" or \"2026-08-19T12:00Z\""),
            )
        }),
    };
    let (since, until) = (moment(&entry.since)?, moment(&entry.until)?);
    if since.zip(until).is_some_and(|(since, until)| until <= since) {
        return fail("`until` is not after `since`".to_owned());
    }
    Ok(Vetting {
        status: entry.status,
        cleared: entry.cleared.clone(),
        region: entry.region.clone(),
        owner: entry.owner.clone(),
        since,
        until,
    })
}
