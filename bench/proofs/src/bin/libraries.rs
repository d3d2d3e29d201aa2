//! The same diagrams drawn with other libraries: the same policies, the same steps in the same order of variables.
//!
//! ```text
//! cargo xtask bench libraries
//! ```
//!
//! Each library draws in a process of its own, so that its memory is its own. Its answers are held against ours: at random
//! points, and in the number of points at which the effect is at least coach, justify and block.

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use writ_model::Effect;
use writ_policy::diagram::{Diagram, Diagrams, How, Made, Op, Recipe, Side, World, usual_order};
use writ_policy::eval::testing::{Seeded, Size};
use writ_proofs::encoding::{Bits, Encoding};
use writ_proofs::library::{Biodivine, Numbers, Oxidd, OxiddNumbers, asks};
use writ_proofs::time::now;
use writ_proofs::{Subject, general, generated, load, thousands, world};

/// Rounds of which the shortest counts: what disturbs only adds.
const ROUNDS: usize = 5;
/// Random points at which answers are compared.
const POINTS: usize = 5_000;

/// What draws.
const OURS: &str = "own, several values";
const LIBRARIES: [&str; 3] = ["oxidd BDD", "oxidd MTBDD", "biodivine-lib-bdd"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [policy, library, encoding] = arguments.as_slice() {
        return one(policy.parse()?, library, encoding);
    }
    println!("load {}\n", load());
    println!("| policy | library | encoding | variables | nodes of the effect | made or held | time | memory |");
    println!("|---|---|---|--:|--:|--:|--:|--:|");
    for policy in 0..POLICIES {
        alone(policy, OURS, "none")?;
        for library in LIBRARIES {
            for encoding in ["binary", "one-hot"] {
                alone(policy, library, encoding)?;
            }
        }
    }
    println!("\nload {}", load());
    Ok(())
}

/// Draws in a process of its own, which prints its line.
fn alone(policy: usize, library: &str, encoding: &str) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let status = Command::new(program).args([&policy.to_string(), library, encoding]).status()?;
    if status.success() { Ok(()) } else { Err(anyhow!("{library} did not draw")) }
}

const POLICIES: usize = 4;

fn subject(place: usize) -> anyhow::Result<(Subject, World)> {
    let size = |rules, classes| Size { rules, classes, groups: classes };
    Ok(match place {
        0 => (general()?, world()),
        1 => (generated(size(50, 20))?, World::default()),
        2 => (generated(size(200, 20))?, World::default()),
        _ => (generated(size(1_000, 20))?, World::default()),
    })
}

fn one(place: usize, library: &str, encoding: &str) -> anyhow::Result<()> {
    let (subject, world) = subject(place)?;
    let (mut drawn, recipe) = Diagrams::recorded(&[&subject.policy], &world, usual_order)?;
    let mut counts = Vec::new();
    for effect in [Effect::Coach, Effect::Justify, Effect::Block] {
        let set = drawn.at_least(0, Side::Text, effect)?;
        counts.push(drawn.points(set));
    }
    let encoding = match encoding {
        "one-hot" => Encoding::OneHot,
        _ => Encoding::Binary,
    };
    let bits = Bits::new(encoding, &recipe.widths);
    let length = bits.len();
    let case = Case { recipe: &recipe, bits: &bits, counts: &counts };
    let measured = match library {
        OURS => case.ours()?,
        "oxidd BDD" => case.theirs(|| Oxidd::new(length))?,
        "oxidd MTBDD" => case.theirs(|| OxiddNumbers::new(length))?,
        "biodivine-lib-bdd" => case.theirs(|| Biodivine::new(length))?,
        other => bail!("no library `{other}`"),
    };
    let (variables, encoding) = match (library, encoding) {
        (OURS, _) => (recipe.widths.len(), "-"),
        (_, Encoding::Binary) => (length.into(), "binary"),
        (_, Encoding::OneHot) => (length.into(), "one-hot"),
    };
    println!(
        "| {} | {library} | {encoding} | {variables} | {} | {} | {:.1} ms | {:.1} MB |",
        subject.name,
        thousands(measured.nodes),
        thousands(measured.held),
        measured.time.as_secs_f64() * 1e3,
        measured.megabytes,
    );
    Ok(())
}

/// What came of a library.
struct Measured {
    nodes: usize,
    held: usize,
    time: Duration,
    megabytes: f64,
}

/// What a library is asked, and what it has to answer.
struct Case<'a> {
    recipe: &'a Recipe,
    bits: &'a Bits,
    counts: &'a [f64],
}

