//! For each kind of diagnostic an example that has it and no other, and how to mend it: the table behind the reference
//! page. A test runs every example.

use super::{Code, Problems};
use crate::document::Document;
use crate::translation::marks;

/// A kind of diagnostic, explained.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which kind.
    pub code: Code,
    /// A document that has it.
    pub example: Example,
    /// How to mend it.
    pub mend: &'static str,
}

/// A faulty document, as small as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// What stands in one clause of [`Example::document`].
    Clause(&'static str),
    /// A whole text.
    Text(&'static str),
    /// A clause that includes the file `more.md`, and that file's text; nothing: the file is not there.
    Included(&'static str, Option<&'static str>),
    /// A clause whose fault shows when its examples are run or its words are searched for.
    Run(&'static str),
    /// A clause, or a whole text, whose fault shows when all situations are asked for.
    Proved(&'static str),
    /// A clause whose fault shows beside something else: a baseline, an exception, a great many rules.
    Beside(&'static str),
    /// A clause of the version that prevails, and a language version in which `MARK-OF-ID` stands for marks.
    Translation(&'static str, &'static str),
}

impl Example {
    /// A whole document around the clause; nothing else is wrong with it.
    pub fn document(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Proved(text) if text.starts_with("---") => text.to_owned(),
            Self::Clause(body)
            | Self::Included(body, _)
            | Self::Run(body)
            | Self::Proved(body)
            | Self::Beside(body)
            | Self::Translation(body, _) => DOCUMENT.replace("BODY", body),
        }
    }

    /// The language version of the document, with the marks that the document has now.
    pub fn translation(self) -> Option<String> {
        let Self::Translation(_, text) = self else { return None };
        let source = self.document();
        let marks = marks(&Document::read(&source, &mut Problems::default()), &source);
        let marked =
            marks.iter().fold(text.to_owned(), |text, (id, mark)| text.replace(&format!("MARK-OF-{id}"), mark));
        Some(marked)
    }
}

/// A document in which nothing is wrong but what stands for `BODY`.
const DOCUMENT: &str = "---
writ: 1
language: en
owners: security: head of security, legal: general counsel
posture: employee coach, other block
situation: employee at chatgpt, identity password, action submit, status approved
---

## 1 Example {#example}

BODY

## 2 What cannot be read {#opaque}

```rule
signal: opaque
then:   block
```
";

macro_rules! entries {
    ($($code:ident, $kind:ident($($text:expr),+), $mend:literal;)+) => {
        /// All kinds, in the order of [`Code::ALL`].
        pub const ENTRIES: &[Entry] = &[$(Entry { code: Code::$code, example: Example::$kind($($text),+), mend: $mend }),+];
    };
}

entries! {
    AnyExampleComplies, Clause("```rule
who:      contractor
data:     pii
then:     block
complies:
  - \"The meeting is on Monday.\" as: employee
```"), "Leave out what `as:` says, so that the text itself decides, or move the example to the rule that it is about. A rule about signals or activities has no `complies`: examples are texts.";
    AssertionFails, Proved("```rule
data:   phi
status: not approved
then:   block
```

```prove
never: who employee, passes phi
```"), "Look at the situation that shows it, then make the rules stricter there, or state in the assertion what is meant.";
    CaptionWithoutTable, Clause("Rule table: data by status.

```rule
data: pii
then: block
```"), "Put the caption directly below its table. Each line of the table starts with `|`.";
    ClauseWithoutMode, Clause("We use AI with care."), "Add a rule or a control that makes the clause true. If nothing can, say so: `Mode: text-only. Reason: ...`";
    ContradictoryControl, Clause("```control sign-off
roles:    security, legal
quorum:   3
evidence: signatures
```"), "Change the key that the message names. A quorum is at most the number of its roles; only `note` and `lesson` may come from a system; the roles that sign are those of `quorum` in the front matter.";
    ContradictoryRule, Clause("```rule
data:     pii
then:     coach
override: legal
```"), "Leave out the key that says nothing beside the others, or change the effect.";
    DanglingReference, Clause("What clause 9.1 says is decided by this rule.

```rule
data: pii
then: block
```"), "Correct the number or id. Numbers of clauses may change, so look at all references when you move a clause.";
    DeadRule, Proved("```rule
data: pii
then: block
```

```rule
who:  contractor
data: pii
then: block
```"), "Take the rule out, or change what it asks: another rule always decides the same.";
    DuplicateKey, Clause("```rule
who:  employee
who:  agent
then: block
```"), "List all values after one key. `not` may have a second line of its own: `who: not agent`.";
    DuplicateName, Clause("```define
group: research
```

```define
group: research
```"), "Give the id or the definition once; rename the other one if both are meant.";
    DuplicateValue, Clause("```rule
data: pii, personal
then: block
```"), "Leave the value out. A group of classes stands for its members; on an ordered dimension one value is enough.";
    ExampleContradictsRule, Run("```rule
data:     payment
then:     block
violates:
  - \"How do we charge cards?\"
```"), "Read what detection found, then change the text of the example, its `as:`, or the keys of the rule.";
    ExceptionTooLong, Beside("```rule
data: pii
then: block
```"), "Grant the exception again with an earlier end. What is to stay belongs into the policy, as an `unless` or as a rule of its own.";
    Gap, Proved("---
writ: 1
language: en
posture: employee coach, other block
gaps: refused
---

## 1 Example {#example}

```rule
status: approved
then:   allow
```

## 2 What cannot be read {#opaque}

```rule
signal: opaque
then:   block
```
"), "Add a rule or a table that foresees the situations, or write `gaps: reported` in the front matter and let the posture decide.";
    HiddenText, Clause("Mode: text-only. Reason: It is <b>short</b>."), "Write it as Markdown, or remove it. Put a backslash before a `<` that is meant as such.";
    IdleUnless, Proved("```rule
who:    contractor
data:   pii
then:   block
unless:
  - who employee, device managed
```"), "Take the `unless` out, or name situations that its rule speaks about.";
    IncompleteTable, Clause("| Who      | approved | denied |
|----------|----------|--------|
| employee | allow    | block  |
| other    | block    | block  |

Rule table: who by status. Data: any."), "Add a column or row for the values that the message names, or `other` for all that the table does not list.";
    InvalidValue, Clause("```rule
data:  pii
then:  coach
every: 3 moons
```"), "Write the value in the form that the help line shows.";
    LadderGap, Clause("```control ladder
steps:    note, talk, warning
decides:  legal
minor:    note
moderate: note, talk
serious:  talk
critical: talk
window:   12 months
appeal:   14 days
evidence: reasons
```"), "Propose each step for some severity, or leave it out. Steps of one severity go up; a graver severity never starts lower.";
    Limit, Clause("```rule
data: pii
then: block
unless:
  - who agent, device managed, account corporate, channel ide
  - who agent, device managed, account corporate, channel ide
  - who agent, device managed, account corporate, channel ide
  - who agent, device managed, account corporate, channel ide
```"), "Divide what is too large. The reference page of the language lists all limits.";
    MalformedBlock, Clause("```rule
data: pii
then: block
This explains the rule.
```"), "Write `key: terms`, all keys in one column, and indent a line that continues the one above. Close the block with the fence that opened it.";
    MalformedHeading, Text("---
writ: 1
---

## 1 Example {#An Example}

Text.
"), "End the heading with `{#id}`: lower-case letters, digits and hyphens. Mark headings with `#`, not with a line below them.";
    MalformedTable, Clause("| What | approved | other |
|------|----------|-------|
| any  | allow    |

Rule table: data by status."), "Give every line as many cells as the header, and name both dimensions in the caption: `Rule table: ROWS by COLUMNS.`";
    MissingFrontMatter, Text("# Policy

Text.
"), "Start the document with a line `---`, then `writ: 1` and the other keys, then a line `---`.";
    MissingKey, Clause("```rule
data: pii
```"), "Add the key that the message names.";
    ModeMismatch, Clause("Mode: enforced."), "Leave the mode out where rules or controls stand in the clause. Where another clause makes it true, name that one: `Mode: enforced by #health.`";
    NoSpansToRedact, Clause("```rule
status: denied
then:   redact
```"), "Add a `data` key with the classes to be removed. `plain` has no span that could be removed.";
    NotIncluded, Included("```include
file: more.md
```", None), "Put the file into the folder of the document or below it, and name it from there. A file cannot stand in itself.";
    NotProved, Beside("```rule
data: pii
then: block
```"), "Nothing is wrong, and the policy runs. The message names the clause that makes the diagrams grow: give its rules fewer values that no other rule tells apart.";
    NotSearched, Run("```define
class: recipes
texts:
  - \"Our sauce needs two hours and a bay leaf.\"
```

```rule
data: recipes
then: block
```"), "Nothing is wrong. Add `words`, a `dictionary` or `expressions`, if the class shall be found before a later version searches for the rest.";
    OpaqueUndecided, Text("---
writ: 1
---

## 1 Example {#example}

```rule
signal: opaque (image)
then:   block
```
"), "Add a rule or a table that decides each kind of content that has no reader: `signal: opaque` means all kinds.";
    OverruledAllow, Proved("```rule
data: pii
then: block
```

```rule
data:   pii
status: approved
then:   allow
```"), "Take the rule out, or narrow the stricter clause so that what is called acceptable can pass.";
    OverruledCell, Proved("```rule
data: pii
then: block
```

| What is in it | approved | other |
|---------------|----------|-------|
| plain         | allow    | coach |
| pii           | coach    | block |
| other         | allow    | block |

Rule table: data by status."), "Write into the cell what always applies there, or narrow the stricter clause.";
    ProcessMissing, Clause("```rule
data:  pii
then:  block
offer: ask-exception
```"), "Add a clause with the control that the help line names, or leave the offer out.";
    PromiseWithoutMode, Clause("Client names must not leave."), "Add a rule or a control that makes the promise true. If nothing can, say so: `Mode: text-only. Reason: ...`";
    RefusedHere, Clause("```rule
level: unstated
then:  block
```"), "Say what is meant in the words of the help line; the refused words would mean something else than they seem to.";
    RetentionTooShort, Clause("```control monitoring-notice
owner:     legal
purpose:   protection of data
records:   time, clause
content:   none
readers:   privacy officer
retention: 30 days personal, 6 months evidence
evidence:  register
```

```control review
subject:   controls
owner:     security
every:     12 months
evidence:  report
```"), "Keep records at least as long as the control that the message names looks back, or let it look back on less.";
    RuleInTranslation, Translation("```rule
data: contact
then: block
```", "---
writ: 1
language: de
prevails: en
translated:
  - example MARK-OF-example
  - opaque MARK-OF-opaque
---

## 1 Beispiel {#example}

Angaben über Personen bleiben hier.

```rule
data: contact
then: block
```

## 2 Was nicht gelesen werden kann {#opaque}

Das wird nicht gesendet.
"), "Remove the block or table from the language version. Where one is printed in that language, it is made from the version that prevails.";
    TableDoesNotRun, Clause("| What | approved |
|------|----------|
| pii  | block    |

```rule
data: pii
then: block
```"), "Add a caption below the table: `Rule table: data by status.`";
    TranslationAlone, Text("---
writ: 1
language: de
prevails: en
---

## 1 Beispiel {#example}

Keine Angaben über Kunden.
"), "Give the version that prevails, and this one beside it: `writ policy check policy.md --translation policy.de.md`.";
    TranslationExtra, Translation("```rule
data: contact
then: block
```", "---
writ: 1
language: de
prevails: en
translated:
  - example MARK-OF-example
  - opaque MARK-OF-opaque
---

## 1 Beispiel {#example}

Angaben über Personen bleiben hier.

## 2 Was nicht gelesen werden kann {#opaque}

Das wird nicht gesendet.

## 3 Mehr {#more}

Dies steht nur hier.
"), "Remove the clause, or add it to the version that prevails first.";
    TranslationMismatch, Translation("```rule
data: contact
then: block
```", "---
writ: 1
language: de
prevails: fr
translated:
  - example MARK-OF-example
  - opaque MARK-OF-opaque
---

## 1 Beispiel {#example}

Angaben über Personen bleiben hier.

## 2 Was nicht gelesen werden kann {#opaque}

Das wird nicht gesendet.
"), "Let `prevails` name the language of the version that prevails.";
    TranslationMissing, Translation("```rule
data: contact
then: block
```", "---
writ: 1
language: de
prevails: en
translated:
  - example MARK-OF-example
---

## 1 Beispiel {#example}

Angaben über Personen bleiben hier.
"), "Translate the clause.";
    TranslationStale, Translation("```rule
data: contact
then: block
```", "---
writ: 1
language: de
prevails: en
translated:
  - example 0123456789abcdef
  - opaque MARK-OF-opaque
---

## 1 Beispiel {#example}

Angaben über Personen bleiben hier.

## 2 Was nicht gelesen werden kann {#opaque}

Das wird nicht gesendet.
"), "Compare the translation with the text as it is now, then confirm it: `writ policy translate policy.md --confirm policy.de.md CLAUSE`.";
    UndefinedName, Clause("```rule
group: research
then:  block
```"), "Correct the name, or define it: `define` with `group: research`.";
    UndefinedSource, Clause("```rule
data:    pii
then:    block
because: gdpr-33
```"), "Put the id into the first column of a table of sources, or define it: `define` with `source: gdpr-33` and `means: ...`.";
    UnknownKey, Clause("```rule
dtaa: pii
then: block
```"), "Correct the key. The reference page of the language lists the keys of each block.";
    UnknownKind, Clause("```control trainning
evidence: records
```"), "Correct the word after the fence, or after `control`.";
    UnknownRole, Clause("```rule
data:     pii
then:     block
override: privacy
```"), "Add the role to `owners` in the front matter, or to `roles` in a define block.";
    UnknownValue, Clause("```rule
status: in-reveiw
then:   block
```"), "Correct the value. The reference page of the language lists the values of each dimension.";
    UnusedTerm, Clause("```define
term:  sandbox
means: a place to try code
```"), "Use the term in the text, or leave the definition out.";
    VacuousRule, Proved("```rule
service:  chatgpt
category: meeting-notes
then:     block
```"), "Correct the keys: no situation has these values together.";
    WeakerThanBaseline, Beside("```rule
data:   pii
status: not approved
then:   block
```"), "Make the rules as strict as the baseline where the message says, or agree with its owner on another baseline.";
    WideException, Beside("```rule
data: pii
then: block
```"), "Write the exception again with a situation inside that of its clause.";
    WideUnless, Proved("```rule
who:    contractor
data:   pii
then:   block
unless:
  - who contractor
```"), "Narrow the `unless`, or take the rule out if nothing of it shall be left.";
    WrongPlace, Text("---
writ: 1
owners: lead: head of a team
---

# Title

```control review
subject:  this policy
owner:    lead
every:    12 months
evidence: minutes
```
"), "Move it to where it would run: rules and controls stand in a clause, each block starts on a line of its own.";
}
