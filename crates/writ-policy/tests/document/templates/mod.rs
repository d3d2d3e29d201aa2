//! The templates that ship: `catalog/policies`. Those for a field are put together from the sources below it.

mod checklist;
mod law;
mod proof;
mod prose;
mod references;

use std::fs;
use std::path::{Path, PathBuf};

use writ_policy::Parsed;
use writ_policy::document::files::Files;
use writ_policy::document::include::assemble;
use writ_policy::document::{Block, BlockKind, Section};

/// The templates for a field, each with a source.
const FIELDS: &[&str] = &["software", "health", "finance", "public-sector", "law-firm", "education"];

/// The template for organisations of every kind, a text of its own.
const GENERAL: &str = "general";

/// A template as it ships, read.
struct Template {
    name: &'static str,
    text: String,
    parsed: Parsed,
}

impl Template {
    /// The general one first.
    fn all() -> Vec<Self> {
        let general = Self::of(GENERAL, committed(GENERAL));
        [general].into_iter().chain(Self::fields()).collect()
    }

    fn fields() -> Vec<Self> {
        FIELDS.iter().map(|name| Self::of(name, assembled(name))).collect()
    }

    fn of(name: &'static str, text: String) -> Self {
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
        let blocks = self.parsed.document.blocks(kind);
        blocks.map(|(section, block)| (section.clause.as_ref().map_or("", |clause| clause.as_str()), block))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/policies")
}

/// The template as it ships.
fn committed(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.md"))).unwrap_or_default()
}

fn source(name: &str) -> String {
    fs::read_to_string(folder().join(format!("source/{name}.md"))).unwrap()
}

/// A template from its source, so that a page made from it is right while the template itself is written again.
fn assembled(name: &str) -> String {
    let mut file = |part: &str| fs::read_to_string(folder().join("source").join(part)).ok();
    let assembled = assemble(&format!("{name}.md"), &source(name), &mut file);
    assert_eq!(assembled.diagnostics, [], "source/{name}.md");
    assembled.text
}

fn updating() -> bool {
    std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1")
}

/// What several templates say stands once, in `source/shared`; the text that ships, is read and is signed is whole.
#[test]
fn the_templates_are_put_together_from_their_sources() {
    for name in FIELDS {
        let text = assembled(name);
        if updating() {
            fs::write(folder().join(format!("{name}.md")), &text).unwrap();
        }
        let current = committed(name) == text;
        assert!(current, "{name}.md is out of date: edit source/{name}.md, then run with WRIT_UPDATE=1");
    }
}

#[test]
fn every_shared_part_is_used() {
    let sources: String = FIELDS.iter().map(|name| source(name)).collect();
    let parts: Vec<PathBuf> =
        fs::read_dir(folder().join("source/shared")).unwrap().map(|it| it.unwrap().path()).collect();
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
        let files = Files::one(file.clone());
        let said: String = template.parsed.diagnostics.iter().map(|it| it.render(&template.text, &files)).collect();
        assert!(said.is_empty(), "\n{said}");
        let model = template.parsed.model.clone().unwrap();
        assert!(model.rules.len() > 50 && model.clauses.len() > 45, "{file}");
        assert!(template.parsed.examples.len() > 25, "{file}");
        writ_policy::eval::Policy::compile(model, template.parsed.hash).unwrap();
    }
}

#[test]
fn every_template_has_the_canonical_layout() {
    for template in Template::all() {
        let tidy = writ_policy::format(&template.text).is_ok_and(|text| text == template.text);
        assert!(tidy, "run `writ policy fmt` on {}.md, or on its sources", template.name);
    }
}

/// Each promise to people stands beside the assertions that prove it.
#[test]
fn what_a_template_promises_is_proved() {
    for template in Template::fields() {
        let blocks: Vec<_> = template.blocks(BlockKind::Prove).collect();
        let [("promises", block)] = blocks.as_slice() else { panic!("{}: {} blocks", template.name, blocks.len()) };
        let count = |key: &str| block.entry(key).map_or(0, |entry| entry.items.len());
        assert!(count("never") >= 3 && count("always") >= 1, "{}", template.name);
    }
}
