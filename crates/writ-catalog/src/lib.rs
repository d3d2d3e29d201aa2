//! AI services as reviewed data, matched by name.
//!
//! The catalog answers four questions without reading any content: which service does this host name belong to
//! ([`Catalog::match_host`]), how is a connection to it handled ([`HostMode`]), what is known about its plans
//! ([`Tier`], every [`Fact`] with source and date, or `unknown`), and what has the organisation decided about it
//! ([`Catalog::vetting`]).
//!
//! The data that ships is in `catalog/services/*.toml` and is embedded; [`Catalog::load`] reads other texts of the same
//! form, and [`Catalog::with_organisation`] lays an organisation's own services and decisions beside it. A catalog never
//! changes: a reload builds another one, and [`Catalog::hash`] names it in the record of each decision.
//!
//! What is *not* here: recognition of services that are in no list (that is the sensor's work), and wire formats
//! themselves ([`WireFormat`] only names them).

mod accounts;
mod builtin;
mod catalog;
mod error;
mod fact;
mod index;
mod organisation;
mod path;
mod service;

pub use accounts::{AccountHints, AccountMarker, TenantValue};
pub use builtin::BUILTIN_TEXTS;
pub use catalog::{Catalog, Match};
pub use error::CatalogError;
pub use fact::{Fact, Known, SourceDate};
pub use organisation::{ModeChoice, OrganisationServices, Vetting, VettingEntry};
pub use path::{PathPattern, normalise_path};
pub use service::{
    Evidence, Host, HostMatch, HostMode, Seen, Service, SignIn, TenantHeader, Tier, TrainingUse, WireFormat,
};

/// Limits of this crate (invariant LIM-1).
pub mod limits {
    use writ_base::Limit;

    /// Size of one catalog text.
    pub static TEXT_SIZE: Limit = Limit::new("catalog.text_size", "bytes", 8 << 20);
    /// Services in a catalog, an organisation's own included.
    pub static SERVICES: Limit = Limit::new("catalog.services", "services", 50_000);
    /// Host names in a catalog.
    pub static HOSTS: Limit = Limit::new("catalog.hosts", "names", 200_000);
    /// Decisions of an organisation about (service, tier).
    pub static VETTINGS: Limit = Limit::new("catalog.vettings", "entries", 100_000);
    /// Values of tenant headers and account markers of an organisation.
    pub static ACCOUNT_CHOICES: Limit = Limit::new("catalog.account_choices", "entries", 10_000);
    /// Length of a host name in a catalog (RFC 1035, section 2.3.4, without the trailing dot).
    pub static HOST_NAME: Limit = Limit::new("catalog.host_name", "bytes", 253);
}
