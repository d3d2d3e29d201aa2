//! The words of the language beside the schema's: keys of blocks, kinds of controls, words that promise; and the
//! vocabulary of one document.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::class::{CLASS_GROUPS, CLASSES};
use writ_model::{Dimension, Term};

use crate::rule::ClassDefinition;

/// A word with its meaning, for the parser and the reference page.
pub type Word = (&'static str, &'static str);

/// Kinds of blocks: the first word after the opening fence.
pub const BLOCKS: &[Word] = &[
    ("rule", "conditions and an effect"),
    ("control", "what no inline rule can do: a process with its own evidence"),
    ("define", "the organisation's own terms; `define sealed` keeps them as keyed digests"),
    ("prove", "assertions that hold in every version of the policy"),
    ("include", "a file whose text stands here; put in before anything is read, hashed or signed"),
];

/// Keys of a rule block, beside the dimensions of the schema.
pub const RULE_KEYS: &[Word] = &[
    ("then", "the effect: `allow` < `coach` < `justify` < `block`, or `redact`"),
    ("redact", "`yes`: as `then: redact`; remove all spans of the rule's classes, whatever their certainty or band"),
    ("foresees", "`yes`: a rule that raises also says that the situation was thought of"),
    (
        "unless",
        "a standing carve-out: `KEY VALUES, KEY VALUES`; several keys must all hold, several `unless` or list items are alternatives",
    ),
    ("override", "roles that may grant this one interaction; without it a block is hard"),
    (
        "offer",
        "what the person may choose instead: `redact`, `redirect: SERVICE`, `ask-exception`, `ask-vetting`, `object`",
    ),
    ("ask", "`level`: the person states a level once per file; for rules with `action: upload`"),
    ("restore", "where placeholders may be turned back in answers: `text` (default) or `tools` as well"),
    ("every", "how often a note is shown to the same person: `day` (default), `hour`, `week`, `8 hours`, `30 minutes`"),
    ("fail", "what happens when content could not be read: `closed` (default) = block, `open` = record and alarm"),
    ("severity", "minor, moderate, serious or critical; feeds the ladder, never shown to staff"),
    ("why", "the reason, one sentence, shown to the person"),
    ("because", "ids of risks or legal sources"),
    (
        "violates",
        "example texts to which the rule applies; `as: contractor at chatgpt, channel ide` after a text states facts",
    ),
    ("complies", "example texts to which the rule does not apply"),
];

/// Keys of the front matter.
pub const FRONT_KEYS: &[Word] = &[
    ("writ", "the version of the language: 1"),
    ("title", "the title of the policy"),
    ("organisation", "whose policy it is"),
    ("language", "the language of the prose, as a tag of BCP 47: en, de, fr-CA"),
    ("prevails", "the language version that prevails where there are several"),
    (
        "translated",
        "of a language version: the mark of the text of each clause that was translated; `writ policy translate` writes it",
    ),
    ("version", "the version of the policy"),
    ("effective", "from when it is in force: YYYY-MM-DD"),
    ("next-review", "by when it is reviewed: YYYY-MM-DD"),
    ("owners", "who answers for it, by role: `security: Ana Diaz, legal: Bo Chen`"),
    ("quorum", "roles that must sign"),
    (
        "posture",
        "the effect of what nothing foresees, per `who`: `employee coach, other block`; allow, coach or block; block where it is silent",
    ),
    ("situation", "facts of examples that say nothing else: `employee at chatgpt, channel browser`"),
    ("jurisdictions", "where it applies"),
    ("gaps", "`refused`: a situation that only the posture decides is an error; `reported` by default"),
];

