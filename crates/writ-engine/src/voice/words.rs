//! The words of one language. Texts are templates: `{name}` is filled in, `**` sets off what matters.

use writ_model::{Author, Language};

use super::{de, en, es, fr};

/// All that is said in one language.
pub(super) struct Words {
    pub(super) language: Language,
    /// First words of a stop: whether it was sent.
    pub(super) not_sent: &'static str,
    /// Who speaks: `{organisation}`.
    pub(super) sender: &'static str,
    /// Before words of a model that sound like the organisation: `{service}`, `{organisation}`.
    pub(super) not_ours: &'static str,
    /// Something was found: `{found}`, `{service}`.
    pub(super) found: &'static str,
    /// No rule foresees it: `{service}`.
    pub(super) not_allowed: &'static str,
    /// `{service}`.
    pub(super) private_account: &'static str,
    pub(super) names_disagree: &'static str,
    pub(super) malformed: &'static str,
    pub(super) unreadable: &'static str,
    pub(super) failed: &'static str,
    /// `{number}`, `{title}`.
    pub(super) rule: &'static str,
    pub(super) choices: &'static str,
    pub(super) without_details: Offered,
    pub(super) reason: Offered,
    /// `{service}`.
    pub(super) redirect: Offered,
    /// Where the text was not read: there is none to bring along. `{service}`.
    pub(super) redirect_alone: Offered,
    pub(super) change: Offered,
    /// On a page, where the text is below.
    pub(super) change_below: Offered,
    /// `{within}`, which may be empty and brings its own space.
    pub(super) exception: Offered,
    /// `{service}`.
    pub(super) vetting: Offered,
    /// `{within}`, as above.
    pub(super) mistake: Offered,
    pub(super) within: Within,
    pub(super) wrong: &'static str,
    pub(super) your_text: &'static str,
    pub(super) recorded: &'static str,
    pub(super) recorded_what: &'static str,
    pub(super) recorded_protected: &'static str,
    pub(super) two_people: &'static str,
    pub(super) told: &'static str,
    pub(super) no_consequences: &'static str,
    pub(super) my_record: &'static str,
    /// `{code}`.
    pub(super) code: &'static str,
    /// `{help_desk}`.
    pub(super) help_desk: &'static str,
    pub(super) note: Note,
    pub(super) first_use: FirstUse,
    pub(super) failure: Failure,
    pub(super) and: &'static str,
    /// `{count}`.
    pub(super) more: &'static str,
    /// `{thing}`, `{place}`.
    pub(super) in_place: &'static str,
    pub(super) place: fn(Author) -> &'static str,
    pub(super) thing: fn(&str) -> &'static str,
}

/// Until when somebody answers.
pub(super) struct Within {
    pub(super) one_hour: &'static str,
    /// `{number}`.
    pub(super) hours: &'static str,
    /// `{number}`.
    pub(super) days: &'static str,
}

/// A choice: its name, and what happens then.
pub(super) struct Offered {
    pub(super) name: &'static str,
    pub(super) then: &'static str,
}

/// A note beside something that goes on.
pub(super) struct Note {
    /// `{organisation}`, `{service}`.
    pub(super) sender: &'static str,
    pub(super) sent: &'static str,
    pub(super) not_again_today: &'static str,
}

/// The notice of first use.
pub(super) struct FirstUse {
    /// `{service}`.
    pub(super) title: &'static str,
    pub(super) nothing_sent: &'static str,
    /// `{organisation}`.
    pub(super) who: &'static str,
    /// `{service}`.
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) kept: &'static str,
    pub(super) private_way: &'static str,
    pub(super) more: &'static str,
    pub(super) understood: &'static str,
}

/// A service that failed.
pub(super) struct Failure {
    /// `{service}`.
    pub(super) title: &'static str,
    pub(super) nothing_sent: &'static str,
    /// `{service}`.
    pub(super) unreachable: &'static str,
    pub(super) timeout: &'static str,
    pub(super) broken: &'static str,
    pub(super) expired: &'static str,
    pub(super) wrong_name: &'static str,
    pub(super) unknown_issuer: &'static str,
    pub(super) certificate: &'static str,
    pub(super) address: &'static str,
    pub(super) again: &'static str,
}

/// The words of a language.
pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &en::WORDS,
        Language::De => &de::WORDS,
        Language::Fr => &fr::WORDS,
        Language::Es => &es::WORDS,
    }
}

/// A template with its names filled in.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    text.push_str(rest);
    text
}
