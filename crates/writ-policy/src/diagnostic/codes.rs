//! The kinds of diagnostics, in one table: names, whether the policy can run, what each means.

use super::Gravity;

macro_rules! codes {
    ($($variant:ident = $name:literal $gravity:ident: $doc:literal;)+) => {
        /// The kind of a diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $variant,)+
        }

        impl Code {
            /// All codes, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, which never changes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether a policy with such a diagnostic can run.
            pub const fn gravity(self) -> Gravity {
                match self { $(Self::$variant => Gravity::$gravity),+ }
            }

            /// What it means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

codes! {
    AnyExampleComplies = "any-example-complies" Warning: "a `complies` that would pass with any text, because the rule cannot apply in its situation";
    AssertionFails = "assertion-fails" Error: "an assertion of a `prove` block that the policy does not meet";
    CaptionWithoutTable = "caption-without-table" Error: "a caption `Rule table:` that does not follow a table";
    ClauseWithoutMode = "clause-without-mode" Warning: "a clause that no rule, control or stated mode makes true";
    ContradictoryControl = "contradictory-control" Error: "a control that cannot be carried out as it says, or that another one contradicts";
    ContradictoryRule = "contradictory-rule" Error: "keys of one rule that cannot stand together";
    DanglingReference = "dangling-reference" Warning: "a text that refers to a clause which the document does not have";
    DeadRule = "dead-rule" Warning: "a rule without which no effect and no redaction would change";
    DuplicateKey = "duplicate-key" Error: "a key that stands twice in one block";
    DuplicateName = "duplicate-name" Error: "a clause id or a defined term that is given twice";
    DuplicateValue = "duplicate-value" Warning: "a value that is listed twice, or that another one already contains";
    ExampleContradictsRule = "example-contradicts-rule" Error: "an example that its rule does not treat as it claims";
    ExceptionTooLong = "exception-too-long" Warning: "an exception that lasts longer than the policy says one may";
    Gap = "gap" Error: "situations that only the posture decides, in a document that says `gaps: refused`";
    HiddenText = "hidden-text" Error: "HTML, comments, link definitions, invisible or control characters: what is signed and what runs are the same characters";
    IdleUnless = "idle-unless" Warning: "an `unless` that never meets its rule";
    IncompleteTable = "incomplete-table" Warning: "a rule table that leaves out values of a dimension which nothing else decides, or only in part";
    InvalidValue = "invalid-value" Error: "a value that does not have the form its key asks for";
    LadderGap = "ladder-gap" Warning: "a ladder with steps that nothing leads to, or on which a graver breach starts lower";
    Limit = "limit" Error: "more than a policy may hold";
    MalformedBlock = "malformed-block" Error: "a line of a block that is not `key: terms`, or a block that is not closed";
    MalformedHeading = "malformed-heading" Error: "a heading whose id cannot be read, or that is underlined instead of marked with `#`";
    MalformedTable = "malformed-table" Error: "a rule table with a missing or superfluous cell, or a caption that does not name its two dimensions";
    MissingFrontMatter = "missing-front-matter" Error: "a text without front matter; `writ: 1` names the version of the language";
    MissingKey = "missing-key" Error: "a block without a key that it needs";
    ModeMismatch = "mode-mismatch" Error: "a clause that states a mode which nothing in it makes true";
    NoSpansToRedact = "no-spans-to-redact" Error: "a redaction without a class to redact";
    NotIncluded = "not-included" Error: "an included file that could not be had, or that was not put in";
    NotProved = "not-proved" Note: "a policy whose diagrams would grow over a limit: it runs, and what is said of all its situations is not complete";
    NotSearched = "not-searched" Note: "terms that the document keeps, but that this version does not search for";
    OpaqueUndecided = "opaque-undecided" Warning: "kinds of content without a reader that no rule decides";
    OverruledAllow = "overruled-allow" Warning: "a rule that calls something acceptable where a stricter clause always decides";
    OverruledCell = "overruled-cell" Warning: "a cell of a rule table that says less than what always applies there";
    ProcessMissing = "process-missing" Warning: "a rule that leads to a process which no control describes";
    PromiseWithoutMode = "promise-without-mode" Warning: "prose that promises in a clause that no rule, control or stated mode makes true";
    RefusedHere = "refused-here" Error: "a key or value that is refused in this place, because it would mean something else than it seems to";
    RetentionTooShort = "retention-too-short" Warning: "records that are deleted before a control has looked at them";
    RuleInTranslation = "rule-in-translation" Error: "a language version that holds more than prose: tables and rules come from the version that prevails";
    TableDoesNotRun = "table-does-not-run" Warning: "a table full of effects without a caption: it is printed, but does not run";
    TranslationAlone = "translation-alone" Error: "a language version that was given as if it were the version that prevails";
    TranslationExtra = "translation-extra" Error: "a clause of a language version that the version that prevails does not have";
    TranslationMismatch = "translation-mismatch" Error: "a language version of another document";
    TranslationMissing = "translation-missing" Warning: "a clause that a language version does not have";
    TranslationStale = "translation-stale" Warning: "a clause that changed after it was translated, or whose translation nobody confirmed";
    UndefinedName = "undefined-name" Error: "a class, group, region or service that nothing defines";
    UndefinedSource = "undefined-source" Warning: "an id under `because` that the document does not explain";
    UnknownKey = "unknown-key" Error: "a key that this kind of block does not have";
    UnknownKind = "unknown-kind" Error: "a block or control of an unknown kind";
    UnknownRole = "unknown-role" Warning: "a role that is not among the owners in the front matter";
    UnknownValue = "unknown-value" Error: "a value that the dimension does not have";
    UnusedTerm = "unused-term" Warning: "a term that is defined and stands nowhere in the text";
    VacuousRule = "vacuous-rule" Warning: "a rule that no possible situation meets";
    WeakerThanBaseline = "weaker-than-baseline" Error: "situations in which a policy is less strict than the baseline that it is compared with";
    WideException = "wide-exception" Warning: "an exception that changes what is decided where its clause does not apply";
    WideUnless = "wide-unless" Warning: "an `unless` that leaves nothing of its rule";
    WrongPlace = "wrong-place" Error: "a block in a place where it would not run";
}
