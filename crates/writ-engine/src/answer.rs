//! The answer side: what the service sends back is judged where a rule speaks about answers, then placeholders that
//! this conversation's vault issued are turned back. A stream is held back by the longest open match and nothing else;
//! where no rule speaks and nothing was replaced, it passes untouched.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use writ_detect::Scanner;
use writ_model::finding::Finding;
use writ_model::verdict::Restore;
use writ_model::{Decision, Effect, Facts, Term};
use writ_policy::eval::ClassesToScan;
use writ_protocol::answer::{Channel, ChannelKind, Flow, TextEditor};

use crate::engine::Engine;
use crate::imitation::Kind;
use crate::placeholder;
use crate::situation::Tally;
use crate::snapshot::Snapshot;
use crate::vault::Compartment;

/// Judges and edits the texts of one answer.
pub(crate) struct AnswerEditor {
    engine: Arc<Engine>,
    compartment: Option<Arc<Compartment>>,
    restore: Option<Restore>,
    judge: Option<Judge>,
    /// A note that begins the first text of an answer in a chat.
    prefix: Option<String>,
    /// What stands before words that sound like Writ; in answers that nothing may be put into, nothing does.
    writer: Option<String>,
    /// Whether something sounded like Writ so far.
    pub(crate) imitates: bool,
    channels: BTreeMap<Channel, Held>,
    /// Placeholders turned back so far.
    pub(crate) restored: u32,
}

/// The verdict over an answer as it grows: it only gets stricter.
pub(crate) struct Judge {
    snapshot: Arc<Snapshot>,
    pub(crate) facts: Facts,
    pub(crate) tally: Tally,
    pub(crate) decision: Arc<Decision>,
    redact: BTreeSet<Term>,
    /// The classes that a rule may redact, or for which it may cut; otherwise what is found is only recorded, and nothing
    /// is held back.
    held: Option<ClassesToScan>,
}

/// The text of one channel that was not delivered yet.
struct Held {
    text: String,
    /// Where `text` begins in the channel.
    offset: usize,
    scanner: Option<Scanner>,
    findings: Vec<Finding>,
}

impl AnswerEditor {
    pub(crate) fn new(
        engine: Arc<Engine>,
        compartment: Option<Arc<Compartment>>,
        restore: Restore,
        judge: Option<Judge>,
        prefix: Option<String>,
        writer: Option<String>,
    ) -> Self {
        let restore = compartment.as_ref().is_some_and(|held| !held.is_empty()).then_some(restore);
        let channels = BTreeMap::new();
        Self { engine, compartment, restore, judge, prefix, writer, imitates: false, channels, restored: 0 }
    }

    /// Whether there is nothing to do: then the answer passes untouched.
    pub(crate) fn idle(&self) -> bool {
        self.restore.is_none() && self.judge.is_none() && self.prefix.is_none() && self.writer.is_none()
    }