/// Keys of define blocks. The first key says what is defined.
pub const DEFINE_KEYS: &[Word] = &[
    ("class", "a class of data, own or shipped"),
    ("class-group", "a name for several classes, which `classes` lists"),
    ("group", "a group of the directory; `groups` names several at once"),
    ("groups", "groups of the directory, by their names there"),
    ("regions", "names of regions"),
    ("entities", "employing legal entities, by their names in the directory"),
    ("service", "a service of the organisation, by its id; `services` names several at once"),
    ("services", "ids of services of the organisation"),
    ("roles", "roles beside the owners that rules may name"),
    ("harmless", "values that are never a finding: own public addresses, documentation ranges"),
    ("term", "a word that the prose uses in a meaning of its own"),
    ("projects", "names of projects that belong to a class, which `class` names"),
    ("source", "an id of a risk or legal source that `because` names"),
    ("means", "what it means, in words"),
    ("directory", "the name of a group in the directory, if it is another one"),
    ("classes", "the members of a class group, or the classes that harmless values would belong to"),
    ("level", "the level of content that holds the class; of own classes `confidential` unless stated"),
    ("bands", "from how many distinct values on a band counts: `few 2, bulk 10`"),
    ("words", "words and phrases that belong to the class, compared without case"),
    ("dictionary", "names of files with one word or phrase a line"),
    ("expressions", "regular expressions for values of the class"),
    ("context", "words that must stand near a value"),
    ("fingerprints", "names of folders whose documents belong to the class"),
    ("texts", "example texts that belong to the class"),
    ("category", "the category of a service"),
    ("title", "what people call a service"),
    ("why", "the reason, in words"),
    ("kept-by", "the role that can read sealed terms"),
    ("epoch", "the epoch of the key under which the digests were made"),
    ("digests", "keyed digests of sealed terms, in hexadecimal digits"),
];

/// Keys of prove blocks.
pub const PROVE_KEYS: &[Word] = &[
    ("never", "a situation that must not be possible: `who contractor, status not approved, passes phi`"),
    ("always", "a situation with the least effect it must have: `signal malicious-site, at least block`"),
];

/// Keys that the caption of a rule table may hold beside its dimensions.
pub const CAPTION_KEYS: &[&str] =
    &["offer", "override", "restore", "every", "fail", "severity", "why", "because", "unless"];

/// Words that promise or prohibit, in lower case, by language. A clause that uses one needs a mode.
pub const PROMISES: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "must",
            "shall",
            "may not",
            "prohibited",
            "forbidden",
            "not permitted",
            "not allowed",
            "required to",
            "is required",
            "are required",
            "mandatory",
            "obliged",
            "banned",
            "never",
            "may only",
            "do not",
            "cannot",
            "have to",
            "has to",
            "is to be",
            "are to be",
            "nobody may",
            "no one may",
            "in no case",
            "under no circumstances",
            "refrain from",
        ],
    ),
    (
        "de",
        &[
            "muss",
            "müssen",
            "darf nicht",
            "dürfen nicht",
            "darf kein",
            "dürfen kein",
            "darf nur",
            "dürfen nur",
            "verboten",
            "untersagt",
            "verpflichtet",
            "unzulässig",
            "nicht erlaubt",
            "nicht gestattet",
            "niemals",
            "keinesfalls",
            "auf keinen fall",
            "unter keinen umständen",
        ],
    ),
    (
        "fr",
        &[
            "doit",
            "doivent",
            "devez",
            "ne peut pas",
            "ne peuvent pas",
            "interdit",
            "interdite",
            "interdits",
            "interdites",
            "obligatoire",
            "est tenu",
            "sont tenus",
            "jamais",
            "défendu",
            "en aucun cas",
        ],
    ),
    (
        "es",
        &[
            "debe",
            "deben",
            "no puede",
            "no pueden",
            "no podrá",
            "no podrán",
            "prohibido",
            "prohibida",
            "prohibidos",
            "prohibidas",
            "obligatorio",
            "obligatoria",
            "nunca",
            "queda prohibido",
            "en ningún caso",
            "tiene que",
            "tienen que",
        ],
    ),
];

/// Whether the front matter has this key.
pub(crate) fn is_front_key(key: &str) -> bool {
    FRONT_KEYS.iter().any(|(name, _)| *name == key)
}

/// Whether a define block has this key.
pub(crate) fn is_define_key(key: &str) -> bool {
    DEFINE_KEYS.iter().any(|(name, _)| *name == key)
}

