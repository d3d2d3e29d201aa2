//! Situations in words: a sentence for one, a line of keys for a region.

use writ_model::facts::{Found, Groups};
use writ_model::schema::{Dimension, Values};
use writ_model::{
    Account, Action, Activity, Category, Channel, Currency, Declared, Device, Facts, Identity, Level, Origin, Signal,
    Status, Term, Unreadable, Value, Who,
};

use crate::diagram::{Condition, OTHER, Raw, Region, Subject};

/// A situation as one sentence without a full stop: "a contractor with a personal account sends phi (not cleared) to a
/// service in review". What is ordinary is left out: a strong identity, the corporate account, a managed device, a
/// browser, training that is up to date.
pub fn situation(facts: &Facts) -> String {
    let mut words = vec![who(facts).to_owned()];
    words.extend(person(facts));
    words.push(deed(facts));
    words.extend(content(facts));
    words.extend(target(facts));
    words.extend(channel(facts).map(str::to_owned));
    words.join(" ")
}

const fn who(facts: &Facts) -> &'static str {
    match facts.who.known() {
        Some(Who::Employee) => "an employee",
        Some(Who::Contractor) => "a contractor",
        Some(Who::Vendor) => "a vendor",
        Some(Who::ServiceAccount) => "a service account",
        Some(Who::Agent) => "an agent",
        Some(Who::Unknown) | None => "somebody unknown",
    }
}

/// What is said about the person.
fn person(facts: &Facts) -> Vec<String> {
    let mut words = Vec::new();
    match facts.group.known() {
        None => {}
        Some(Groups::Known(groups)) if groups.is_empty() => {}
        Some(Groups::Known(groups)) if !groups.contains(Term::UNKNOWN.as_str()) => {
            words.push(format!("in the {} {}", plural("group", groups.len()), and(groups)));
        }
        Some(_) => words.push("whose groups are unknown".to_owned()),
    }
    words.extend(named(facts.entity.known(), "of", "of an unknown entity"));
    words.extend(named(facts.person_region.known(), "in region", "in an unknown region"));
    let identity = match facts.identity.known() {
        None | Some(Identity::Strong) => None,
        Some(Identity::Password) => Some("known by password"),
        Some(Identity::Address) => Some("known by address only"),
        Some(Identity::Shared) => Some("with a shared key or address"),
        Some(Identity::None) => Some("without any identification"),
    };
    words.extend(identity.map(str::to_owned));
    words.extend(records("training", facts.training.known().copied()));
    words.extend(records("attestation", facts.attestation.known().copied()));
    let account = match facts.account.known() {
        None | Some(Account::Corporate) => None,
        Some(Account::Personal) => Some("with a personal account"),
        Some(Account::LoggedOut) => Some("without an account"),
        Some(Account::Unknown) => Some("with an account that nobody could tell"),
    };
    words.extend(account.map(str::to_owned));
    match facts.device.known() {
        None | Some(Device::Managed) => {}
        Some(Device::Unmanaged) => words.push("on an unmanaged device".to_owned()),
        Some(Device::Unknown) => words.push("on an unknown device".to_owned()),
    }
    words
}

fn records(what: &str, currency: Option<Currency>) -> Option<String> {
    match currency? {
        Currency::Current | Currency::NotApplicable => None,
        Currency::Due => Some(format!("with {what} due")),
        Currency::Overdue => Some(format!("with {what} overdue")),
        Currency::None => Some(format!("without {what}")),
        Currency::Unknown => Some(format!("with {what} unknown")),
    }
}

/// A name behind a word; nothing for one that no policy mentions.
fn named(name: Option<&Term>, word: &str, unknown: &str) -> Option<String> {
    match name {
        None => None,
        Some(name) if *name == OTHER => None,
        Some(name) if name.unknown() => Some(unknown.to_owned()),
        Some(name) => Some(format!("{word} {name}")),
    }
}

