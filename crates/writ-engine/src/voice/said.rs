//! A stop in words, before any form dresses it: one source for chat messages and pages.

use writ_model::verdict::Offer;
use writ_model::{Author, ClauseQuote, Effect, RefusalKind};

use crate::opening::RefuseReason;

use super::words::{Offered, Words, fill, words};
use super::{Discovery, Stop, Voice};

/// What is said about a stop. Texts hold `**` around what matters and no other markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether it was sent.
    pub first: String,
    /// Who speaks.
    pub sender: String,
    /// Why, in one sentence, with the rule.
    pub reason: String,
    /// The heading of the choices.
    pub choices_title: String,
    /// What can be done, best first.
    pub choices: Vec<Choosing>,
    /// The question of a mistake, and its choice.
    pub mistake: Option<(String, Choosing)>,
    /// What is recorded.
    pub recorded: String,
    /// The link to one's own record.
    pub own_record: Option<(String, String)>,
    /// Code, help desk, organisation.
    pub last: String,
}

/// A choice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choosing {
    /// What it is called.
    pub name: String,
    /// What happens then.
    pub then: String,
    /// Where it is made.
    pub link: Option<String>,
}

/// The typed text travels in a link's fragment up to so many characters: it stays in the browser.
const TYPED_MOST: usize = 2000;
/// Redirects that are shown.
const REDIRECTS: usize = 1;
/// Words before what is recorded; where there would be more, the last choices are left to the page.
const WORDS: usize = 160;

impl Voice {
    /// What is said about a stop; `on_page` where the typed text stands below.
    pub fn said(&self, stop: &Stop<'_>, on_page: bool) -> Said {
        let words = words(stop.language);
        let mut said = Said {
            first: words.not_sent.to_owned(),
            sender: fill(words.sender, &[("organisation", &plain(&self.organisation))]),
            reason: reason(words, stop),
            choices_title: words.choices.to_owned(),
            choices: self.choices(words, stop, on_page),
            mistake: stop.offers.contains(&Offer::Object).then(|| {
                let choosing = self.choosing(stop, &words.mistake, "mistake", stop.service);
                (words.wrong.to_owned(), choosing)
            }),
            recorded: self.recorded(words, stop),
            own_record: self
                .host
                .as_ref()
                .filter(|_| !stop.protected)
                .map(|host| (words.my_record.to_owned(), format!("{host}/me"))),
            last: self.last(words, stop),
        };
        while said.words() > WORDS && said.choices.len() > 1 {
            said.choices.pop();
        }
        said
    }

    fn choices(&self, words: &Words, stop: &Stop<'_>, on_page: bool) -> Vec<Choosing> {
        let mut choices = Vec::new();
        // Without a page there is nowhere to make these choices; an offer must lead somewhere.
        let has_page = self.host.is_some();
        if has_page && stop.offers.contains(&Offer::Redact) {
            choices.push(self.choosing(stop, &words.without_details, "redact", stop.service));
        }
        if has_page && stop.effect == Effect::Justify {
            choices.push(self.choosing(stop, &words.reason, "reason", stop.service));
        }
        let redirects = stop.offers.iter().filter_map(|offer| match offer {
            Offer::Redirect(service) if has_page => Some(service),
            _ => None,
        });
        for service in redirects.take(REDIRECTS) {
            let name = stop.names.get(service).map_or(&**service, String::as_str);
            let redirect = if stop.typed.is_some() { &words.redirect } else { &words.redirect_alone };
            choices.push(self.choosing(stop, redirect, &format!("redirect:{service}"), name));
        }
        if !stop.discoveries.is_empty() || on_page && stop.typed.is_some() {
            let below = on_page && stop.typed.is_some();
            let change = if below { &words.change_below } else { &words.change };
            choices.push(Choosing { link: None, ..self.choosing(stop, change, "change", stop.service) });
        }
        if has_page && stop.offers.contains(&Offer::AskException) {
            choices.push(self.choosing(stop, &words.exception, "exception", stop.service));
        }
        if has_page && stop.offers.contains(&Offer::AskVetting) {
            choices.push(self.choosing(stop, &words.vetting, "vetting", stop.service));
        }
        choices
    }

    fn choosing(&self, stop: &Stop<'_>, offered: &Offered, choice: &str, service: &str) -> Choosing {
        let (service, within) = (plain(service), self.within(words(stop.language)));
        let values = [("service", service.as_str()), ("within", within.as_str())];
        let carries_text = !matches!(choice, "mistake" | "vetting");
        let text = stop.typed.filter(|_| carries_text).map(typed_fragment).unwrap_or_default();
        let link = self.link(stop).map(|link| format!("{link}&do={}{text}", encode(choice)));
        Choosing { name: fill(offered.name, &values), then: fill(offered.then, &values), link }
    }

    /// Until when somebody answers, as the end of a sentence; nothing where it is not promised.
    pub(super) fn within(&self, words: &Words) -> String {
        const DAY: u32 = 24;
        let hours = self.answer_hours.unwrap_or(0);
        let (template, number) = match hours {
            0 => return String::new(),
            1 => (words.within.one_hour, 1),
            _ if hours > DAY && hours.is_multiple_of(DAY) => (words.within.days, hours / DAY),
            _ => (words.within.hours, hours),
        };
        format!(" {}", fill(template, &[("number", &number.to_string())]))
    }

    fn recorded(&self, words: &Words, stop: &Stop<'_>) -> String {
        let mut sentences = self.recorded_sentences(words, stop.protected);
        // After a colon the first sentence goes on.
        if let Some(first) = sentences.first_mut() {
            *first = if stop.protected { words.recorded_protected } else { words.recorded_what }.to_owned();
        }
        format!("**{}** {}", words.recorded, sentences.join(" "))
    }

