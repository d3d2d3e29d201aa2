//! `writ policy translate`: drafts of language versions, and which of their clauses are current.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use writ_model::Term;
use writ_policy::check::Parsed;
use writ_policy::document::limits::TEXT;
use writ_policy::translation::{confirmed, draft, marks};
use writ_policy::words::Names;

use crate::cli::files::{self, Source};
use crate::cli::text::{counted, list};
use crate::cli::{Exit, Output};
use crate::policy_file::PolicyFile;

/// Begin a language version, or confirm its clauses
///
/// A language version carries prose only; tables and rules come from the version that prevails. It keeps a mark of the
/// text of each clause that was translated. When that text changes, `writ policy check` says which translations are
/// stale; whoever has compared both texts confirms them here.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy translate policy.md --draft policy.de.md --language de
  writ policy translate policy.md --confirm policy.de.md health matrix
  writ policy translate policy.md --confirm policy.de.md --all

A draft holds the prose that is to be translated. Exit codes: 0 done; 2 it could not be done.")]
pub(crate) struct Translate {
    /// The version that prevails
    file: PathBuf,
    /// Write a new language version to this file
    #[arg(long, value_name = "FILE", requires = "language", conflicts_with = "confirm")]
    draft: Option<PathBuf>,
    /// The language of the draft, as a tag: de, fr, es-MX
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Confirm clauses of this language version: it translates what stands there now
    #[arg(long, value_name = "FILE", required_unless_present = "draft")]
    confirm: Option<PathBuf>,
    /// Confirm all clauses
    #[arg(long, requires = "confirm", conflicts_with = "clauses")]
    all: bool,
    /// Ids of the clauses to confirm
    #[arg(value_name = "CLAUSE", requires = "confirm")]
    clauses: Vec<String>,
}

impl Translate {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let policy = PolicyFile::read(&self.file, Names::default())?;
        let Some(parsed) = policy.parsed.as_ref().filter(|parsed| !parsed.document.front.translates()) else {
            bail!("`{0}` is no version that prevails; see `writ policy check {0}`", self.file.display());
        };
        match (&self.draft, &self.language, &self.confirm) {
            (Some(path), Some(language), _) => self.write_draft(path, language, parsed, &policy.text, output)?,
            (_, _, Some(path)) => self.confirm(path, parsed, &policy.text, output)?,
            _ => bail!("say `--draft FILE --language TAG`, or `--confirm FILE`"),
        }
        Ok(Exit::Yes)
    }

    fn confirm(&self, path: &Path, parsed: &Parsed, text: &str, output: &mut Output) -> anyhow::Result<()> {
        let name = path.display();
        let source = Source::from(path.to_owned()).text(&TEXT)?;
        let marks = marks(&parsed.document, text);
        let here = writ_policy::parse(&source).document;
        let here: BTreeSet<Term> = here.clauses().map(|(id, _)| id.clone()).collect();
        let asked: BTreeSet<Term> = match self.all {
            true => marks.keys().filter(|id| here.contains(*id)).cloned().collect(),
            false => self.clauses.iter().map(|id| Term::from(id.as_str())).collect(),
        };
        let mut unknown = asked.iter().filter(|id| !(marks.contains_key(*id) && here.contains(*id)));
        if let Some(id) = unknown.next() {
            let near = writ_policy::words::nearest(id, here.iter().map(Term::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            bail!("not both versions have a clause `{id}`{near}");
        }
        if asked.is_empty() {
            bail!("name the clauses that are confirmed, or say `--all`; there are {}", list(marks.keys()));
        }
        files::replace(path, &confirmed(&source, &marks, &asked)).with_context(|| format!("cannot write `{name}`"))?;
        output.line(format_args!("{name}: {} confirmed", counted(asked.len(), "clause")))?;
        Ok(())
    }

    fn write_draft(
        &self,
        path: &Path,
        language: &str,
        parsed: &Parsed,
        text: &str,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let name = path.display();
        if language == parsed.document.front.language() {
            bail!("`{language}` is the language of the version that prevails");
        }
        let part = |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
        if language.len() > LANGUAGE_TAG_MAX || !language.split('-').all(part) {
            bail!("`{language}` is no tag of a language; write `de`, `fr` or `es-MX`");
        }
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        let written = made.and_then(|mut file| file.write_all(draft(&parsed.document, text, language).as_bytes()));
        written.with_context(|| format!("cannot write `{name}`; give a file that does not exist yet"))?;
        let clauses = counted(parsed.document.clauses().count(), "clause");
        output.line(format_args!("{name}: {clauses} to translate"))?;
        let policy = self.file.display();
        output.line(format_args!("then confirm each: `writ policy translate {policy} --confirm {name} CLAUSE`"))?;
        Ok(())
    }
}

/// The longest tag of a language (RFC 5646, section 4.4.1).
const LANGUAGE_TAG_MAX: usize = 35;
