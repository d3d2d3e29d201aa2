//! What is done with a connection, from its name alone: the catalog's host modes with the organisation's choices.

use http::{HeaderName, HeaderValue};
use writ_catalog::{Catalog, HostMode};
use writ_model::Term;

/// An AI service as a name shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The catalog id.
    pub(crate) service: Term,
    /// The plan that the host alone tells, or `unknown`.
    pub(crate) tier: Term,
}

impl Named {
    /// A destination of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self { service: Term::UNKNOWN, tier: Term::UNKNOWN }
    }
}

/// Headers that the organisation sets on requests to a host.
pub(crate) type TenantHeaders = Vec<(HeaderName, HeaderValue)>;

/// What is done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Opened; each request is judged.
    Inspect(Named),
    /// Opened; requests on AI paths are judged, others pass unread.
    Paths(Named),
    /// Opened for its heads: tenant headers are set, bodies pass unread. `Some` if the host is an AI service's own.
    HeadOnly(Option<Named>),
    /// Not opened, and judged as a whole: an AI service.
    Tunnel(Named),
    /// Refused by the organisation.
    Refuse(Named),
    /// Not opened and not judged: not known as an AI service.
    Pass,
}

impl Plan {
    /// The plan for a host name. `opens` tells whether Writ has a certificate for a name.
    pub(crate) fn of(catalog: &Catalog, host: &str, opens: &dyn Fn(&str) -> bool) -> Self {
        if let Some(sign_in) = catalog.sign_in(host) {
            let restricted = !catalog.tenant_values(&sign_in.id).is_empty();
            return if restricted && opens(host) { Self::HeadOnly(None) } else { Self::Pass };
        }
        let Some(found) = catalog.match_host(host) else { return Self::Pass };
        let tier = found.host.tier.clone().unwrap_or(Term::UNKNOWN);
        let named = Named { service: found.service.id.clone(), tier };
        match found.mode() {
            HostMode::Refuse => Self::Refuse(named),
            HostMode::Inspect if opens(host) => Self::Inspect(named),
            HostMode::Paths if opens(host) => Self::Paths(named),
            HostMode::HeadOnly if !catalog.tenant_values(&named.service).is_empty() && opens(host) => {
                Self::HeadOnly(Some(named))
            }
            // A host that also serves other uses is no evidence of AI use: its name alone is not judged.
            HostMode::Paths | HostMode::Splice if found.shared() => Self::Pass,
            _ => Self::Tunnel(named),
        }
    }

    /// The AI service that the name stands for, also where it shares its host with other uses. `None` for others.
    pub(crate) fn ai(&self) -> Option<&Named> {
        match self {
            Self::Inspect(named) | Self::Tunnel(named) | Self::Refuse(named) | Self::Paths(named) => Some(named),
            Self::HeadOnly(named) => named.as_ref(),
            Self::Pass => None,
        }
    }
}

/// The tenant headers for a host, from the values that the organisation chose for its service or sign-in.
pub(crate) fn tenant_headers(catalog: &Catalog, host: &str) -> TenantHeaders {
    let sign_in = catalog.sign_in(host).map(|sign_in| &sign_in.id);
    let Some(id) = sign_in.or_else(|| catalog.match_host(host).map(|found| &found.service.id)) else {
        return Vec::new();
    };
    let header = |value: &writ_catalog::TenantValue| {
        Some((value.header.parse::<HeaderName>().ok()?, HeaderValue::try_from(value.value.as_str()).ok()?))
    };
    catalog.tenant_values(id).iter().filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_catalog::OrganisationServices;

    const ORGANISATION: &str = r#"
[[tenant]]
at = "google-sign-in"
header = "X-GoogApps-Allowed-Domains"
value = "example.com"

[[mode]]
service = "deepseek"
mode = "refuse"

[[mode]]
service = "claude"
mode = "splice"

[[mode]]
service = "gitlab-duo"
mode = "paths"
"#;

    fn plan(host: &str, opens: bool) -> &'static str {
        let organisation = OrganisationServices::load(&[ORGANISATION]).unwrap();
        let catalog = Catalog::builtin().with_organisation(organisation).unwrap();
        match Plan::of(&catalog, host, &|_| opens) {
            Plan::Inspect(_) => "inspect",
            Plan::Paths(_) => "paths",
            Plan::HeadOnly(Some(_)) => "head only, AI",
            Plan::HeadOnly(None) => "head only",
            Plan::Tunnel(_) => "tunnel",
            Plan::Refuse(_) => "refuse",
            Plan::Pass => "pass",
        }
    }

    #[test]
    fn each_mode_has_its_plan_with_and_without_a_certificate() {
        for (host, opened, closed) in [
            ("api.openai.com", "inspect", "tunnel"),
            ("claude.ai", "tunnel", "tunnel"),
            ("chat.deepseek.com", "refuse", "refuse"),
            ("cloud.gitlab.com", "paths", "pass"),
            ("sourcegraph.com", "pass", "pass"),
            ("auth.openai.com", "tunnel", "tunnel"),
            ("oaistatic.com", "tunnel", "tunnel"),
            ("accounts.google.com", "head only", "pass"),
            ("login.live.com", "pass", "pass"),
            ("bank.example", "pass", "pass"),
            ("192.0.2.1", "pass", "pass"),
        ] {
            assert_eq!((plan(host, true), plan(host, false)), (opened, closed), "{host}");
        }
    }
}
