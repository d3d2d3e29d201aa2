//! The policy as people read it: from the parsed document, so that what stands on the page is what runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_engine::Snapshot;
use writ_model::Term;
use writ_model::schema::Dimension;
use writ_model::standing::ExceptionGrant;
use writ_policy::document::line::Entry;
use writ_policy::document::{Block, BlockKind, Caption, Item, Section, Table};

use super::{Fact, Shared, clause_name};
use crate::Console;
use crate::charts::escape;
use crate::frame::{Frame, Visit};
use crate::markup::{blocks, inline, table};
use crate::parts::PolicyText;
use crate::reply::{Failure, Reply, page as show};
use crate::words;

/// The policy in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// Its title.
    pub(crate) title: String,
    /// Whose it is.
    pub(crate) organisation: String,
    /// Its version.
    pub(crate) version: String,
    /// What is wrong with what is shown, if anything.
    pub(crate) warning: Option<String>,
    /// Dates, owners.
    pub(crate) facts: Vec<Fact>,
    /// Hashes of text, rows, what stands beside it, catalog and detection.
    pub(crate) hashes: Vec<Fact>,
    /// Roll-out and exceptions in force, one sentence each.
    pub(crate) annex: Vec<String>,
    /// The headings.
    pub(crate) contents: Vec<Heading>,
    /// The document as HTML.
    pub(crate) html: String,
}

/// A heading of the document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Heading {
    /// 2 or 3.
    pub(crate) level: u8,
    /// `4.2`.
    pub(crate) number: String,
    /// What it says.
    pub(crate) title: String,
    /// Its place on the page.
    pub(crate) anchor: String,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    frame: Frame,
    view: PolicyView,
}

/// `GET /policy`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    let view = read(&console).await?;
    show(&PolicyPage { frame: console.frame(&visit, "Policy"), view })
}

/// Reads it.
pub(crate) async fn read(console: &Console) -> Result<PolicyView, Failure> {
    let (text, snapshot) = ((console.parts.policy)(), (console.parts.snapshot)());
    let now = console.parts.clock.now();
    let front = &text.parsed.document.front;
    let mut annex = Vec::new();
    for entry in console.parts.state.rollout(now).await? {
        annex.push(format!(
            "{}: {} for {}, from {} until {} (approved by {})",
            clause_name(&snapshot, &entry.clause),
            entry.step,
            entry.ring,
            words::day(entry.from),
            words::day(entry.until),
            entry.approved_by
        ));
    }
    for grant in console.parts.state.exceptions(now).await? {
        annex.push(format!("Exception from {}: {}", clause_name(&snapshot, &grant.clause), exception(&grant)));
    }
    let runs = text.parsed.hash == snapshot.policy.text_hash();
    let headings = text.parsed.document.sections.iter().filter(|section| section.level >= 2).map(heading);
    Ok(PolicyView {
        title: front.title.clone().unwrap_or_else(|| "AI usage policy".into()),
        organisation: front.organisation.clone().unwrap_or_else(|| console.parts.organisation.name.clone()),
        version: front.version.clone().unwrap_or_else(|| "without a number".into()),
        warning: (!runs).then(|| "This text is not the one that runs: a change of it could not be taken over. The hashes below are of what runs.".into()),
        facts: facts(&text),
        hashes: hashes(&snapshot),
        annex,
        contents: headings.collect(),
        html: document(&text),
    })
}

/// An exception in a sentence, without its clause.
pub(crate) fn exception(grant: &ExceptionGrant) -> String {
    let keys: Vec<String> = grant.keys.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!(
        "for {} until {}; instead: {} (approved by {})",
        if keys.is_empty() { "everyone".to_owned() } else { keys.join(", ") },
        words::day(grant.until),
        grant.compensating_control,
        grant.approved_by
    )
}

fn facts(text: &PolicyText) -> Vec<Fact> {
    let front = &text.parsed.document.front;
    let mut facts = Vec::new();
    facts.extend(front.effective.map(|at| Fact::new("In force from", words::day(at))));
    facts.extend(front.next_review.map(|at| Fact::new("Next review", words::day(at))));
    let owners: Vec<String> = front.owners.iter().map(|(role, who)| format!("{role}: {who}")).collect();
    if !owners.is_empty() {
        facts.push(Fact::new("Owners", owners.join(", ")));
    }
    if !front.postures.is_empty() {
        let said =
            front.postures.iter().map(|(who, effect)| format!("{who}: {}", words::effect(*effect).to_lowercase()));
        facts.push(Fact::new("Where nothing is said", said.collect::<Vec<_>>().join(", ")));
    }
    if !front.jurisdictions.is_empty() {
        facts.push(Fact::new("Applies in", front.jurisdictions.join(", ")));
    }
    facts
}

/// The hashes of what runs.
pub(crate) fn hashes(snapshot: &Snapshot) -> Vec<Fact> {
    let hashes = snapshot.hashes();
    let named = [
        ("Text (what is signed)", hashes.policy),
        ("Rows (what is run)", hashes.rows),
        ("Roll-out and exceptions", hashes.standing),
        ("Catalog of tools", hashes.catalog),
        ("Detectors", hashes.detection),
    ];
    named.into_iter().map(|(label, hash)| Fact::new(label, hash.to_string())).collect()
}

