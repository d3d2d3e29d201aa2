//! Whose record it is: read from the sealed part without opening it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ledger::Entry;
use crate::state::{KeyId, State, StateError};

/// Tells whose record an entry is. The index knows persons by the ids of their keys only; pseudonyms are looked up when
/// an answer is given. So whoever is erased is gone from answers at once, and a new epoch of pseudonyms needs no new
/// index.
#[derive(Clone)]
pub struct Opener(Arc<State>);

impl Opener {
    /// Over a state database.
    pub const fn new(state: Arc<State>) -> Self {
        Self(state)
    }

    /// Reads the key ids of entries.
    pub(super) fn reader(&self) -> Result<impl Fn(&Entry) -> Option<KeyId> + use<>, StateError> {
        self.0.key_reader()
    }

    /// Pseudonyms by key id.
    pub(super) async fn names(&self, keys: &BTreeSet<KeyId>) -> Result<BTreeMap<KeyId, String>, StateError> {
        if keys.is_empty() { Ok(BTreeMap::new()) } else { self.0.pseudonyms_of(keys).await }
    }

    /// The keys of whoever is called so.
    pub(super) async fn keys(&self, pseudonym: &str) -> Result<Vec<KeyId>, StateError> {
        match self.0.principal_called(pseudonym).await? {
            Some(principal) => self.0.key_ids(principal).await,
            None => Ok(Vec::new()),
        }
    }
}
