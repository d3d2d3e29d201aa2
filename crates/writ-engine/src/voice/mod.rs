//! What Writ says, in English for programs and in four languages for people.
//!
//! The first line says whether it was sent. One reason in one sentence, then the choices, best first; what is recorded,
//! as far as the running configuration makes it true; a code. No severity, no "violation", no exclamation mark; the
//! sender is the organisation. The message for programs is one line that an agent can act on; the one for people in a
//! chat carries the keyed mark by which it is recognised when it comes back; the page works without script.

mod de;
mod en;
mod es;
mod fr;
mod page;
mod phrases;
mod said;
mod traces;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use writ_base::Randomness;
use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;
use writ_model::interaction::InteractionId;
use writ_model::verdict::Offer;
use writ_model::{Author, ClauseQuote, Effect, Language, Note, Refusal, RefusalKind, Term};

use crate::commands::UpstreamFailure;
use crate::opening::RefuseReason;

pub use page::Page;
pub use phrases::{Phrase, Phrases};
pub use said::{Choosing, Said};
pub use traces::Traces;
use words::{fill, words};

/// Who speaks, and where to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// The organisation's name, as staff know it.
    pub organisation: String,
    /// The organisation's one Writ host: `https://ai.northwind.example`.
    pub host: Option<String>,
    /// How to reach the help desk: `4357`.
    pub help_desk: Option<String>,
    /// What may be said about records.
    pub recorded: Recorded,
    /// Whether people are told once per service and 90 days, before anything of theirs is read.
    pub first_use: bool,
    /// Whether people's own devices and the guest network are not inspected: then they are told of that way.
    pub private_way: bool,
    /// Hours within which somebody answers who was asked; not said where it is not promised.
    pub answer_hours: Option<u32>,
}

/// What the running configuration makes true about records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Two people must agree before a pseudonym is lifted.
    pub two_people: bool,
    /// The person sees that it was.
    pub told: bool,
    /// A single stop has no consequences.
    pub no_consequences: bool,
}

impl Default for Recorded {
    /// What the store guarantees; what the organisation must promise itself is left out.
    fn default() -> Self {
        Self { two_people: true, told: true, no_consequences: false }
    }
}

/// What was found where, in words: never the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Discovery {
    /// The type of data.
    pub data_type: String,
    /// Who wrote the part it was found in.
    pub author: Author,
}

/// What a refusal is about.
#[derive(Clone, Debug)]
pub struct Stop<'a> {
    /// The interaction.
    pub interaction: InteractionId,
    /// Why.
    pub kind: RefusalKind,
    /// Justify or block.
    pub effect: Effect,
    /// The clauses that decided it.
    pub clauses: Vec<ClauseQuote>,
    /// What was found where.
    pub discoveries: Vec<Discovery>,
    /// How whoever wrote it finds it again.
    pub traces: Traces,
    /// Why it was refused before reading, if it was.
    pub refused: Option<RefuseReason>,
    /// The rule's reason, as the policy gives it.
    pub why: Option<&'a str>,
    /// The service it would have gone to.
    pub service: &'a str,
    /// What may be chosen instead.
    pub offers: Vec<Offer>,
    /// What the services of redirects are called.
    pub names: BTreeMap<Term, String>,
    /// The code for the help desk.
    pub reference: String,
    /// Opens the page about this stop.
    pub token: String,
    /// The person's language.
    pub language: Language,
    /// Whether the person is protected: then less is recorded, and that is said.
    pub protected: bool,
    /// What the person typed, to be given back. It goes into the answer and nowhere else.
    pub typed: Option<&'a str>,
}

impl Voice {
    /// The refusal, in words.
    pub fn refuse(&self, stop: &Stop<'_>, mark: &SecretKey) -> Refusal {
        let for_programs = self.program_line(stop);
        let for_people = format!("{}\n\n{}", self.said(stop, false).markdown(), sign(mark, &stop.reference));
        Refusal {
            interaction: stop.interaction,
            kind: stop.kind,
            effect: stop.effect,
            clauses: stop.clauses.clone(),
            reference: stop.reference.clone(),
            offers: stop.offers.clone(),
            for_programs,
            for_people,
            link: self.link(stop),
        }
    }