    /// The verdict over the answer so far, where it is judged.
    pub(crate) fn judge(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    /// Has the answer judged from now on, where no rule asked for it.
    pub(crate) fn judge_by(&mut self, judge: impl FnOnce() -> Judge) {
        self.judge.get_or_insert_with(judge);
    }

    /// The verdict over the answer so far, to be changed by what is not text.
    pub(crate) fn judge_mut(&mut self) -> Option<&mut Judge> {
        self.judge.as_mut()
    }

    fn take_prefix(&mut self, channel: &Channel, out: &mut String) {
        if channel.kind == ChannelKind::Text
            && channel.output == 0
            && let Some(prefix) = self.prefix.take()
        {
            out.push_str(&prefix);
        }
    }

    /// Delivers what has settled: redacts what the verdict says, turns placeholders back, keeps what is still open.
    fn deliver(&mut self, channel: &Channel, held: &mut Held, everything: bool, out: &mut String) {
        let classes = self.judge.as_ref().and_then(|judge| judge.held.as_ref()).filter(|_| !everything);
        let settled = held.scanner.as_ref().zip(classes).map_or(held.text.len(), |(scanner, classes)| {
            let settled = scanner.settled_for(|class| classes.contains(class));
            settled.saturating_sub(held.offset).min(held.text.len())
        });
        let crossing = held.findings.iter().filter(|f| f.span.end > held.offset + settled).map(|f| f.span.start);
        let settled = crossing.map(|start| start.saturating_sub(held.offset)).min().unwrap_or(settled).min(settled);
        let candidate = held.text.get(..settled).unwrap_or_default();
        let open = if everything { 0 } else { self.open_tail(channel, candidate, held.offset == 0) };
        let ready = candidate.get(..settled - open).unwrap_or_default().to_owned();
        let local = |span: &Range<usize>| span.start.saturating_sub(held.offset)..span.end.saturating_sub(held.offset);
        let findings: Vec<Finding> = held
            .findings
            .iter()
            .map(|f| Finding { span: local(&f.span), ..f.clone() })
            .filter(|f| f.span.end <= ready.len())
            .collect();
        self.emit(channel, &ready, held.offset == 0, &findings, out);
        held.text.drain(..ready.len());
        held.offset += ready.len();
        held.findings.retain(|finding| finding.span.end > held.offset);
    }

    /// Bytes at the end that more text could make a placeholder, or words that sound like Writ.
    fn open_tail(&self, channel: &Channel, text: &str, begins: bool) -> usize {
        let placeholder = if self.restore.is_some() { placeholder::open_tail(text) } else { 0 };
        let spoken = channel.kind == ChannelKind::Text;
        placeholder.max(if spoken { self.engine.imitations.open_tail(text, begins) } else { 0 })
    }

    /// `begins`: the text begins its channel.
    fn emit(&mut self, channel: &Channel, text: &str, begins: bool, findings: &[Finding], out: &mut String) {
        let mut changes = self.redactions(text, findings);
        if channel.kind == ChannelKind::Text {
            self.defang(text, begins, &mut changes);
        }
        let placeholders: Vec<_> = placeholder::candidates(text).collect();
        for span in placeholders {
            if let Some(value) = self.original(channel, text.get(span.clone()).unwrap_or_default())
                && changes.iter().all(|(other, _)| other.end <= span.start || span.end <= other.start)
            {
                changes.push((span, value));
                self.restored = self.restored.saturating_add(1);
            }
        }
        changes.sort_by_key(|(span, _)| span.start);
        out.push_str(&crate::edits::apply(text, &changes));
    }

    /// Takes note of what sounds like Writ and says who wrote it, once in a piece: a whole message has several signs.
    fn defang(&mut self, text: &str, begins: bool, changes: &mut Vec<(Range<usize>, String)>) {
        /// What a mark that is none begins with.
        const NO_MARK: &str = "[not writ ";
        const MARK: usize = "[writ ".len();
        let found = self.engine.imitations.find(text, begins);
        self.imitates |= !found.is_empty();
        let Some(writer) = &self.writer else { return };
        let words = found.iter().find(|it| it.kind != Kind::Mark).map(|it| match it.kind {
            Kind::Opening => (0..0, format!("{writer}\n\n")),
            _ => (it.span.start..it.span.start, format!("{writer} ")),
        });
        let marks = found.iter().filter(|it| it.kind == Kind::Mark);
        let marks = marks.map(|it| (it.span.start..it.span.start + MARK, NO_MARK.to_owned()));
        for (span, with) in words.into_iter().chain(marks) {
            if changes.iter().all(|(other, _)| other.end <= span.start || span.end <= other.start) {
                changes.push((span, with));
            }
        }
    }

    fn redactions(&self, text: &str, findings: &[Finding]) -> Vec<(Range<usize>, String)> {
        let Some(judge) = &self.judge else { return Vec::new() };
        let key = &self.engine.options.keys.placeholder;
        writ_detect::redact_spans(findings, &judge.redact)
            .into_iter()
            .map(|(span, f)| (span.clone(), placeholder::issue(key, &f.data_type, text.get(span).unwrap_or_default())))
            .collect()
    }

    /// What a placeholder of this conversation stands for, in the form that the channel needs.
    fn original(&self, channel: &Channel, placeholder: &str) -> Option<String> {
        let restore = self.restore?;
        let tools = channel.kind == ChannelKind::ToolArguments;
        if tools && restore != Restore::Tools {
            return None;
        }
        let value = self.engine.vault.restore(self.compartment.as_ref()?, placeholder)?.into_exposed();
        if !tools {
            return Some(value);
        }
        // Tool arguments are the source text of JSON: the value stands inside a string there.
        let quoted = serde_json::to_string(&value).ok()?;
        quoted.get(1..quoted.len() - 1).map(str::to_owned)
    }
}

impl TextEditor for AnswerEditor {
    fn edit(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow {
        self.take_prefix(channel, out);
        let mut held = self.channels.remove(channel).unwrap_or_else(|| Held::new(self.judge.as_ref(), &self.engine));
        held.text.push_str(text);
        let mut found = Vec::new();
        if let Some(scanner) = &mut held.scanner {
            scanner.push(text, &mut found);
        }
        let flow = self.judge.as_mut().map_or(Flow::Continue, |judge| judge.take_in(&found));
        held.findings.extend(found);
        if flow == Flow::Continue {
            self.deliver(channel, &mut held, false, out);
        }
        self.channels.insert(channel.clone(), held);
        flow
    }

    fn finish(&mut self, channel: &Channel, out: &mut String) -> Flow {
        let Some(mut held) = self.channels.remove(channel) else { return Flow::Continue };
        let mut found = Vec::new();
        if let Some(scanner) = &mut held.scanner {
            scanner.finish(&mut found);
        }
        let flow = self.judge.as_mut().map_or(Flow::Continue, |judge| judge.take_in(&found));
        held.findings.extend(found);
        if flow == Flow::Continue {
            self.deliver(channel, &mut held, true, out);
        }
        flow
    }

    fn whole(&mut self, channel: &Channel, text: &str, out: &mut String) -> Flow {
        self.take_prefix(channel, out);
        let findings = match &self.judge {
            Some(judge) => judge.snapshot.pack.scan(text, self.engine.digest_key()),
            None => Vec::new(),
        };
        let flow = self.judge.as_mut().map_or(Flow::Continue, |judge| judge.take_in(&findings));
        if flow == Flow::Continue {
            self.emit(channel, text, true, &findings, out);
        }
        flow
    }
}

impl Held {
    fn new(judge: Option<&Judge>, engine: &Engine) -> Self {
        let scanner = judge.map(|judge| judge.snapshot.pack.scanner(engine.digest_key()));
        Self { text: String::new(), offset: 0, scanner, findings: Vec::new() }
    }
}

impl Judge {
    /// Starts from the facts of an answer in which nothing was found yet.
    pub(crate) fn new(snapshot: Arc<Snapshot>, facts: Facts, held: Option<ClassesToScan>) -> Self {
        let decision = snapshot.decide(&facts);
        let redact = decision.enforced.redact.clone();
        Self { snapshot, facts, tally: Tally::default(), decision, redact, held }
    }

