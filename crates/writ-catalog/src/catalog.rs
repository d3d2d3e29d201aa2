//! The catalog: services, sign-in hosts, decisions, and the index over their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use writ_base::{ContentHash, Moment};
use writ_model::{Account, Category, Term};

use crate::accounts::{AccountHints, Accounts, TenantValue};
use crate::builtin::BUILTIN_TEXTS;
use crate::error::CatalogError;
use crate::index::{EntryId, HostIndex, check_name};
use crate::limits;
use crate::organisation::{OrganisationServices, Vetting, Vettings};
use crate::service::{Host, HostMatch, HostMode, Service, SignIn};

/// AI services, matched by name. Immutable; part of the snapshot of a decision.
#[derive(Debug)]
pub struct Catalog {
    /// Sorted by id.
    services: Vec<Service>,
    /// Sorted by id.
    sign_ins: Vec<SignIn>,
    /// Mode of each service as the organisation chose it.
    modes: BTreeMap<Term, HostMode>,
    vettings: Vettings,
    accounts: Accounts,
    /// Service and host of each entry of `hosts`.
    entries: Vec<(u32, u32)>,
    hosts: HostIndex,
    sign_in_hosts: HostIndex,
    hash: ContentHash,
}

/// The service that a host name belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Match<'c> {
    /// The service.
    pub service: &'c Service,
    /// The entry that matched.
    pub host: &'c Host,
    mode: HostMode,
}

impl Match<'_> {
    /// How a connection is handled, with the organisation's choice applied.
    pub fn mode(&self) -> HostMode {
        self.mode
    }

    /// Whether the host also serves uses that are not AI, so that the name alone is no evidence of AI use: its
    /// connections are not judged as tunnels to the service.
    pub fn shared(&self) -> bool {
        self.host.mode == HostMode::Paths
    }
}

impl Catalog {
    /// The catalog that ships.
    #[expect(clippy::expect_used, reason = "the embedded texts are constants that a test loads")]
    pub fn builtin() -> Self {
        Self::load(BUILTIN_TEXTS).expect("embedded catalog texts load")
    }

    /// Reads catalog texts (TOML with `[[service]]` and `[[sign-in]]`).
    ///
    /// # Errors
    /// The first thing that is wrong: a text of another form, an unknown key or word, a fact without source or date,
    /// an id or host defined twice, a limit exceeded.
    pub fn load(texts: &[&str]) -> Result<Self, CatalogError> {
        let mut content = Content::default();
        for (at, text) in texts.iter().enumerate() {
            let part: Content = read(at + 1, text)?;
            content.services.extend(part.services);
            content.sign_ins.extend(part.sign_ins);
        }
        Self::build(content, OrganisationServices::default())
    }

    /// This catalog with an organisation's own services, decisions and host modes beside it. Own services may not
    /// redefine an id or a host; a longer host name takes precedence over a shorter. Decisions and modes of an earlier
    /// call are replaced; services of an earlier call stay.
    ///
    /// # Errors
    /// As [`Self::load`], and a decision or mode for a service that does not exist.
    pub fn with_organisation(self, organisation: OrganisationServices) -> Result<Self, CatalogError> {
        Self::build(Content { services: self.services, sign_ins: self.sign_ins }, organisation)
    }

