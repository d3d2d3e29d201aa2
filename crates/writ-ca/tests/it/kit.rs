//! Kits: complete, filled in, and with a way back.

use writ_base::Clock as _;
use writ_ca::kit::{Anchor, Target, kit};
use writ_ca::{Root, RootName};

use crate::support::World;

fn anchor(world: &World) -> Anchor {
    Anchor::new(&world.root.anchor_pem(), "writ-northwind").unwrap()
}

#[test]
fn every_kit_installs_verifies_and_uninstalls() {
    let world = World::new();
    let anchor = anchor(&world);
    for target in Target::ALL {
        let files = kit(*target, &anchor);
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for step in ["install.", "verify.", "uninstall.", "README.md", "writ-northwind.crt"] {
            assert!(names.iter().any(|name| name.starts_with(step)), "{}: no {step} in {names:?}", target.name());
        }
        assert_eq!(Target::named(target.name()), Some(*target));
        for file in &files {
            assert!(!file.contents.contains('@') || !file.contents.contains("@NAME@"), "{}", file.path);
            let placeholder =
                file.contents.split('@').nth(1).filter(|word| {
                    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
                });
            assert_eq!(placeholder, None, "{} of {}", file.path, target.name());
            assert_eq!(file.mode == 0o755, file.contents.starts_with("#!/bin/sh"), "{}", file.path);
        }
        let readme = &files.iter().find(|file| file.path == "README.md").unwrap().contents;
        assert!(readme.contains(anchor.sha256()), "{} shows no fingerprint", target.name());
    }
}

#[test]
fn a_hostile_name_stays_words() {
    let world = World::new();
    let name = RootName { organisation: "X\"; rm -rf `pwd` $(id) <b>\n'".into(), common_name: "root".into() };
    let root = Root::create(&name, 10, world.clock.now(), &*world.randomness).unwrap();
    let anchor = Anchor::new(&root.anchor_pem(), "x").unwrap();
    for file in Target::ALL.iter().flat_map(|target| kit(*target, &anchor)) {
        assert!(!file.contents.contains("rm -rf `") && !file.contents.contains("$(id)"), "{}", file.path);
        assert!(!file.contents.contains("X\""), "{}", file.path);
    }
    for name in ["", "-x", "a b", "a/b", "A", "x;y", &"x".repeat(41)] {
        assert!(Anchor::new(&root.anchor_pem(), name).is_err(), "{name}");
    }
}
