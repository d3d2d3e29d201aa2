//! A bounded map for what the engine remembers between interactions: findings by text, stopped turns, notes shown.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;
use writ_base::Limit;

/// A map that holds at most a named limit of entries and forgets what was not used for longest, roughly.
///
/// Two generations: entries that are used move to the young one; when that is full, the old one is dropped. Each
/// operation is constant time; an entry used at least once per `limit / 2` insertions is never forgotten.
#[derive(Debug)]
pub struct Memory<K, V> {
    limit: &'static Limit,
    generations: Mutex<Generations<K, V>>,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    /// An empty memory of at most `limit` entries.
    pub fn new(limit: &'static Limit) -> Self {
        Self { limit, generations: Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }) }
    }

    /// The value under this key.
    pub fn recall<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut generations = self.generations.lock();
        if let Some(value) = generations.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = generations.old.remove_entry(key)?;
        generations.insert(key, value.clone(), self.limit);
        Some(value)
    }

    /// Keeps a value; returns the former one, if it was still there.
    pub fn keep(&self, key: K, value: V) -> Option<V> {
        let mut generations = self.generations.lock();
        let former = generations.old.remove(&key);
        generations.insert(key, value, self.limit).or(former)
    }

    /// Forgets a value.
    pub fn forget<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut generations = self.generations.lock();
        generations.young.remove(key);
        generations.old.remove(key);
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        let generations = self.generations.lock();
        generations.young.len() + generations.old.len()
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn insert(&mut self, key: K, value: V, limit: &'static Limit) -> Option<V> {
        if self.young.len() >= limit.value() / 2 && !self.young.contains_key(&key) {
            if !self.old.is_empty() {
                limit.hit();
            }
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static LIMIT: Limit = Limit::new("test.memory", "entries", 8);

    proptest! {
        #[test]
        fn stays_within_its_limit_and_never_lies(keys in prop::collection::vec(0u8..40, 0..200)) {
            let memory = Memory::new(&LIMIT);
            for (time, key) in keys.iter().enumerate() {
                memory.keep(*key, time);
                prop_assert_eq!(memory.recall(key), Some(time));
                prop_assert!(memory.len() <= LIMIT.value());
                for other in 0u8..40 {
                    if let Some(at) = memory.generations.lock().old.get(&other) {
                        prop_assert_eq!(keys[*at], other);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_used_stays() {
        let memory = Memory::new(&LIMIT);
        memory.keep(0, 0);
        for key in 1..100 {
            memory.keep(key, key);
            assert_eq!(memory.recall(&0), Some(0));
        }
        memory.forget(&0);
        assert_eq!(memory.recall(&0), None);
    }
}
