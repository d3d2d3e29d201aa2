//! The page `docs/reference/analysis.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use writ_policy::Code;

use super::entry::{self, Defect};
use super::examine::{Examined, examine, examine_text};
use super::kinds::{KINDS, Kind};
use super::{Count, clean, clean_policies, found, slips_in_mended_policies, slips_in_the_template};

const INTRODUCTION: &str = "# Analysis: what Writ finds wrong with a policy

This page is made by tests in `crates/writ-policy/tests/defects`; do not edit it. `cargo xtask codegen` writes it again.
What it counts is what these tests found, and they fail if anything is missed or reported where nothing is wrong.

A policy can be well-formed and still say something else than was meant: a rule that never applies, a permission that
another clause takes back, a promise that nobody keeps. Writ looks for fourteen kinds of such defects. Most answers are
proofs over *all* possible situations, from the same rows that enforcement reads. Where an answer speaks about a
situation, it shows one, in words, and the tests have the engine decide it again.

## How to run it

    writ policy check policy.md
    writ policy check policy.md --baseline general.md
    writ policy prove policy.md --config writ.toml --standing standing.json

`check` reads the document, runs its examples and looks for defects; `prove` adds what stands beside the document and what
enforcement needs. The same is asked each time that a policy is loaded: one with an error does not run, and the one
before it stays in force. `--json` prints all of it for programs. [diagnostics.md](diagnostics.md) explains each code.
The console shows the same in the studio, on the page *Findings*, each with a situation to try.

A proof speaks of what the policy decides by itself. A block with `override: ROLE` lets that role grant one interaction:
what people grant is outside the proof. A promise that nobody may lift belongs to rules without `override`.

## How it is tested

The corpus in `crates/writ-policy/tests/defects` has policies that are wrong in one way, as an organisation would get them
wrong, each with a mended twin that differs by as little as possible. Other defects are slips made by machine, from fixed
seeds, in the general policy that ships and in the mended twins: a line misspelt, a row cut, a rule copied below another.
The columns say:

* **seeded**: defects, from the corpus and by machine
* **found**: reported with the right code, at the right place, and in the corpus with nothing beside it
* **shown**: with a situation; the evaluator decides each as the report says. Of what a text says by itself there is none
* **false**: clean policies on which this kind was reported; CLEAN were looked at

";

const LIMITS: &str = "
## What is not found

* What the policy *means* to say. A rule that is consistent and wrong is not found; examples and `prove` blocks are for
  that.
* A rule that does what the posture would do as well is not called dead: it says why.
* In a table, a cell is called overruled if everything that it speaks about is; a single class of several in one row, or
  one of those that `other` stands for, is not.
* A directory that is absent makes rules for groups apply to more people, not to fewer, so that no rule is lost with it.
* Duties are recognised by their words, in English, German, French and Spanish. A clause that states none of them and has
  no mode is reported as `clause-without-mode`.
* Of a policy whose diagrams would grow over a limit, `not-proved` says so, and what could not be proved is left out.
";

/// The page, from running everything.
pub(super) fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("| defect | codes | seeded | found | shown | false |\n|---|---|--:|--:|--:|--:|\n");
    let (template, _) = slips_in_the_template();
    let (mended, _) = slips_in_mended_policies();
    let all: Vec<Vec<Defect>> = KINDS.iter().map(entry::read).collect();
    let clean_ones = clean_policies().len() + all.iter().map(Vec::len).sum::<usize>();
    let said_of_clean: Vec<String> = clean_policies().iter().flat_map(|(_, text)| examine_text(text).codes()).collect();
    let mut sum = Count::default();
    for (kind, defects) in KINDS.iter().zip(&all) {
        let mut count = corpus(defects);
        for more in [&template, &mended].iter().filter_map(|counts| counts.get(kind.name)) {
            count.add(more);
        }
        sum.add(&count);
        let link = kind.title.to_lowercase().replace(' ', "-");
        let _ = writeln!(
            page,
            "| [{}](#{link}) | {} | {} | {} | {} | {} |",
            kind.title,
            codes(kind),
            count.seeded,
            count.found,
            if count.shown == 0 { "–".to_owned() } else { count.shown.to_string() },
            falsely(kind, defects, &said_of_clean),
        );
    }
    let _ = writeln!(page, "| all | | {} | {} | {} | 0 |", sum.seeded, sum.found, sum.shown);
    for (kind, defects) in KINDS.iter().zip(&all) {
        section(&mut page, kind, defects);
    }
    page.push_str(LIMITS);
    page.replace("CLEAN", &clean_ones.to_string())
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.seeded += other.seeded;
        self.found += other.found;
        self.shown += other.shown;
    }
}

/// What came of the corpus.
fn corpus(defects: &[Defect]) -> Count {
    let shown = |defect: &&Defect| examine(&defect.defective()).said.iter().any(|said| said.witness.is_some());
    let found: Vec<&Defect> = defects.iter().filter(|defect| found(defect).is_ok()).collect();
    Count { seeded: defects.len(), found: found.len(), shown: found.iter().copied().filter(|it| shown(it)).count() }
}

/// Mended twins of a kind of which anything is said, and what is said of this kind about other clean policies.
fn falsely(kind: &Kind, defects: &[Defect], said_of_clean: &[String]) -> usize {
    let twins = defects.iter().filter(|defect| clean(defect).is_err()).count();
    twins + said_of_clean.iter().filter(|code| kind.codes.contains(&code.as_str())).count()
}

fn codes(kind: &Kind) -> String {
    let known: BTreeMap<&str, Code> = Code::ALL.iter().map(|code| (code.as_str(), *code)).collect();
    let name = |code: &&str| match known.contains_key(*code) {
        true => format!("[`{code}`](diagnostics.md#{code})"),
        false => (*code).replace("not-enforced", "*Enforcement*").replace("refused", "*refused*"),
    };
    kind.codes.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A kind with one of its entries.
fn section(page: &mut String, kind: &Kind, defects: &[Defect]) {
    let _ = write!(page, "\n## {}\n\n{}\n\nAsked by: {}.\n", kind.title, kind.means, kind.asked);
    let Some(defect) = defects.first() else { return };
    let wrong = if defect.wrong.is_empty() { String::new() } else { format!(" {}", defect.wrong) };
    let _ = write!(page, "\nFor example: *{}.*{wrong}\n", defect.name);
    let _ = write!(page, "\n````diff\n{}````\n", defect.policy.shown());
    for exception in &defect.exceptions {
        let _ = write!(page, "\nbeside this exception:\n\n````diff\n{}````\n", exception.shown());
    }
    if let Some(baseline) = &defect.baseline {
        let _ = write!(page, "\nbeside this baseline:\n\n````diff\n{}````\n", baseline.shown());
    }
    let _ = write!(page, "\nWrit says:\n\n```text\n{}```\n", sayings(&examine(&defect.defective())));
}

/// What is said of a policy, each with a situation.
fn sayings(examined: &Examined) -> String {
    let mut words = String::new();
    for said in &examined.said {
        let _ = writeln!(words, "{}: {}", said.code, said.message);
        // The command says what detection found in an example, and not what else is so in its situation.
        let witness = said.witness.as_ref().filter(|_| said.code != Code::ExampleContradictsRule.as_str());
        if let Some(witness) = witness {
            let _ = writeln!(words, "  for example: {witness}");
        }
    }
    words
}