    /// The service of a host name (ASCII or punycode, without port; case and one trailing dot do not matter): exact
    /// name, else pattern, else the longest suffix on a label boundary.
    pub fn match_host(&self, name: &str) -> Option<Match<'_>> {
        let (service, host) = self.entry(self.hosts.find(name)?)?;
        Some(Match { service, host, mode: self.mode_of(service, host) })
    }

    /// The sign-in host of that name, if it is one; its mode is [`HostMode::HeadOnly`].
    pub fn sign_in(&self, name: &str) -> Option<&SignIn> {
        self.sign_ins.get(usize::try_from(self.sign_in_hosts.find(name)?).ok()?)
    }

    /// The service with that id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| service.id.as_str().cmp(id)).ok()?;
        self.services.get(at)
    }

    /// All services, sorted by id.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// All sign-in hosts, sorted by id.
    pub fn sign_ins(&self) -> &[SignIn] {
        &self.sign_ins
    }

    /// What the organisation decided about a service and plan, at `now`: its entry for that plan, else its entry for
    /// the plan `unknown`, else `discovered`. For an unknown plan without an entry of its own, the weakest of all plans
    /// that the catalog or an entry names (a plan that nobody decided is `discovered`).
    pub fn vetting(&self, service: &str, tier: &str, now: Moment) -> Vetting {
        self.vettings.decide(self.service(service), service, tier, now)
    }

    /// Tenant headers and the values that the organisation chose, of a service or of sign-in hosts by their id.
    pub fn tenant_values(&self, id: &str) -> &[TenantValue] {
        self.accounts.tenants(id)
    }

    /// The account that a request's head shows by the organisation's markers, and its plan where the marker tells it.
    /// `None` if no marker holds or there is none.
    pub fn account(&self, service: &str, hints: &dyn AccountHints) -> Option<(Account, Option<&Term>)> {
        self.accounts.account(service, hints)
    }

    /// How connections to a host of a service are handled, with the organisation's choice applied.
    pub fn mode_of(&self, service: &Service, host: &Host) -> HostMode {
        effective_mode(host.mode, self.modes.get(&service.id).copied())
    }

    /// Hash of the content: services, sign-in hosts, decisions and modes, whatever the order and layout of the texts.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    fn entry(&self, id: EntryId) -> Option<(&Service, &Host)> {
        let (service, host) = *self.entries.get(usize::try_from(id).ok()?)?;
        let service = self.services.get(usize::try_from(service).ok()?)?;
        Some((service, service.hosts.get(usize::try_from(host).ok()?)?))
    }

    fn build(mut content: Content, mut organisation: OrganisationServices) -> Result<Self, CatalogError> {
        content.services.extend(organisation.services.clone());
        content.services.sort_by(|a, b| a.id.cmp(&b.id));
        content.sign_ins.sort_by(|a, b| a.id.cmp(&b.id));
        organisation.vettings.sort_by(|a, b| (&a.service, &a.tier).cmp(&(&b.service, &b.tier)));
        organisation.modes.sort_by(|a, b| a.service.cmp(&b.service));
        CatalogError::check_limit(&limits::SERVICES, content.services.len())?;
        content.services.iter().try_for_each(check_service)?;
        content.sign_ins.iter().try_for_each(check_sign_in)?;
        check_unique(&content)?;
        let hash = content_hash(&content, &organisation)?;
        let (entries, hosts) = index_services(&content.services)?;
        let known = |id: &str| content.services.binary_search_by(|service| service.id.as_str().cmp(id)).is_ok();
        let vettings = Vettings::build(&organisation.vettings, known)?;
        let mut modes = BTreeMap::new();
        for choice in organisation.modes {
            if !known(&choice.service) {
                return Err(CatalogError::UnknownService { id: choice.service.to_string() });
            }
            if modes.insert(choice.service.clone(), choice.mode).is_some() {
                return Err(CatalogError::service(&choice.service, "its mode is chosen twice"));
            }
        }
        let listed = |id: &str| {
            let service = content.services.iter().find(|service| service.id.as_str() == id);
            let sign_in = content.sign_ins.iter().find(|sign_in| sign_in.id.as_str() == id);
            let of_service = service.map(|service| service.tenant_headers.as_slice());
            of_service.or(sign_in.map(|sign_in| sign_in.tenant_headers.as_slice()))
        };
        let accounts = Accounts::build(organisation.tenants, organisation.accounts, listed, known)?;
        let sign_in_hosts = index_sign_ins(&content.sign_ins);
        let Content { services, sign_ins } = content;
        Ok(Self { services, sign_ins, modes, vettings, accounts, entries, hosts, sign_in_hosts, hash })
    }
}

/// What catalog texts hold.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default, rename = "service")]
    services: Vec<Service>,
    #[serde(default, rename = "sign-in")]
    sign_ins: Vec<SignIn>,
}

/// Reads one text; `number` counts from 1, for the error.
pub(crate) fn read<T: DeserializeOwned>(number: usize, text: &str) -> Result<T, CatalogError> {
    CatalogError::check_limit(&limits::TEXT_SIZE, text.len())?;
    toml::from_str(text)
        .map_err(|error| CatalogError::Syntax { number, message: error.to_string().trim_end().to_owned() })
}

/// Whether a word is an id: lower-case letters and digits in groups joined by single hyphens.
pub(crate) fn is_id(word: &str) -> bool {
    let group = |g: &str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    word.len() <= 64 && word.split('-').all(group)
}

fn effective_mode(shipped: HostMode, chosen: Option<HostMode>) -> HostMode {
    match (shipped, chosen) {
        (HostMode::Paths, Some(HostMode::Paths)) => HostMode::Paths,
        (HostMode::Paths, _) => HostMode::Splice,
        (HostMode::Inspect, Some(HostMode::Paths) | None) => HostMode::Inspect,
        (HostMode::Inspect, Some(chosen)) => chosen,
        (_, Some(HostMode::Refuse)) => HostMode::Refuse,
        (shipped, _) => shipped,
    }
}

