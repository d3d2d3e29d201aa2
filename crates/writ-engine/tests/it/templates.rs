//! The policy templates for a field, with the detection that runs: what they call an example is decided as they say.

use std::path::Path;

use writ_catalog::Catalog;
use writ_detect::{Definition, Harmless, Pack};
use writ_engine::Snapshot;
use writ_model::Term;
use writ_policy::check::parse_with;
use writ_policy::document::files::Files;
use writ_policy::eval::Policy;
use writ_policy::words::Names;

const NAMES: &[&str] = &["software", "health", "finance", "public-sector", "law-firm", "education"];

/// With the names of the catalog, so that a service that is offered instead is one that there is.
fn snapshot(name: &str) -> (Snapshot, writ_policy::Parsed) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../catalog/policies/{name}.md"));
    let text = std::fs::read_to_string(path).unwrap();
    let catalog = Catalog::builtin();
    let services = catalog.services();
    let tiers = services.iter().flat_map(|service| service.tiers.iter().map(|tier| tier.id.clone()));
    let names = Names {
        services: services.iter().map(|service| service.id.clone()).collect(),
        tiers: tiers.chain([Term::UNKNOWN]).collect(),
    };
    let parsed = parse_with(&text, names);
    let said: String = parsed.diagnostics.iter().map(|it| it.render(&text, &Files::one(name))).collect();
    assert!(said.is_empty(), "\n{said}");
    let own = parsed.definitions.classes.iter().map(|class| Definition {
        class: class.class.clone(),
        words: class.words.clone(),
        expressions: class.expressions.clone(),
    });
    let pack = Pack::with_definitions(&own.collect::<Vec<_>>(), &Harmless::default()).unwrap();
    let policy = Policy::compile(parsed.model.clone().unwrap(), parsed.hash).unwrap();
    (Snapshot::new(policy, catalog, pack), parsed)
}

#[test]
fn every_example_of_every_template_is_decided_as_written() {
    let mut failed = Vec::new();
    for name in NAMES {
        let (snapshot, parsed) = snapshot(name);
        for example in &parsed.examples {
            if let Err(error) = snapshot.try_example(example) {
                failed.push(format!("{name}: {error}: {}", example.text));
            }
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
