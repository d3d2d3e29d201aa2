//! The reference page of the language, made from the same tables that the parser reads.

use std::fmt::Write as _;

use writ_model::class::{CLASS_GROUPS, CLASSES};
use writ_model::schema::{Kind, Unknown, Values};
use writ_model::{Mode, SCHEMA};

use crate::control::schema::{self, ControlKind, KeySpec, Need};
use crate::diagnostic::Code;
use crate::document::limits;
use crate::words::{self, Word};

/// The page `docs/reference/policy-language.md`.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    table(&mut page, "Blocks", "What stands after the opening fence.", words::BLOCKS);
    table(&mut page, "Keys of the front matter", "`key: terms` between two lines `---`.", words::FRONT_KEYS);
    dimensions(&mut page);
    values(&mut page);
    classes(&mut page);
    let about = "Beside the dimensions, a `rule` block has these keys.";
    table(&mut page, "Keys of a rule", about, words::RULE_KEYS);
    captions(&mut page);
    let about = "The first key says what is defined: `class`, `class-group`, `group`, `groups`, `regions`, `entities`, \
                 `service`, `services`, `roles`, `harmless`, `projects`, `source` or `term`. `define sealed` starts with `class`.";
    table(&mut page, "Keys of a define block", about, words::DEFINE_KEYS);
    controls(&mut page);
    table(&mut page, "Assertions", "Keys of a `prove` block.", words::PROVE_KEYS);
    modes(&mut page);
    promises(&mut page);
    diagnostics(&mut page);
    bounds(&mut page);
    page
}

const INTRODUCTION: &str = "# Policy language: reference

This page is made from the tables that the parser reads; do not edit it. `cargo xtask codegen` writes it again.

A policy is one Markdown document. A heading with an id, `## 4.2 Health information {#health}`, is a clause; a heading
without one belongs to the clause above it. Blocks stand between fences of three backticks; a rule table is followed by its
caption. Front matter and blocks share one line grammar: a key, a colon, terms separated by commas, continued by indentation;
lists have items `- ...`; texts that hold commas stand in `\"quotes\"`; in blocks `#` between white space starts a comment.
It is not YAML: `no` is a word. HTML, comments, link definitions and invisible characters are errors, because what is signed
and what runs are the same characters.
";

fn heading(page: &mut String, title: &str, about: &str) {
    let _ = write!(page, "\n## {title}\n\n");
    if !about.is_empty() {
        let _ = write!(page, "{about}\n\n");
    }
}

fn table(page: &mut String, title: &str, about: &str, words: &[Word]) {
    heading(page, title, about);
    page.push_str("| word | meaning |\n|---|---|\n");
    for (word, meaning) in words {
        let _ = writeln!(page, "| `{word}` | {meaning} |");
    }
}

fn dimensions(page: &mut String) {
    let about = "What a rule may ask. In a rule that raises, an ordered dimension means *at least* the value, by risk; in \
                 a rule that foresees, *at most*. `not` before the values means none of them; on ordered dimensions \
                 exactly the values named. `unknown` as a risk: a raising key applies, a foreseeing key does not.";
    heading(page, "Dimensions", about);
    page.push_str(
        "| key | what it says | kind | settled at | `unknown` | where it does not apply |\n|---|---|---|---|---|---|\n",
    );
    for spec in SCHEMA {
        let kind = match spec.kind {
            Kind::One => "one",
            Kind::Ordered => "one, ordered",
            Kind::Set => "set",
            Kind::Classes => "classes",
            Kind::PerClass => "per class",
        };
        let unknown = match spec.unknown {
            Unknown::Absent => "",
            Unknown::Ordinary => "a value",
            Unknown::Risk => "a risk",
        };
        let absent = spec.not_applicable.map(|name| format!("`{name}`")).unwrap_or_default();
        let (key, doc, stage) = (spec.key, spec.doc, spec.stage.as_str());
        let _ = writeln!(page, "| `{key}` | {doc} | {kind} | {stage} | {unknown} | {absent} |");
    }
}

