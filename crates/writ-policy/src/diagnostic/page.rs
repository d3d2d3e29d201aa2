//! The page `docs/reference/diagnostics.md`.

use std::fmt::Write as _;

use super::{Code, ENTRIES, Example};

const INTRODUCTION: &str = "# Diagnostics: reference

This page is made from the table of diagnostics in `crates/writ-policy`; do not edit it. `cargo xtask codegen` writes it
again. A test runs every example: it has the diagnostic that it stands for, and no other.

`writ policy check` shows diagnostics with their place. A policy with an **error** does not run. A **warning** says that it
runs, but probably says something else than was meant. A **note** tells something worth knowing; nothing is wrong. Codes
never change.

For programs, `--json` prints an object with `diagnostics`, a list of

    code       one of the codes below
    severity   error, warning or note
    message    what is wrong
    place      file, start and end; line and column from 1, columns in characters, the end is behind the last one
    near       the known word that was probably meant, or null
    help       what to do, or null
    related    other places that matter, each with place and message
    where      the situations that it is about, as lines of keys, where the analyser found it
    witness    a situation that shows it, in words, or null

and `--sarif` prints the same as SARIF 2.1.0. New fields may be added; those above stay.

";

/// The reference page: for each kind what it means, an example, and how to mend it.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("| code | | meaning |\n|---|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} | {2} |", code.as_str(), code.gravity().as_str(), code.doc());
    }
    for entry in ENTRIES {
        let code = entry.code;
        let _ = write!(page, "\n## {}\n\n**{}**: {}.\n", code.as_str(), title(code.gravity().as_str()), code.doc());
        match entry.example {
            Example::Text(text) => fenced(&mut page, "A document:", text),
            Example::Clause(body) | Example::Run(body) | Example::Proved(body) | Example::Beside(body) => {
                fenced(&mut page, "In a clause:", body)
            }
            Example::Included(body, file) => {
                fenced(&mut page, "In a clause:", body);
                match file {
                    Some(text) => fenced(&mut page, "and in `more.md`:", text),
                    None => page.push_str("\nwhere there is no such file.\n"),
                }
            }
            Example::Translation(body, _) => {
                fenced(&mut page, "In a clause of the version that prevails:", body);
                fenced(&mut page, "and its language version:", &entry.example.translation().unwrap_or_default());
            }
        }
        let _ = write!(page, "\n{}\n", entry.mend);
    }
    page
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default() + letters.as_str()
}

/// A document shown as it is; its own fences have three backticks.
fn fenced(page: &mut String, about: &str, text: &str) {
    let _ = write!(page, "\n{about}\n\n````markdown\n{}\n````\n", text.trim_end());
}
