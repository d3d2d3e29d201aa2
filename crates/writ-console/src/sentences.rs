//! Rules and situations as sentences, for whoever answers for a policy.

use writ_catalog::Catalog;
use writ_model::facts::{Classes, Fact, Groups};
use writ_model::schema::{Dimension, Kind, Values};
use writ_model::values::Value;
use writ_model::{Action, Certainty, Effect, Facts, Level, Signal, Status, Term};
use writ_policy::diagram::OTHER;
use writ_policy::eval::Policy;
use writ_policy::rule::{KeyTest, KeyValue, Keys, Rule};

use crate::words;

/// `a, b or c`.
pub(crate) fn any_of(items: &[String]) -> String {
    joined(items, "or")
}

/// `a, b and c`.
pub(crate) fn all_of(items: &[String]) -> String {
    joined(items, "and")
}

fn joined(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// What a rule does: the class of its colour, and words for it.
pub(crate) fn effect(rule: &Rule) -> (&'static str, &'static str) {
    match rule.then {
        _ if rule.redact => ("redact", "Goes on without these details"),
        Effect::Allow if rule.ask_level => ("justify", "Its level is asked for once"),
        Effect::Allow => ("allow", "Foreseen"),
        Effect::Coach => ("coach", "Goes on with a note"),
        Effect::Justify => ("justify", "Goes on after a reason"),
        Effect::Block => ("block", "Stopped"),
    }
}

/// When a rule applies: `when it contains health information, and the tool is not cleared for it`.
pub(crate) fn when(rule: &Rule, catalog: &Catalog) -> String {
    let said = conditions(&rule.keys, rule.raises(), catalog);
    if said.is_empty() { "always".to_owned() } else { format!("when {}", together(&said)) }
}

/// The carve-outs of a rule, one phrase each.
pub(crate) fn unless(rule: &Rule, catalog: &Catalog) -> Vec<String> {
    rule.unless.iter().map(|keys| format!("unless {}", together(&conditions(keys, false, catalog)))).collect()
}

/// A rule in one sentence: `Stopped when it contains health information, and the tool is not cleared for it.`
pub(crate) fn rule(rule: &Rule, catalog: &Catalog) -> String {
    let carved: String = unless(rule, catalog).iter().map(|unless| format!(", {unless}")).collect();
    format!("{} {}{carved}.", effect(rule).1, when(rule, catalog))
}

/// Conditions that must all hold; a comma keeps them apart from the lists within them.
fn together(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

/// The order in which conditions read best: who does what, with what in it, where.
const ORDER: [Dimension; 24] = [
    Dimension::Who,
    Dimension::Identity,
    Dimension::Entity,
    Dimension::Group,
    Dimension::PersonRegion,
    Dimension::Training,
    Dimension::Attestation,
    Dimension::Device,
    Dimension::Channel,
    Dimension::Action,
    Dimension::Data,
    Dimension::Cleared,
    Dimension::Level,
    Dimension::Declared,
    Dimension::Origin,
    Dimension::Activity,
    Dimension::Signal,
    Dimension::Unreadable,
    Dimension::Service,
    Dimension::Category,
    Dimension::Tier,
    Dimension::Status,
    Dimension::Account,
    Dimension::ServiceRegion,
];

/// Conditions as phrases. `raises`: whether ordered values mean *at least* or *at most*.
fn conditions(keys: &Keys, raises: bool, catalog: &Catalog) -> Vec<String> {
    let mut tests: Vec<&KeyTest> = keys.tests.iter().collect();
    tests.sort_by_key(|test| ORDER.iter().position(|dimension| *dimension == test.dimension));
    tests.into_iter().map(|test| condition(test, raises, catalog)).filter(|said| !said.is_empty()).collect()
}

fn condition(test: &KeyTest, raises: bool, catalog: &Catalog) -> String {
    let dimension = test.dimension;
    match dimension {
        Dimension::Data => return data(test, raises),
        Dimension::Signal => return signals(test),
        _ if dimension.spec().kind == Kind::Ordered && !test.not => return ordered(test, raises),
        _ => {}
    }
    let (not, listed) = shorter(test);
    let values: Vec<String> = listed.iter().map(|value| value_words(dimension, value, catalog)).collect();
    let list = any_of(&values);
    // What a value is, and what somebody does with it, are negated in different places.
    let is = |subject: &str| match (not, values.as_slice()) {
        (true, [only]) => format!("{subject} not {only}"),
        (true, _) => format!("{subject} neither {}", joined(&values, "nor")),
        (false, _) => format!("{subject} {list}"),
    };
    let does = |does: &str, does_not: &str| format!("{} {list}", if not { does_not } else { does });
    match dimension {
        Dimension::Who | Dimension::Origin => does("it comes from", "it does not come from"),
        Dimension::Identity => format!("who sends it is known exactly {list}"),
        Dimension::Entity => does("the sender is employed by", "the sender is not employed by"),
        Dimension::Group => does("the sender is in the group", "the sender is not in the group"),
        Dimension::Action => list,
        Dimension::Service => does("it goes to", "it goes to another tool than"),
        Dimension::Category | Dimension::Status => is("the tool is"),
        Dimension::Tier => is("the plan there is"),
        Dimension::Account => is("the account there is"),
        Dimension::Cleared if list == "no" => "the tool is not cleared for it".into(),
        Dimension::Cleared => "the tool is cleared for it".into(),
        Dimension::Level => format!("its level is exactly {list}"),
        Dimension::Declared => does("the sender states that it is", "the sender does not state that it is"),
        Dimension::Activity => does("it is meant to", "it is not meant to"),
        Dimension::Channel => does("it is sent with", "it is not sent with"),
        Dimension::Device => is("the device is"),
        Dimension::PersonRegion => does("the sender works in", "the sender does not work in"),
        Dimension::ServiceRegion => does("the tool runs in", "the tool does not run in"),
        Dimension::Training => is("the sender's training is"),
        Dimension::Attestation => is("the sender's confirmation of the policy is"),
        Dimension::Unreadable if not => format!("it is not so that {list}"),
        Dimension::Unreadable => format!("it could not be read because {list}"),
        Dimension::Data | Dimension::Signal => String::new(),
    }
}

/// The values of a key, or those that it leaves out where they are fewer: `not approved` for six of seven.
fn shorter(test: &KeyTest) -> (bool, Vec<&str>) {
    let listed: Vec<&str> = test.values.iter().map(|value| name(test.dimension, value)).collect();
    let (Values::Closed(all), Kind::One) = (test.dimension.spec().values, test.dimension.spec().kind) else {
        return (test.not, listed);
    };
    let open = matches!(test.dimension, Dimension::Action);
    if test.not || open || listed.len() * 2 <= all.len() || listed.len() == all.len() {
        return (test.not, listed);
    }
    (true, all.iter().map(|value| value.name).filter(|name| !listed.contains(name)).collect())
}

/// The name of a value as policies write it.
fn name(dimension: Dimension, value: &KeyValue) -> &str {
    match (value, dimension.spec().values) {
        (KeyValue::Closed(index), Values::Closed(values)) => {
            values.get(usize::from(*index)).map_or("", |value| value.name)
        }
        (KeyValue::Open(name), _) => name,
        _ => "",
    }
}

fn ordered(test: &KeyTest, raises: bool) -> String {
    let bounds = test.values.iter().filter_map(|value| match value {
        KeyValue::Closed(index) => Some(*index),
        _ => None,
    });
    // Raising: at least as much risk as the least value named; foreseeing: at most as much as the greatest.
    let Some(bound) = (if raises { bounds.min() } else { bounds.max() }) else { return String::new() };
    let word = name(test.dimension, &KeyValue::Closed(bound)).to_owned();
    let last = closed_len(test.dimension).is_some_and(|len| usize::from(bound) + 1 == len);
    match (test.dimension, raises) {
        (Dimension::Identity, true) if last => "nobody can tell who sends it".into(),
        (Dimension::Identity, true) => format!("who sends it is known {} at best", identity(&word)),
        (Dimension::Identity, false) => format!("who sends it is known {} at least", identity(&word)),
        (_, true) if bound == 0 => String::new(),
        (_, true) if last => format!("its level is {word}"),
        (_, true) => format!("its level is {word} or higher"),
        (_, false) if Level::ALL.get(usize::from(bound)) == Some(&Level::Public) => {
            "it is public or not labelled".into()
        }
        (_, false) if bound == 0 => "it is not labelled".into(),
        (_, false) => format!("its level is {word} at most"),
    }
}

fn closed_len(dimension: Dimension) -> Option<usize> {
    match dimension.spec().values {
        Values::Closed(values) => Some(values.len()),
        Values::Open(_) => None,
    }
}

fn identity(word: &str) -> &'static str {
    match word {
        "strong" => "by a certificate or a session bound to the device",
        "password" => "by a password or a key of one person",
        "address" => "by a network address",
        "shared" => "by a key or address that several people use",
        _ => "by nothing",
    }
}

fn data(test: &KeyTest, raises: bool) -> String {
    if test.values.contains(&KeyValue::AnyClass) {
        return if test.not { "it contains none of our data".into() } else { "it contains any of our data".into() };
    }
    let classes: Vec<(String, String)> = test.values.iter().filter_map(|value| class(value, raises)).collect();
    let same = classes.first().map(|(amount, _)| amount).filter(|it| classes.iter().all(|(other, _)| other == *it));
    let list = match same {
        Some(amount) => {
            format!("{amount}{}", any_of(&classes.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>()))
        }
        None => any_of(&classes.iter().map(|(amount, name)| format!("{amount}{name}")).collect::<Vec<_>>()),
    };
    match (test.not, raises, classes.is_empty()) {
        // Everything contains what is nothing special.
        (_, true, true) => String::new(),
        (_, false, true) => "it contains nothing special".into(),
        (true, ..) => format!("it contains no {list}"),
        (false, true, _) => format!("it contains {list}"),
        (false, false, _) => format!("it contains nothing but {list}"),
    }
}

/// How much of a class a key names, and the class: `many values of`, `contact data`; nothing for `plain`.
fn class(value: &KeyValue, raises: bool) -> Option<(String, String)> {
    let KeyValue::Class { class, band, certainty } = value else { return None };
    let amount = match band.map(|band| band.as_str()) {
        Some("bulk") if raises => "many values of ",
        Some("few") if raises => "several values of ",
        Some("one") if !raises => "a single value of ",
        Some("few") => "a few values of ",
        _ => "",
    };
    let sure = match certainty {
        Some(Certainty::Certain) if raises => " (for certain)",
        Some(Certainty::Likely) if !raises => " (likely at most)",
        _ => "",
    };
    Some((amount.to_owned(), format!("{}{sure}", words::class(class).to_lowercase())))
}

/// What was noticed; all kinds of a signal are said once.
fn signals(test: &KeyTest) -> String {
    let mut listed: Vec<Signal> = Vec::new();
    for value in &test.values {
        if let KeyValue::Closed(index) = value {
            listed.extend(Signal::ALL.get(usize::from(*index)));
        }
    }
    let whole = |family: &str| {
        let of = |signals: &[Signal]| signals.iter().filter(|signal| signal.family() == family).count();
        of(Signal::ALL) > 1 && of(Signal::ALL) == of(&listed)
    };
    let mut said: Vec<String> = Vec::new();
    for signal in &listed {
        let words = if whole(signal.family()) { of_family(signal.family()) } else { signal_words(*signal) };
        if !said.iter().any(|it| it == words) {
            said.push(words.to_owned());
        }
    }
    if test.not { format!("it is not so that {}", any_of(&said)) } else { any_of(&said) }
}

fn of_family(family: &str) -> &'static str {
    if family == "opaque" { "it contains something that has no reader" } else { "it is not well formed" }
}

