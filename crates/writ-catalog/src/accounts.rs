//! What an organisation says about accounts: values of tenant headers, and how its own accounts are told from others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use writ_model::{Account, Term};

use crate::catalog::is_id;
use crate::error::CatalogError;
use crate::limits;
use crate::service::TenantHeader;

/// The value of a tenant header that the organisation chose. It is set on every request to the service's or sign-in
/// host; a copy that the client sent is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantValue {
    /// Id of the service or of the sign-in hosts.
    pub at: Term,
    /// Name of the header, one that the catalog lists there; case does not matter.
    pub header: String,
    /// Its value: visible ASCII and inner spaces.
    pub value: String,
}

/// How the account of a request is told from its head, without reading content.
///
/// Corporate markers are asked first: one holds if the named thing is there and *every* value of it is listed. Then
/// personal ones (any value is listed), then logged-out ones (the thing is absent). The client chooses what it sends;
/// what makes it true is that the service acts by the same header, cookie or token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountMarker {
    /// Id of the service.
    pub service: Term,
    /// What it shows: `corporate`, `personal` or `logged-out`.
    pub account: Account,
    /// The plan of that account, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Term>,
    /// Name of a request header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Name of a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// Place in the claims of a bearer token that is a JSON Web Token (RFC 7519), as a JSON pointer (RFC 6901).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The values; one that ends in `*` stands for all that begin so. Empty for `logged-out`: the thing is absent.
    #[serde(default)]
    pub values: Vec<String>,
}

/// What a request's head offers to [`crate::Catalog::account`].
pub trait AccountHints {
    /// The values of a header, each line by itself.
    fn header(&self, name: &str) -> Vec<&str>;
    /// A string or number in the claims of the bearer token, if there is one.
    fn claim(&self, pointer: &str) -> Option<String>;
}

/// Chosen values and markers, checked and by service.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    tenants: BTreeMap<Term, Vec<TenantValue>>,
    markers: BTreeMap<Term, Vec<AccountMarker>>,
}

impl Accounts {
    /// `listed` gives the tenant headers of a service or of sign-in hosts, `None` if there is no such id; `service`
    /// whether an id is a service's.
    pub(crate) fn build<'c>(
        tenants: Vec<TenantValue>,
        markers: Vec<AccountMarker>,
        listed: impl Fn(&str) -> Option<&'c [TenantHeader]>,
        service: impl Fn(&str) -> bool,
    ) -> Result<Self, CatalogError> {
        CatalogError::check_limit(&limits::ACCOUNT_CHOICES, tenants.len() + markers.len())?;
        let mut all = Self::default();
        for tenant in tenants {
            let known = listed(&tenant.at).ok_or_else(|| unknown(&tenant.at))?;
            check_tenant(&tenant, known).map_err(|problem| CatalogError::service(&tenant.at, problem))?;
            let there = all.tenants.entry(tenant.at.clone()).or_default();
            if there.iter().any(|other| other.header.eq_ignore_ascii_case(&tenant.header)) {
                let problem = format!("tenant header `{}` is given twice", tenant.header);
                return Err(CatalogError::service(&tenant.at, problem));
            }
            there.push(tenant);
        }
        for marker in markers {
            if !service(&marker.service) {
                return Err(unknown(&marker.service));
            }
            check_marker(&marker).map_err(|problem| CatalogError::service(&marker.service, problem))?;
            all.markers.entry(marker.service.clone()).or_default().push(marker);
        }
        Ok(all)
    }

    pub(crate) fn tenants(&self, id: &str) -> &[TenantValue] {
        self.tenants.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn account(&self, service: &str, hints: &dyn AccountHints) -> Option<(Account, Option<&Term>)> {
        let markers = self.markers.get(service)?;
        [Account::Corporate, Account::Personal, Account::LoggedOut].into_iter().find_map(|account| {
            let found = markers.iter().find(|marker| marker.account == account && marker.holds(hints))?;
            Some((account, found.tier.as_ref()))
        })
    }
}

impl AccountMarker {
    fn holds(&self, hints: &dyn AccountHints) -> bool {
        let found = self.found(hints);
        let listed = |value: &String| self.values.iter().any(|wanted| fits(wanted, value));
        match self.account {
            Account::Corporate => !found.is_empty() && found.iter().all(listed),
            Account::Personal => found.iter().any(listed),
            Account::LoggedOut => found.is_empty(),
            Account::Unknown => false,
        }
    }

    fn found(&self, hints: &dyn AccountHints) -> Vec<String> {
        if let Some(name) = &self.header {
            return hints.header(name).into_iter().map(|value| value.trim().to_owned()).collect();
        }
        if let Some(name) = &self.cookie {
            let lines = hints.header("cookie");
            let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
            return pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).collect();
        }
        self.claim.as_ref().and_then(|pointer| hints.claim(pointer)).into_iter().collect()
    }
}

fn fits(wanted: &str, value: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == value, |prefix| value.starts_with(prefix))
}

fn unknown(id: &Term) -> CatalogError {
    CatalogError::UnknownService { id: id.to_string() }
}

fn check_tenant(tenant: &TenantValue, listed: &[TenantHeader]) -> Result<(), String> {
    if !listed.iter().any(|header| header.name.eq_ignore_ascii_case(&tenant.header)) {
        return Err(format!("`{}` is no tenant header of it", tenant.header));
    }
    let plain = |b: u8| b.is_ascii_graphic() || b == b' ';
    if tenant.value.trim() != tenant.value || tenant.value.is_empty() || !tenant.value.bytes().all(plain) {
        return Err(format!("the value of tenant header `{}` is not visible ASCII", tenant.header));
    }
    Ok(())
}

fn check_marker(marker: &AccountMarker) -> Result<(), String> {
    let places = [&marker.header, &marker.cookie, &marker.claim];
    if places.iter().filter(|place| place.is_some()).count() != 1 {
        return Err("an account marker names one of `header`, `cookie`, `claim`".to_owned());
    }
    if marker.account == Account::Unknown {
        return Err("an account marker shows `corporate`, `personal` or `logged-out`".to_owned());
    }
    if (marker.account == Account::LoggedOut) != marker.values.is_empty() {
        return Err("`values` is required, except for `logged-out`, which means that the thing is absent".to_owned());
    }
    match &marker.tier {
        Some(tier) if !is_id(tier) => Err(format!("tier `{tier}` is not an id; write lower case with hyphens")),
        _ => Ok(()),
    }
}
