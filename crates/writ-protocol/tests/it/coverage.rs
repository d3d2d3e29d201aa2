//! A case per cell: endpoint, location, direction, transport, effect; and location by encoding. What has no passing case
//! is printed as not enforced in docs/coverage.md. `WRIT_UPDATE=1 cargo test -p writ-protocol coverage` rewrites it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use writ_base::Limit;
use writ_model::interaction::Content;
use writ_model::{Direction, Signal};
use writ_protocol::answer::cells::CELLS;
use writ_protocol::coverage::{ENDPOINTS, Reading, declared};
use writ_protocol::testing::{EXAMPLES, Example};
use writ_protocol::{CannotEdit, Edit, Message, decode};

use crate::encodings::{CODED, encoded};
use crate::{read_answer, read_prompt};

/// How a body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Plain,
    Stream,
    Socket,
}

/// What came of the cases of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every case passed.
    Enforced,
    /// The place has to stay as it is: redaction is unfulfillable there, and the verdict is block.
    Stays,
    /// There is no text to act on: the signal decides.
    Opaque(Signal),
    /// A case failed.
    Failed,
}

pub type Cell = (&'static str, Direction, Transport, &'static str, &'static str);
pub type Cells = BTreeMap<Cell, Outcome>;

const EFFECTS: [&str; 5] = ["pass", "coach", "justify", "redact", "block"];

/// Where the cases come from.
const SUITES: &[fn(&mut Cells)] = &[whole_bodies, streamed_answers];

const PLANTED: &str = "PLANTED-4111";
static CAP: Limit = Limit::new("test.coverage_bytes", "bytes", 1 << 20);

fn read(example: &Example, body: &[u8]) -> Message {
    match example.direction {
        Direction::Prompt => read_prompt(example.endpoint, body),
        Direction::Answer => read_answer(example.endpoint, body),
    }
}

/// Plants a value at each place of each example, looks for it, and takes it out again.
fn whole_bodies(cells: &mut Cells) {
    for example in EXAMPLES {
        let name = example.endpoint.name();
        let mut note = |location, effect: &'static str, outcome| {
            let cell = (name, example.direction, Transport::Plain, location, effect);
            let worst = match (cells.get(&cell), outcome) {
                (Some(Outcome::Failed), _) | (_, Outcome::Failed) => Outcome::Failed,
                (Some(Outcome::Enforced), _) => Outcome::Enforced,
                _ => outcome,
            };
            cells.insert(cell, worst);
        };
        for canary in example.canaries() {
            let body = example.with(canary, PLANTED);
            let message = read(example, &body);
            let found: Vec<_> =
                message.parts.iter().filter(|part| part.text().is_some_and(|text| text.contains(PLANTED))).collect();
            let [part] = found.as_slice() else { panic!("{} {canary}: in {} parts", example.name, found.len()) };
            let same = message.splice(&body, &[]).is_ok_and(|same| same == body);
            let seen = if same { Outcome::Enforced } else { Outcome::Failed };
            // A note in an answer is the matter of the answer's writer, not of its reader.
            let by_reading: &[&str] = match example.direction {
                Direction::Prompt => &["pass", "coach", "justify", "block"],
                Direction::Answer => &["pass", "justify", "block"],
            };
            by_reading.iter().for_each(|effect| note(part.location, effect, seen));
            let at = part.text().unwrap().find(PLANTED).unwrap();
            let edit = Edit::Replace { part: part.index, span: at..at + PLANTED.len(), with: "[gone]".to_owned() };
            let redacted = match message.splice(&body, &[edit]) {
                Ok(edited) if edited == example.with(canary, "[gone]") => Outcome::Enforced,
                Err(CannotEdit::Fixed(_)) if !part.editable => Outcome::Stays,
                _ => Outcome::Failed,
            };
            note(part.location, "redact", redacted);
        }
        for part in read(example, &example.body()).parts {
            if let Content::Opaque { signal, .. } = part.content {
                EFFECTS.iter().for_each(|effect| {
                    cells
                        .entry((name, example.direction, Transport::Plain, part.location, effect))
                        .or_insert(Outcome::Opaque(signal));
                });
            }
        }
    }
}

/// Streamed answers: the test `every_cell_passes_is_edited_and_stops` runs the cases of this list, all or none.
fn streamed_answers(cells: &mut Cells) {
    for cell in CELLS.iter().filter(|cell| cell.stream) {
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.wire_format() == cell.format).unwrap();
        for effect in ["pass", "redact", "block"] {
            let key = (endpoint.name(), Direction::Answer, Transport::Stream, cell.location, effect);
            cells.insert(key, Outcome::Enforced);
        }
    }
}

/// Which encodings a planted value was found behind, per place.
fn by_encoding() -> BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>> {
    let mut found: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>> = BTreeMap::new();
    for example in EXAMPLES.iter().filter(|example| example.direction == Direction::Prompt) {
        for canary in example.canaries() {
            let body = example.with(canary, PLANTED);
            for coding in CODED {
                let wire = encoded(coding, &body);
                let Ok(decoded) = decode(coding, &wire, &CAP) else { continue };
                let message = read(example, &decoded);
                for part in &message.parts {
                    if part.text().is_some_and(|text| text.contains(PLANTED)) {
                        found.entry((example.endpoint.name(), part.location)).or_default().insert(coding);
                    }
                }
            }
        }
    }
    found
}