fn check_service(service: &Service) -> Result<(), CatalogError> {
    let fail = |problem: String| Err(CatalogError::service(&service.id, problem));
    if !is_id(&service.id) {
        return fail("the id is not lower case with single hyphens".to_owned());
    }
    if service.name.trim().is_empty() || service.vendor.trim().is_empty() || service.evidence.source.trim().is_empty() {
        return fail("name, vendor and source of the evidence may not be empty".to_owned());
    }
    if service.category == Category::Unknown {
        return fail("the category is `unknown`; write `other` where no other fits".to_owned());
    }
    if service.formats.is_empty() {
        return fail("formats is empty; write [\"unknown\"]".to_owned());
    }
    for (at, tier) in service.tiers.iter().enumerate() {
        if !is_id(&tier.id) || tier.id.unknown() {
            return fail(format!("tier `{}` is not an id, or is the implied `unknown`", tier.id));
        }
        if service.tiers.iter().take(at).any(|earlier| earlier.id == tier.id) {
            return fail(format!("tier `{}` is defined twice", tier.id));
        }
    }
    for host in &service.hosts {
        check_host(service, host).map_err(|problem| CatalogError::service(&service.id, problem))?;
    }
    Ok(())
}

fn check_host(service: &Service, host: &Host) -> Result<(), String> {
    check_name(&host.name, host.matching)?;
    if (host.mode == HostMode::Paths) == host.paths.is_empty() {
        return Err(format!("host `{}`: paths are required by the mode `paths`, and belong to no other", host.name));
    }
    match &host.tier {
        Some(tier) if service.tier(tier).is_none() => {
            Err(format!("host `{}` names the unlisted tier `{tier}`", host.name))
        }
        _ => Ok(()),
    }
}

fn check_sign_in(sign_in: &SignIn) -> Result<(), CatalogError> {
    if !is_id(&sign_in.id) {
        return Err(CatalogError::service(&sign_in.id, "the id is not lower case with single hyphens"));
    }
    for host in &sign_in.hosts {
        check_name(host, HostMatch::Exact).map_err(|problem| CatalogError::service(&sign_in.id, problem))?;
    }
    Ok(())
}

/// No id and no host twice, over services and sign-in hosts together.
fn check_unique(content: &Content) -> Result<(), CatalogError> {
    let mut ids = BTreeSet::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let services = content.services.iter().map(|s| (&s.id, s.hosts.iter().map(|host| &host.name).collect::<Vec<_>>()));
    let sign_ins = content.sign_ins.iter().map(|s| (&s.id, s.hosts.iter().collect::<Vec<_>>()));
    for (id, hosts) in services.chain(sign_ins) {
        if !ids.insert(id) {
            return Err(CatalogError::DuplicateService { id: id.to_string() });
        }
        for host in hosts {
            if let Some(first) = owners.insert(host, id) {
                let (host, first, second) = (host.clone(), first.to_owned(), id.to_string());
                return Err(CatalogError::DuplicateHost { host, first, second });
            }
        }
    }
    CatalogError::check_limit(&limits::HOSTS, owners.len())
}

fn index_services(services: &[Service]) -> Result<(Vec<(u32, u32)>, HostIndex), CatalogError> {
    let mut entries = Vec::new();
    let mut index = HostIndex::default();
    for (service, hosts) in (0u32..).zip(services.iter().map(|service| &service.hosts)) {
        for (at, host) in (0u32..).zip(hosts) {
            let id = EntryId::try_from(entries.len()).map_err(|_| CatalogError::Limit {
                limit: limits::HOSTS.name(),
                unit: limits::HOSTS.unit(),
                value: limits::HOSTS.value(),
            })?;
            entries.push((service, at));
            index.insert(&host.name, host.matching, id);
        }
    }
    Ok((entries, index))
}

fn index_sign_ins(sign_ins: &[SignIn]) -> HostIndex {
    let mut index = HostIndex::default();
    for (at, sign_in) in (0..).zip(sign_ins) {
        for host in &sign_in.hosts {
            index.insert(host, HostMatch::Exact, at);
        }
    }
    index
}

/// Over the canonical JSON of everything, sorted. Only a type that JSON cannot hold could fail, and none is used.
fn content_hash(content: &Content, organisation: &OrganisationServices) -> Result<ContentHash, CatalogError> {
    let failed = |error: serde_json::Error| CatalogError::Syntax { number: 0, message: error.to_string() };
    let services = serde_json::to_vec(content).map_err(failed)?;
    let decisions = serde_json::to_vec(&(&organisation.vettings, &organisation.modes)).map_err(failed)?;
    Ok(ContentHash::of_parts([services.as_slice(), decisions.as_slice()]))
}
