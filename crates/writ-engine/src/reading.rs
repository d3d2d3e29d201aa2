//! From body to findings: decode, read by the endpoint's codec, scan each part and each seam between parts.
//!
//! What is remembered by keyed hash is *findings of a text*, never a verdict: an agent's turn of 300 KB of which 95 %
//! was seen before costs a hash per part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use writ_base::KeyedDigest;
use writ_base::telemetry::Counter;
use writ_detect::Pack;
use writ_model::finding::{Evidence, Finding};
use writ_model::{Author, Certainty, Direction, Set, Signal, Unreadable};
use writ_protocol::{Endpoint, Message};

use crate::commands::Panicked;
use crate::engine::Engine;
use crate::limits;

/// The reading of one body: everything it needs, so that it can run anywhere.
pub(crate) struct Work {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pack: Pack,
    pub(crate) endpoint: Endpoint,
    pub(crate) direction: Direction,
    pub(crate) encoding: Option<String>,
    /// The query of the request's path: it leaves as well.
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({:?}, {} B)", self.endpoint, self.body.len())
    }
}

/// What a body turned out to be.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The body as it came; nothing if it did not come whole, and then it cannot be sent.
    pub(crate) wire: Option<Bytes>,
    /// The body without its content encoding.
    pub(crate) body: Bytes,
    /// Its parts.
    pub(crate) message: Message,
    /// The findings of each part, by its index.
    pub(crate) findings: Vec<Arc<[Finding]>>,
    /// The digest of each part's text, by its index, where it is longer than a digest: a text is hashed once.
    digests: Vec<Option<KeyedDigest>>,
    /// Findings that lie across two parts.
    pub(crate) seams: Vec<Seam>,
    /// Findings in the query of the path, which cannot be edited.
    pub(crate) in_query: Vec<Finding>,
    /// Signals of codec and encoding.
    pub(crate) signals: Set<Signal>,
    /// Readers that failed.
    pub(crate) unreadable: Set<Unreadable>,
}

/// A value split over two parts.
#[derive(Clone, Debug)]
pub(crate) struct Seam {
    /// The part it begins in, and where.
    pub(crate) first: (usize, Range<usize>),
    /// The part it ends in, and where.
    pub(crate) second: (usize, Range<usize>),
    /// The finding; its span is meaningless here.
    pub(crate) finding: Finding,
}

impl Work {
    /// Reads and scans. A panic is caught: the caller refuses the interaction.
    pub(crate) fn run(self) -> Result<Reading, Panicked> {
        catch_unwind(AssertUnwindSafe(|| self.read())).map_err(|_| {
            Counter::Panics.increment();
            Panicked
        })
    }

    fn read(self) -> Reading {
        Counter::BytesInspected.add(self.body.len() as u64);
        let mut signals = Set::EMPTY;
        let body = match self.decoded() {
            Ok(body) => body,
            Err(Undecodable::Signal(signal)) => {
                signals.insert(signal);
                Bytes::new()
            }
            Err(Undecodable::TooLarge) => {
                return Reading::unreadable(Unreadable::TooLarge, Some(self.body));
            }
        };
        let message = match self.direction {
            Direction::Prompt => writ_protocol::read_prompt(self.endpoint, &body),
            Direction::Answer => writ_protocol::read_answer(self.endpoint, &body),
        };
        signals.extend_from(message.signals);
        let texts = || message.parts.iter().map(|part| part.text().unwrap_or_default());
        let digests: Vec<_> = texts().map(|text| self.digest_of(text)).collect();
        let findings = texts().zip(&digests).map(|(text, digest)| self.scan(text, *digest)).collect();
        let seams = self.seams(&message);
        let query = self.query.as_deref().map(writ_protocol::read_query).unwrap_or_default();
        let in_query = query.parts.iter().flat_map(|part| self.scan_now(part.text().unwrap_or_default())).collect();
        let unreadable = message.unreadable;
        Reading { wire: Some(self.body), body, message, findings, digests, seams, in_query, signals, unreadable }
    }

    /// The digest of a text that is worth one.
    fn digest_of(&self, text: &str) -> Option<KeyedDigest> {
        /// Below this, a scan is as cheap as looking it up, and other digests take the text itself.
        const SHORT: usize = 48;
        (text.len() >= SHORT)
            .then(|| KeyedDigest::of_parts(self.engine.digest_key(), [b"text".as_slice(), text.as_bytes()]))
    }

    fn decoded(&self) -> Result<Bytes, Undecodable> {
        let Some(encoding) = self.encoding.as_deref() else { return Ok(self.body.clone()) };
        match writ_protocol::encoding::decode(encoding, &self.body, &limits::BODY) {
            Ok(Cow::Borrowed(_)) => Ok(self.body.clone()),
            Ok(Cow::Owned(decoded)) => Ok(decoded.into()),
            Err(error) => Err(error.signals().iter().next().map_or(Undecodable::TooLarge, Undecodable::Signal)),
        }
    }

    /// The findings of a text: remembered ones, or of a scan now.
    fn scan(&self, text: &str, digest: Option<KeyedDigest>) -> Arc<[Finding]> {
        let Some(digest) = digest else { return self.scan_now(text).into() };
        let digest = self.digest("findings", [digest.as_bytes().as_slice()]);
        self.engine.remembered(digest).unwrap_or_else(|| {
            let findings = self.scan_now(text).into();
            self.engine.remember(digest, &findings);
            findings
        })
    }

