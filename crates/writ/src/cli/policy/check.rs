//! `writ policy check`: words, rules, examples, language versions.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use writ_base::{Clock as _, SystemClock};
use writ_policy::analyse::{self, Finding};
use writ_policy::diagnostic::{Diagnostic, Gravity, Report, sarif};
use writ_policy::diagram::World;
use writ_policy::document::files::Files;
use writ_policy::eval::Policy;
use writ_policy::translation;

use super::examples::{self, Ran};
use super::{prove, report};
use crate::cli::text::counted;
use crate::cli::{Exit, Output};
use crate::policy_file::{self, PolicyFile};

/// Check a document: words, rules, examples, assertions, language versions
///
/// Reads a policy as it would be read to run, runs its examples (`violates`, `complies`) with real detection, proves its
/// assertions over all situations, and looks for rules that change nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy check policy.md
  writ policy check policy.md --translation policy.de.md --translation policy.fr.md
  writ policy check policy.md --services services.toml --json
  writ policy check policy.md --sarif > policy.sarif
  writ policy check policy.md --baseline general.md

docs/reference/diagnostics.md explains each diagnostic and both formats for programs.
Exit codes: 0 nothing is wrong; 1 there are errors or warnings; 2 it cannot be read.")]
pub(crate) struct Check {
    /// The document; of several language versions the one that prevails
    file: PathBuf,
    /// A language version of the document
    #[arg(long, value_name = "FILE")]
    translation: Vec<PathBuf>,
    /// Files with the organisation's own services, which the document may name
    #[arg(long, value_name = "FILE")]
    services: Vec<PathBuf>,
    /// Another policy: is the document at least as strict everywhere?
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Print the diagnostics as SARIF 2.1.0, for code hosts and editors
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
}

/// A language version with its diagnostics.
struct Version {
    language: String,
    text: String,
    files: Files,
    current: usize,
    clauses: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Check {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let (mut file, catalog) = examples::read(&self.file, &self.services)?;
        let world = policy_file::world(&catalog, None);
        let names = policy_file::names(&catalog);
        let ran = Ran::of(&file, catalog)?;
        let counts = ran.as_ref().map(Counts::of);
        let mut found = Vec::new();
        if let Some(ran) = &ran {
            found = ran.failures();
            found.extend(analysed(&file, &ran.snapshot.policy, &world));
            if let Some(path) = &self.baseline {
                let weaker = prove::weaker(&ran.snapshot.policy, path, names, &world)?;
                found.extend(prove::weaker_said(&weaker, path));
            }
        }
        drop(ran);
        file.add(found);
        let versions = self.versions(&file)?;
        let all = || file.diagnostics.iter().chain(versions.iter().flat_map(|version| &version.diagnostics));
        let good = all().all(|diagnostic| diagnostic.gravity == Gravity::Note);
        if self.sarif {
            let first = Report { text: &file.text, files: &file.files, diagnostics: &file.diagnostics };
            let others =
                versions.iter().map(|it| Report { text: &it.text, files: &it.files, diagnostics: &it.diagnostics });
            let reports: Vec<_> = std::iter::once(first).chain(others).collect();
            output.json(&sarif(env!("CARGO_PKG_VERSION"), &reports))?;
        } else if self.json {
            output.json(&self.as_json(&file, &versions, counts.as_ref(), good))?;
        } else {
            self.as_text(&file, &versions, counts.as_ref(), output)?;
        }
        Ok(if good { Exit::Yes } else { Exit::No })
    }

    fn versions(&self, file: &PolicyFile) -> anyhow::Result<Vec<Version>> {
        let Some(parsed) = &file.parsed else { return Ok(Vec::new()) };
        let read = |path: &PathBuf| {
            let assembled = policy_file::assemble(path)?;
            let version = translation::read(&assembled.text, &parsed.document, &file.text);
            let current =
                version.clauses.iter().filter(|it| it.state == translation::TranslationState::Current).count();
            let mut diagnostics = assembled.diagnostics;
            diagnostics.extend(version.diagnostics);
            diagnostics.sort();
            Ok(Version {
                language: version.document.front.language().to_owned(),
                text: assembled.text,
                files: assembled.files,
                current,
                clauses: parsed.document.clauses().count(),
                diagnostics,
            })
        };
        self.translation.iter().map(read).collect()
    }

