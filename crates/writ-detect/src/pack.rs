//! A pack: all detectors, compiled once, immutable, shared.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::{Anchored, MatchKind, StartKind, dfa};
use regex_automata::meta;
use regex_automata::util::syntax;
use writ_base::ContentHash;
use writ_model::Finding;

use crate::automaton::{Anchor, View};
use crate::context::Words;
use crate::limits;
use crate::scanner::{Core, Scanner};
use crate::spec::{Boundary, Definition, DetectorFile, DetectorSpec, Harmless, PackError, Trigger};
use crate::validate::{self, Validator};

/// The detector files that ship, in the order of their names in `catalog/detectors`.
pub const BUILTIN_FILES: &[&str] = &[
    include_str!("../../../catalog/detectors/contact.toml"),
    include_str!("../../../catalog/detectors/generic-secrets.toml"),
    include_str!("../../../catalog/detectors/health.toml"),
    include_str!("../../../catalog/detectors/identity.toml"),
    include_str!("../../../catalog/detectors/network.toml"),
    include_str!("../../../catalog/detectors/payment.toml"),
    include_str!("../../../catalog/detectors/provider-tokens.toml"),
    include_str!("../../../catalog/detectors/words.toml"),
];

/// All detectors, compiled once; cheap to clone, shared by all scanners.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(crate) inner: Arc<Inner>,
}

/// The compiled form.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) detectors: Arc<Vec<Detector>>,
    pub(crate) words: Arc<Words>,
    pub(crate) numbers: Arc<Anchor>,
    /// The detectors behind the patterns of `numbers`.
    pub(crate) number_detectors: Vec<usize>,
    pub(crate) keywords: dfa::DFA,
    pub(crate) keyword_start: StateID,
    /// What each keyword calls, by its index in the automaton.
    pub(crate) calls: Vec<Call>,
    /// How many bytes of a keyword lie behind each state that is inside one.
    pub(crate) depths: BTreeMap<StateID, usize>,
    pub(crate) classes: Vec<Class>,
    pub(crate) harmless: Quiet,
    hash: ContentHash,
}

/// A detector with its automata.
#[derive(Debug)]
pub(crate) struct Detector {
    pub(crate) spec: DetectorSpec,
    pub(crate) lead: Option<Anchor>,
    pub(crate) pattern: Option<Anchor>,
    pub(crate) after: Option<Anchor>,
    pub(crate) validator: Option<Validator>,
    pub(crate) context: u64,
    pub(crate) negative: u64,
}

/// What a keyword calls.
#[derive(Debug, Default, Clone)]
pub(crate) struct Call {
    pub(crate) length: usize,
    pub(crate) detectors: Vec<usize>,
    /// Classes of definitions of which it is a word.
    pub(crate) classes: Vec<usize>,
    /// Whether some detector takes it inside a longer name.
    pub(crate) inside: bool,
}

/// An organisation's class.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) definition: Definition,
    pub(crate) data_type: writ_model::Term,
    pub(crate) detector: writ_model::Term,
    pub(crate) expressions: Vec<meta::Regex>,
}

/// What an organisation declared harmless.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    values: std::collections::BTreeSet<String>,
    patterns: Vec<meta::Regex>,
}

impl Quiet {
    /// Whether the value was declared harmless.
    pub(crate) fn covers(&self, value: &[u8]) -> bool {
        if self.values.is_empty() && self.patterns.is_empty() {
            return false;
        }
        let lower = String::from_utf8_lossy(value).to_ascii_lowercase();
        self.values.contains(&lower)
            || self
                .patterns
                .iter()
                .any(|pattern| pattern.find(value).is_some_and(|found| found.range() == (0..value.len())))
    }
}

impl Pack {
    /// The pack that ships. It is compiled at the first call and shared from then on.
    ///
    /// # Panics
    /// If the embedded files do not compile, which a test of this crate excludes: a pack without detectors must not
    /// pass for one.
    #[expect(clippy::panic, reason = "embedded data that a test compiles; silence would be the worse failure")]
    pub fn builtin() -> Self {
        static BUILTIN: OnceLock<Pack> = OnceLock::new();
        let build = || match Self::from_files(BUILTIN_FILES, &[], &Harmless::default()) {
            Ok(pack) => pack,
            Err(error) => panic!("embedded detectors: {error}"),
        };
        BUILTIN.get_or_init(build).clone()
    }

    /// The pack that ships together with an organisation's own classes and harmless values.
    ///
    /// # Errors
    /// If a word or expression cannot be searched for, or there are too many.
    pub fn with_definitions(definitions: &[Definition], harmless: &Harmless) -> Result<Self, PackError> {
        let builtin = Self::builtin();
        let base = &builtin.inner;
        assemble(base.detectors.clone(), base.words.clone(), base.numbers.clone(), definitions, harmless)
    }