const fn signal_words(signal: Signal) -> &'static str {
    match signal {
        Signal::Injection => "it seems to hold hidden instructions",
        Signal::Jailbreak => "it seems to make the model break its rules",
        Signal::Circumvention => "it is built to pass around the checks",
        Signal::Unusual => "it is unusual for this sender",
        Signal::MaliciousSite => "the site is known to be harmful",
        Signal::UnsafeCode => "the code has a known weakness",
        Signal::UnknownPackage => "the code names a package that nobody knows",
        Signal::NameHidden => "the connection hides where it goes",
        Signal::MalformedJson => "its JSON can be read in two ways",
        Signal::MalformedHttp => "its HTTP can be read in two ways",
        Signal::MalformedEncoding => "it does not decode",
        Signal::MalformedFormat => "it is not in the form that the service expects",
        Signal::OpaqueImage => "it contains an image",
        Signal::OpaqueAudio => "it contains sound",
        Signal::OpaqueVideo => "it contains video",
        Signal::OpaqueFile => "it contains a file that has no reader",
        Signal::OpaqueReference => "it refers to content that was not seen",
        Signal::OpaqueEncrypted => "it contains encrypted content",
        Signal::OpaqueWebsocket => "it goes through a WebSocket",
        Signal::OpaqueFormat => "it is in a format that has no reader",
        Signal::OpaqueEncoding => "it is in an encoding that has no reader",
    }
}