fn page() -> String {
    let mut cells = Cells::new();
    SUITES.iter().for_each(|suite| suite(&mut cells));
    let encodings = by_encoding();
    let mut page = String::from(HEAD);
    for endpoint in ENDPOINTS {
        for direction in [Direction::Prompt, Direction::Answer] {
            let side = if direction == Direction::Prompt { "prompt" } else { "answer" };
            let _ = writeln!(page, "\n## {}: {side}", endpoint.name());
            let mut places = declared(*endpoint, direction);
            let known = |cell: &&Cell| cell.0 == endpoint.name() && cell.1 == direction && cell.2 == Transport::Plain;
            for cell in cells.keys().filter(known) {
                places.entry(cell.3).or_insert(Reading::Fixed);
            }
            let transports: &[Transport] = match direction {
                Direction::Prompt => &[Transport::Plain, Transport::Socket],
                Direction::Answer => &[Transport::Plain, Transport::Stream, Transport::Socket],
            };
            for transport in transports {
                table(&mut page, &cells, (endpoint.name(), direction, *transport), &places);
            }
            if direction == Direction::Prompt {
                encoding_table(&mut page, &encodings, endpoint.name(), &places);
            }
        }
    }
    page
}

fn table(
    page: &mut String,
    cells: &Cells,
    (endpoint, direction, transport): (&'static str, Direction, Transport),
    places: &BTreeMap<&'static str, Reading>,
) {
    let name = match transport {
        Transport::Plain => "plain",
        Transport::Stream => "stream",
        Transport::Socket => "socket",
    };
    if !cells.keys().any(|cell| cell.0 == endpoint && cell.1 == direction && cell.2 == transport) {
        let _ = writeln!(page, "\nTransport {name}: not enforced, at any of these locations, with any effect.");
        return;
    }
    let _ = writeln!(page, "\nTransport {name}:\n\n| location | {} |\n|---|---|---|---|---|---|", EFFECTS.join(" | "));
    // The places of a stream are those of its events.
    let own = cells.keys().filter(|cell| (cell.0, cell.1, cell.2) == (endpoint, direction, transport));
    let locations: BTreeSet<&str> = match transport {
        Transport::Stream => own.map(|cell| cell.3).collect(),
        Transport::Plain | Transport::Socket => places.keys().copied().collect(),
    };
    for location in locations {
        let _ = write!(page, "| `{location}` |");
        for effect in EFFECTS {
            let text = match cells.get(&(endpoint, direction, transport, location, effect)) {
                Some(Outcome::Enforced) => "yes".to_owned(),
                Some(Outcome::Stays) => "no edits: block".to_owned(),
                Some(Outcome::Opaque(signal)) => format!("by signal {signal}"),
                Some(Outcome::Failed) | None => "not enforced".to_owned(),
            };
            let _ = write!(page, " {text} |");
        }
        page.push('\n');
    }
}

fn encoding_table(
    page: &mut String,
    found: &BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
    endpoint: &'static str,
    places: &BTreeMap<&'static str, Reading>,
) {
    let _ = writeln!(page, "\nEncodings:\n\n| location | {} |\n|---|{}", CODED.join(" | "), "---|".repeat(CODED.len()));
    for (location, reading) in places.iter().filter(|(_, reading)| **reading != Reading::Encrypted) {
        let _ = (write!(page, "| `{location}` |"), reading);
        for coding in CODED {
            let yes = found.get(&(endpoint, location)).is_some_and(|codings| codings.contains(coding));
            page.push_str(if yes { " yes |" } else { " not enforced |" });
        }
        page.push('\n');
    }
}

const HEAD: &str = "# Coverage\n
What is enforced where, per codec: written by the test `coverage` from one case per cell, never by hand. A case plants
a value at a location of a full example, looks for it in the text that rules see, and takes it out of the bytes again.

* **yes**: the value was found; for *pass* the body was unchanged, for *redact* the value was gone and every other byte
  was the same.
* **no edits: block**: the value is found, but the place has to stay as it is (an id, a name, a reference); a verdict
  that redacts there becomes block.
* **by signal**: the content has no reader; rules act on the signal.
* **not enforced**: there is no passing case.

`(other fields)` stands for every string that the format does not name, `(structure)` for ids, names and settings.
";

#[test]
fn coverage_page_says_what_the_cases_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    let page = page();
    if std::env::var_os("WRIT_UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == page, "docs/coverage.md is stale; run the tests with WRIT_UPDATE=1");
}

#[test]
fn every_declared_place_has_a_passing_case() {
    let mut cells = Cells::new();
    whole_bodies(&mut cells);
    let failed: Vec<&Cell> =
        cells.iter().filter(|(_, outcome)| **outcome == Outcome::Failed).map(|(cell, _)| cell).collect();
    assert_eq!(failed, [&("", Direction::Prompt, Transport::Plain, "", ""); 0]);
    let mut missing = Vec::new();
    for endpoint in ENDPOINTS {
        for direction in [Direction::Prompt, Direction::Answer] {
            // An answer without a format of its own is read as any JSON, which has its case there.
            let example = |example: &&Example| example.direction == direction && example.endpoint == *endpoint;
            if EXAMPLES.iter().find(example).is_none() {
                continue;
            }
            for location in declared(*endpoint, direction).keys() {
                if !cells.contains_key(&(endpoint.name(), direction, Transport::Plain, location, "redact")) {
                    missing.push((endpoint.name(), direction, *location));
                }
            }
        }
    }
    assert_eq!(missing, []);
}
