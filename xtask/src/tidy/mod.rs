//! House rules that compiler and clippy cannot hold. Run by `cargo xtask tidy` and by a plain `cargo test`.

mod graph;
mod rust;
mod text;

use std::fmt;

use anyhow::{Result, bail};

use crate::process::Workspace;

/// One broken rule: where, what, and what to do.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// File, `file:line` or crate.
    place: String,
    text: String,
}

impl Problem {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.text)
    }
}

/// Prints every broken rule; any is an error.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let problems = check(workspace)?;
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} house rules are broken", problems.len());
    }
    println!("tidy");
    Ok(())
}

fn check(workspace: &Workspace) -> Result<Vec<Problem>> {
    let mut problems = graph::check(workspace)?;
    problems.extend(text::check(workspace)?);
    problems.sort();
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let problems = check(&Workspace::find().unwrap()).unwrap();
        let list: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(list.is_empty(), "\n{}\n", list.join("\n"));
    }
}
