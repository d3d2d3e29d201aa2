//! The exported form: every key of it is documented, and what it says is what runs.

use std::collections::BTreeSet;

use serde_json::Value;
use writ_base::ContentHash;
use writ_policy::eval::Policy;
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing};
use writ_policy::export::{Export, cedar};

const PAGE: &str = include_str!("../../../../docs/reference/policy-export.md");

fn policy(seed: u64) -> Policy {
    let mut random = Seeded::new(seed);
    let policy = Policy::compile(arbitrary(&mut random, 12), ContentHash::default()).unwrap();
    policy.with_resolved(arbitrary_standing(&mut random)).unwrap()
}

/// All keys of an object and of what is in it, but for those that are names of a policy.
fn keys(value: &Value, within: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if !matches!(within, "postures" | "classes" | "grant" | "ring" | "keys" | "offer") {
                    all.insert(key.clone());
                }
                keys(value, key, all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, within, all)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_json_is_documented() {
    let mut all = BTreeSet::new();
    for seed in 0..60 {
        keys(&serde_json::to_value(Export::of(&policy(seed))).unwrap(), "", &mut all);
    }
    assert!(all.len() > 25, "{all:?}");
    let undocumented: Vec<_> = all.iter().filter(|key| !PAGE.contains(&format!("`{key}`"))).collect();
    let known = ["id"];
    let undocumented: Vec<_> = undocumented.into_iter().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(undocumented.is_empty(), "not in docs/reference/policy-export.md: {undocumented:?}");
}

#[test]
fn rows_are_all_there_and_the_export_is_the_same_each_time() {
    for seed in 0..20 {
        let policy = policy(seed);
        let export = Export::of(&policy);
        let rows = export.rows.foresee.len() + export.rows.raise.len() + export.rows.failure.len();
        assert_eq!((rows, export.rules.len()), (policy.row_count(), policy.model().rules.len()));
        assert!(export.rows.raise.iter().flat_map(|row| &row.when).all(|condition| {
            condition.some.as_ref().or(condition.none.as_ref()).is_some_and(|values| !values.is_empty())
        }));
        assert_eq!(serde_json::to_string(&export).unwrap(), serde_json::to_string(&Export::of(&policy)).unwrap());
        assert_eq!(cedar::policies(&policy), cedar::policies(&policy));
    }
}
