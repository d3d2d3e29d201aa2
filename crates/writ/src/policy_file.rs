//! A policy on disk: its text with included files put in, read with the names that catalog and organisation know, and
//! what its define blocks say to detection.
//!
//! Everything that runs or checks a policy takes it from here, so that what is checked is what runs.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use writ_base::Limit;
use writ_catalog::{Catalog, OrganisationServices};
use writ_detect::{Definition, Harmless, Pack};
use writ_model::Term;
use writ_policy::check::{Parsed, parse_with};
use writ_policy::document::define::Definitions;
use writ_policy::document::include;
use writ_policy::document::limits::TEXT;
use writ_policy::eval::Policy;
use writ_policy::words::Names;
use writ_policy::{Diagnostic, Gravity};

/// Size of one dictionary file.
static DICTIONARY: Limit = Limit::new("policy.dictionary", "bytes", 4 << 20);
/// Size of one file with an organisation's services.
static SERVICES: Limit = Limit::new("catalog.file", "bytes", 8 << 20);

/// A policy as it stands in its files.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    /// The file that was asked for.
    pub(crate) path: PathBuf,
    /// The text to which diagnostics point: assembled, or the file's own where an included file could not be had.
    pub(crate) text: String,
    /// What the text says; nothing where an included file could not be had.
    pub(crate) parsed: Option<Parsed>,
    /// What is wrong, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl PolicyFile {
    /// Reads a policy. Included files and dictionaries are looked for in the policy's folder and below.
    ///
    /// # Errors
    /// If the file itself cannot be read; everything else is a diagnostic.
    pub(crate) fn read(path: &Path, names: Names) -> anyhow::Result<Self> {
        let source = read_text(path, &TEXT)?;
        let folder = folder_of(path);
        let mut included = |name: &str| read_text(&below(&folder, name)?, &TEXT).ok();
        let path = path.to_owned();
        match include::assemble(&source, &mut included) {
            Ok(text) => Ok(Self::of_text(&path, text, names)),
            Err(diagnostics) => Ok(Self { path, text: source, parsed: None, diagnostics }),
        }
    }

    /// A text as if it stood in the file: no included file is put in, which is a diagnostic.
    pub(crate) fn of_text(path: &Path, text: String, names: Names) -> Self {
        let mut parsed = parse_with(&text, names);
        let diagnostics = std::mem::take(&mut parsed.diagnostics);
        Self { path: path.to_owned(), text, parsed: Some(parsed), diagnostics }
    }

    /// The policy, ready to judge.
    ///
    /// # Errors
    /// If the document has errors or needs more than a limit admits.
    pub(crate) fn compile(&self) -> anyhow::Result<Policy> {
        let (model, hash) = match &self.parsed {
            Some(Parsed { model: Some(model), hash, .. }) => (model.clone(), *hash),
            _ => bail!("{}", self.cannot_run()),
        };
        Policy::compile(model, hash).with_context(|| format!("`{}` cannot be compiled", self.path.display()))
    }

    /// The detectors that ship, with the document's own classes and harmless values.
    ///
    /// # Errors
    /// If the document has errors, a dictionary cannot be read, or a term cannot be searched for.
    pub(crate) fn pack(&self) -> anyhow::Result<Pack> {
        let Some(parsed) = self.parsed.as_ref().filter(|_| self.errors() == 0) else { bail!("{}", self.cannot_run()) };
        let definitions = definitions(&parsed.definitions, &folder_of(&self.path))?;
        if definitions.is_empty() && parsed.definitions.harmless.is_empty() {
            return Ok(Pack::builtin());
        }
        Ok(Pack::with_definitions(&definitions, &harmless(&parsed.definitions))?)
    }

    /// Terms of define blocks that this version does not search for, each in words with its place.
    pub(crate) fn not_searched(&self) -> Vec<String> {
        let Some(parsed) = &self.parsed else { return Vec::new() };
        let line = |span: writ_policy::document::source::Span| span.position(&self.text).line;
        let mut all = Vec::new();
        for class in &parsed.definitions.classes {
            let kinds = [
                ("context", class.context.is_empty()),
                ("fingerprints", class.fingerprints.is_empty()),
                ("texts", class.texts.is_empty()),
            ];
            let absent: Vec<_> =
                kinds.iter().filter(|(_, empty)| !empty).map(|(kind, _)| format!("`{kind}`")).collect();
            if !absent.is_empty() {
                all.push(format!("line {}: {} of class `{}`", line(class.span), absent.join(", "), class.class));
            }
        }
        all.extend(
            parsed
                .definitions
                .sealed
                .iter()
                .map(|sealed| format!("line {}: sealed terms of class `{}`", line(sealed.span), sealed.class)),
        );
        all
    }

    /// How many diagnostics are errors.
    pub(crate) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.gravity == Gravity::Error).count()
    }

    fn cannot_run(&self) -> String {
        let (path, errors) = (self.path.display(), self.errors());
        let word = if errors == 1 { "error" } else { "errors" };
        format!("`{path}` has {errors} {word} and cannot run; see `writ policy check {path}`")
    }
}

