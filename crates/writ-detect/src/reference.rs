//! The reference page, generated from the detectors.

use std::fmt::Write;

use crate::pack::Pack;
use crate::spec::{Claim, DetectorSpec, Trigger};
use crate::validate::VALIDATORS;
use crate::{PLACEHOLDER_BYTES, limits};

/// What the generated page says before its tables.
const INTRODUCTION: &str = "# Detectors

Generated from `catalog/detectors` (set WRIT_UPDATE=1 and run the tests of `writ-detect` to write it again).

## Certainty

*certain*: a check digit holds, the form belongs to one issuer only, or form and context agree. *likely*: the form fits
and nothing speaks against it, or the context says so without proof. A value that its check refuses is reported only
where a word says what it is, and then as *likely*.

## Decisions

- Names, addresses for mail, telephone numbers and network addresses are `contact`: what stands in every signature and
  log. Numbers that identify a person for life, dates of birth and documents are `pii`.
- Role addresses (`support@`, `info@` ...) belong to nobody and are no findings; neither are loopback, documentation and
  resolver addresses, published social security numbers, masks and documented example keys. Test card numbers are
  findings: they pass every check that a card passes.
- A US social security number needs a word that says so, or an address or telephone number within 80 bytes; a part
  number has the same form.
- Medical record and insurance numbers are `phi` by themselves, because their label is a health context. Any other
  identifier within 160 bytes of a health word is reported a second time, with class `phi`: two health words keep its
  certainty, one makes it *likely*. Only the identifier is marked; the condition stays readable.
- A token whose provider documents a check sum is *certain* either way; the check decides overlaps.
- Source code is recognised by lines and reported in pieces of at most 4 KiB; the pieces of one block share one digest,
  so that a block counts as one value.
- Words of a definition are *certain*; they are found whole, without regard to ASCII case. Expressions match within a
  line of at most 4 KiB.
- Nothing inside a placeholder (`[TYPE-tag]`: upper-case letters and underscores, a hyphen, 6 to 32 lower-case letters
  and digits) is ever a finding, and its type is no context for what stands beside it.

## Not covered

Values behind an encoding (base64, URL escapes, zero-width or full-width characters, spaced digits), names without
title, greeting or label, street addresses, national ids other than the US social security number, passwords that look
like words.
";

/// The page: detectors by class, checks, limits.
pub fn page(pack: &Pack) -> String {
    let mut page = INTRODUCTION.to_owned();
    for class in writ_model::class::CLASSES {
        let detectors: Vec<&DetectorSpec> = pack.detectors().filter(|detector| detector.class == class.name).collect();
        if detectors.is_empty() {
            continue;
        }
        let _ = write!(
            page,
            "\n## {}\n\n| detector | type | finds | alone | with context | check |\n|---|---|---|---|---|---|\n",
            class.name
        );
        for detector in detectors {
            let _ = writeln!(page, "{}", row(detector));
        }
    }
    page.push_str("\n## source-code\n\nOne recogniser in code, `source-code` (type SOURCE_CODE).\n");
    page.push_str("\n## Checks\n\n| check | what it proves, and where that is said |\n|---|---|\n");
    for (name, source) in VALIDATORS {
        let _ = writeln!(page, "| {name} | {source} |");
    }
    page.push_str("\n## Limits\n\n| limit | value | unit |\n|---|---|---|\n");
    for limit in limits::ALL {
        let _ = writeln!(page, "| {} | {} | {} |", limit.name(), limit.value(), limit.unit());
    }
    let _ = writeln!(page, "| detect.placeholder | {PLACEHOLDER_BYTES} | bytes |");
    page
}

fn row(detector: &DetectorSpec) -> String {
    let claim = |claim: Claim| claim.certainty().map_or("-", |certainty| certainty.as_str());
    let [alone, with_context] = [detector.alone, detector.with_context.max(detector.alone)].map(claim);
    let (alone, with_context) = match (detector.trigger, &detector.lead) {
        (Trigger::HealthWord, _) => ("-", "-"),
        // The keyword is the context.
        (_, Some(_)) => ("-", alone),
        _ => (alone, with_context),
    };
    let check = detector.validator.as_deref().unwrap_or("-");
    format!("| {} | {} | {} | {alone} | {with_context} | {check} |", detector.id, detector.data_type, detector.doc)
}
