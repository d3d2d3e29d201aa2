//! Generated reference pages.
//!
//! A generator is a test in the crate that knows the facts. It makes the text, compares it with the committed file, and
//! rewrites the file when `WRIT_UPDATE=1` is set. So a plain `cargo test` notices a page that is out of date, and this
//! task only has to know which tests write which files.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::process::{Workspace, output};

/// One test that writes files of the repository.
struct Generator {
    /// Package that holds the test.
    package: &'static str,
    /// Full name of the test as the test runner prints it, `module::name`.
    test: &'static str,
    /// Files it writes, from the root.
    files: &'static [&'static str],
}

/// All generators. A new one adds its line here.
const GENERATORS: &[Generator] = &[
    Generator {
        package: "writ-policy",
        test: "document::reference::the_reference_page_is_current",
        files: &["docs/reference/policy-language.md"],
    },
    Generator {
        package: "writ-policy",
        test: "document::reference::the_page_of_diagnostics_is_current",
        files: &["docs/reference/diagnostics.md"],
    },
    Generator {
        package: "writ-policy",
        test: "defects::the_page_of_the_analysis_is_current",
        files: &["docs/reference/analysis.md"],
    },
    Generator {
        package: "writ-policy",
        test: "document::templates::the_templates_are_put_together_from_their_sources",
        files: &[
            "catalog/policies/software.md",
            "catalog/policies/health.md",
            "catalog/policies/finance.md",
            "catalog/policies/public-sector.md",
            "catalog/policies/law-firm.md",
            "catalog/policies/education.md",
        ],
    },
    Generator {
        package: "writ-policy",
        test: "document::templates::checklist::the_page_of_templates_is_current",
        files: &["docs/reference/templates.md"],
    },
    Generator {
        package: "writ-detect",
        test: "catalog::the_reference_page_is_current",
        files: &["docs/reference/detectors.md"],
    },
    Generator {
        package: "writ-protocol",
        test: "coverage::coverage_page_says_what_the_cases_say",
        files: &["docs/coverage.md"],
    },
    Generator { package: "writ-store", test: "keys::the_keys_page_is_that_of_the_registry", files: &["docs/keys.md"] },
    Generator {
        package: "writ-identity",
        test: "roles::the_roles_page_is_that_of_the_table",
        files: &["docs/reference/roles.md"],
    },
    Generator {
        package: "writ-console",
        test: "matrix::the_interface_is_as_it_was_published",
        files: &["crates/writ-console/openapi.json"],
    },
];

/// Whether files may change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write what the generators make.
    Write,
    /// Fail if a generator would change a file, and leave the file as it was.
    Check,
}

/// Runs all generators.
pub(crate) fn run(workspace: &Workspace, mode: Mode) -> Result<()> {
    if GENERATORS.is_empty() {
        println!("0 generators");
        return Ok(());
    }
    let before = read_all(workspace);
    let outcome = generate(workspace, mode);
    let changed = differences(&before, &read_all(workspace));
    if mode == Mode::Check {
        restore(workspace, &before, &changed)?;
    }
    outcome?;
    for file in &changed {
        println!("changed: {file}");
    }
    if mode == Mode::Check && !changed.is_empty() {
        bail!("{} generated files are out of date; run `cargo xtask codegen` and commit them", changed.len());
    }
    println!("{} generators, {} files changed", GENERATORS.len(), changed.len());
    Ok(())
}

/// Runs the tests with `WRIT_UPDATE=1` and makes sure that each of them existed and ran.
fn generate(workspace: &Workspace, mode: Mode) -> Result<()> {
    let mut command = workspace.cargo(&["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    match mode {
        // The gate has just built the tests of the whole workspace; naming packages would build others.
        Mode::Check => {
            command.arg("--workspace");
        }
        Mode::Write => {
            let packages: BTreeSet<&str> = GENERATORS.iter().map(|generator| generator.package).collect();
            for package in packages {
                command.args(["--package", package]);
            }
        }
    }
    command.args(["--", "--exact"]).args(GENERATORS.iter().map(|generator| generator.test)).env("WRIT_UPDATE", "1");
    let result = output(&mut command)?;
    let text = String::from_utf8_lossy(&result.stdout);
    if !result.status.success() {
        bail!("a generator failed:\n{text}\n{}", String::from_utf8_lossy(&result.stderr));
    }
    let ran = tests_passed(&text);
    for generator in GENERATORS {
        if !ran.contains(generator.test) {
            bail!(
                "package `{}` has no test `{}`; see the table in xtask/src/codegen.rs",
                generator.package,
                generator.test
            );
        }
    }
    Ok(())
}

/// Names of the tests that a run of the standard test runner reports as passed.
fn tests_passed(output: &str) -> BTreeSet<&str> {
    output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok")).collect()
}

type Contents = BTreeMap<&'static str, Option<Vec<u8>>>;

fn read_all(workspace: &Workspace) -> Contents {
    let files = GENERATORS.iter().flat_map(|generator| generator.files);
    files.map(|file| (*file, std::fs::read(workspace.root.join(file)).ok())).collect()
}

fn differences(before: &Contents, after: &Contents) -> Vec<&'static str> {
    before.iter().filter(|(file, content)| after.get(*file) != Some(*content)).map(|(file, _)| *file).collect()
}

fn restore(workspace: &Workspace, before: &Contents, changed: &[&'static str]) -> Result<()> {
    for file in changed {
        let path = workspace.root.join(file);
        match before.get(file) {
            Some(Some(content)) => std::fs::write(&path, content),
            _ => std::fs::remove_file(&path),
        }
        .with_context(|| format!("cannot put `{file}` back"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_read_from_the_runner() {
        let output = "running 3 tests\ntest page::current ... ok\ntest other ... FAILED\ntest third ... ignored\n\
                      test result: ok. 1 passed; 0 failed;\n";
        assert_eq!(tests_passed(output), BTreeSet::from(["page::current"]));
    }

    #[test]
    fn changes_are_new_files_and_other_bytes() {
        let before = Contents::from([("a.md", Some(b"1".to_vec())), ("b.md", None), ("c.md", Some(b"3".to_vec()))]);
        let after =
            Contents::from([("a.md", Some(b"1".to_vec())), ("b.md", Some(vec![])), ("c.md", Some(b"4".to_vec()))]);
        assert_eq!(differences(&before, &after), ["b.md", "c.md"]);
    }

    #[test]
    fn checking_puts_changed_files_back_and_removes_new_ones() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: root.path().into(), target: root.path().join("target") };
        std::fs::write(root.path().join("a.md"), "new").unwrap();
        std::fs::write(root.path().join("b.md"), "made").unwrap();
        let before = Contents::from([("a.md", Some(b"old".to_vec())), ("b.md", None)]);
        restore(&workspace, &before, &["a.md", "b.md"]).unwrap();
        assert_eq!(std::fs::read_to_string(root.path().join("a.md")).unwrap(), "old");
        assert!(!root.path().join("b.md").exists());
    }

    #[test]
    fn every_generated_file_has_one_generator() {
        let files: Vec<_> = GENERATORS.iter().flat_map(|generator| generator.files).collect();
        assert_eq!(files.len(), files.iter().collect::<BTreeSet<_>>().len());
    }
}