/// A meaning without its examples: what stands before a colon.
fn head(doc: &str) -> &str {
    doc.split(':').next().unwrap_or(doc)
}

/// A value of a dimension in the reader's words.
pub(crate) fn value_words(dimension: Dimension, word: &str, catalog: &Catalog) -> String {
    let own = match dimension {
        Dimension::Who => words::who(word),
        Dimension::Action => action(word),
        Dimension::Account => account(word),
        Dimension::Channel => words::channel(word),
        Dimension::Identity => identity(word),
        Dimension::Category => category(word),
        Dimension::Origin => origin(word),
        Dimension::Training | Dimension::Attestation => currency(word),
        Dimension::Device => device(word),
        Dimension::Activity => activity(word),
        Dimension::Unreadable => unreadable(word),
        Dimension::Service => return super::pages::service_name(catalog, word),
        _ => return word.replace('-', " "),
    };
    own.to_owned()
}

fn action(word: &str) -> &'static str {
    match word {
        "submit" => "a prompt is sent",
        "upload" => "a file is sent",
        "tool-call" => "a tool is called",
        "receive" => "an answer comes back",
        "tool-result" => "a tool's result comes back",
        "sign-in" => "somebody signs in",
        "tunnel" => "a connection passes unopened",
        _ => "AI-generated code is merged",
    }
}

