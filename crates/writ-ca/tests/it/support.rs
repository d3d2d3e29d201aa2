//! An organisation's root, its serving folder and a clock.

use std::sync::Arc;

use tempfile::TempDir;
use writ_base::keys::SecretKey;
use writ_base::{Clock as _, ManualClock, Moment, SeededRandom};
use writ_ca::{Authority, Extended, Extension, Folder, Root, RootName, extend};

pub struct World {
    _directory: TempDir,
    pub folder: Folder,
    pub root: Root,
    pub key: SecretKey,
    pub clock: Arc<ManualClock>,
    pub randomness: Arc<SeededRandom>,
}

impl World {
    pub fn new() -> Self {
        let randomness = Arc::new(SeededRandom::new(11));
        let clock = Arc::new(ManualClock::at(Moment::parse("2026-11-22T09:30Z").unwrap()));
        let directory = tempfile::tempdir().unwrap();
        Self {
            folder: Folder::new(directory.path().join("authority")),
            root: root("Northwind", &clock, &randomness),
            key: SecretKey::generate(&*randomness),
            _directory: directory,
            clock,
            randomness,
        }
    }

    /// A world whose authority knows these names.
    pub fn with(names: &[&str]) -> Self {
        let world = Self::new();
        world.extend(&listed(names), false);
        world
    }

    pub fn extend(&self, hosts: &[(String, String)], renew: bool) -> Extended {
        let extension = Extension { hosts, days: 365, renew };
        extend(&self.folder, &self.root, &extension, &self.key, self.clock.now(), &*self.randomness).unwrap()
    }

    pub fn authority(&self) -> Authority {
        Authority::open(self.folder.path(), &self.key, self.clock.clone(), self.randomness.clone()).unwrap()
    }
}

pub fn root(organisation: &str, clock: &ManualClock, randomness: &SeededRandom) -> Root {
    let name =
        RootName { organisation: organisation.into(), common_name: format!("{organisation} AI inspection root") };
    Root::create(&name, 10, clock.now(), randomness).unwrap()
}

pub fn listed(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ("service".to_owned(), (*name).to_owned())).collect()
}
