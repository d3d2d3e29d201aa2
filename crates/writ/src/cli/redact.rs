//! `writ redact`: a text with placeholders instead of what detection finds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use writ_base::SystemRandom;
use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;
use writ_detect::{Pack, Scanner, redact_spans};
use writ_engine::placeholder;
use writ_model::class::{self, CLASSES};
use writ_model::{Finding, Term};
use writ_policy::words::Names;

use super::files::{self, Source};
use super::{Exit, Output, text};
use crate::policy_file::PolicyFile;

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// Replace sensitive data in a file or pipe by placeholders
///
/// Placeholders are typed (`[CARD-3f9k2m7q8w4xz]`); the result goes to standard output. Equal values get equal placeholders within a run; with `--key-file` in every run. Placeholders are pseudonyms:
/// whoever holds the key can test a guess. Nothing else in the text changes, and nothing of it is kept in memory for
/// longer than it takes to judge it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ redact ticket.txt > ticket.safe.txt
  kubectl logs web | writ redact - | less
  writ redact --key-file redact.key --classes payment,contact export.csv > safe.csv")]
pub(crate) struct Redact {
    /// Also search for the terms that this policy defines
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The classes to redact; without it all but `source-code`
    #[arg(long, value_delimiter = ',', value_name = "CLASS")]
    classes: Vec<String>,
    /// A file with 64 hexadecimal digits that makes placeholders the same in every run
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The file; `-` reads standard input
    #[arg(value_name = "PATH")]
    path: String,
}

impl Redact {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let policy = self.policy.as_ref().map(|path| PolicyFile::read(path, Names::default())).transpose()?;
        let pack = policy.as_ref().map_or_else(|| Ok(Pack::builtin()), PolicyFile::pack)?;
        let mut known: BTreeMap<Term, ()> = CLASSES.iter().map(|spec| (Term::fixed(spec.name), ())).collect();
        let own = policy
            .iter()
            .filter_map(|policy| policy.parsed.as_ref())
            .flat_map(|parsed| parsed.vocabulary.classes.keys());
        known.extend(own.map(|class| (class.clone(), ())));
        let classes = if self.classes.is_empty() {
            known.into_keys().filter(|class| *class != class::SOURCE_CODE).collect()
        } else {
            text::known_classes(&self.classes, &known)?
        };
        let key =
            self.key_file.as_ref().map_or_else(|| Ok(SecretKey::generate(&SystemRandom)), |path| files::key(path))?;
        let source = Source::from(self.path.as_str());
        Redaction::new(&pack, classes, &key).run(&source, output)?;
        Ok(Exit::Yes)
    }
}

/// A text on its way through.
struct Redaction {
    scanner: Scanner,
    classes: BTreeSet<Term>,
    key: SecretKey,
    /// Text that has been read and not been written, and its place in the stream.
    held: String,
    base: usize,
    /// Findings in what is held.
    findings: Vec<Finding>,
}

impl Redaction {
    fn new(pack: &Pack, classes: BTreeSet<Term>, key: &SecretKey) -> Self {
        // Digests and placeholders are for different purposes: each has a key of its own.
        let digests = hmac_sha256(key.expose(), [b"writ redact values".as_slice()]);
        Self {
            scanner: pack.scanner(&digests),
            classes,
            key: key.clone(),
            held: String::new(),
            base: 0,
            findings: Vec::new(),
        }
    }

    fn run(mut self, source: &Source, output: &mut Output) -> anyhow::Result<()> {
        let mut reader = source.open()?;
        let (mut pending, mut piece) = (Vec::new(), vec![0; PIECE]);
        loop {
            let read =
                read_some(&mut reader, &mut piece).with_context(|| format!("cannot read `{}`", source.name()))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            pending.extend_from_slice(bytes);
            let (valid, rest) = whole_characters(&pending).with_context(|| not_text(source))?;
            self.push(&valid, output)?;
            pending = rest;
            output.flush()?;
        }
        if !pending.is_empty() {
            bail!("{}", not_text(source));
        }
        self.finish(output)
    }

    fn push(&mut self, text: &str, output: &mut Output) -> anyhow::Result<()> {
        self.held.push_str(text);
        self.scanner.push(text, &mut self.findings);
        let settled = self.scanner.settled_for(|class| self.classes.contains(class));
        self.write_to(settled, output)
    }

