//! The vault: what placeholders stand for, per principal and conversation. In memory only, sealed, bounded, expiring;
//! after a restart placeholders stay as they are, and the answer says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use writ_base::keys::SecretKey;
use writ_base::{Limit, Moment, Randomness, Sensitive};
use writ_model::interaction::ConversationId;

use crate::memory::Memory;
use crate::placeholder;

/// Compartments: conversations whose placeholders can be turned back.
pub static COMPARTMENTS: Limit = Limit::new("engine.vault.compartments", "conversations", 20_000);
/// Values per conversation.
pub static VALUES: Limit = Limit::new("engine.vault.values", "values per conversation", 10_000);
/// How long a conversation's values are kept after its last prompt.
pub const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// All compartments.
pub struct Vault {
    key: SecretKey,
    placeholder_key: SecretKey,
    randomness: Arc<dyn Randomness>,
    compartments: Memory<ConversationId, Arc<Compartment>>,
}

impl Vault {
    /// An empty vault with a key of its own; `placeholder_key` names the values.
    pub fn new(placeholder_key: SecretKey, randomness: Arc<dyn Randomness>) -> Self {
        let key = SecretKey::generate(&*randomness);
        Self { key, placeholder_key, randomness, compartments: Memory::new(&COMPARTMENTS) }
    }

    /// The compartment of a principal's conversation, if it has one; its lifetime starts anew.
    pub fn known(&self, conversation: ConversationId, now: Moment) -> Option<Arc<Compartment>> {
        let compartment = self.compartments.recall(&conversation)?;
        let mut contents = compartment.contents.lock();
        if contents.expires <= now {
            return None;
        }
        contents.expires = now.after(LIFETIME);
        drop(contents);
        Some(compartment)
    }

    /// The compartment of a principal's conversation, to put something in.
    pub fn compartment(&self, conversation: ConversationId, now: Moment) -> Arc<Compartment> {
        self.known(conversation, now).unwrap_or_else(|| {
            let contents = Contents { expires: now.after(LIFETIME), ..Contents::default() };
            let compartment = Arc::new(Compartment { id: conversation, contents: Mutex::new(contents) });
            self.compartments.keep(conversation, Arc::clone(&compartment));
            compartment
        })
    }

    /// Puts a value into a compartment and returns its placeholder, or `None` if the compartment is full.
    pub fn issue(&self, compartment: &Compartment, data_type: &str, value: &str) -> Option<String> {
        let mut contents = compartment.contents.lock();
        let mut name = placeholder::issue(&self.placeholder_key, data_type, value);
        // Two values with one name are all but impossible; if it happens, the second takes another name.
        while let Some(sealed) = contents.sealed.get(&name) {
            if self.open(compartment, &name, sealed).is_some_and(|held| held.expose() == value) {
                return Some(name);
            }
            name = placeholder::issue(&self.placeholder_key, data_type, &format!("{name}{value}"));
        }
        if !VALUES.admits(contents.sealed.len() + 1) {
            return None;
        }
        let sealed = self.key.seal(&compartment.context(&name), value.as_bytes(), &*self.randomness);
        contents.sealed.insert(name.clone(), sealed);
        Some(name)
    }

    /// What a placeholder stands for, if this compartment issued it.
    pub fn restore(&self, compartment: &Compartment, placeholder: &str) -> Option<Sensitive<String>> {
        let contents = compartment.contents.lock();
        self.open(compartment, placeholder, contents.sealed.get(placeholder)?)
    }

    fn open(&self, compartment: &Compartment, name: &str, sealed: &[u8]) -> Option<Sensitive<String>> {
        let bytes = self.key.open(&compartment.context(name), sealed).ok()?;
        String::from_utf8(bytes).ok().map(Sensitive::new)
    }
}

/// The values of one conversation of one principal.
pub struct Compartment {
    id: ConversationId,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    expires: Moment,
    sealed: BTreeMap<String, Vec<u8>>,
}

impl Compartment {
    /// Whether nothing was issued: then no answer needs to be searched for placeholders.
    pub fn is_empty(&self) -> bool {
        self.contents.lock().sealed.is_empty()
    }

    fn context(&self, name: &str) -> Vec<u8> {
        [self.id.as_bytes(), name.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_base::SeededRandom;

    fn vault() -> Vault {
        let randomness = Arc::new(SeededRandom::new(1));
        Vault::new(SecretKey::generate(&*randomness), randomness)
    }

    #[test]
    fn only_the_compartment_that_issued_a_placeholder_turns_it_back() {
        let (vault, now) = (vault(), Moment::from_seconds(1));
        let (mine, other) = (
            vault.compartment(ConversationId::from_bytes([1; 16]), now),
            vault.compartment(ConversationId::from_bytes([2; 16]), now),
        );
        let name = vault.issue(&mine, "EMAIL", "jo@northwind.example").unwrap();
        assert_eq!(vault.restore(&mine, &name).unwrap().expose(), "jo@northwind.example");
        assert!(vault.restore(&other, &name).is_none());
        assert_eq!(vault.issue(&mine, "EMAIL", "jo@northwind.example").unwrap(), name);
    }

    #[test]
    fn values_expire() {
        let (vault, start) = (vault(), Moment::from_seconds(1));
        let id = ConversationId::from_bytes([1; 16]);
        let name = vault.issue(&vault.compartment(id, start), "EMAIL", "jo@northwind.example").unwrap();
        let later = start.after(LIFETIME + Duration::from_secs(1));
        assert!(vault.restore(&vault.compartment(id, later), &name).is_none());
    }
}
