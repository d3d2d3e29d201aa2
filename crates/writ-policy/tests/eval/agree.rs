//! POL-4: rows and the reference evaluator agree on every situation.

use writ_base::ContentHash;
use writ_policy::eval::testing::{Seeded, arbitrary, arbitrary_standing, situation};
use writ_policy::eval::{Policy, reference};

use super::situations;

#[test]
fn pol_4_rows_and_reference_agree() {
    let per_policy = 20;
    for seed in 0..situations() / per_policy {
        let mut random = Seeded::new(seed);
        let model = arbitrary(&mut random, 12);
        let standing = arbitrary_standing(&mut random);
        let policy = Policy::compile(model.clone(), ContentHash::default()).unwrap();
        let policy = policy.with_resolved(standing.clone()).unwrap();
        for place in 0..per_policy {
            let facts = situation(&mut random);
            let (rows, words) = (policy.decide(&facts), reference::decide(&model, &standing, &facts));
            assert_eq!(rows, words, "seed {seed}, situation {place}\n{facts:#?}\n{model:#?}\n{standing:#?}");
        }
    }
}
