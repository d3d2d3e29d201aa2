//! Leaves that were made, so that the next connection need not wait.
//!
//! Each listed name has a share of the cache of its own: a place for itself and a number for the names below it. So the
//! whole is bounded without any count across shares, and whoever asks for thousands of names below one listed name
//! displaces only leaves of that share. Within a share, names asked for once make room before names asked for again.
//! Only those who ask for the same name wait for each other while its leaf is made.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustls::sign::CertifiedKey;
use writ_base::Moment;

use crate::NoCertificate;
use crate::limits::{LEAVES, LEAVES_BELOW};

/// A leaf with the moment from which another one is made.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) until: Moment,
}

type Slot = OnceLock<Result<Leaf, NoCertificate>>;

/// The leaves of one authority.
#[derive(Debug)]
pub(crate) struct LeafCache {
    shares: Vec<Mutex<Share>>,
    below: usize,
}

#[derive(Debug, Default)]
struct Share {
    own: Option<Arc<Slot>>,
    below: HashMap<Box<str>, Entry>,
    /// Counts uses; entries remember when they were used last.
    turn: u64,
}

#[derive(Debug)]
struct Entry {
    slot: Arc<Slot>,
    used: u64,
    again: bool,
}

impl LeafCache {
    /// A cache for this many listed names.
    pub(crate) fn new(listed: usize) -> Self {
        let left = LEAVES.value().saturating_sub(listed);
        let below = left.checked_div(listed).unwrap_or(0).clamp(1, LEAVES_BELOW.value());
        Self { shares: (0..listed).map(|_| Mutex::default()).collect(), below }
    }

    /// The leaf of `host`, which is below the listed name at `share` or (`own`) is that name; made by `mint` if there is
    /// none that is valid beyond `now`.
    ///
    /// # Errors
    /// Those of `mint`; they are not kept.
    pub(crate) fn leaf(
        &self,
        share: usize,
        own: bool,
        host: &str,
        now: Moment,
        mint: impl Fn() -> Result<Leaf, NoCertificate>,
    ) -> Result<Arc<CertifiedKey>, NoCertificate> {
        let Some(share) = self.shares.get(share) else { return Err(NoCertificate::NotListed) };
        let slot = if own { share.lock().own(now) } else { share.lock().below(host, now, self.below) };
        let leaf = slot.get_or_init(&mint).clone();
        match leaf {
            Ok(leaf) => Ok(leaf.certified),
            Err(error) => {
                share.lock().forget(host, &slot);
                Err(error)
            }
        }
    }

    /// How many leaves are kept.
    pub(crate) fn len(&self) -> usize {
        let count = |share: &Mutex<Share>| {
            let share = share.lock();
            share.below.len() + usize::from(share.own.is_some())
        };
        self.shares.iter().map(count).sum()
    }
}

impl Share {
    fn own(&mut self, now: Moment) -> Arc<Slot> {
        match &self.own {
            Some(slot) if fresh(slot, now) => Arc::clone(slot),
            _ => Arc::clone(self.own.insert(Arc::default())),
        }
    }

    fn below(&mut self, host: &str, now: Moment, most: usize) -> Arc<Slot> {
        self.turn += 1;
        if let Some(entry) = self.below.get_mut(host) {
            entry.used = self.turn;
            entry.again = true;
            if !fresh(&entry.slot, now) {
                entry.slot = Arc::default();
            }
            return Arc::clone(&entry.slot);
        }
        if self.below.len() >= most {
            LEAVES_BELOW.hit();
            self.make_room(most);
        }
        let slot: Arc<Slot> = Arc::default();
        self.below.insert(host.into(), Entry { slot: Arc::clone(&slot), used: self.turn, again: false });
        slot
    }

    /// Removes the name that was not used for longest, of those used once while the others take no more than three
    /// quarters, else of the others.
    fn make_room(&mut self, most: usize) {
        let again = self.below.values().filter(|entry| entry.again).count();
        let from_again = again * 4 > most * 3 || again == self.below.len();
        let candidates = self.below.iter().filter(|(_, entry)| entry.again == from_again);
        if let Some((host, _)) = candidates.min_by_key(|(_, entry)| entry.used) {
            let host = host.clone();
            self.below.remove(&host);
        }
    }

    fn forget(&mut self, host: &str, slot: &Arc<Slot>) {
        if self.own.as_ref().is_some_and(|own| Arc::ptr_eq(own, slot)) {
            self.own = None;
        }
        if self.below.get(host).is_some_and(|entry| Arc::ptr_eq(&entry.slot, slot)) {
            self.below.remove(host);
        }
    }
}

/// Whether a slot's leaf is being made or can still be used.
fn fresh(slot: &Slot, now: Moment) -> bool {
    slot.get().is_none_or(|leaf| leaf.as_ref().is_ok_and(|leaf| now < leaf.until))
}
