//! A policy on disk: its text with included files put in, read with the names that catalog and organisation know, and
//! what its define blocks say to detection.
//!
//! Everything that runs or checks a policy takes it from here, so that what is checked is what runs.

mod not_searched;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use writ_base::Limit;
use writ_catalog::{Catalog, OrganisationServices};
use writ_detect::{Definition, Harmless, Pack};
use writ_model::Term;
use writ_policy::check::{Parsed, parse_with};
use writ_policy::diagram::World;
use writ_policy::document::define::Definitions;
use writ_policy::document::files::Files;
use writ_policy::document::include::{self, Assembled};
use writ_policy::document::limits::TEXT;
use writ_policy::eval::Policy;
use writ_policy::words::Names;
use writ_policy::{Diagnostic, Gravity};

use crate::config::{Config, PersonalAccountsConfig};

/// Size of one dictionary file.
static DICTIONARY: Limit = Limit::new("policy.dictionary", "bytes", 4 << 20);
/// Size of one file with an organisation's services.
static SERVICES: Limit = Limit::new("catalog.file", "bytes", 8 << 20);

/// A policy as it stands in its files.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    /// The file that was asked for.
    pub(crate) path: PathBuf,
    /// The text to which diagnostics point: with included files put in, as far as they could be had.
    pub(crate) text: String,
    /// The files that the text is made of.
    pub(crate) files: Files,
    /// What the text says; nothing where an included file could not be had.
    pub(crate) parsed: Option<Parsed>,
    /// What is wrong, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The files that it asks to be put in, also those that could not be had.
    included: Vec<PathBuf>,
}

impl PolicyFile {
    /// Reads a policy. Included files and dictionaries are looked for in the policy's folder and below.
    ///
    /// # Errors
    /// If the file itself cannot be read; everything else is a diagnostic.
    pub(crate) fn read(path: &Path, names: Names) -> anyhow::Result<Self> {
        let mut included = Vec::new();
        let Assembled { text, files, diagnostics } = assembled(path, |path| included.push(path.to_owned()))?;
        let path = path.to_owned();
        if !diagnostics.is_empty() {
            return Ok(Self { path, text, files, parsed: None, diagnostics, included });
        }
        Ok(Self { included, ..Self::whole(path, Assembled { text, files, diagnostics }, names) })
    }

    /// Every file on which it rests: itself, what is put in, dictionaries. Also those that could not be had, so that
    /// whoever waits for a change notices when they can.
    pub(crate) fn rests_on(&self) -> Vec<PathBuf> {
        let folder = folder_of(&self.path);
        let classes = self.parsed.iter().flat_map(|parsed| &parsed.definitions.classes);
        let dictionaries = classes.flat_map(|class| &class.dictionary).filter_map(|name| below(&folder, name));
        [self.path.clone()].into_iter().chain(self.included.iter().cloned()).chain(dictionaries).collect()
    }

    /// A text as if it stood in the file: no included file is put in, which is a diagnostic.
    pub(crate) fn of_text(path: &Path, text: &str, names: Names) -> Self {
        let assembled = include::assemble(&path.display().to_string(), text, &mut |_| None);
        Self::whole(path.to_owned(), assembled, names)
    }

    /// Reads a text; what could not be put in stands beside what else is wrong.
    fn whole(path: PathBuf, assembled: Assembled, names: Names) -> Self {
        let Assembled { text, files, mut diagnostics } = assembled;
        let mut parsed = parse_with(&text, names);
        diagnostics.append(&mut parsed.diagnostics);
        diagnostics.extend(not_searched::notes(&parsed));
        diagnostics.sort();
        Self { path, text, files, parsed: Some(parsed), diagnostics, included: Vec::new() }
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

    /// How many diagnostics say that the policy probably says something else than was meant.
    pub(crate) fn warnings(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.gravity == Gravity::Warning).count()
    }

    /// Adds a diagnostic that only detection or a run could find, at its place in the order of the text.
    pub(crate) fn add(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(diagnostics);
        self.diagnostics.sort();
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

/// A document with its included files, which are looked for in its folder and below.
///
/// # Errors
/// If the file itself cannot be read; an included file that cannot be had is a diagnostic.
pub(crate) fn assemble(path: &Path) -> anyhow::Result<Assembled> {
    assembled(path, |_| {})
}

/// As [`assemble`]; `asked` is told of each file that is to be put in.
fn assembled(path: &Path, mut asked: impl FnMut(&Path)) -> anyhow::Result<Assembled> {
    let source = read_text(path, &TEXT)?;
    let folder = folder_of(path);
    let mut included = |name: &str| {
        let path = below(&folder, name)?;
        asked(&path);
        read_text(&path, &TEXT).ok()
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let assembled = include::assemble(&name, &source, &mut included);
    let files = assembled.files.renamed(|name| folder.join(name).display().to_string());
    Ok(Assembled { files, ..assembled })
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

/// The catalog and the policy of a configuration, as their files have them.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn read(config: &Config) -> anyhow::Result<(Catalog, PolicyFile)> {
    let catalog = catalog(&config.services)?;
    let file = PolicyFile::read(&config.policy, names(&catalog))?;
    Ok((catalog, file))
}

/// What is so in an installation beside its policy; without a configuration, what is so by default.
pub(crate) fn world(catalog: &Catalog, config: Option<&Config>) -> World {
    let proxy = config.and_then(|config| config.proxy.as_ref());
    World {
        services: catalog.services().iter().map(|service| (service.id.clone(), service.category)).collect(),
        protected_unread: proxy.is_some_and(|proxy| !proxy.protected_groups.is_empty()),
        personal_unread: proxy.is_some_and(|proxy| proxy.personal_accounts == PersonalAccountsConfig::Unread),
    }
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
