//! English.

use writ_model::{Author, Language};

use super::words::{Failure, FirstUse, Note, Offered, Within, Words};

pub(super) static WORDS: Words = Words {
    language: Language::En,
    not_sent: "Your message was not sent.",
    sender: "(This is {organisation}, not the AI.)",
    not_ours: "[{service} wrote this, not {organisation}.]",
    found: "It seems to contain {found}, which must not go to {service} this way",
    not_allowed: "Our policy does not allow this use of {service}",
    private_account: "You are signed in to {service} with a private account. Here, please use your work account",
    names_disagree: "The names in this request do not agree, so we cannot be sure where it would go",
    malformed: "It is not in a form that we can check",
    unreadable: "We could not read all of it, so we could not check it",
    failed: "Our own check failed, so nothing went out",
    rule: "(Rule {number}, {title})",
    choices: "What you can do now",
    without_details: Offered {
        name: "Send it without those details",
        then: "they become placeholders, and your screen shows the answer with the originals put back.",
    },
    reason: Offered { name: "Say why it is needed", then: "one sentence, which is recorded. Then send it again." },
    redirect: Offered { name: "Continue in {service}", then: "it is cleared for this. Your text comes along." },
    redirect_alone: Offered { name: "Continue in {service}", then: "it is cleared for this." },
    change: Offered { name: "Change it yourself", then: "leave the details out and send it again." },
    change_below: Offered { name: "Change it yourself", then: "your text is below. It exists only in this window." },
    exception: Offered {
        name: "I need this to go through",
        then: "ask for an exception. The rule's owner or a deputy answers{within}.",
    },
    vetting: Offered { name: "Ask us to check {service}", then: "we look at how it treats our data." },
    mistake: Offered {
        name: "Yes, this was a mistake",
        then: "you decide whether a reviewer may see the marked words. A person answers{within}.",
    },
    within: Within { one_hour: "within one hour", hours: "within {number} hours", days: "within {number} days" },
    wrong: "Are we wrong?",
    your_text: "Your text",
    recorded: "What is recorded:",
    recorded_what: "time, tool, rule and kind of data, under a code instead of your name. Not your text.",
    recorded_protected: "time and tool. Nothing about you, and not your text.",
    two_people: "To connect it with you, two people must agree.",
    told: "To connect it with you, two people must agree, and you will be told.",
    no_consequences: "This message alone has no consequences for you.",
    my_record: "See my record",
    code: "Code {code}",
    help_desk: "Help desk {help_desk}",
    note: Note {
        sender: "Note from {organisation} (not from {service}).",
        sent: "Your message was sent.",
        not_again_today: "You will not see this again today.",
    },
    first_use: FirstUse {
        title: "Before you use {service} here",
        nothing_sent: "Nothing was sent yet.",
        who: "{organisation} checks what goes to AI tools. A program does it; no one reads along.",
        what: "It looks at what you send to {service} and at the answers.",
        why: "We do this so that personal data, keys and secrets stay with us.",
        kept: "Kept are time, tool, rule and kind of data, under a code instead of your name. Not your text.",
        private_way: "For private matters, use your own device or the guest network: we do not look there.",
        more: "How this works and who can see what",
        understood: "Understood",
    },
    failure: Failure {
        title: "{service} did not answer",
        nothing_sent: "Your message was not sent.",
        unreachable: "{service} could not be reached.",
        timeout: "{service} did not answer in time.",
        broken: "{service} broke off its answer.",
        expired: "The certificate of {service} is out of date, so we cannot be sure who answers.",
        wrong_name: "The certificate there is not for this name, so we cannot be sure who answers.",
        unknown_issuer: "We do not know who issued the certificate there, so we cannot be sure who answers.",
        certificate: "The certificate there does not hold, so we cannot be sure who answers.",
        address: "The name leads to an address inside our own network, which may not be reached this way.",
        again: "Please try again later. If it stays so, the help desk can look into it.",
    },
    and: "and",
    more: "{count} more",
    in_place: "{thing} in {place}",
    place,
    thing,
};

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
pub(super) fn thing(data_type: &str) -> &'static str {
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