fn heading(section: &Section) -> Heading {
    Heading {
        level: section.level.clamp(2, 3),
        number: section.number.clone(),
        title: section.title.clone(),
        anchor: anchor(section),
    }
}

fn anchor(section: &Section) -> String {
    section.id.as_ref().map_or_else(|| format!("section-{}", section.number.replace('.', "-")), |id| id.to_string())
}

fn document(text: &PolicyText) -> String {
    let mut html = String::new();
    for section in &text.parsed.document.sections {
        if section.level >= 2 {
            let (level, anchor) = (section.level.min(4), escape(&anchor(section)));
            let _ = write!(
                html,
                "<h{level} id=\"{anchor}\"><span class=\"num\">{}</span>{}<a class=\"anchor\" href=\"#{anchor}\" aria-label=\"Link to {}\">#</a></h{level}>",
                escape(&section.number),
                inline(&section.title),
                escape(&section.title)
            );
        }
        for item in &section.items {
            match item {
                Item::Prose(span) => html.push_str(&blocks(span.of(&text.text))),
                Item::Code(span) => {
                    let code: Vec<&str> = span.of(&text.text).lines().filter(|line| !line.starts_with("```")).collect();
                    let _ = write!(html, "<pre><code>{}</code></pre>", escape(&code.join("\n")));
                }
                Item::Block(block) => html.push_str(&of_block(block)),
                Item::Table(grid) => html.push_str(&of_table(grid)),
                Item::Mode(caption) => html.push_str(&mode(caption)),
            }
        }
    }
    html
}

fn mode(caption: &Caption) -> String {
    let reason = caption.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case("reason"));
    let said = match caption.subject.as_str() {
        "text-only" => "No rule runs here",
        "attested" => "People confirm this",
        "process" => "A process makes this true",
        "detected" => "Only reported, never stopped",
        _ => "Rules run here",
    };
    let reason = reason.map(|entry| format!(": {}", entry.value.as_str())).unwrap_or_default();
    format!("<p class=\"sub small\">{}{}</p>", escape(said), inline(&reason))
}

/// A table as it is printed; a rule table says what happens in each cell.
pub(crate) fn of_table(grid: &Table) -> String {
    let header: Vec<&str> = grid.header.iter().map(|cell| cell.as_str()).collect();
    let Some(caption) = &grid.caption else {
        return table("", &header, grid.rows.iter().map(|row| row.iter().map(|cell| cell.as_str()).collect()));
    };
    let (_, columns) = caption.subject.as_str().split_once(" by ").unwrap_or_default();
    let mut titles: Vec<String> = header.iter().map(|cell| value(columns.trim(), cell)).collect();
    if let Some(first) = titles.first_mut() {
        first.clone_from(&header.first().copied().unwrap_or_default().to_owned());
    }
    let (rows, _) = caption.subject.as_str().split_once(" by ").unwrap_or_default();
    let cells: Vec<Vec<String>> = grid
        .rows
        .iter()
        .map(|row| {
            let cell = |(at, cell): (usize, &writ_policy::document::source::Text)| {
                if at == 0 { value(rows.trim(), cell.as_str()) } else { effect_words(cell.as_str()).0.to_owned() }
            };
            row.iter().enumerate().map(cell).collect()
        })
        .collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut html =
        table("What holds for which tool", &titles, cells.iter().map(|row| row.iter().map(String::as_str).collect()));
    let why = caption.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case("why"));
    if let Some(why) = why {
        let _ = write!(html, "<p class=\"sub small\">Why: {}</p>", inline(why.value.as_str()));
    }
    html
}

/// What happens, and the class of its colour.
fn effect_words(then: &str) -> (&'static str, &'static str) {
    match then.trim() {
        "allow" => ("goes on", "allow"),
        "coach" => ("goes on with a note", "coach"),
        "justify" => ("goes on after you give a reason", "justify"),
        "block" => ("is stopped", "block"),
        "redact" => ("goes on without these details", "redact"),
        _ => ("is recorded", "allow"),
    }
}

/// A block as people read it.
pub(crate) fn of_block(block: &Block) -> String {
    match block.kind {
        BlockKind::Rule => rule(block),
        BlockKind::Control => listed(&format!("How this is made true: {}", block.argument.as_str()), block, "allow"),
        BlockKind::Define => listed("Words of this policy", block, "allow"),
        BlockKind::Prove => listed("Proved whenever this text is loaded", block, "allow"),
        BlockKind::Include => String::new(),
    }
}

fn listed(title: &str, block: &Block, class: &str) -> String {
    let mut html =
        format!("<div class=\"rule {class}\"><p class=\"then\">{}</p><dl>", escape(title.trim_end_matches([':', ' '])));
    for entry in &block.entries {
        let _ = write!(
            html,
            "<dt>{}</dt><dd>{}</dd>",
            escape(&words::sentence(&entry.key.replace('-', " "))),
            inline(&entry_text(entry))
        );
    }
    html.push_str("</dl></div>");
    html
}