    /// Whether the verdict so far stops the answer.
    pub(crate) fn stops(&self) -> bool {
        self.decision.enforced.effect > Effect::Coach
    }

    /// Takes in findings, and decides again if they change the facts.
    fn take_in(&mut self, findings: &[Finding]) -> Flow {
        if !findings.is_empty() {
            findings.iter().for_each(|finding| self.tally.count(finding, true));
            let classes = self.tally.classes().into();
            if self.facts.data != classes {
                self.facts.data = classes;
                self.decide();
            }
        }
        if self.stops() { Flow::Stop } else { Flow::Continue }
    }

    /// Takes in a signal: something in the answer that was not read.
    pub(crate) fn signal(&mut self, signals: writ_model::Set<writ_model::Signal>) -> Flow {
        let mut all = self.facts.signal.known().copied().unwrap_or_default();
        all.extend_from(signals);
        if self.facts.signal.known() != Some(&all) {
            self.facts.signal = all.into();
            self.decide();
        }
        if self.stops() { Flow::Stop } else { Flow::Continue }
    }

    /// The answer could not be read.
    pub(crate) fn unreadable(&mut self, why: writ_model::Unreadable) -> Flow {
        self.facts.unreadable = writ_model::Set::one(why).into();
        self.decide();
        if self.stops() { Flow::Stop } else { Flow::Continue }
    }

    fn decide(&mut self) {
        self.decision = self.snapshot.decide(&self.facts);
        self.redact.extend(self.decision.enforced.redact.iter().cloned());
    }
}