/// What is done, and with what.
fn deed(facts: &Facts) -> String {
    let found = found(facts);
    let nothing = found.is_empty();
    let what = |plain: &str| if nothing { plain.to_owned() } else { found.clone() };
    match facts.action.known().copied().unwrap_or(Action::Submit) {
        Action::Submit => format!("sends {}", what("a prompt in which nothing is found")),
        Action::Upload => format!("uploads {}", what("a file in which nothing is found")),
        Action::ToolCall if nothing => "calls a tool".to_owned(),
        Action::ToolCall => format!("calls a tool with {found}"),
        Action::Receive => format!("receives {}", what("an answer in which nothing is found")),
        Action::ToolResult if nothing => "gets a tool's result".to_owned(),
        Action::ToolResult => format!("gets a tool's result with {found}"),
        Action::SignIn => "signs in".to_owned(),
        Action::Tunnel => "opens a connection that is not inspected".to_owned(),
        Action::Merge if nothing => "merges AI-generated code".to_owned(),
        Action::Merge => format!("merges AI-generated code with {found}"),
    }
}

/// The classes found: `phi (not cleared) and 12 values of pii`.
fn found(facts: &Facts) -> String {
    let classes = facts.data.known().into_iter().flatten().filter(|(_, found)| found.likely.max(found.certain) > 0);
    let cleared = |class: &Term| facts.cleared.known().is_some_and(|cleared| cleared.contains(class));
    let words: Vec<String> = classes.map(|(class, found)| amount(class, *found, cleared(class))).collect();
    and(&words)
}

fn amount(class: &Term, found: Found, cleared: bool) -> String {
    let likely = found.likely.max(found.certain);
    let count = if likely == 1 { String::new() } else { format!("{likely} values of ") };
    let mut notes = Vec::new();
    match found.certain {
        0 => notes.push("likely".to_owned()),
        certain if certain < likely => notes.push(format!("{certain} of them certain")),
        _ => {}
    }
    if !cleared {
        notes.push("not cleared".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{count}{class}{notes}")
}

/// What is said about the content beside its classes.
fn content(facts: &Facts) -> Vec<String> {
    let mut words = Vec::new();
    match facts.level.known() {
        None | Some(Level::Unstated) => {}
        Some(level) => words.push(format!("labelled {level}")),
    }
    match facts.declared.known() {
        None | Some(Declared::NotAsked) => {}
        Some(declared) => words.push(format!("stated to be {declared}")),
    }
    match facts.origin.known() {
        None | Some(Origin::Unknown) => {}
        Some(Origin::InternalDocument) => words.push("from an internal document".to_owned()),
        Some(Origin::PublicDocument) => words.push("from a published document".to_owned()),
    }
    let wants = |activity: &Activity| match activity {
        Activity::Unknown => None,
        Activity::Else => Some("something else"),
        Activity::DecideAboutPeople => Some("decide about people"),
        other => Some(other.as_str()),
    };
    let activities: Vec<&str> =
        facts.activity.known().into_iter().flat_map(|set| set.iter()).filter_map(|it| wants(&it)).collect();
    if !activities.is_empty() {
        words.push(format!("to {}", and(&activities)));
    }
    let signals: Vec<Signal> = facts.signal.known().into_iter().flat_map(|set| set.iter()).collect();
    if !signals.is_empty() {
        words.push(format!("with the {} {}", plural("signal", signals.len()), and(&signals)));
    }
    let unreadable: Vec<Unreadable> = facts.unreadable.known().into_iter().flat_map(|set| set.iter()).collect();
    if !unreadable.is_empty() {
        words.push(format!("that could not be read ({})", and(&unreadable)));
    }
    words
}

/// To which service.
fn target(facts: &Facts) -> Vec<String> {
    let status = facts.status.known().copied();
    let tier = match facts.tier.known() {
        None => None,
        Some(tier) if *tier == OTHER => None,
        Some(tier) if tier.unknown() => Some("plan unknown".to_owned()),
        Some(tier) => Some(format!("{tier} plan")),
    };
    let preposition = match facts.action.known() {
        Some(Action::Receive | Action::ToolResult) => "from",
        Some(Action::SignIn) => "at",
        Some(Action::Merge) => "written by",
        _ => "to",
    };
    let (name, mut notes) = match facts.service.known() {
        Some(service) if *service != OTHER && !service.unknown() => {
            (service.to_string(), status.map(|status| spoken(status).to_owned()).into_iter().collect())
        }
        service => (unnamed(service, facts.category.known().copied(), status), Vec::new()),
    };
    notes.extend(tier);
    notes.extend(named(facts.service_region.known(), "region", "region unknown"));
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    vec![format!("{preposition} {name}{notes}")]
}

/// A service without a name: `a coding assistant in review`, `an unknown service that was discovered`.
fn unnamed(service: Option<&Term>, category: Option<Category>, status: Option<Status>) -> String {
    let unknown = service.is_some_and(|service| service.unknown());
    let kind = match category {
        None | Some(Category::PublicChat | Category::Unknown | Category::Other) => "service".to_owned(),
        Some(category) => format!("service of category {category}"),
    };
    let article = if unknown { "an unknown" } else { "a" };
    match status {
        None => format!("{article} {kind}"),
        Some(Status::InReview) => format!("{article} {kind} in review"),
        Some(Status::Discovered) => format!("{article} {kind} that nobody vetted"),
        Some(Status::Requested) => format!("{article} {kind} that was only requested"),
        Some(Status::Approved) if !unknown => format!("an approved {kind}"),
        Some(status) if !unknown => format!("a {status} {kind}"),
        Some(status) => format!("{article} {status} {kind}"),
    }
}

const fn spoken(status: Status) -> &'static str {
    match status {
        Status::InReview => "in review",
        other => other.as_str(),
    }
}

const fn channel(facts: &Facts) -> Option<&'static str> {
    match facts.channel.known() {
        None | Some(Channel::Browser) => None,
        Some(Channel::Desktop) => Some("from a desktop application"),
        Some(Channel::Ide) => Some("from a code editor"),
        Some(Channel::Cli) => Some("from the command line"),
        Some(Channel::Api) => Some("from a program"),
        Some(Channel::Agent) => Some("through an agent"),
        Some(Channel::Network) => Some("seen on the network only"),
    }
}

fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// `a`, `a and b`, `a, b and c`.
fn and<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// A region as a line of keys, as a `prove` block would write it: `who contractor, status not approved, data phi`.
pub fn region(region: &Region) -> String {
    let mut conditions: Vec<(usize, String)> = region.conditions.iter().map(condition).collect();
    conditions.sort();
    let words: Vec<String> = conditions.into_iter().map(|(_, words)| words).collect();
    if words.is_empty() { "every situation".to_owned() } else { words.join(", ") }
}

/// A condition with its place in the schema.
fn condition(condition: &Condition) -> (usize, String) {
    let Condition { subject, inside, outside } = condition;
    match subject {
        Subject::One(dimension) => (*dimension as usize, one(*dimension, inside, outside)),
        Subject::Directory => {
            let known = inside.contains(&Raw::Yes);
            (Dimension::Group as usize, if known { "group known" } else { "group unknown" }.to_owned())
        }
        Subject::Groups(names) => {
            let not = if inside.contains(&Raw::Yes) { "" } else { "not " };
            (Dimension::Group as usize, format!("group {not}{}", list(names)))
        }
        Subject::Present(dimension, values) => {
            let names: Vec<String> = values.iter().map(|value| closed(*dimension, *value)).collect();
            let not = if inside.contains(&Raw::Yes) { "" } else { "not " };
            (*dimension as usize, format!("{} {not}{}", dimension.key(), shortened(*dimension, &names)))
        }
        Subject::Class(name) => (Dimension::Data as usize, class(name, inside, outside)),
        Subject::Share => {
            let places: Vec<u16> = inside.iter().filter_map(share).collect();
            let end = outside.iter().filter_map(share).find(|end| places.iter().all(|place| place < end));
            let words = match end {
                Some(end) => format!("among the first {end} of 10,000"),
                None => "among the later ones of a roll-out".to_owned(),
            };
            (Dimension::ALL.len(), words)
        }
    }
}

const fn share(raw: &Raw) -> Option<u16> {
    match raw {
        Raw::Share(place) => Some(*place),
        _ => None,
    }
}

/// The shorter of what is inside and what is outside.
fn one(dimension: Dimension, inside: &[Raw], outside: &[Raw]) -> String {
    let names = |raws: &[Raw]| -> Vec<String> { raws.iter().map(|raw| name(dimension, raw)).collect() };
    let others = inside.contains(&Raw::Other);
    let key = dimension.key();
    if outside.is_empty() {
        return format!("{key} any");
    }
    if others || outside.len() < inside.len() {
        return format!("{key} not {}", list(&names(outside)));
    }
    format!("{key} {}", list(&names(inside)))
}

