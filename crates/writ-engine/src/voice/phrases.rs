//! What chats, pages of the proxy and pages of the console say of a stop in the same words: names of choices, what
//! follows from them, what is recorded.

use writ_model::Language;

use super::Voice;
use super::said::plain;
use super::words::{Offered, Words, fill, words};

/// The words that every dress of a stop shares, in one language, as sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrases {
    /// Whether it was sent, as a heading.
    pub not_sent: String,
    /// The heading of the choices.
    pub choices: String,
    /// The same message, without what was found.
    pub without_details: Phrase,
    /// A reason for it.
    pub reason: Phrase,
    /// Changing it oneself.
    pub change: Phrase,
    /// Asking for an exception.
    pub exception: Phrase,
    /// Asking for the service to be checked.
    pub vetting: Phrase,
    /// Whether it was right.
    pub wrong: String,
    /// Saying that it was not.
    pub mistake: Phrase,
    /// The heading of what is recorded.
    pub recorded_title: String,
    /// What is recorded, as far as the running configuration makes it true.
    pub recorded: Vec<String>,
    /// The link to one's own record.
    pub my_record: String,
    /// How to reach the help desk, where there is one.
    pub help_desk: Option<String>,
}

/// A choice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// What it is called.
    pub name: String,
    /// What happens then.
    pub then: String,
}

impl Voice {
    /// The words about a stop at a service. `nobody`: nothing about the person was recorded.
    pub fn phrases(&self, language: Language, service: &str, nobody: bool) -> Phrases {
        let words = words(language);
        let phrase = |offered: &Offered| self.phrase(words, offered, service);
        let heading = |text: &str| text.trim_end_matches(['.', ':']).trim_end().to_owned();
        Phrases {
            not_sent: heading(words.not_sent),
            choices: words.choices.to_owned(),
            without_details: phrase(&words.without_details),
            reason: phrase(&words.reason),
            change: phrase(&words.change),
            exception: phrase(&words.exception),
            vetting: phrase(&words.vetting),
            wrong: words.wrong.to_owned(),
            mistake: phrase(&words.mistake),
            recorded_title: heading(words.recorded),
            recorded: self.recorded_sentences(words, nobody),
            my_record: words.my_record.to_owned(),
            help_desk: self.help_desk.as_ref().map(|number| fill(words.help_desk, &[("help_desk", &plain(number))])),
        }
    }

    /// Going on in another service, which is named.
    pub fn redirect_phrase(&self, language: Language, service: &str) -> Phrase {
        let words = words(language);
        self.phrase(words, &words.redirect_alone, service)
    }

    fn phrase(&self, words: &Words, offered: &Offered, service: &str) -> Phrase {
        let (service, within) = (plain(service), self.within(words));
        let values = [("service", service.as_str()), ("within", within.as_str())];
        // A choice reads on after its name in a chat, and stands for itself on a page: each sentence begins anew.
        Phrase { name: fill(offered.name, &values), then: capital(&fill(offered.then, &values)) }
    }

    /// What is recorded, in sentences.
    pub(super) fn recorded_sentences(&self, words: &Words, nobody: bool) -> Vec<String> {
        if nobody {
            return vec![capital(words.recorded_protected)];
        }
        let people = match (self.recorded.two_people, self.recorded.told) {
            (true, true) => Some(words.told),
            (true, false) => Some(words.two_people),
            (false, _) => None,
        };
        let none = self.recorded.no_consequences.then_some(words.no_consequences);
        [Some(words.recorded_what), people, none].into_iter().flatten().map(capital).collect()
    }
}

/// A text that begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
