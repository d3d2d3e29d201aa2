//! Which hosts the authority must be able to answer for.

use std::net::IpAddr;

use writ_catalog::{Catalog, Host, HostMatch, HostMode};

use crate::CaError;

/// The names of a catalog that need a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// (service, name), sorted; a name stands for itself and all below it.
    pub hosts: Vec<(String, String)>,
    /// (service, pattern) that stands for names nobody knows: they cannot be listed, and so not be opened.
    pub left_out: Vec<(String, String)>,
}

/// The names of a catalog whose connections are opened: modes `inspect`, `head-only`, `paths` where the organisation
/// turned it on, and `refuse`, so that a person gets a page that says why. Spliced hosts are not listed.
///
/// A pattern (`bedrock-runtime.*.amazonaws.com`) has no form in a name constraint but the whole domain after it, which
/// holds much that is not AI. It is listed as the names that the provider's regions give.
pub fn listed(catalog: &Catalog) -> Listed {
    let mut listed = Listed::default();
    for service in catalog.services() {
        for host in &service.hosts {
            let names = names_of(host);
            if names.is_empty() {
                listed.left_out.push((service.id.to_string(), host.name.clone()));
            }
            let opened = |name: &String| catalog.match_host(name).is_some_and(|found| found.mode() != HostMode::Splice);
            let opened = names.into_iter().filter(opened);
            listed.hosts.extend(opened.map(|name| (service.id.to_string(), name)));
        }
    }
    for sign_in in catalog.sign_ins() {
        listed.hosts.extend(sign_in.hosts.iter().map(|host| (sign_in.id.to_string(), host.clone())));
    }
    listed.hosts.sort_unstable();
    listed.hosts.dedup();
    listed
}

/// The names that a catalog entry stands for.
fn names_of(host: &Host) -> Vec<String> {
    match host.matching {
        HostMatch::Exact | HostMatch::Suffix => vec![host.name.clone()],
        HostMatch::Pattern => {
            let regions = REGIONS.iter().find(|regions| regions.applies(&host.name));
            let regions = regions.map_or(&[][..], |regions| regions.names);
            regions.iter().map(|region| host.name.replacen('*', region, 1)).collect()
        }
    }
}

/// What the star of a provider's host names stands for.
struct Regions {
    /// Whether it is for a label of its own (`.*.`) or a beginning (`*-`).
    before: &'static str,
    /// The end of the pattern from the star on.
    after: &'static str,
    names: &'static [&'static str],
}

impl Regions {
    fn applies(&self, pattern: &str) -> bool {
        pattern.split_once('*').is_some_and(|(before, after)| before.ends_with(self.before) && after == self.after)
    }
}

/// Sources: AWS, "Regions and Availability Zones" and Google Cloud, "Vertex AI locations" (2026-11). A region that
/// opens later is added here and listed by `writ ca extend`.
const REGIONS: &[Regions] = &[
    Regions {
        before: ".",
        after: ".amazonaws.com",
        names: &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-gov-east-1",
            "us-gov-west-1",
            "us-west-1",
            "us-west-2",
        ],
    },
    Regions {
        before: "",
        after: "-aiplatform.googleapis.com",
        names: &[
            "africa-south1",
            "asia-east1",
            "asia-east2",
            "asia-northeast1",
            "asia-northeast2",
            "asia-northeast3",
            "asia-south1",
            "asia-southeast1",
            "asia-southeast2",
            "australia-southeast1",
            "australia-southeast2",
            "europe-central2",
            "europe-north1",
            "europe-southwest1",
            "europe-west1",
            "europe-west2",
            "europe-west3",
            "europe-west4",
            "europe-west6",
            "europe-west8",
            "europe-west9",
            "europe-west12",
            "me-central1",
            "me-central2",
            "me-west1",
            "northamerica-northeast1",
            "northamerica-northeast2",
            "southamerica-east1",
            "southamerica-west1",
            "us-central1",
            "us-east1",
            "us-east4",
            "us-east5",
            "us-south1",
            "us-west1",
            "us-west2",
            "us-west3",
            "us-west4",
        ],
    },
];

/// Whether a name can stand in a name constraint and a leaf.
///
/// # Errors
/// If it is an address, a whole top-level domain, a wildcard or no host name.
pub(crate) fn check_name(name: &str) -> Result<(), CaError> {
    let wrong = |reason| Err(CaError::Name { name: name.chars().take(300).collect(), reason });
    if name.parse::<IpAddr>().is_ok() {
        return wrong("it is an address; only DNS names are listed");
    }
    if !is_dns_name(name) {
        return wrong("it is not a DNS name in lower case ASCII");
    }
    if !name.contains('.') && name != "localhost" {
        return wrong("it is a whole top-level domain");
    }
    Ok(())
}

/// Letters (lower case), digits, hyphens and underscores in labels of 1 to 63 bytes, 253 in all; the last label is not
/// a number, which would make an address of it.
pub(crate) fn is_dns_name(name: &str) -> bool {
    let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(byte);
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}