    fn scan_now(&self, text: &str) -> Vec<Finding> {
        if let Some(before_scan) = &self.engine.options.before_scan {
            before_scan(text);
        }
        self.pack.scan(text, self.engine.digest_key())
    }

    fn digest<const N: usize>(&self, domain: &str, parts: [&[u8]; N]) -> KeyedDigest {
        let hash = self.pack.hash();
        let head: [&[u8]; 2] = [domain.as_bytes(), hash.as_bytes()];
        KeyedDigest::of_parts(self.engine.digest_key(), head.into_iter().chain(parts))
    }

    /// Values split over two parts: neighbours on the wire, and neighbours of one author (a value continued after the
    /// other side's turn). Only what is proved counts: a chance meeting of two texts must not stop anybody.
    fn seams(&self, message: &Message) -> Vec<Seam> {
        let texts: Vec<_> =
            message.parts.iter().filter(|part| part.text().is_some_and(|text| !text.is_empty())).collect();
        let mut last: BTreeMap<Author, usize> = BTreeMap::new();
        let mut seams = Vec::new();
        for (place, part) in texts.iter().enumerate() {
            let neighbour = place.checked_sub(1).and_then(|before| texts.get(before)).map(|before| before.index);
            let same_author = last.insert(part.author, part.index).filter(|before| Some(*before) != neighbour);
            for before in neighbour.into_iter().chain(same_author) {
                let text = |index: usize| message.parts.get(index).and_then(|part| part.text()).unwrap_or_default();
                self.seam((before, text(before)), (part.index, text(part.index)), &mut seams);
            }
        }
        seams
    }

    fn seam(&self, (first, before): (usize, &str), (second, after): (usize, &str), seams: &mut Vec<Seam>) {
        let (tail, head) = (tail(before, limits::SEAM.value()), head(after, limits::SEAM.value()));
        if !could_join(tail, head) {
            return;
        }
        let digest = self.digest("seam", [tail.as_bytes(), head.as_bytes()]);
        let findings = self.engine.remembered(digest).unwrap_or_else(|| {
            let joined = [tail, head].concat();
            let across = |f: &Finding| f.span.start < tail.len() && f.span.end > tail.len();
            let found = self.scan_now(&joined);
            let findings: Arc<[Finding]> = found.into_iter().filter(|f| across(f) && proved(f)).collect();
            self.engine.remember(digest, &findings);
            findings
        });
        let offset = before.len() - tail.len();
        seams.extend(findings.iter().map(|finding| Seam {
            first: (first, offset + finding.span.start..before.len()),
            second: (second, 0..finding.span.end - tail.len()),
            finding: finding.clone(),
        }));
    }
}

enum Undecodable {
    Signal(Signal),
    TooLarge,
}

impl Reading {
    /// What stands for the text of a part in digests: the text itself where it is short. `None` for what has no text.
    pub(crate) fn key_of(&self, part: usize) -> Option<&[u8]> {
        let text = self.message.parts.get(part)?.text()?;
        let digest = self.digests.get(part).and_then(Option::as_ref);
        Some(digest.map_or(text.as_bytes(), |digest| digest.as_bytes()))
    }

    /// What the person typed last, to be given back: the last turn's text, or the longest text of a body without turns.
    pub(crate) fn typed(&self) -> Option<&str> {
        let turns = &self.message.turns;
        let last = turns.iter().rposition(|turn| turn.author == Author::User).and_then(|last| turns.get(last));
        let parts = last.map_or(0..self.message.parts.len(), |turn| turn.parts.clone());
        let texts = parts.filter_map(|part| self.message.parts.get(part)?.text());
        texts.max_by_key(|text| text.len()).filter(|text| !text.trim().is_empty())
    }

    /// A body that no reader could take in.
    pub(crate) fn unreadable(why: Unreadable, wire: Option<Bytes>) -> Self {
        Self {
            wire,
            body: Bytes::new(),
            message: Message::default(),
            findings: Vec::new(),
            digests: Vec::new(),
            seams: Vec::new(),
            in_query: Vec::new(),
            signals: Set::EMPTY,
            unreadable: Set::one(why),
        }
    }
}

/// Whether a finding rests on more than its form: a chance meeting of two texts has no check digit.
fn proved(finding: &Finding) -> bool {
    finding.certainty == Certainty::Certain || finding.evidence.contains(Evidence::Checksum)
}

/// Whether a value could run from one text into the other: both sides of the border look like the inside of one.
fn could_join(tail: &str, head: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || "@.-_+/= \n".contains(c);
    tail.chars().next_back().is_some_and(inside) && head.chars().next().is_some_and(inside)
}

fn tail(text: &str, at_most: usize) -> &str {
    let start = (text.len().saturating_sub(at_most)..=text.len()).find(|start| text.is_char_boundary(*start));
    start.and_then(|start| text.get(start..)).unwrap_or_default()
}

fn head(text: &str, at_most: usize) -> &str {
    let end = (0..=text.len().min(at_most)).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