    pub(super) fn last(&self, words: &Words, stop: &Stop<'_>) -> String {
        let code = fill(words.code, &[("code", &stop.reference)]);
        let help_desk = self.help_desk.as_ref().map(|number| fill(words.help_desk, &[("help_desk", &plain(number))]));
        [Some(code), help_desk, Some(plain(&self.organisation))]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

impl Said {
    /// Words before what is recorded.
    fn words(&self) -> usize {
        let choices = self.choices.iter().chain(self.mistake.as_ref().map(|(_, choice)| choice));
        let question = self.mistake.iter().map(|(question, _)| question.as_str());
        let texts = [&self.first, &self.sender, &self.reason, &self.choices_title].map(String::as_str);
        let of_choices = choices.flat_map(|choice| ["1.", choice.name.as_str(), choice.then.as_str()]);
        texts.into_iter().chain(question).chain(of_choices).map(|text| text.split_whitespace().count()).sum()
    }

    /// As a message in a chat.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}** {}\n\n{}", self.first, self.sender, self.reason);
        if !self.choices.is_empty() {
            text.push_str(&format!("\n\n**{}**", self.choices_title));
            for (number, choice) in self.choices.iter().enumerate() {
                text.push_str(&format!("\n{}. {}", number + 1, choice.markdown()));
            }
        }
        if let Some((question, choice)) = &self.mistake {
            text.push_str(&format!("\n\n**{question}** {}", choice.markdown()));
        }
        text.push_str(&format!("\n\n{}", self.recorded));
        if let Some((name, link)) = &self.own_record {
            text.push_str(&format!(" [{name}]({link})"));
        }
        text.push_str(&format!("\n\n{}", self.last));
        text
    }
}

impl Choosing {
    fn markdown(&self) -> String {
        match &self.link {
            Some(link) => format!("[{}]({link}): {}", self.name, self.then),
            None => format!("**{}**: {}", self.name, self.then),
        }
    }
}

/// What and why, in a sentence each, and which rule.
fn reason(words: &Words, stop: &Stop<'_>) -> String {
    let found = found(words, &stop.discoveries, |it| stop.traces.end(it));
    let service = plain(stop.service);
    let set_off = format!("**{found}**");
    let values = [("found", set_off.as_str()), ("service", service.as_str())];
    let template = match stop.kind {
        _ if stop.refused == Some(RefuseReason::PersonalAccount) => words.private_account,
        _ if stop.refused == Some(RefuseReason::NamesDisagree) => words.names_disagree,
        _ if !found.is_empty() => words.found,
        RefusalKind::Policy => words.not_allowed,
        RefusalKind::Malformed => words.malformed,
        RefusalKind::Unreadable => words.unreadable,
        RefusalKind::Failed => words.failed,
    };
    let mut reason = fill(template, &values);
    reason.push('.');
    // The policy's own words, in its language: a sentence of their own.
    let why = stop.why.map(|why| sentence(&plain(why))).filter(|why| !why.is_empty());
    reason.extend(why.map(|why| format!(" {why}")));
    let rule = rule(words, &stop.clauses);
    if !rule.is_empty() {
        reason.push(' ');
        reason.push_str(&rule);
    }
    reason
}

/// `(Rule 4.2, Health information)`, of the first clauses.
pub(super) fn rule(words: &Words, clauses: &[ClauseQuote]) -> String {
    const MOST: usize = 2;
    let one = |clause: &ClauseQuote| fill(words.rule, &[("number", &clause.number), ("title", &plain(&clause.title))]);
    clauses.iter().take(MOST).map(one).collect::<Vec<_>>().join(" ")
}

/// `an API key in the result of a tool and a payment card number (····1111) in the message`; `detail` says what stands in
/// parentheses.
pub(super) fn found(words: &Words, discoveries: &[Discovery], detail: impl Fn(&Discovery) -> Option<String>) -> String {
    const MOST: usize = 3;
    let thing = |discovery: &Discovery| {
        let name = (words.thing)(&discovery.data_type);
        detail(discovery).map_or_else(|| name.to_owned(), |detail| format!("{name} ({detail})"))
    };
    let located =
        |thing: &str, author: Author| fill(words.in_place, &[("thing", thing), ("place", (words.place)(author))]);
    // One place is said once.
    let one_place = discoveries.first().map(|d| d.author).filter(|a| discoveries.iter().all(|d| d.author == *a));
    let mut named: Vec<String> =
        discoveries.iter().map(|d| if one_place.is_some() { thing(d) } else { located(&thing(d), d.author) }).collect();
    // Several types can have one name.
    named.dedup();
    let more = named.len().saturating_sub(MOST);
    named.truncate(MOST);
    if more > 0 {
        named.push(fill(words.more, &[("count", &more.to_string())]));
    }
    let list = match named.as_slice() {
        [] => return String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {} {last}", first.join(", "), words.and),
    };
    one_place.map_or(list.clone(), |author| located(&list, author))
}

/// Text of a document or catalog without what chats and pages read as markup, on one line.
pub(super) fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !matches!(c, '*' | '[' | ']' | '<' | '>' | '`'));
    kept.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text that begins and ends like a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    if first.is_empty() { String::new() } else { format!("{first}{}.", letters.as_str()) }
}

/// The typed text as a fragment: browsers do not send it to anybody.
fn typed_fragment(typed: &str) -> String {
    let text: String = typed.chars().take(TYPED_MOST).collect();
    format!("#text={}", encode(&text))
}

/// Percent-encoding that leaves only unreserved characters (RFC 3986 section 2.3): safe in Markdown and HTML.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