fn name(dimension: Dimension, raw: &Raw) -> String {
    match raw {
        Raw::Closed(index) => closed(dimension, *index),
        Raw::Name(name) => name.to_string(),
        _ => "any other".to_owned(),
    }
}

fn closed(dimension: Dimension, index: u8) -> String {
    match dimension.spec().values {
        Values::Closed(values) => values.get(usize::from(index)).map_or("", |value| value.name).to_owned(),
        Values::Open(_) => String::new(),
    }
}

/// All kinds of a signal are the signal: `opaque` for its nine kinds.
fn shortened(dimension: Dimension, names: &[String]) -> String {
    if dimension != Dimension::Signal {
        return list(names);
    }
    let mut words: Vec<&str> = Vec::new();
    for name in names {
        let family = name.split(' ').next().unwrap_or(name);
        let kinds = Signal::ALL.iter().filter(|signal| signal.family() == family).count();
        let present = names.iter().filter(|other| other.split(' ').next() == Some(family)).count();
        let word = if kinds > 1 && kinds == present { family } else { name.as_str() };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    list(&words)
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A condition on one class: `data phi`, `data no phi`, `data phi (not cleared)`, `data phi (few)`.
fn class(name: &Term, inside: &[Raw], outside: &[Raw]) -> String {
    let without = inside.iter().any(|raw| matches!(raw, Raw::Found(found, _) if found.likely == 0));
    let amounts = |raws: &[Raw]| -> Vec<(Found, bool)> {
        let found = raws.iter().filter_map(|raw| match raw {
            Raw::Found(found, cleared) if found.likely > 0 => Some((*found, *cleared)),
            _ => None,
        });
        found.collect()
    };
    let (inside, outside) = (amounts(inside), amounts(outside));
    // Where nothing of the class is inside as well, what is outside is easier to say.
    let (said, others) = if without { (outside, inside) } else { (inside, outside) };
    let word = if without { "no " } else { "" };
    if others.is_empty() {
        return format!("data {word}{name}");
    }
    for (words, holds) in PATTERNS {
        if said.iter().all(|it| holds(it, &all(&said, &others)))
            && !others.iter().any(|it| holds(it, &all(&said, &others)))
        {
            return format!("data {word}{name} ({words})");
        }
    }
    let each: Vec<String> = said.iter().map(|(found, cleared)| amount(name, *found, *cleared)).collect();
    format!("data {word}{}", each.join(" or "))
}

/// The thresholds of a class: all counts that its values may have.
fn all(said: &[(Found, bool)], others: &[(Found, bool)]) -> Vec<u32> {
    let mut counts: Vec<u32> = said.iter().chain(others).map(|(found, _)| found.likely).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Words for amounts, and whether an amount is meant by them.
type Pattern = (&'static str, fn(&(Found, bool), &[u32]) -> bool);

const PATTERNS: &[Pattern] = &[
    ("not cleared", |(_, cleared), _| !cleared),
    ("cleared", |(_, cleared), _| *cleared),
    ("few", |(found, _), counts| few(found.likely, counts)),
    ("bulk", |(found, _), counts| bulk(found.likely, counts)),
    ("certain", |(found, _), _| found.certain > 0),
    ("few, certain", |(found, _), counts| few(found.certain, counts)),
    ("bulk, certain", |(found, _), counts| bulk(found.certain, counts)),
    ("few, not cleared", |(found, cleared), counts| few(found.likely, counts) && !cleared),
    ("bulk, not cleared", |(found, cleared), counts| bulk(found.likely, counts) && !cleared),
    ("certain, not cleared", |(found, cleared), _| found.certain > 0 && !cleared),
    ("at most few", |(found, _), counts| !bulk(found.likely, counts)),
    ("one", |(found, _), counts| !few(found.likely, counts)),
    ("likely only", |(found, _), _| found.certain == 0),
    ("at most few, not cleared", |(found, cleared), counts| !bulk(found.likely, counts) && !cleared),
    ("one, not cleared", |(found, cleared), counts| !few(found.likely, counts) && !cleared),
];

fn few(count: u32, counts: &[u32]) -> bool {
    counts.get(1).is_some_and(|few| count >= *few)
}

fn bulk(count: u32, counts: &[u32]) -> bool {
    counts.get(2).is_some_and(|bulk| count >= *bulk)
}