    /// The refusal as a page; the text that was typed is given back on it.
    pub fn page(&self, stop: &Stop<'_>) -> Page {
        page::stop(self, &self.said(stop, true), stop)
    }

    /// The page about a stop, with the token that opens it.
    fn link(&self, stop: &Stop<'_>) -> Option<String> {
        self.host.as_ref().map(|host| format!("{host}/r/{}?k={}", stop.reference, stop.token))
    }

    pub(crate) fn program_line(&self, stop: &Stop<'_>) -> String {
        let clauses = quote(&stop.clauses);
        let found = said::found(words(Language::En), &stop.discoveries, |it| stop.traces.line(it));
        let next = match (stop.kind, stop.effect) {
            (RefusalKind::Malformed, _) => "Send a well-formed body.".to_owned(),
            (RefusalKind::Failed, _) => "Nothing was sent. Ask the help desk.".to_owned(),
            (_, Effect::Justify) => {
                "Do not retry as it is; state a reason in the header `writ-reason` to go on, or leave it out."
                    .to_owned()
            }
            _ if !stop.discoveries.is_empty() => "Do not retry; remove it or go on without it.".to_owned(),
            _ => format!("Do not retry{}.", self.alternative(&stop.offers)),
        };
        let code = self.host.as_ref().map_or_else(
            || format!("Code {}.", stop.reference),
            |host| format!("Why and how: {host}/r/{}", stop.reference),
        );
        let what = match (clauses.is_empty(), found.is_empty()) {
            (true, true) => format!("writ: not sent ({}).", plain_cause(stop.kind, stop.refused)),
            (true, false) => format!("writ: not sent. Found: {found}."),
            (false, true) => format!("writ: not sent ({clauses})."),
            (false, false) => format!("writ: not sent ({clauses}). Found: {found}."),
        };
        format!("{what} {next} {code}")
    }

    fn alternative(&self, offers: &[Offer]) -> String {
        let redirect = offers.iter().find_map(|offer| match offer {
            Offer::Redirect(service) => Some(service),
            _ => None,
        });
        redirect.map_or_else(String::new, |service| format!("; `{service}` is cleared for this"))
    }

    /// A note for something that goes on; shown again after `every`.
    pub fn note(
        &self,
        language: Language,
        service: &str,
        clauses: Vec<ClauseQuote>,
        why: Option<&str>,
        every: Duration,
    ) -> Note {
        /// Words of a note, all in all.
        const MOST: usize = 60;
        const DAY: Duration = Duration::from_secs(86_400);
        let words = words(language);
        let values = [("organisation", self.organisation.as_str()), ("service", service)];
        let mut said = vec![format!("**{}** {}", fill(words.note.sender, &values), words.note.sent)];
        let rule = said::rule(words, &clauses);
        let again = (every >= DAY).then(|| words.note.not_again_today.to_owned());
        let why = why.map(|why| said::sentence(&said::plain(why)));
        // What does not fit is left out, from the end; the rule that it rests on stays.
        for more in [why, Some(rule), again].into_iter().flatten().filter(|more| !more.is_empty()) {
            let count = |text: &str| text.split_whitespace().count();
            if said.iter().map(|text| count(text)).sum::<usize>() + count(&more) <= MOST {
                said.push(more);
            }
        }
        Note { clauses, text: said.join(" ") }
    }

    /// The notice of first use, before an answer in a chat.
    pub fn first_use_note(&self, language: Language, service: &str) -> String {
        let (words, first) = (words(language), &words(language).first_use);
        let values = [("organisation", self.organisation.as_str()), ("service", service)];
        let mut said = vec![format!("**{}** {}", fill(words.note.sender, &values), words.note.sent)];
        said.extend([first.who, first.what, first.why, first.kept].map(|text| fill(text, &values)));
        said.extend(self.private_way.then(|| first.private_way.to_owned()));
        said.join(" ")
    }

    /// The notice of first use as a page; the same address again leads on.
    pub fn first_use_page(&self, language: Language, service: &str, path_and_query: &str) -> Page {
        page::first_use(self, words(language), service, path_and_query)
    }

    /// The page of a service that failed.
    pub fn failure_page(&self, language: Language, service: &str, failure: UpstreamFailure) -> Page {
        page::failure(self, words(language), service, failure)
    }