impl Case<'_> {
    fn ours(&self) -> anyhow::Result<Measured> {
        let before = resident();
        let again = self.recipe.again().context("the recipe does not repeat itself")?;
        let megabytes = peak() - before;
        let figures = again.figures(self.recipe.effect);
        let time = shortest(|| self.recipe.again().map(|_| ()).context("the recipe does not repeat itself"))?;
        Ok(Measured { nodes: figures.nodes, held: figures.made, time, megabytes })
    }

    fn theirs<N: Numbers>(&self, new: impl Fn() -> N) -> anyhow::Result<Measured> {
        let before = resident();
        let library = new();
        let (effect, possible) = self.follow(&library)?;
        let megabytes = peak() - before;
        let held = library.nodes(&[effect.clone(), possible.clone()]);
        self.agrees(&library, &effect, &possible)?;
        drop(possible);
        let nodes = library.nodes(&[effect]);
        // A library of its own for each round: what was remembered would answer.
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let library = new();
            let begun = now();
            let drawn = self.follow(&library)?;
            best = best.min(begun.elapsed());
            drop(drawn);
        }
        Ok(Measured { nodes, held, time: best, megabytes })
    }

    /// Follows the recipe; what no later step needs is let go. Answers the effect, and what is possible and a value.
    fn follow<N: Numbers>(&self, library: &N) -> anyhow::Result<(N::Number, N::Number)> {
        let last = self.last_uses();
        let mut known: HashMap<Diagram, N::Number> = HashMap::new();
        for number in 0..4 {
            known.insert(Diagram::number(number), library.constant(number)?);
        }
        let get = |known: &HashMap<Diagram, N::Number>, diagram: &Diagram| {
            known.get(diagram).cloned().context("a step before its parts")
        };
        for (place, Made { how, result }) in self.recipe.steps.iter().enumerate() {
            let (made, used) = match how {
                How::Asks { variable, children } => {
                    let parts: anyhow::Result<Vec<_>> = children.iter().map(|child| get(&known, child)).collect();
                    (asks(library, self.bits, *variable, &parts?)?, children.clone())
                }
                How::Put { op, one, other } => {
                    (library.put(*op, &get(&known, one)?, &get(&known, other)?)?, vec![*one, *other])
                }
            };
            known.insert(*result, made);
            for diagram in used.iter().chain([result]) {
                if diagram.constant().is_none() && last.get(diagram).is_none_or(|last| *last <= place) {
                    known.remove(diagram);
                }
            }
        }
        let (effect, possible) = (get(&known, &self.recipe.effect)?, get(&known, &self.recipe.possible)?);
        drop(known);
        Ok((effect, possible))
    }

    /// The last step that needs each diagram; the effect and what is possible are needed at the end.
    fn last_uses(&self) -> HashMap<Diagram, usize> {
        let mut last = HashMap::new();
        for (place, made) in self.recipe.steps.iter().enumerate() {
            match &made.how {
                How::Asks { children, .. } => children.iter().for_each(|child| {
                    last.insert(*child, place);
                }),
                How::Put { one, other, .. } => last.extend([(*one, place), (*other, place)]),
            }
        }
        last.extend([self.recipe.effect, self.recipe.possible].map(|kept| (kept, usize::MAX)));
        last
    }

    fn agrees<N: Numbers>(&self, library: &N, effect: &N::Number, possible: &N::Number) -> anyhow::Result<()> {
        let again = self.recipe.again().context("the recipe does not repeat itself")?;
        let mut random = Seeded::new(11);
        for _ in 0..POINTS {
            let value = |width: &u16| u16::try_from(random.below(usize::from(*width))).unwrap_or(0);
            let point: Vec<u16> = self.recipe.widths.iter().map(value).collect();
            let (ours, theirs) = (again.at(self.recipe.effect, &point), library.at(effect, &self.bits.at(&point)));
            if ours != theirs {
                bail!("at {point:?} ours says {ours}, the library {theirs}");
            }
        }
        let valid = self.valid(library)?;
        let condition = library.put(Op::And, possible, &valid)?;
        for (least, ours) in (1..).zip(self.counts) {
            if let Some(theirs) = library.points(effect, least, &condition)?
                && (theirs - ours).abs() > ours * 1e-9
            {
                bail!("ours counts {ours} points, the library {theirs}");
            }
        }
        Ok(())
    }

    /// Where truths mean values.
    fn valid<N: Numbers>(&self, library: &N) -> anyhow::Result<N::Number> {
        let (yes, no) = (library.constant(1)?, library.constant(0)?);
        let mut all = yes.clone();
        let variables: Vec<(u16, &u16)> = (0u16..).zip(&self.recipe.widths).collect();
        for (variable, width) in variables.into_iter().rev() {
            let (first, length, hot) = self.bits.of(variable);
            all = if hot {
                // From the last truth up: whether exactly one holds, and whether none does.
                let (mut one, mut none) = (no.clone(), all);
                for truth in (first..first + length).rev() {
                    one = library.choose(truth, &none, &one)?;
                    none = library.choose(truth, &no, &none)?;
                }
                one
            } else {
                below(library, first, length, *width, &all, &no)?
            };
        }
        Ok(all)
    }
}

/// `then` where the binary number is below `width`.
fn below<N: Numbers>(
    library: &N,
    first: u16,
    length: u16,
    width: u16,
    then: &N::Number,
    no: &N::Number,
) -> anyhow::Result<N::Number> {
    let whole = 1u16 << length;
    match width {
        0 => return Ok(no.clone()),
        width if width >= whole => return Ok(then.clone()),
        _ => {}
    }
    let half = whole / 2;
    let low = below(library, first + 1, length - 1, width.min(half), then, no)?;
    let high = below(library, first + 1, length - 1, width.saturating_sub(half), then, no)?;
    library.choose(first, &high, &low)
}

fn shortest(mut act: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = now();
        act()?;
        best = best.min(begun.elapsed());
    }
    Ok(best)
}

/// Megabytes of memory that the process has, as Linux says.
fn resident() -> f64 {
    status("VmRSS:")
}

/// The most that it ever had.
fn peak() -> f64 {
    status("VmHWM:")
}

fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}