/// The catalog that ships with an organisation's files beside it.
///
/// # Errors
/// If a file cannot be read or is not of the catalog's form.
pub(crate) fn catalog(services: &[PathBuf]) -> anyhow::Result<Catalog> {
    let catalog = Catalog::builtin();
    if services.is_empty() {
        return Ok(catalog);
    }
    let mut organisation = OrganisationServices::default();
    for path in services {
        let text = read_text(path, &SERVICES)?;
        let part = OrganisationServices::load(&[&text]).with_context(|| format!("cannot use `{}`", path.display()))?;
        organisation.services.extend(part.services);
        organisation.vettings.extend(part.vettings);
        organisation.modes.extend(part.modes);
        organisation.tenants.extend(part.tenants);
        organisation.accounts.extend(part.accounts);
    }
    let names = || services.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ");
    catalog.with_organisation(organisation).with_context(|| format!("cannot use {}", names()))
}

/// The names that a document may use without defining them.
pub(crate) fn names(catalog: &Catalog) -> Names {
    let services = catalog.services();
    let tiers = services.iter().flat_map(|service| service.tiers.iter().map(|tier| tier.id.clone()));
    let all: BTreeSet<Term> = tiers.chain([Term::UNKNOWN]).collect();
    Names { services: services.iter().map(|service| service.id.clone()).collect(), tiers: all }
}

fn definitions(definitions: &Definitions, folder: &Path) -> anyhow::Result<Vec<Definition>> {
    let mut all = Vec::new();
    for terms in &definitions.classes {
        let mut words = terms.words.clone();
        for name in &terms.dictionary {
            let outside =
                || format!("the dictionary `{name}` of class `{}` is not a file below the policy", terms.class);
            let text = read_text(&below(folder, name).with_context(outside)?, &DICTIONARY)?;
            words.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if !(words.is_empty() && terms.expressions.is_empty()) {
            let expressions = terms.expressions.clone();
            all.push(Definition { class: terms.class.clone(), words, expressions });
        }
    }
    Ok(all)
}

/// Values that are never a finding. Where a document names classes for them they still are none of any class: a value
/// has one form, and what its form is certain to be a credential is found all the same.
fn harmless(definitions: &Definitions) -> Harmless {
    let values = definitions.harmless.iter().flat_map(|harmless| harmless.values.iter().cloned());
    Harmless { values: values.collect(), patterns: Vec::new() }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// A file in `folder` or below; a name that leads out of it names nothing.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    (inside && !name.is_empty()).then(|| folder.join(name))
}

fn read_text(path: &Path, limit: &Limit) -> anyhow::Result<String> {
    crate::cli::files::Source::from(path.to_owned()).text(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str = "---\nwrit: 1\ntitle: T\norganisation: O\nlanguage: en\nversion: 1\n---\n\n";

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn names_that_lead_out_of_the_folder_name_nothing() {
        let folder = Path::new("/etc/writ");
        assert_eq!(below(folder, "terms/words.txt"), Some(PathBuf::from("/etc/writ/terms/words.txt")));
        for outside in ["../key", "/etc/passwd", "terms/../../key", "", "./words.txt"] {
            assert_eq!(below(folder, outside), None, "{outside}");
        }
    }

    #[test]
    fn own_words_and_dictionaries_are_found_and_harmless_values_are_not() {
        let define = "## 1 Words {#words}\n\n```define\nclass: project\nmeans: code names\nwords: bluebird\ndictionary: names.txt\n```\n\n\
                      ```define\nharmless: 4111111111111111\n```\n";
        let (folder, path) = file("policy.md", &format!("{FRONT}{define}"));
        std::fs::write(folder.path().join("names.txt"), "redkite\n\n").unwrap();
        let policy = PolicyFile::read(&path, Names::default()).unwrap();
        assert_eq!(policy.errors(), 0, "{:?}", policy.diagnostics);
        let pack = policy.pack().unwrap();
        let found: Vec<_> = pack.scan("Bluebird and redkite, 4111111111111111", &[0; 32]);
        let classes: Vec<_> = found.iter().map(|finding| finding.class.as_str()).collect();
        assert_eq!(classes, ["project", "project"]);
    }

    #[test]
    fn a_document_with_errors_does_not_run() {
        let (_folder, path) = file("policy.md", "no front matter\n");
        let policy = PolicyFile::read(&path, Names::default()).unwrap();
        let error = policy.compile().unwrap_err().to_string();
        assert!(error.contains("and cannot run; see `writ policy check"), "{error}");
    }
}
