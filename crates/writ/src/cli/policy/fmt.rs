//! `writ policy fmt`: the canonical layout.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use writ_base::ContentHash;
use writ_policy::document::files::Files;
use writ_policy::document::limits::TEXT;
use writ_policy::eval::Policy;
use writ_policy::{format, parse};

use super::report;
use crate::cli::files::{self, Source};
use crate::cli::text::counted;
use crate::cli::{Exit, Output};

/// Lay out front matter, blocks and rule tables
///
/// Prose stays as it is, byte for byte, and so does what the rules say. The text changes all the same, and its hash with
/// it: signatures bind the text, so lay a document out before it is signed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ policy fmt policy.md
  writ policy fmt --check policy.md parts/*.md

Exit codes: 0 done, or nothing to do; 1 with `--check` a file would change, or a block cannot be read; 2 a file cannot
be read or written.")]
pub(crate) struct Fmt {
    /// Documents, or files that a document includes
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; say which files would change
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut good = true;
        for path in &self.files {
            good &= self.file(path, output)?;
        }
        Ok(if good { Exit::Yes } else { Exit::No })
    }

    fn file(&self, path: &Path, output: &mut Output) -> anyhow::Result<bool> {
        let name = path.display().to_string();
        let source = Source::from(path.to_owned()).text(&TEXT)?;
        let formatted = match format(&source) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                report::write(&diagnostics, &source, &Files::one(&name), output)?;
                output.line(format_args!("{name}: not changed; mend this first"))?;
                return Ok(false);
            }
        };
        if formatted == source {
            output.line(format_args!("{name}: nothing to do"))?;
            return Ok(true);
        }
        let meaning = Meaning::of(&source);
        if meaning != Meaning::of(&formatted) {
            bail!("`{name}`: the layout would change what it means, so it was left alone; please report this");
        }
        let lines = counted(changed(&source, &formatted), "line");
        if self.check {
            output.line(format_args!("{name}: {} in another layout; run `writ policy fmt {name}`", lines))?;
            return Ok(false);
        }
        files::replace(path, &formatted).with_context(|| format!("cannot write `{name}`"))?;
        output.line(format_args!("{name}: {lines} laid out"))?;
        let (before, after) = (ContentHash::of(source.as_bytes()), ContentHash::of(formatted.as_bytes()));
        output.line(format_args!("text {before} is now {after}: signatures on it no longer count"))?;
        if let Some(rows) = meaning.rows {
            output.line(format_args!("rows {rows} as before"))?;
        }
        Ok(true)
    }
}

/// What layout must not change.
#[derive(PartialEq)]
struct Meaning {
    rows: Option<ContentHash>,
    diagnostics: Vec<(&'static str, String)>,
    controls: usize,
}

impl Meaning {
    fn of(source: &str) -> Self {
        let parsed = parse(source);
        let diagnostics = parsed.diagnostics.iter().map(|it| (it.code.as_str(), it.message.clone())).collect();
        let controls = parsed.model.as_ref().map_or(0, |model| model.controls.len());
        let policy = parsed.model.and_then(|model| Policy::compile(model, parsed.hash).ok());
        Self { rows: policy.map(|policy| policy.rows_hash()), diagnostics, controls }
    }
}

/// How many lines of the new text are not in the old one.
fn changed(before: &str, after: &str) -> usize {
    let known: std::collections::BTreeSet<&str> = before.lines().collect();
    after.lines().filter(|line| !known.contains(line)).count().max(1)
}