fn account(word: &str) -> &'static str {
    match word {
        "corporate" => "the organisation's",
        "personal" => "the person's own",
        "logged-out" => "none at all",
        _ => "of an unknown kind",
    }
}

fn category(word: &str) -> &'static str {
    match word {
        "public-chat" => "a public chat",
        "coding-assistant" => "a coding assistant",
        "saas-feature" => "an AI feature of another product",
        "model-api" => "a model behind an API",
        "own-model" => "an own model",
        "agent" => "an agent",
        "search" => "a search with answers",
        "meeting-notes" => "a note taker for meetings",
        "image" => "an image maker",
        "audio" => "a speech or music maker",
        "video" => "a video maker",
        "writing" => "a writing aid",
        "data" => "an analyst of tables",
        "other" => "of another kind",
        _ => "of an unknown kind",
    }
}

fn origin(word: &str) -> &'static str {
    match word {
        "internal-document" => "an internal document",
        "public-document" => "a published document",
        _ => "an unknown source",
    }
}

fn currency(word: &str) -> &'static str {
    match word {
        "current" => "up to date",
        "due" => "due",
        "overdue" => "overdue",
        "none" => "missing",
        "not-applicable" => "not asked of them",
        _ => "not known",
    }
}

fn device(word: &str) -> &'static str {
    match word {
        "managed" => "managed",
        "unmanaged" => "not managed",
        _ => "not known",
    }
}

