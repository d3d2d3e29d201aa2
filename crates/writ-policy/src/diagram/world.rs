//! What is so in an installation beside its policy: the part of the theory that the schema cannot say.

use std::collections::BTreeMap;

use writ_model::{Category, Term};

/// Facts about an installation on which proofs rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The category of each service that the catalog knows: a service has one.
    pub services: BTreeMap<Term, Category>,
    /// Content of protected persons passes unread.
    pub protected_unread: bool,
    /// Content under personal accounts passes unread.
    pub personal_unread: bool,
}

impl World {
    /// The category that a service certainly has. A service that nobody could tell has none that anybody could.
    pub(crate) fn category(&self, service: &Term) -> Option<Category> {
        if service.unknown() { Some(Category::Unknown) } else { self.services.get(service).copied() }
    }
}
