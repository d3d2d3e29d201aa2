//! What Writ says when it stops or notes something: one place, for programs and for people.
//!
//! The first line says whether it was sent. One reason in one sentence, then the choices, best first. No severity, no
//! "violation", no exclamation mark; the sender is the organisation. The message for programs is one line that an
//! agent can act on; the one for people carries the keyed mark by which it is recognised when it comes back.

use writ_base::Randomness;
use writ_base::hash::hmac_sha256;
use writ_base::keys::SecretKey;
use writ_model::interaction::InteractionId;
use writ_model::verdict::Offer;
use writ_model::{Author, ClauseQuote, Effect, Note, Refusal, RefusalKind};

/// Who speaks, and where to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// The organisation's name, as staff know it.
    pub organisation: String,
    /// The organisation's one Writ host: `https://ai.northwind.example`.
    pub host: Option<String>,
    /// How to reach the help desk: `4357`.
    pub help_desk: Option<String>,
}

/// What was found where, in words: never the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Discovery {
    /// The type of data.
    pub data_type: String,
    /// Who wrote the part it was found in.
    pub author: Author,
}

/// What a refusal is about.
#[derive(Debug)]
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
    /// The rule's reason, as the policy gives it.
    pub why: Option<&'a str>,
    /// The service it would have gone to.
    pub service: &'a str,
    /// What may be chosen instead.
    pub offers: Vec<Offer>,
    /// The code for the help desk.
    pub reference: String,
}

impl Voice {
    /// The refusal, in words.
    pub fn refuse(&self, stop: Stop<'_>, mark: &SecretKey) -> Refusal {
        let for_programs = self.program_line(&stop);
        let for_people = format!("{}\n\n{}", self.message(&stop), sign(mark, &stop.reference));
        let Stop { interaction, kind, effect, clauses, reference, offers, .. } = stop;
        Refusal { interaction, kind, effect, clauses, reference, offers, for_programs, for_people, link: None }
    }