    fn finish(mut self, output: &mut Output) -> anyhow::Result<()> {
        self.scanner.finish(&mut self.findings);
        let end = self.base + self.held.len();
        self.write_to(end, output)
    }

    /// Writes what is held up to a place of the stream that no later finding can reach.
    fn write_to(&mut self, settled: usize, output: &mut Output) -> anyhow::Result<()> {
        let mut end = settled.clamp(self.base, self.base + self.held.len());
        while !self.held.is_char_boundary(end - self.base) {
            end -= 1;
        }
        self.findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
        let mut at = self.base;
        for (span, finding) in redact_spans(&self.findings, &self.classes) {
            if span.start >= end {
                break;
            }
            // A span that reaches beyond waits, and what stands before it goes.
            if span.end > end {
                end = span.start;
                break;
            }
            output.text(self.piece(at, span.start))?;
            output.text(&self.placeholder(span.clone(), finding))?;
            at = span.end;
        }
        output.text(self.piece(at, end))?;
        self.held.drain(..end - self.base);
        self.base = end;
        self.findings.retain(|finding| finding.span.end > end);
        Ok(())
    }

    /// Spellings of one value share a placeholder; a span that several findings share is named by its text.
    fn placeholder(&self, span: std::ops::Range<usize>, finding: &Finding) -> String {
        if span == finding.span {
            return placeholder::issue(&self.key, &finding.data_type, &finding.value.to_string());
        }
        placeholder::issue(&self.key, &finding.data_type, self.piece(span.start, span.end))
    }

    fn piece(&self, start: usize, end: usize) -> &str {
        self.held.get(start - self.base..end - self.base).unwrap_or_default()
    }
}

fn not_text(source: &Source) -> String {
    format!("`{}` is not UTF-8 text; convert it first", source.name())
}

/// Reads what is there, like a pipe's reader: not more than one piece, and at least something.
fn read_some(reader: &mut dyn Read, piece: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match reader.read(piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The text of `bytes` as far as its characters are whole, and the beginning of the next one.
fn whole_characters(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some((text.to_owned(), Vec::new())),
        Err(error) if error.error_len().is_some() => None,
        Err(error) => {
            let (text, rest) = bytes.split_at(error.valid_up_to());
            Some((String::from_utf8_lossy(text).into_owned(), rest.to_vec()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_are_not_cut() {
        assert_eq!(whole_characters("aé".as_bytes()), Some(("aé".to_owned(), vec![])));
        assert_eq!(whole_characters(&"aé".as_bytes()[..2]), Some(("a".to_owned(), vec![0xc3])));
        assert_eq!(whole_characters(b"a\xff"), None);
    }

    fn redacted(text: &str, cuts: &[usize]) -> String {
        let classes = CLASSES.iter().map(|spec| Term::fixed(spec.name)).collect();
        let mut redaction = Redaction::new(&Pack::builtin(), classes, &SecretKey::from_bytes([7; 32]));
        let (mut output, page) = Output::in_memory();
        let mut from = 0;
        for cut in cuts.iter().copied().filter(|cut| text.is_char_boundary(*cut)).chain([text.len()]) {
            redaction.push(text.get(from..cut).unwrap_or_default(), &mut output).unwrap();
            from = cut;
        }
        redaction.finish(&mut output).unwrap();
        output.finish().unwrap();
        page.text()
    }

    proptest! {
        /// DET-1 seen from outside: the result does not depend on how the input arrives.
        #[test]
        fn pieces_do_not_matter(cuts in proptest::collection::btree_set(0usize..200, 0..8)) {
            let text = "Grüße an jo@example.org, Karte 4111 1111 1111 1111, nochmal jo@example.org.\n\
                        fn main() {\n    let x = 1;\n    println!(\"{x}\");\n}\nEnde";
            let cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
            prop_assert_eq!(redacted(text, &cuts), redacted(text, &[]));
        }
    }

    #[test]
    fn equal_values_share_a_placeholder() {
        let text = redacted("4111 1111 1111 1111 and 4111-1111-1111-1111 and jo@example.org", &[]);
        let names: Vec<_> = text.split(" and ").collect();
        assert_eq!(names[0], names[1]);
        assert!(names[0].starts_with("[CARD-") && names[2].starts_with("[EMAIL-"), "{text}");
    }
}
