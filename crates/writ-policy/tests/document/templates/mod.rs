//! The templates that ship: `catalog/policies`, put together from the sources below it.

mod checklist;
mod law;
mod proof;
mod prose;
mod references;

use std::fs;
use std::path::{Path, PathBuf};

use writ_policy::Parsed;
use writ_policy::document::{Block, BlockKind, Item, Section, include};

/// All templates; the first is the one for organisations of every kind.
const NAMES: &[&str] = &["general", "software", "health", "finance", "public-sector", "law-firm", "education"];

/// A template as it ships, read.
struct Template {
    name: &'static str,
    text: String,
    parsed: Parsed,
}

impl Template {
    fn all() -> Vec<Self> {
        NAMES.iter().map(|name| Self::read(name)).collect()
    }

    fn read(name: &'static str) -> Self {
        let text = assembled(name);
        let parsed = writ_policy::parse(&text);
        Self { name, text, parsed }
    }

    /// Sections that belong to the clause with this id.
    fn clause(&self, id: &str) -> impl Iterator<Item = &Section> {
        let of = move |section: &&Section| section.clause.as_ref().is_some_and(|clause| clause == id);
        self.parsed.document.sections.iter().filter(of)
    }

    /// Blocks of a kind, each with the id of its clause.
    fn blocks(&self, kind: BlockKind) -> impl Iterator<Item = (&str, &Block)> {
        self.parsed.document.sections.iter().flat_map(move |section| {
            let clause = section.clause.as_ref().map_or("", |clause| clause.as_str());
            section.items.iter().filter_map(move |item| match item {
                Item::Block(block) if block.kind == kind => Some((clause, block)),
                _ => None,
            })
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/policies")
}

/// A template from its source, so that a page made from it is right while the template itself is written again.
fn assembled(name: &str) -> String {
    let source = fs::read_to_string(folder().join(format!("source/{name}.md"))).unwrap();
    let mut file = |part: &str| fs::read_to_string(folder().join("source").join(part)).ok();
    include::assemble(&source, &mut file).unwrap()
}

fn updating() -> bool {
    std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1")
}

/// What several templates say stands once, in `source/shared`; the text that ships, is read and is signed is whole.
#[test]
fn the_templates_are_put_together_from_their_sources() {
    for name in NAMES {
        let text = assembled(name);
        let path = folder().join(format!("{name}.md"));
        if updating() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{name}.md is out of date: edit source/{name}.md, then run with WRIT_UPDATE=1");
    }
}

#[test]
fn every_shared_part_is_used() {
    let sources: String =
        NAMES.iter().map(|name| fs::read_to_string(folder().join(format!("source/{name}.md"))).unwrap()).collect();
    let parts: Vec<PathBuf> = fs::read_dir(folder().join("source/shared")).unwrap().map(|it| it.unwrap().path()).collect();
    let nested: String = parts.iter().map(|part| fs::read_to_string(part).unwrap()).collect();
    for part in &parts {
        let line = format!("file: shared/{}", part.file_name().unwrap().to_str().unwrap());
        assert!(sources.contains(&line) || nested.contains(&line), "nothing includes {}", part.display());
    }
}

#[test]
fn no_template_has_a_diagnostic() {
    for template in Template::all() {
        let file = format!("{}.md", template.name);
        let render = |it: &writ_policy::Diagnostic| it.render(&template.text, &file);
        let said: String = template.parsed.diagnostics.iter().map(render).collect();
        assert!(said.is_empty(), "\n{said}");
        let model = template.parsed.model.clone().unwrap();
        assert!(model.rules.len() > 50 && model.clauses.len() > 45, "{file}");
        assert!(template.parsed.examples.len() > 25, "{file}");
        writ_policy::eval::Policy::compile(model, template.parsed.hash).unwrap();
    }
}

/// Each promise to people stands beside the assertions that prove it.
#[test]
fn what_a_template_promises_is_proved() {
    for template in Template::all() {
        let blocks: Vec<_> = template.blocks(BlockKind::Prove).collect();
        let [("promises", block)] = blocks.as_slice() else { panic!("{}: {} blocks", template.name, blocks.len()) };
        let count = |key: &str| block.entry(key).map_or(0, |entry| entry.items.len());
        assert!(count("never") >= 3 && count("always") >= 1, "{}", template.name);
    }
}
