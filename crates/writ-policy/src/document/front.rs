//! Front matter: what holds for the whole document.

use std::collections::BTreeMap;

use writ_base::Moment;
use writ_model::values::Value as _;
use writ_model::{Effect, Term, Who};

use crate::diagnostic::{Code, Problems};
use crate::document::line::{Entry, quoted};
use crate::document::source::{Piece, Span, Text};
use crate::words;

/// The front matter. What the text leaves out is empty.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FrontMatter {
    /// The version of the language; 1.
    pub writ: Option<u32>,
    /// The title.
    pub title: Option<String>,
    /// Whose policy it is.
    pub organisation: Option<String>,
    /// The language of the prose, as a tag of BCP 47; English where the text is silent.
    pub language: Option<String>,
    /// The language version that prevails.
    pub prevails: Option<String>,
    /// The version of the policy.
    pub version: Option<String>,
    /// From when it is in force.
    pub effective: Option<Moment>,
    /// By when it is reviewed.
    pub next_review: Option<Moment>,
    /// Who answers for it, by role.
    pub owners: BTreeMap<Term, String>,
    /// Roles that must sign.
    pub quorum: Vec<Term>,
    /// The effect of what nothing foresees, per `who`, with `other` spelled out.
    pub postures: BTreeMap<Who, Effect>,
    /// Facts of examples that say nothing else, as written.
    pub situation: Option<Text>,
    /// Where it applies.
    pub jurisdictions: Vec<String>,
    /// Whether a situation that only the posture decides is an error.
    pub gaps_refused: bool,
    /// Of a language version: the mark of the text of each clause that was translated, with its place.
    pub translated: BTreeMap<Term, (String, Span)>,
    /// Where each key stands.
    pub places: BTreeMap<String, Span>,
}

impl FrontMatter {
    /// The tag of the prose's language.
    pub fn language(&self) -> &str {
        self.language.as_deref().unwrap_or("en")
    }

    /// Whether the document is a language version of one that prevails.
    pub fn translates(&self) -> bool {
        self.prevails.as_deref().is_some_and(|prevails| prevails != self.language())
    }

    /// The place of a key; the start of the text if there is no such key.
    pub(crate) fn at(&self, key: &str) -> Span {
        self.places.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn read(entries: Vec<Entry>, problems: &mut Problems) -> Self {
        let mut front = Self::default();
        if entries.is_empty() {
            return front;
        }
        for entry in &entries {
            if let Some(first) = front.places.insert(entry.key.clone(), entry.key_span) {
                let text = format!("`{}` stands twice in the front matter", entry.key);
                problems.add(Code::DuplicateKey, entry.key_span, text).see(first, "first here");
                continue;
            }
            front.key(entry, problems);
        }
        if !front.places.contains_key("writ") {
            let first = entries.first().map_or(Span::default(), |entry| entry.key_span);
            let text = "the front matter does not name the version of the language";
            problems.add(Code::MissingKey, first, text).help("add `writ: 1`");
        }
        for role in entries.iter().filter(|entry| entry.key == "quorum").flat_map(Entry::listed) {
            if words::is_name(role.as_str()) && !front.owners.contains_key(role.as_str()) {
                let text = format!("the role `{}` must sign, but has no owner", role.as_str());
                let known = front.owners.keys().map(Term::as_str);
                let problem = problems.add(Code::UnknownRole, role.span(), text).help("add it to `owners`");
                problem.nearest(role.as_str(), known);
            }
        }
        let order = front.effective.zip(front.next_review).filter(|(effective, review)| review <= effective);
        if let (Some(_), Some(entry)) = (order, entries.iter().find(|entry| entry.key == "next-review")) {
            problems.add(Code::InvalidValue, entry.span(), "the next review is not after the policy takes effect");
        }
        front
    }

    fn key(&mut self, entry: &Entry, problems: &mut Problems) {
        match entry.key.as_str() {
            "writ" => self.writ = version(entry, problems),
            "title" => self.title = text(entry, problems),
            "organisation" => self.organisation = text(entry, problems),
            "language" => self.language = tag(entry, problems),
            "prevails" => self.prevails = tag(entry, problems),
            "version" => self.version = text(entry, problems),
            "effective" => self.effective = date(entry, problems),
            "next-review" => self.next_review = date(entry, problems),
            "owners" => self.owners = owners(entry, problems),
            "translated" => self.translated = translated(entry, problems),
            "quorum" => self.quorum = roles(entry, problems),
            "posture" => self.postures = postures(entry, problems),
            "situation" => self.situation = entry.single(problems).map(|_| entry.value.clone()),
            "jurisdictions" => {
                let names = entry.listed().into_iter().filter_map(|term| Some(quoted(term, problems)?.0));
                self.jurisdictions = names.collect();
            }
            "gaps" => match entry.single(problems).map(|value| (value.as_str(), value.span())) {
                Some(("refused", _)) => self.gaps_refused = true,
                Some(("reported", _)) | None => {}
                Some((other, span)) => {
                    let text = format!("`{other}` is no way to treat gaps");
                    problems.add(Code::UnknownValue, span, text).help("write `refused` or `reported`");
                }
            },
            other => {
                problems
                    .add(Code::UnknownKey, entry.key_span, format!("the front matter has no key `{other}`"))
                    .nearest(other, words::FRONT_KEYS.iter().map(|(name, _)| *name));
            }
        }
    }
}

fn text(entry: &Entry, problems: &mut Problems) -> Option<String> {
    let value = entry.single(problems)?;
    quoted(value, problems).map(|(text, _)| text)
}

fn version(entry: &Entry, problems: &mut Problems) -> Option<u32> {
    let value = entry.single(problems)?;
    if value.as_str() == "1" {
        return Some(1);
    }
    let text = format!("version `{}` of the language is not known here", value.as_str());
    problems.add(Code::InvalidValue, value.span(), text).help("write `writ: 1`");
    None
}

fn tag(entry: &Entry, problems: &mut Problems) -> Option<String> {
    let value = entry.single(problems)?;
    let mut parts = value.as_str().split('-');
    let main = parts.next().unwrap_or_default();
    let fits = (2..=3).contains(&main.len()) && main.chars().all(|c| c.is_ascii_lowercase());
    if fits && parts.all(|part| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())) {
        return Some(value.as_str().to_owned());
    }
    let text = format!("`{}` is no language tag", value.as_str());
    problems.add(Code::InvalidValue, value.span(), text).help("write a tag of BCP 47: `en`, `de`, `fr-CA`");
    None
}