    fn program_line(&self, stop: &Stop<'_>) -> String {
        let clauses = quote(&stop.clauses);
        let found = found(&stop.discoveries);
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
            |host| format!("Why and how: {host}/{}", stop.reference),
        );
        let what = match (clauses.is_empty(), found.is_empty()) {
            (true, true) => format!("writ: not sent ({}).", self.plain_cause(stop.kind)),
            (true, false) => format!("writ: not sent. Found: {found}."),
            (false, true) => format!("writ: not sent ({clauses})."),
            (false, false) => format!("writ: not sent ({clauses}). Found: {found}."),
        };
        format!("{what} {next} {code}")
    }

    fn plain_cause(&self, kind: RefusalKind) -> &'static str {
        match kind {
            RefusalKind::Policy => "no rule of the policy foresees this",
            RefusalKind::Malformed => "the body cannot be read as this endpoint's format",
            RefusalKind::Unreadable => "the content could not be read",
            RefusalKind::Failed => "the check itself failed",
        }
    }

    fn alternative(&self, offers: &[Offer]) -> String {
        let redirect = offers.iter().find_map(|offer| match offer {
            Offer::Redirect(service) => Some(service),
            _ => None,
        });
        redirect.map_or_else(String::new, |service| format!("; `{service}` is cleared for this"))
    }

    fn message(&self, stop: &Stop<'_>) -> String {
        let mut text = format!("**Your message was not sent.** (This is {}, not the AI.)\n\n", self.organisation);
        text.push_str(&self.reason(stop));
        let choices = self.choices(stop);
        if !choices.is_empty() {
            text.push_str("\n\nWhat you can do now:");
            for (number, choice) in choices.iter().enumerate() {
                text.push_str(&format!("\n{}. {choice}", number + 1));
            }
        }
        text.push_str(&format!("\n\nCode {}", stop.reference));
        if let Some(help_desk) = &self.help_desk {
            text.push_str(&format!(" · Help desk {help_desk}"));
        }
        text
    }

    fn reason(&self, stop: &Stop<'_>) -> String {
        let found = found(&stop.discoveries);
        let mut reason = if found.is_empty() {
            match stop.kind {
                RefusalKind::Policy => format!("Our policy does not allow this use of {}.", stop.service),
                kind => format!("It could not be checked: {}.", self.plain_cause(kind)),
            }
        } else {
            format!("It seems to contain {found}, which must not go to {} this way.", stop.service)
        };
        if let Some(why) = stop.why {
            reason.push_str(&format!(" The reason: {}", why.trim_end_matches('.')));
            reason.push('.');
        }
        let clauses = quote(&stop.clauses);
        if !clauses.is_empty() {
            reason.push_str(&format!(" ({clauses})"));
        }
        reason
    }

    fn choices(&self, stop: &Stop<'_>) -> Vec<String> {
        let mut choices: Vec<String> = stop.offers.iter().map(|offer| self.choice(offer)).collect();
        if stop.effect == Effect::Justify {
            choices
                .insert(0, "Say in a sentence why it is needed; it then goes on, and the sentence is recorded.".into());
        }
        if !stop.discoveries.is_empty() {
            choices.push("Change it yourself: leave the details out and send it again.".into());
        }
        choices
    }

    fn choice(&self, offer: &Offer) -> String {
        match offer {
            Offer::Redact => {
                "Send it without those details: they become placeholders, and the answer shows the originals again."
                    .into()
            }
            Offer::Redirect(service) => format!("Continue in {service}: it is cleared for this."),
            Offer::AskException => "Ask for an exception: the rule's owner or a deputy answers.".into(),
            Offer::AskVetting => "Ask for this service to be checked.".into(),
            Offer::Object => {
                "Say that this was a mistake; you decide whether a reviewer may see the marked words.".into()
            }
        }
    }

    /// A note for something that goes on.
    pub fn note(&self, clauses: Vec<ClauseQuote>, why: Option<&str>) -> Note {
        let quote = quote(&clauses);
        let why = why.map(|why| format!(" {}.", why.trim_end_matches('.'))).unwrap_or_default();
        let place = if quote.is_empty() { String::new() } else { format!(" ({quote})") };
        let text = format!("Note from {}: this was sent.{why}{place}", self.organisation);
        Note { clauses, text }
    }

    /// A note as the beginning of an answer in a chat, with the mark by which it is taken out again.
    pub fn note_in_chat(&self, note: &Note, reference: &str, mark: &SecretKey) -> String {
        format!("**{}** (This is {}, not the AI.) {}\n\n", note.text, self.organisation, sign(mark, reference))
    }

    /// What takes the place of a stopped turn when it comes back as history.
    pub fn removed(&self, clause: Option<&ClauseQuote>) -> String {
        clause.map_or_else(|| "[removed]".into(), |clause| format!("[removed: clause {}]", clause.number))
    }
}

/// `clause 4.2 Health information; clause 4.6 Credentials`.
fn quote(clauses: &[ClauseQuote]) -> String {
    let quotes: Vec<_> =
        clauses.iter().map(|c| format!("clause {} {}", c.number, c.title).trim_end().to_owned()).collect();
    quotes.join("; ")
}