    /// A pack from detector files (TOML), an organisation's own classes and harmless values.
    ///
    /// # Errors
    /// If a file is not understood, a detector contradicts itself or an expression cannot be compiled.
    pub fn from_files(files: &[&str], definitions: &[Definition], harmless: &Harmless) -> Result<Self, PackError> {
        let mut specs = Vec::new();
        let mut lists = BTreeMap::new();
        for (index, text) in files.iter().enumerate() {
            let file: DetectorFile = toml::from_str(text).map_err(|error| PackError::File {
                file: index + 1,
                reason: error.to_string().trim_end().to_owned(),
            })?;
            specs.extend(file.detector);
            lists.extend(file.words);
        }
        let count = lists.len();
        let words =
            Words::new(&lists).ok_or(PackError::TooMany { what: "lists of context words", count, limit: 64 })?;
        let detectors = specs.into_iter().map(|spec| Detector::new(spec, &words)).collect::<Result<Vec<_>, _>>()?;
        let patterns: Vec<&str> =
            number_detectors(&detectors).map(|(_, detector)| detector.spec.pattern.as_str()).collect();
        let numbers = Anchor::new(&patterns)
            .map_err(|reason| PackError::Detector { detector: "number patterns".into(), reason })?;
        assemble(Arc::new(detectors), Arc::new(words), Arc::new(numbers), definitions, harmless)
    }

    /// The hash of everything that decides what is found: detector files, definitions, harmless values.
    pub fn hash(&self) -> ContentHash {
        self.inner.hash
    }

    /// The detectors, in the order of their files.
    pub fn detectors(&self) -> impl Iterator<Item = &DetectorSpec> {
        self.inner.detectors.iter().map(|detector| &detector.spec)
    }

    /// Bytes of memory that the compiled form takes, about.
    pub fn memory(&self) -> usize {
        let anchors = |detector: &Detector| {
            [&detector.lead, &detector.pattern, &detector.after]
                .into_iter()
                .flatten()
                .map(Anchor::memory)
                .sum::<usize>()
        };
        self.inner.keywords.memory_usage()
            + self.inner.numbers.memory()
            + self.inner.detectors.iter().map(anchors).sum::<usize>()
    }

    /// All findings in a text, sorted by span; `key` is the key of [`Finding::value`].
    pub fn scan(&self, text: &str, key: &[u8; 32]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut core = Core::new(self.clone(), key);
        core.advance(&View { bytes: text.as_bytes(), base: 0, last: true }, &mut findings);
        crate::redact::sort(&mut findings);
        findings
    }

    /// A scanner for one stream; `key` is the key of [`Finding::value`].
    pub fn scanner(&self, key: &[u8; 32]) -> Scanner {
        Scanner::new(self.clone(), key)
    }
}

impl Detector {
    fn new(spec: DetectorSpec, words: &Words) -> Result<Self, PackError> {
        let fail = |reason: String| PackError::Detector { detector: spec.id.clone(), reason };
        let compile = |pattern: &Option<String>| {
            pattern.as_deref().map(|pattern| Anchor::new(&[pattern])).transpose().map_err(&fail)
        };
        let list = |name: &Option<writ_model::Term>| match name {
            Some(name) => words.bit(name).ok_or_else(|| fail(format!("no list of words is called `{name}`"))),
            None => Ok(0),
        };
        let validator = match &spec.validator {
            Some(name) => Some(validate::named(name).ok_or_else(|| fail(format!("no validator is called `{name}`")))?),
            None => None,
        };
        let needs_keywords = !matches!(spec.trigger, Trigger::Number);
        if needs_keywords == spec.keywords.is_empty() {
            return Err(fail("keywords and trigger do not fit".to_owned()));
        }
        if spec.context_before + limits::LOCAL_PART_BYTES.value() + 8 > limits::LOOK_BACK_BYTES.value() {
            return Err(fail("context-before is longer than the text that is kept".to_owned()));
        }
        let own_pattern = matches!(spec.trigger, Trigger::Keyword | Trigger::Email | Trigger::Armour);
        Ok(Self {
            lead: compile(&spec.lead)?,
            pattern: if own_pattern { compile(&Some(spec.pattern.clone()))? } else { None },
            after: compile(&spec.after)?,
            validator,
            context: list(&spec.context)?,
            negative: list(&spec.negative)?,
            spec,
        })
    }
}

fn number_detectors(detectors: &[Detector]) -> impl Iterator<Item = (usize, &Detector)> {
    detectors.iter().enumerate().filter(|(_, detector)| detector.spec.trigger == Trigger::Number)
}