    /// Says that words which sound like the organisation are the model's.
    pub(crate) fn not_ours(&self, language: Language, service: &str) -> String {
        let (organisation, service) = (said::plain(&self.organisation), said::plain(service));
        fill(words(language).not_ours, &[("organisation", &organisation), ("service", &service)])
    }

    /// How stops begin, in every language.
    pub(crate) fn openings(&self) -> Vec<String> {
        Language::ALL.iter().map(|language| words(*language).not_sent.trim_end_matches('.').to_owned()).collect()
    }

    /// How the organisation says that it speaks, in every language; nothing where it has no name.
    pub(crate) fn senders(&self) -> Vec<String> {
        let organisation = said::plain(&self.organisation);
        if organisation.is_empty() {
            return Vec::new();
        }
        let named = |template: &str| fill(template, &[("organisation", &organisation)]);
        // A note names the service, which may be any.
        let note =
            |template: &str| template.split("{service}").next().map(|it| named(it.trim_end())).unwrap_or_default();
        Language::ALL
            .iter()
            .map(|language| words(*language))
            .flat_map(|words| [named(words.sender), note(words.note.sender)])
            .collect()
    }

    /// What takes the place of a stopped turn when it comes back as history.
    pub fn removed(&self, clause: Option<&ClauseQuote>) -> String {
        clause.map_or_else(|| "[removed]".into(), |clause| format!("[removed: clause {}]", clause.number))
    }
}

fn plain_cause(kind: RefusalKind, refused: Option<RefuseReason>) -> &'static str {
    match refused {
        Some(RefuseReason::PersonalAccount) => return "private accounts are not used here",
        Some(RefuseReason::HostRefused) => return "this host is not used here",
        Some(RefuseReason::NamesDisagree) => return "the names of the destination disagree",
        None => {}
    }
    match kind {
        RefusalKind::Policy => "no rule of the policy foresees this",
        RefusalKind::Malformed => "the body cannot be read as this endpoint's format",
        RefusalKind::Unreadable => "the content could not be read",
        RefusalKind::Failed => "the check itself failed",
    }
}

/// `clause 4.2 Health information; clause 4.6 Credentials`.
fn quote(clauses: &[ClauseQuote]) -> String {
    let quotes: Vec<_> =
        clauses.iter().map(|c| format!("clause {} {}", c.number, c.title).trim_end().to_owned()).collect();
    quotes.join("; ")
}

/// Texts of the organisation as the beginning of an answer in a chat, with the mark by which they are taken out again.
pub(crate) fn signed_beginning(texts: &[String], reference: &str, mark: &SecretKey) -> String {
    format!("{} {}\n\n", texts.join("\n\n"), sign(mark, reference))
}

/// A code that a person can read out: `7F3K-29`. 30 random bits; it names a record, it opens nothing.
pub fn reference_code(randomness: &dyn Randomness) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0; 6];
    randomness.fill(&mut bytes);
    let mut digits = bytes.iter().map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from));
    let head: String = digits.by_ref().take(4).collect();
    format!("{head}-{}", digits.collect::<String>())
}

/// The mark at the end of a message that Writ wrote: reference code and 64 bits of HMAC over it.
fn sign(mark: &SecretKey, reference: &str) -> String {
    format!("[writ {reference} {}]", seal_of(mark, reference))
}

fn seal_of(mark: &SecretKey, reference: &str) -> String {
    hmac_sha256(mark.expose(), [b"writ-mark".as_slice(), reference.as_bytes()])
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where the beginning of a text that Writ wrote ends (mark and blank lines after it included), if it has one.
pub fn written_by_writ(mark: &SecretKey, text: &str) -> Option<usize> {
    text.match_indices("[writ ").find_map(|(start, _)| {
        let (inner, _) = text.get(start..)?.strip_prefix("[writ ")?.split_once(']')?;
        let (reference, seal) = inner.split_once(' ')?;
        let end = start + "[writ ".len() + inner.len() + 1;
        let blank = text.get(end..)?.len() - text.get(end..)?.trim_start().len();
        (seal_of(mark, reference) == seal).then_some(end + blank)
    })
}

#[cfg(test)]
mod tests;