/// `an API key in the result of a tool and a payment card number in the message`.
fn found(discoveries: &[Discovery]) -> String {
    const MOST: usize = 3;
    let named: Vec<_> =
        discoveries.iter().take(MOST).map(|d| format!("{} in {}", thing(&d.data_type), place(d.author))).collect();
    let more = discoveries.len().saturating_sub(MOST);
    match (named.as_slice(), more) {
        ([], _) => String::new(),
        ([only], _) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

fn place(author: Author) -> &'static str {
    match author {
        Author::System | Author::Developer => "the instructions",
        Author::User => "the message",
        Author::Assistant => "an earlier answer",
        Author::Tool => "the result of a tool",
        Author::ToolDefinition => "a tool's description",
        Author::Metadata => "a field beside the message",
        Author::Unknown => "the request",
    }
}

/// A data type in a person's words.
fn thing(data_type: &str) -> &'static str {
    match data_type {
        "CREDIT_CARD" => "a payment card number",
        "IBAN" | "BANK_ACCOUNT" => "a bank account number",
        "US_SSN" => "a social security number",
        "EMAIL" => "an e-mail address",
        "PHONE" => "a phone number",
        "PERSON" => "a person's name",
        "IP_ADDRESS" => "a network address",
        "DATE_OF_BIRTH" => "a date of birth",
        "STREET_ADDRESS" => "an address",
        "MEDICAL_RECORD_NUMBER" => "a patient number",
        "HEALTH_INSURANCE_ID" => "a health insurance number",
        "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "health information about a person",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" => "an access key",
        "PASSWORD" => "a password",
        "JWT" => "a sign-in token",
        "PRIVATE_KEY" => "a private key",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "source code",
        "ORGANISATION_TERM" => "one of our own confidential terms",
        _ => "a confidential detail",
    }
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
mod tests {
    use super::*;
    use writ_base::SeededRandom;

    fn stop(kind: RefusalKind, effect: Effect, discoveries: Vec<Discovery>) -> Stop<'static> {
        Stop {
            interaction: InteractionId::from_bytes([1; 16]),
            kind,
            effect,
            clauses: vec![ClauseQuote { id: "credentials".into(), number: "4.6".into(), title: "Credentials".into() }],
            discoveries,
            why: Some("a key that left must be replaced everywhere."),
            service: "ChatGPT",
            offers: vec![Offer::Redact, Offer::AskException],
            reference: "7F3K-29".into(),
        }
    }

    fn voice() -> Voice {
        let host = Some("https://ai.northwind.example".into());
        Voice { organisation: "Northwind Health".into(), host, help_desk: Some("4357".into()) }
    }

    #[test]
    fn programs_get_one_line_that_says_what_to_do() {
        let found = vec![Discovery { data_type: "API_KEY".into(), author: Author::Tool }];
        let refusal = voice().refuse(stop(RefusalKind::Policy, Effect::Block, found), &SecretKey::from_bytes([1; 32]));
        assert_eq!(
            refusal.for_programs,
            "writ: not sent (clause 4.6 Credentials). Found: an access key in the result of a tool. \
             Do not retry; remove it or go on without it. Why and how: https://ai.northwind.example/7F3K-29"
        );
    }

    #[test]
    fn people_read_first_whether_it_was_sent() {
        let found = vec![Discovery { data_type: "API_KEY".into(), author: Author::User }];
        let mark = SecretKey::from_bytes([1; 32]);
        let refusal = voice().refuse(stop(RefusalKind::Policy, Effect::Block, found), &mark);
        assert!(refusal.for_people.starts_with("**Your message was not sent.**"));
        assert_eq!(written_by_writ(&mark, &refusal.for_people), Some(refusal.for_people.len()));
        assert_eq!(written_by_writ(&SecretKey::from_bytes([2; 32]), &refusal.for_people), None);
        for word in ["violation", "forbidden", "tried", "!"] {
            assert!(!refusal.for_people.contains(word), "{word}");
        }
        assert!(refusal.for_people.split_whitespace().count() <= 160);
    }

    #[test]
    fn an_imitated_mark_is_not_ours() {
        let mark = SecretKey::from_bytes([1; 32]);
        for text in ["[writ 7F3K-29 0123456789abcdef]", "[writ ", "[writ ]", "[writ a]", ""] {
            assert_eq!(written_by_writ(&mark, text), None);
        }
    }

    #[test]
    fn codes_are_short_and_differ() {
        let randomness = SeededRandom::new(4);
        let (a, b) = (reference_code(&randomness), reference_code(&randomness));
        assert_ne!(a, b);
        assert_eq!(a.len(), 7);
    }
}
