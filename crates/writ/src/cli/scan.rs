//! `writ scan`: what detection finds, as JSON lines, never with the values.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use writ_base::keys::SecretKey;
use writ_base::{Limit, SystemRandom};
use writ_detect::Pack;
use writ_model::{Certainty, Finding};
use writ_policy::words::Names;

use super::files::{self, Source};
use super::{Exit, Output};
use crate::policy_file::PolicyFile;

/// One row of JSON lines.
static ROW: Limit = Limit::new("cli.row", "bytes", 64 << 20);
/// Bytes read at once.
const BUFFER: usize = 256 * 1024;

/// Find sensitive data in files, as JSON lines without the values
///
/// Each file, or each row of `jsonl`, gives one line:
/// `{"id":"...","findings":[{"type":"EMAIL","class":"contact","start":3,"end":19,"certainty":"certain"}]}`.
/// Ends are exclusive. Values are never printed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ scan notes.txt src/
  cat prompt.txt | writ scan -
  writ scan --input jsonl --offsets bytes rows.jsonl

Rows of `jsonl` are objects with `id` and `text`; other members are left alone.
Exit codes: 0 nothing found; 1 something found; 2 something could not be read (the rest was scanned).")]
pub(crate) struct Scan {
    /// How the input is read
    #[arg(long, value_enum, default_value_t = Input::Text)]
    input: Input,
    /// What `start` and `end` count: Unicode characters (scalar values) or bytes of UTF-8
    #[arg(long, value_enum, default_value_t = Offsets::Chars)]
    offsets: Offsets,
    /// Also search for the terms that this policy defines
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Files or folders; `-` reads standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Input {
    /// One text per file
    Text,
    /// One JSON object per line, with `id` and `text`
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Offsets {
    /// Unicode scalar values
    Chars,
    /// Bytes of UTF-8
    Bytes,
}

impl Scan {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let pack = pack(self.policy.as_ref())?;
        let key = SecretKey::generate(&SystemRandom);
        let mut scanner = Scanner { pack, key, offsets: self.offsets, output, found: false };
        let mut failed = false;
        for source in files::expand(&self.paths)? {
            let result = match self.input {
                Input::Text => scanner.text(&source),
                Input::Jsonl => scanner.rows(&source),
            };
            match result {
                Err(error) if super::output::reader_gone(&error) => return Err(error),
                Err(error) => {
                    scanner.output.error(&error);
                    failed = true;
                }
                Ok(()) => {}
            }
        }
        Ok(match (failed, scanner.found) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::No,
            (false, false) => Exit::Yes,
        })
    }
}

/// The detectors that ship, with the terms of a policy.
pub(super) fn pack(policy: Option<&PathBuf>) -> anyhow::Result<Pack> {
    match policy {
        None => Ok(Pack::builtin()),
        Some(path) => PolicyFile::read(path, Names::default())?.pack(),
    }
}

struct Scanner<'o> {
    pack: Pack,
    key: SecretKey,
    offsets: Offsets,
    output: &'o mut Output,
    found: bool,
}

impl Scanner<'_> {
    fn text(&mut self, source: &Source) -> anyhow::Result<()> {
        let text = source.text(&files::TEXT)?;
        self.one(source.name(), &text)
    }

    fn rows(&mut self, source: &Source) -> anyhow::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, source.open()?);
        let most = u64::try_from(ROW.value()).unwrap_or(u64::MAX).saturating_add(1);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = reader.by_ref().take(most).read_until(b'\n', &mut line);
            let place = || format!("`{}`, line {number}", source.name());
            if read.with_context(|| format!("cannot read {}", place()))? == 0 {
                break;
            }
            if !ROW.admits(line.len()) {
                bail!("{} has more than {} bytes (limit `{}`)", place(), ROW.value(), ROW.name());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let row: Row<'_> = serde_json::from_slice(&line).map_err(|error| {
                anyhow::anyhow!("{} is no object with `id` and `text` ({})", place(), reason(&error))
            })?;
            self.one(row.id, &row.text)?;
        }
        Ok(())
    }

    fn one(&mut self, id: impl Serialize, text: &str) -> anyhow::Result<()> {
        let findings = self.pack.scan(text, self.key.expose());
        self.found |= !findings.is_empty();
        let places = match self.offsets {
            Offsets::Bytes => None,
            Offsets::Chars if text.is_ascii() => None,
            Offsets::Chars => Some(CharacterPlaces::of(text, &findings)),
        };
        let place = |byte: usize| places.as_ref().map_or(byte, |places| places.at(byte));
        let shown = findings.iter().map(|finding| Shown {
            data_type: &finding.data_type,
            class: &finding.class,
            start: place(finding.span.start),
            end: place(finding.span.end),
            certainty: finding.certainty,
        });
        self.output.json_line(&Line { id, findings: shown.collect() })
    }
}

/// What a JSON reader complains about, without the text that it read.
fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => "a member is missing or is no text".to_owned(),
        _ => format!("not JSON from column {} on", error.column()),
    }
}

/// A row of `jsonl`; the id may be anything and is given back as it is.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Line<'a, I> {
    id: I,
    findings: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(rename = "type")]
    data_type: &'a str,
    class: &'a str,
    start: usize,
    end: usize,
    certainty: Certainty,
}

/// Byte places of findings with their places in characters, in the order of the text.
struct CharacterPlaces(Vec<(usize, usize)>);

impl CharacterPlaces {
    /// One pass over the text, however many findings there are.
    fn of(text: &str, findings: &[Finding]) -> Self {
        let mut bytes: Vec<usize> =
            findings.iter().flat_map(|finding| [finding.span.start, finding.span.end]).collect();
        bytes.sort_unstable();
        bytes.dedup();
        let (mut from, mut characters) = (0, 0);
        let places = bytes.into_iter().map(|byte| {
            characters += text.get(from..byte).unwrap_or_default().chars().count();
            from = byte;
            (byte, characters)
        });
        Self(places.collect())
    }

    fn at(&self, byte: usize) -> usize {
        let place = self.0.binary_search_by_key(&byte, |(byte, _)| *byte).ok();
        place.and_then(|place| self.0.get(place)).map_or(byte, |(_, characters)| *characters)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_count_characters(before in "\\PC{0,20}", value in "\\PC{1,20}", after in "\\PC{0,20}") {
            let text = format!("{before}{value}{after}");
            let mut finding = Pack::builtin().scan("mail jo@example.org", &[0; 32]).remove(0);
            finding.span = before.len()..before.len() + value.len();
            let places = CharacterPlaces::of(&text, &[finding]);
            let shown = places.at(before.len())..places.at(before.len() + value.len());
            let cut: String = text.chars().skip(shown.start).take(shown.len()).collect();
            prop_assert_eq!(cut, value);
        }
    }
}