fn assemble(
    detectors: Arc<Vec<Detector>>,
    words: Arc<Words>,
    numbers: Arc<Anchor>,
    definitions: &[Definition],
    harmless: &Harmless,
) -> Result<Pack, PackError> {
    let entries = definitions.iter().map(|class| class.words.len() + class.expressions.len()).sum::<usize>()
        + harmless.values.len()
        + harmless.patterns.len();
    if !limits::DEFINITION_ENTRIES.admits(entries) {
        let limit = limits::DEFINITION_ENTRIES.value();
        return Err(PackError::TooMany { what: "words and expressions", count: entries, limit });
    }
    let calls = calls(&detectors, definitions)?;
    let keywords = dfa::DFA::builder()
        .match_kind(MatchKind::Standard)
        .start_kind(StartKind::Unanchored)
        .ascii_case_insensitive(true)
        .prefilter(false)
        .build(calls.keys())
        .map_err(|error| PackError::Detector { detector: "keywords".into(), reason: error.to_string() })?;
    let keyword_start = keywords
        .start_state(Anchored::No)
        .map_err(|error| PackError::Detector { detector: "keywords".into(), reason: error.to_string() })?;
    let classes = definitions.iter().map(Class::new).collect::<Result<Vec<_>, _>>()?;
    let inner = Inner {
        depths: depths(&keywords, keyword_start, calls.keys()),
        number_detectors: number_detectors(&detectors).map(|(index, _)| index).collect(),
        hash: hash(&detectors, definitions, harmless),
        detectors,
        words,
        numbers,
        keywords,
        keyword_start,
        calls: calls.into_values().collect(),
        classes,
        harmless: Quiet {
            values: harmless.values.iter().map(|value| value.to_ascii_lowercase()).collect(),
            patterns: expressions(&"harmless".into(), &harmless.patterns)?,
        },
    };
    Ok(Pack { inner: Arc::new(inner) })
}

/// All keywords of detectors and definitions, lower case, with what they call.
fn calls(detectors: &[Detector], definitions: &[Definition]) -> Result<BTreeMap<String, Call>, PackError> {
    let mut calls: BTreeMap<String, Call> = BTreeMap::new();
    for (index, detector) in detectors.iter().enumerate() {
        for keyword in &detector.spec.keywords {
            let call = calls.entry(keyword.to_ascii_lowercase()).or_default();
            call.detectors.push(index);
            call.inside |= detector.spec.boundary == Boundary::Any;
        }
    }
    for (index, definition) in definitions.iter().enumerate() {
        for (position, word) in definition.words.iter().enumerate() {
            let word = word.trim();
            let reject = |reason| PackError::Word { class: definition.class.clone(), index: position + 1, reason };
            if word.is_empty() {
                return Err(reject("empty"));
            }
            if !limits::DEFINITION_WORD_BYTES.admits(word.len()) {
                return Err(reject("too long"));
            }
            let call = calls.entry(word.to_ascii_lowercase()).or_default();
            if !call.classes.contains(&index) {
                call.classes.push(index);
            }
        }
    }
    calls.iter_mut().for_each(|(keyword, call)| call.length = keyword.len());
    Ok(calls)
}

/// How deep in a keyword each state is: so much of the text before it can still become one.
fn depths<'k>(dfa: &dfa::DFA, start: StateID, keywords: impl Iterator<Item = &'k String>) -> BTreeMap<StateID, usize> {
    let mut depths = BTreeMap::new();
    for keyword in keywords {
        let mut state = start;
        for (index, byte) in keyword.bytes().enumerate() {
            state = dfa.next_state(Anchored::No, state, byte);
            if index + 1 < keyword.len() {
                depths.insert(state, index + 1);
            }
        }
    }
    depths
}

impl Class {
    fn new(definition: &Definition) -> Result<Self, PackError> {
        let upper = definition.class.to_ascii_uppercase().replace('-', "_");
        Ok(Self {
            data_type: upper.into(),
            detector: format!("define-{}", definition.class).into(),
            expressions: expressions(&definition.class, &definition.expressions)?,
            definition: definition.clone(),
        })
    }
}

fn expressions(owner: &writ_model::Term, patterns: &[String]) -> Result<Vec<meta::Regex>, PackError> {
    let compile = |(index, pattern): (usize, &String)| {
        let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(limits::EXPRESSION_BYTES.value()));
        let fail = |reason: String| PackError::Expression { owner: owner.clone(), index: index + 1, reason };
        let regex = meta::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(pattern)
            .map_err(|error| fail(expression_error(&error)))?;
        if regex.is_match(b"") { Err(fail("matches nothing at all".to_owned())) } else { Ok(regex) }
    };
    patterns.iter().enumerate().map(compile).collect()
}

/// The reason without the expression itself, which may be confidential.
fn expression_error(error: &meta::BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("needs more than {limit} bytes when compiled"),
        None => match error.syntax_error() {
            Some(regex_syntax::Error::Parse(error)) => error.kind().to_string(),
            Some(regex_syntax::Error::Translate(error)) => error.kind().to_string(),
            _ => "cannot be compiled".to_owned(),
        },
    }
}

fn hash(detectors: &[Detector], definitions: &[Definition], harmless: &Harmless) -> ContentHash {
    let mut parts: Vec<String> = vec![env!("CARGO_PKG_VERSION").to_owned()];
    parts.extend(detectors.iter().map(|detector| format!("{:?}", detector.spec)));
    parts.extend(definitions.iter().map(|definition| format!("{definition:?}")));
    parts.push(format!("{harmless:?}"));
    ContentHash::of_parts(parts.iter().map(String::as_bytes))
}