/// Whether a rule has this key.
pub(crate) fn is_rule_key(key: &str) -> bool {
    RULE_KEYS.iter().any(|(name, _)| *name == key) || Dimension::named(key).is_some()
}

/// The first words in `prose` that promise in `language`, with their place in bytes: whole words, without case, any
/// white space between them.
pub(crate) fn promise(prose: &str, language: &str) -> Option<(usize, usize)> {
    let main = language.split('-').next().unwrap_or_default();
    let (_, promises) = PROMISES.iter().find(|(tag, _)| *tag == main)?;
    let said = said_words(prose);
    let found = promises.iter().filter_map(|promise| {
        let wanted: Vec<&str> = promise.split(' ').collect();
        let run = said.windows(wanted.len()).find(|run| run.iter().map(|(.., word)| word).eq(wanted.iter()))?;
        Some((run.first()?.0, run.last()?.1))
    });
    found.min()
}

/// Words for clauses of this document, by language; then words that may also mean a part of a law.
const CLAUSE_WORDS: &[(&str, &[&str], &[&str])] = &[
    ("en", &["clause", "clauses"], &["section", "sections"]),
    ("de", &["klausel", "klauseln", "ziffer", "ziffern"], &["abschnitt", "abschnitte", "abschnitten"]),
    ("fr", &["clause", "clauses"], &["section", "sections", "point", "points"]),
    ("es", &["cláusula", "cláusulas"], &["sección", "secciones", "apartado", "apartados"]),
];

/// Words between two numbers of clauses, in the languages of [`PROMISES`].
pub(crate) const JOINTS: &[&str] = &["and", "or", "to", "und", "oder", "bis", "et", "ou", "à", "y", "o", "a"];

/// Words after a number that say whose it is.
pub(crate) const OF: &[&str] = &["of", "des", "der", "du", "de", "del"];

/// Whether a word in lower case announces numbers of clauses: `Some(true)` where it means nothing else.
pub(crate) fn refers_to_clauses(word: &str, language: &str) -> Option<bool> {
    let main = language.split('-').next().unwrap_or_default();
    let (_, own, shared) = CLAUSE_WORDS.iter().find(|(tag, ..)| *tag == main)?;
    if own.contains(&word) { Some(true) } else { shared.contains(&word).then_some(false) }
}

/// The words of a text in lower case, with their places.
pub(crate) fn said_words(prose: &str) -> Vec<(usize, usize, String)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in prose.char_indices().chain([(prose.len(), ' ')]) {
        match (start, c.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push((from, at, prose.get(from..at).unwrap_or_default().to_lowercase()));
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// The known word that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Distances are quadratic in the length; a name is short.
    if word.chars().count() > NAME_CHARS_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    let near = |known: &'a str| {
        // A word can only be near if it is about as long; that is cheap to see.
        if known.len() > word.len().saturating_mul(4) || known.len() + 4 * allowed < word.len() {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&word, known);
        let prefix = known.len() > word.len() && word.len() >= 4 && known.starts_with(word.as_str());
        // Of two that are equally near, the one that starts like the word.
        (distance <= allowed || prefix).then_some((distance, !known.starts_with(word.as_str()), known))
    };
    known.into_iter().take(NEAREST_MAX).filter_map(near).min().map(|(.., known)| known)
}

/// How many known words are compared with one that is not.
const NEAREST_MAX: usize = 2_000;

/// The longest name of a class, clause, group or service, in characters.
pub const NAME_CHARS_MAX: usize = 80;

/// Whether `name` is of the form of an id: lower-case letters, digits and single hyphens or dots inside.
pub(crate) fn is_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.len() <= NAME_CHARS_MAX && name.split(['-', '.']).all(part)
}

/// Names that stand outside of the document, to tell a misspelt one from a known one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Names {
    /// Ids of the catalog's services. Empty: any id is accepted.
    pub services: BTreeSet<Term>,
    /// Plans of the catalog. Empty: any id is accepted.
    pub tiers: BTreeSet<Term>,
}

