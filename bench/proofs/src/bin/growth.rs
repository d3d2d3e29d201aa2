//! How proofs grow with rules, classes and groups.
//!
//! ```text
//! cargo xtask bench growth
//! ```

#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::time::Duration;

use writ_base::Moment;
use writ_policy::analyse::analyse;
use writ_policy::diagram::{Diagrams, Order, Subject, TooLarge, World, usual_order};
use writ_policy::eval::testing::Size;
use writ_proofs::time::now;
use writ_proofs::{Subject as Measured, exploding, general, generated, load, thousands, world};

/// Rounds of which the shortest counts: what disturbs only adds.
const ROUNDS: usize = 3;
/// An answer that took this long is not asked for again.
const LONG: Duration = Duration::from_secs(2);

fn main() -> anyhow::Result<()> {
    println!("load {}\n", load());
    println!(
        "| policy | rows | variables | effect, nodes | made | steps | MB | drawing | analysis | its nodes | its steps | its MB |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    line(&general()?, &world());
    for rules in [50, 200, 1_000] {
        for names in [20, 40, 60, 120] {
            line(&generated(Size { rules, classes: names / 2, groups: names / 2 })?, &World::default());
        }
    }
    line(&exploding(60)?, &World::default());
    orders()?;
    println!("\nload {}", load());
    Ok(())
}

fn line(subject: &Measured, world: &World) {
    let policy = &subject.policy;
    let (drawing, drawn) = least(|| Diagrams::of(&[policy], world).map(|drawn| drawn.figures()));
    let of_drawing = match drawn {
        Ok(it) => format!(
            "{} | {} | {} | {} | {}",
            it.variables,
            thousands(it.nodes),
            thousands(it.made),
            thousands(it.steps),
            megabytes(it.bytes)
        ),
        Err(error) => format!("too large: `{}` | | | |", error.clause),
    };
    let at = Moment::from_seconds(1_000);
    let (analysing, analysed) = least(|| analyse(policy, &subject.places, &[], world, at).map(|it| it.figures));
    let of_analysis = match analysed {
        Ok(it) => format!("{} | {} | {}", thousands(it.made), thousands(it.steps), megabytes(it.bytes)),
        Err(error) => format!("too large: `{}` | |", error.clause),
    };
    println!(
        "| {} | {} | {of_drawing} | {} | {} | {of_analysis} |",
        subject.name,
        policy.row_count(),
        milli(drawing),
        milli(analysing)
    );
}

/// Orders of questions beside the usual one.
const ORDERS: [(&str, Order); 5] = [
    ("chosen", usual_order),
    ("groups before classes", |subject| match subject {
        Subject::Groups(_) => 7,
        other => usual_order(other),
    }),
    ("signals before classes", |subject| match subject {
        Subject::Present(..) => 7,
        other => usual_order(other),
    }),
    ("neighbours alone", |_| 0),
    ("reversed", |subject| u8::MAX - usual_order(subject)),
];

/// The diagrams of the effect in several orders of questions.
fn orders() -> anyhow::Result<()> {
    let size = |rules, names| Size { rules, classes: names, groups: names };
    let subjects = [general()?, generated(size(50, 20))?, generated(size(200, 10))?, generated(size(1_000, 20))?];
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    println!("\n| order | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for (name, order) in ORDERS {
        let cells = subjects.iter().map(|subject| {
            let world = if subject.name == "general" { world() } else { World::default() };
            let (time, drawn) = least(|| Diagrams::drawn(&[&subject.policy], &world, order).map(|it| it.figures()));
            match drawn {
                Ok(it) => format!("{} / {} / {}", thousands(it.nodes), thousands(it.made), milli(time)),
                Err(_) => format!("too large / {}", milli(time)),
            }
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    Ok(())
}

/// The shortest of several rounds, with what came of it.
fn least<T>(mut act: impl FnMut() -> Result<T, TooLarge>) -> (Duration, Result<T, TooLarge>) {
    let mut round = || {
        let begun = now();
        let result = act();
        (begun.elapsed(), result)
    };
    let mut best = round();
    for _ in 1..ROUNDS {
        if best.0 >= LONG {
            break;
        }
        let next = round();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

fn milli(time: Duration) -> String {
    let milli = time.as_secs_f64() * 1e3;
    if milli < 100.0 { format!("{milli:.1} ms") } else { format!("{milli:.0} ms") }
}

fn megabytes(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for a table")]
    let bytes = bytes as f64;
    format!("{:.1}", bytes / 1e6)
}