fn date(entry: &Entry, problems: &mut Problems) -> Option<Moment> {
    let value = entry.single(problems)?;
    let date = Moment::parse(value.as_str()).filter(|_| value.as_str().len() == "YYYY-MM-DD".len());
    if date.is_none() {
        let text = format!("`{}` is no date", value.as_str());
        problems.add(Code::InvalidValue, value.span(), text).help("write a day that exists as YYYY-MM-DD");
    }
    date
}

fn role(piece: Piece<'_>, problems: &mut Problems) -> Option<Term> {
    if words::is_name(piece.as_str()) {
        return Some(Term::from(piece.as_str()));
    }
    let text = format!("`{}` is no name of a role", piece.as_str());
    problems.add(Code::InvalidValue, piece.span(), text).help("use lower-case letters, digits and hyphens");
    None
}

/// `security: Ana Diaz, legal: Bo Chen`; the colon may be left out.
fn owners(entry: &Entry, problems: &mut Problems) -> BTreeMap<Term, String> {
    let mut owners = BTreeMap::new();
    for term in entry.listed() {
        let (name, rest) = pair(term);
        let Some(role) = role(name, problems) else { continue };
        let owner = quoted(rest, problems).map(|(text, _)| text).unwrap_or_default();
        if owners.insert(role, owner).is_some() {
            problems.add(Code::DuplicateName, name.span(), format!("the role `{}` has two owners", name.as_str()));
        }
    }
    owners
}

fn roles(entry: &Entry, problems: &mut Problems) -> Vec<Term> {
    entry.listed().into_iter().filter_map(|term| role(term, problems)).collect()
}

/// `health 3f9ac1d2e4b57788`, as a list.
fn translated(entry: &Entry, problems: &mut Problems) -> BTreeMap<Term, (String, Span)> {
    let mut marks = BTreeMap::new();
    for term in entry.listed() {
        let (id, mark) = pair(term);
        let hexadecimal = mark.as_str().len() == 16 && mark.as_str().chars().all(|c| c.is_ascii_hexdigit());
        if !words::is_name(id.as_str()) || !hexadecimal {
            let text = format!("`{}` is no clause with its mark", term.as_str());
            problems.add(Code::InvalidValue, term.span(), text).help("`writ policy translate` writes this list");
        } else if marks.insert(Term::from(id.as_str()), (mark.as_str().to_owned(), id.span())).is_some() {
            problems.add(Code::DuplicateValue, id.span(), format!("`{}` is listed twice", id.as_str()));
        }
    }
    marks
}

/// `WORD REST` or `WORD: REST`.
fn pair(term: Piece<'_>) -> (Piece<'_>, Piece<'_>) {
    let (word, rest) = term.first_word();
    let text = word.as_str();
    match text.strip_suffix(':') {
        Some(name) => (word.part(0, name.len()), rest),
        None => (word, rest),
    }
}

/// `employee coach, other block`.
fn postures(entry: &Entry, problems: &mut Problems) -> BTreeMap<Who, Effect> {
    let mut postures = BTreeMap::new();
    let mut others = None;
    for term in entry.listed() {
        let (who, effect) = pair(term);
        let effect = match effect.as_str() {
            "allow" => Effect::Allow,
            "coach" => Effect::Coach,
            "block" => Effect::Block,
            other => {
                let text = format!("`{other}` is no posture");
                let help = "write `allow`, `coach` or `block` after whom it is for: `employee coach, other block`";
                problems.add(Code::UnknownValue, effect.span(), text).help(help);
                continue;
            }
        };
        let twice = match (Who::named(who.as_str()), who.as_str()) {
            (Some(who), _) => postures.insert(who, effect).is_some(),
            (None, "other") => others.replace(effect).is_some(),
            (None, name) => {
                let known = Who::ALL.iter().map(|who| who.as_str()).chain(["other"]);
                problems
                    .add(Code::UnknownValue, who.span(), format!("`{name}` is no value of `who`"))
                    .nearest(name, known);
                continue;
            }
        };
        if twice {
            problems.add(Code::DuplicateKey, who.span(), format!("`{}` has two postures", who.as_str()));
        }
    }
    let others = others.unwrap_or(Effect::Block);
    Who::ALL.iter().map(|who| (*who, postures.get(who).copied().unwrap_or(others))).collect()
}