fn values(page: &mut String) {
    let about = "Ordered dimensions are listed from the least to the greatest risk. A signal without its kind, such as \
                 `opaque`, means all kinds.";
    heading(page, "Values", about);
    page.push_str("| key | value | meaning |\n|---|---|---|\n");
    for spec in SCHEMA {
        match spec.values {
            Values::Open(from) => {
                let _ = writeln!(page, "| `{}` | | {from} |", spec.key);
            }
            Values::Closed(values) => {
                for value in values {
                    let _ = writeln!(page, "| `{}` | `{}` | {} |", spec.key, value.name, value.doc);
                }
            }
        }
    }
}

fn classes(page: &mut String) {
    let about = "Values of `data` that ship, with the level of content that holds them unless the document says otherwise. \
                 `plain` is in every interaction; `any` covers every class. A class may have a count band (`one`, `few`, \
                 `bulk`) and a certainty (`likely`, `certain`): `phi (bulk, certain)`. A band counts distinct values; `few` \
                 starts at 2 and `bulk` at 10 unless a define block says otherwise.";
    heading(page, "Classes of data", about);
    page.push_str("| class | what belongs to it | level |\n|---|---|---|\n");
    for class in CLASSES {
        let _ = writeln!(page, "| `{}` | {} | {} |", class.name, class.doc, class.level);
    }
    for (name, members) in CLASS_GROUPS {
        let members: Vec<_> = members.iter().map(|member| format!("`{member}`")).collect();
        let _ = writeln!(page, "| `{name}` | group: {} | |", members.join(", "));
    }
}

fn captions(page: &mut String) {
    let about = "Directly below a table: `Rule table: data by status. Severity: moderate. Why: ...`. The first sentence names \
                 the dimensions of rows and columns; the others hold for every cell. A cell holds `allow`, `coach`, \
                 `justify`, `block` or `redact`. `other` is what the table does not list; ordered dimensions have no `other`. \
                 The caption may hold any other dimension and these keys:";
    heading(page, "Rule tables", about);
    let keys: Vec<_> = words::CAPTION_KEYS.iter().map(|key| format!("`{key}`")).collect();
    let _ = writeln!(page, "{}.", keys.join(", "));
}

fn controls(page: &mut String) {
    let about = "What no inline rule can do. The kind stands on the opening line: `control training`. Each kind has the keys \
                 of its table and these common ones:";
    heading(page, "Controls", about);
    keys(page, schema::COMMON.iter());
    for kind in ControlKind::ALL {
        let _ = write!(page, "\n### `control {}`\n\n{}.\n\n", kind.as_str(), kind.doc());
        keys(page, kind.own_keys().iter());
    }
}

fn keys<'a>(page: &mut String, keys: impl Iterator<Item = &'a KeySpec>) {
    page.push_str("| key | | value | meaning |\n|---|---|---|---|\n");
    for KeySpec { key, shape, need, doc } in keys {
        let need = match need {
            Need::Required => "required",
            Need::Optional => "",
            Need::OneOf => "one of these",
        };
        let _ = writeln!(page, "| `{key}` | {need} | {} | {doc} |", shape.words());
    }
}

fn modes(page: &mut String) {
    let about = "How a clause is made true: by its rules or controls, or as it states itself: `Mode: text-only. Reason: ...`, \
                 `Mode: enforced by #health.`";
    heading(page, "Modes", about);
    page.push_str("| mode | meaning |\n|---|---|\n");
    for mode in Mode::SPECS {
        let _ = writeln!(page, "| `{}` | {} |", mode.name, mode.doc);
    }
}

fn promises(page: &mut String) {
    let about = "Prose with one of these words needs a mode. Prose in other languages is not checked.";
    heading(page, "Words that promise", about);
    for (language, promises) in words::PROMISES {
        let promises: Vec<_> = promises.iter().map(|word| format!("\"{word}\"")).collect();
        let _ = writeln!(page, "* `{language}`: {}", promises.join(", "));
    }
}

fn diagnostics(page: &mut String) {
    heading(page, "Diagnostics", "[diagnostics.md](diagnostics.md) explains each of them, with an example.");
    let names: Vec<_> = Code::ALL.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let _ = writeln!(page, "{}.", names.join(", "));
}

fn bounds(page: &mut String) {
    heading(page, "Limits", "");
    page.push_str("| limit | at most |\n|---|---|\n");
    for limit in limits::ALL {
        let _ = writeln!(page, "| `{}` | {} {} |", limit.name(), limit.value(), limit.unit());
    }
}