fn activity(word: &str) -> &'static str {
    match word {
        "summarise" => "shorten a text",
        "draft" => "write a text",
        "brainstorm" => "collect ideas",
        "code" => "write or explain code",
        "analyse" => "examine data",
        "translate" => "translate",
        "decide-about-people" => "judge or choose people",
        "else" => "do something else",
        _ => "do something that could not be told",
    }
}

fn unreadable(word: &str) -> &'static str {
    match word {
        "timeout" => "it took too long",
        "overload" => "no reader was free",
        "too-large" => "it was too large",
        _ => "a reader failed",
    }
}

/// A situation in two sentences: who sends what where, and what was found.
pub(crate) fn situation(policy: &Policy, facts: &Facts, catalog: &Catalog) -> String {
    let closed = |dimension: Dimension, word: Option<&str>| word.map(|word| value_words(dimension, word, catalog));
    let who = closed(Dimension::Who, facts.who.known().map(|who| who.as_str())).unwrap_or_default();
    let does = does(facts.action.known().copied().unwrap_or(Action::Submit));
    let service = facts.service.known().filter(|id| **id != Term::UNKNOWN);
    let service = match service {
        None => "an unknown tool".to_owned(),
        Some(id) if *id == OTHER => "another tool than those that the text names".to_owned(),
        Some(id) => super::pages::service_name(catalog, id),
    };
    let mut about: Vec<String> = Vec::new();
    let tier = facts.tier.known().filter(|tier| ![Term::UNKNOWN, OTHER].contains(*tier));
    about.extend(tier.map(|tier| format!("plan {tier}")));
    about.extend(facts.status.known().map(|status: &Status| status.as_str().replace('-', " ")));
    about.extend(
        closed(Dimension::Account, facts.account.known().map(|it| it.as_str())).map(|it| format!("account {it}")),
    );
    let with = closed(Dimension::Channel, facts.channel.known().map(|it| it.as_str())).unwrap_or_default();
    let found = found(policy, facts.data.known());
    let mut more: Vec<String> = Vec::new();
    if let Fact::Known(Groups::Known(groups)) = &facts.group
        && !groups.is_empty()
    {
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        more.push(format!("In the group {}.", all_of(&groups)));
    }
    let signals: Vec<String> = facts.signal.known().copied().unwrap_or_default().iter().map(signal).collect();
    if !signals.is_empty() {
        more.push(format!("Noticed: {}.", all_of(&signals)));
    }
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    let first = words::sentence(&format!("{who} {does} {service}{about} with {with}."));
    [vec![first, found], more].concat().join(" ")
}

fn signal(signal: Signal) -> String {
    Signal::SPECS.get(usize::from(signal.index())).map_or_else(String::new, |spec| head(spec.doc).to_owned())
}

fn does(action: Action) -> &'static str {
    match action {
        Action::Submit => "sends a prompt to",
        Action::Upload => "sends a file to",
        Action::ToolCall => "calls a tool through",
        Action::Receive => "gets an answer from",
        Action::ToolResult => "gets a tool's result through",
        Action::SignIn => "signs in at",
        Action::Tunnel => "has an unopened connection to",
        Action::Merge => "merges code made with",
    }
}

/// `Found: health information (a few values, certain).`
pub(crate) fn found(policy: &Policy, classes: Option<&Classes>) -> String {
    let one = |(class, found): (&Term, &writ_model::facts::Found)| {
        let amount =
            policy.class_band(class, found.likely.max(found.certain)).map_or("", |band| words::band(band.as_str()));
        let sure = if found.certain > 0 { "certain" } else { "likely" };
        format!("{} ({amount}, {sure})", words::class(class).to_lowercase())
    };
    let all: Vec<String> = classes.into_iter().flatten().map(one).collect();
    if all.is_empty() { "Nothing special is found.".into() } else { format!("Found: {}.", all_of(&all)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_has_its_place_in_a_sentence() {
        assert!(Dimension::ALL.iter().all(|dimension| ORDER.contains(dimension)));
    }
}