    fn as_text(
        &self,
        file: &PolicyFile,
        versions: &[Version],
        counts: Option<&Counts>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        report::write(&file.diagnostics, &file.text, &file.files, output)?;
        for version in versions {
            report::write(&version.diagnostics, &version.text, &version.files, output)?;
        }
        let Some(counts) = counts else {
            output.line(format_args!("{name}: {} and cannot run", counted(file.errors(), "error")))?;
            return Ok(());
        };
        let (failed, warnings) = (file.errors(), report::count(&file.diagnostics, Gravity::Warning));
        let word = output.verdict(failed == 0 && warnings == 0, if failed == 0 { "runs" } else { "fails" });
        let warnings = counted(warnings, "warning");
        output.line(format_args!("{name}: {word}; {}; {failed} failed; {warnings}", counts.words()))?;
        output.line(format_args!("text {}", counts.text_hash))?;
        output.line(format_args!("rows {}", counts.rows_hash))?;
        for (version, path) in versions.iter().zip(&self.translation) {
            let good = version.diagnostics.is_empty();
            let word = output.verdict(good, if good { "current" } else { "not current" });
            let (current, clauses) = (version.current, version.clauses);
            let path = path.display();
            output.line(format_args!("{path}: {}, {word}; {current} of {clauses} clauses", version.language))?;
        }
        Ok(())
    }

    fn as_json(&self, file: &PolicyFile, versions: &[Version], counts: Option<&Counts>, good: bool) -> Value {
        let objects = |diagnostics: &[Diagnostic], text: &str, files: &Files| -> Vec<Value> {
            diagnostics.iter().map(|diagnostic| diagnostic.to_json(text, files)).collect()
        };
        let mut object = json!({
            "file": self.file.display().to_string(),
            "ok": good,
            "diagnostics": objects(&file.diagnostics, &file.text, &file.files),
        });
        let Some(fields) = object.as_object_mut() else { return object };
        if let Some(counts) = counts {
            fields.insert("clauses".into(), counts.clauses.into());
            fields.insert("rules".into(), counts.rules.into());
            fields.insert("controls".into(), counts.controls.into());
            fields.insert("rows".into(), counts.rows.into());
            fields.insert("examples".into(), counts.examples.into());
            fields.insert("text-hash".into(), counts.text_hash.clone().into());
            fields.insert("rows-hash".into(), counts.rows_hash.clone().into());
        }
        let translations = versions.iter().zip(&self.translation).map(|(version, path)| {
            json!({
                "file": path.display().to_string(),
                "language": version.language,
                "clauses": version.clauses,
                "current": version.current,
                "diagnostics": objects(&version.diagnostics, &version.text, &version.files),
            })
        });
        fields.insert("translations".into(), translations.collect());
        object
    }
}

/// What the analyser found.
fn analysed(file: &PolicyFile, policy: &Policy, world: &World) -> Vec<Diagnostic> {
    let Some(parsed) = &file.parsed else { return Vec::new() };
    let report = analyse::report(policy, parsed, world, SystemClock.now());
    report.findings.iter().map(Finding::diagnostic).chain(report.not_proved()).collect()
}

/// How large a policy is that runs, and its hashes.
struct Counts {
    clauses: usize,
    rules: usize,
    controls: usize,
    rows: usize,
    examples: usize,
    text_hash: String,
    rows_hash: String,
}

impl Counts {
    fn of(ran: &Ran<'_>) -> Self {
        let policy = &ran.snapshot.policy;
        let model = policy.model();
        Self {
            clauses: model.clauses.len(),
            rules: model.rules.len(),
            controls: model.controls.len(),
            rows: policy.row_count(),
            examples: ran.examples.len(),
            text_hash: policy.text_hash().to_string(),
            rows_hash: policy.rows_hash().to_string(),
        }
    }

    fn words(&self) -> String {
        let parts = [
            counted(self.clauses, "clause"),
            counted(self.rules, "rule"),
            counted(self.controls, "control"),
            counted(self.rows, "row"),
            counted(self.examples, "example"),
        ];
        parts.join(", ")
    }
}