/// A rule block in plain words. Severity is not shown to staff.
fn rule(block: &Block) -> String {
    let then = block.entry("then").map(|entry| entry.value.as_str().to_owned()).unwrap_or_default();
    let (said, class) = effect_words(&then);
    let mut html =
        format!("<div class=\"rule {class}\"><p class=\"then\">Your message {}, when:</p><dl>", escape(said));
    let mut after: BTreeMap<u8, String> = BTreeMap::new();
    for entry in &block.entries {
        let text = entry_text(entry);
        if let Some(dimension) = Dimension::named(&entry.key) {
            let _ = write!(
                html,
                "<dt>{}</dt><dd>{}</dd>",
                escape(key_words(dimension)),
                inline(&values(&entry.key, &text))
            );
            continue;
        }
        let (order, label, text) = match entry.key.as_str() {
            "unless" => (1, "Not when", text),
            "offer" => (2, "You can", offers(&text)),
            "override" => (3, "May be granted once by", text),
            "why" => (4, "Why", text),
            "because" => (5, "Because of", text),
            "violates" => (6, "For example", examples(entry)),
            "complies" => (7, "This is fine", examples(entry)),
            "fail" if text.trim() == "open" => (8, "If it cannot be read", "it goes on, and is recorded".to_owned()),
            _ => continue,
        };
        let text = if order >= 6 && order != 8 { text } else { inline(&text) };
        after.entry(order).or_default().push_str(&format!("<dt>{}</dt><dd>{text}</dd>", escape(label)));
    }
    after.into_values().for_each(|part| html.push_str(&part));
    html.push_str("</dl></div>");
    html
}

fn entry_text(entry: &Entry) -> String {
    let items = entry.items.iter().map(|item| item.as_str());
    let all: Vec<&str> = std::iter::once(entry.value.as_str()).filter(|text| !text.is_empty()).chain(items).collect();
    all.join(", ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn examples(entry: &Entry) -> String {
    let quotes: Vec<String> = entry
        .items
        .iter()
        .map(|item| {
            let text = item.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            let quoted =
                text.strip_prefix('"').and_then(|rest| rest.split_once('"')).map_or(text.as_str(), |(quote, _)| quote);
            format!("“{}”", escape(quoted))
        })
        .collect();
    quotes.join("<br>")
}

fn offers(text: &str) -> String {
    let said = text.split(',').map(|offer| match offer.trim().split_once(':') {
        Some(("redirect", service)) => format!("go on in {}", service.trim()),
        _ => offer_words(offer.trim()).to_owned(),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// What a person may do instead.
pub(crate) fn offer_words(offer: &str) -> &str {
    match offer {
        "redact" => "send it without these details",
        "ask-exception" => "ask for an exception",
        "ask-vetting" => "ask for the tool to be checked",
        "object" => "say that it was a mistake",
        other => other,
    }
}

fn key_words(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Who => "Who sends it",
        Dimension::Identity => "Who it is, is known",
        Dimension::Entity => "Employed by",
        Dimension::Group => "In the group",
        Dimension::Action => "What is done",
        Dimension::Service => "The tool",
        Dimension::Category => "Kind of tool",
        Dimension::Tier => "Plan of the tool",
        Dimension::Status => "The tool is",
        Dimension::Account => "The account there is",
        Dimension::Data => "What is in it",
        Dimension::Cleared => "Tool cleared for that",
        Dimension::Level => "Its level, at least",
        Dimension::Declared => "You stated",
        Dimension::Origin => "It comes from",
        Dimension::Activity => "What it is for",
        Dimension::Channel => "Sent with",
        Dimension::Device => "The device is",
        Dimension::PersonRegion => "Where you work",
        Dimension::ServiceRegion => "Where the tool is",
        Dimension::Training => "Your training is",
        Dimension::Attestation => "Your confirmation is",
        Dimension::Signal => "What was noticed",
        Dimension::Unreadable => "It could not be read",
    }
}

fn values(key: &str, text: &str) -> String {
    let (not, rest) = text.strip_prefix("not ").map_or(("", text), |rest| ("anything but ", rest));
    let said: Vec<String> = rest.split(',').map(|term| value(key, term.trim())).collect();
    format!("{not}{}", said.join(", "))
}

/// A value of a key as people read it.
fn value(key: &str, terms: &str) -> String {
    if key != "data" {
        return terms.to_owned();
    }
    let one = |term: &str| {
        let term = term.trim();
        let (id, rest) = term.split_once(' ').map_or((term, String::new()), |(id, rest)| (id, format!(" {rest}")));
        format!("{}{rest}", words::class(id).to_lowercase())
    };
    terms.split(',').map(one).collect::<Vec<_>>().join(", ")
}

/// Titles of the clauses, by id, in the order of the text.
pub(crate) fn clause_options(snapshot: &Snapshot) -> Vec<(Term, String)> {
    let clauses = &snapshot.policy.model().clauses;
    clauses.iter().map(|clause| (clause.id.clone(), format!("{} {}", clause.number, clause.title))).collect()
}