/// What the names of one document mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Classes, shipped and own.
    pub classes: BTreeMap<Term, ClassDefinition>,
    /// Groups of classes with their members.
    pub class_groups: BTreeMap<Term, Vec<Term>>,
    /// Groups of the directory that the document names.
    pub groups: BTreeSet<Term>,
    /// Regions that the document names.
    pub regions: BTreeSet<Term>,
    /// Legal entities that the document names. Empty: any id is accepted.
    pub entities: BTreeSet<Term>,
    /// Services of the organisation that the document names.
    pub services: BTreeSet<Term>,
    /// Owners by role and roles that the document names.
    pub roles: BTreeSet<Term>,
    /// Names from outside.
    pub names: Names,
}

impl Vocabulary {
    /// The shipped classes and groups, and names from outside.
    pub fn new(names: Names) -> Self {
        let members = |members: &[&'static str]| members.iter().map(|name| Term::fixed(name)).collect();
        Self {
            classes: CLASSES.iter().map(|spec| (Term::fixed(spec.name), ClassDefinition::from(spec))).collect(),
            class_groups: CLASS_GROUPS.iter().map(|(name, list)| (Term::fixed(name), members(list))).collect(),
            groups: BTreeSet::new(),
            regions: BTreeSet::new(),
            entities: BTreeSet::new(),
            services: BTreeSet::new(),
            roles: BTreeSet::new(),
            names,
        }
    }

    /// The sets of names that an open dimension knows; `None` if it accepts any.
    fn known(&self, dimension: Dimension) -> Option<[&BTreeSet<Term>; 2]> {
        match dimension {
            Dimension::Group => Some([&self.groups, &NO_NAMES]),
            Dimension::PersonRegion | Dimension::ServiceRegion => Some([&self.regions, &NO_NAMES]),
            Dimension::Entity if !self.entities.is_empty() => Some([&self.entities, &NO_NAMES]),
            Dimension::Service if !self.names.services.is_empty() => Some([&self.names.services, &self.services]),
            Dimension::Tier if !self.names.tiers.is_empty() => Some([&self.names.tiers, &NO_NAMES]),
            _ => None,
        }
    }

    /// Whether a name may stand on an open dimension.
    pub(crate) fn knows(&self, dimension: Dimension, name: &str) -> bool {
        self.known(dimension).is_none_or(|sets| sets.iter().any(|set| set.contains(name)))
    }

    /// The names that an open dimension knows.
    pub(crate) fn names_on(&self, dimension: Dimension) -> impl Iterator<Item = &str> {
        self.known(dimension).into_iter().flatten().flatten().map(Term::as_str)
    }

    /// All words that a `data` key accepts.
    pub(crate) fn data_words(&self) -> impl Iterator<Item = &str> {
        let classes = self.classes.keys().chain(self.class_groups.keys()).map(Term::as_str);
        classes.chain(["plain", "any"])
    }
}

static NO_NAMES: BTreeSet<Term> = BTreeSet::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["financial", "phi", "pii", "payment"];
        assert_eq!(nearest("finanical", known), Some("financial"));
        assert_eq!(nearest("PHI", known), Some("phi"));
        assert_eq!(nearest("fin", known), None);
        assert_eq!(nearest("finan", known), Some("financial"));
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }

    #[test]
    fn promises_are_whole_words_in_the_language_of_the_prose() {
        let prose = "This trust shallow text\nmay  not promise.";
        assert_eq!(promise(prose, "en").and_then(|(a, b)| prose.get(a..b)), Some("may  not"));
        assert_eq!(promise("Das darf nicht sein", "de-AT"), Some((4, 14)));
        assert_eq!(promise("mustard", "en"), None);
        assert_eq!(promise("must", "tlh"), None);
    }

    #[test]
    fn no_word_stands_twice_in_a_table() {
        for table in [BLOCKS, RULE_KEYS, FRONT_KEYS, DEFINE_KEYS, PROVE_KEYS] {
            let names: BTreeSet<_> = table.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), table.len());
        }
        assert!(RULE_KEYS.iter().all(|(name, _)| Dimension::named(name).is_none()));
    }
}
