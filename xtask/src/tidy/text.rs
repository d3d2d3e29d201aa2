//! Rules about files: sizes, words, and what must not be written down in a repository.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Problem;
use super::rust::{Lines, Source};
use crate::process::{Workspace, capture};

/// Lines outside tests. A file is read in one sitting.
const FILE_LINES_MAX: usize = 900;
/// Lines of a function with its signature.
const FUNCTION_LINES_MAX: usize = 110;

/// Files that are flat tables of uniform items, which are fine at any length. Each entry names its reason.
const TABLES: &[(&str, &str)] = &[];

/// Notes to self: a task belongs into an issue, a limit into the documentation of the item.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
/// Macros that stand for code that is not there, or that was left behind.
const STUBS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Hosts of package registries: a lock file and a client's own configuration know them, nobody else has to.
const REGISTRIES: &[&str] = &[
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("deb.", "debian.org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("proxy.", "golang.org"),
];
/// Folders of somebody's machine.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Words that have another name here, with that name.
const WORDS: &[(&str, &str)] = &[
    ("waiver", "exception"),
    ("ruleset", "policy"),
    ("whitelist", "list of what is allowed"),
    ("blacklist", "list of what is refused"),
    ("offence", "violation"),
    ("offender", "principal"),
    ("monitor mode", "roll-out"),
    ("audit mode", "fail posture"),
];
/// Places that speak about these words, or hold text of others as data.
const WORDS_EXEMPT: &[&str] = &[
    "GLOSSARY.md",
    "LICENSE",
    "catalog/detectors/",
    "catalog/services/",
    "crates/writ-detect/",
    "crates/writ-model/src/standing.rs",
    "docs/decisions/",
    "xtask/src/tidy/",
];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in files(workspace)? {
        // A file that is listed but not there has just been removed; one that is not text has no words.
        let Ok(text) = std::fs::read_to_string(workspace.root.join(&path)) else { continue };
        problems.extend(check_file(&path, &text));
    }
    Ok(problems)
}

fn check_file(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = places(path, text);
    problems.extend(words(path, text));
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => problems.extend(rust(path, text)),
        Some("py" | "sh") => problems.extend(notes(path, text)),
        None if path.starts_with(".ci/") => problems.extend(notes(path, text)),
        _ => {}
    }
    problems
}

fn rust(path: &str, text: &str) -> Vec<Problem> {
    let source = Source::new(text);
    let mut problems = notes(path, &source.comments);
    for (line, code) in numbered(&source.code) {
        for stub in STUBS.iter().filter(|stub| occurrences(code, stub, word_part).any(|after| after.starts_with('!'))) {
            problems.push(Problem::new(format!("{path}:{line}"), format!("`{stub}!` has no place in the tree")));
        }
    }
    if !test_file(path) && !TABLES.iter().any(|(table, _)| *table == path) {
        problems.extend(sizes(path, &source));
    }
    problems
}

fn sizes(path: &str, source: &Source) -> Vec<Problem> {
    let tests = source.test_items();
    let in_tests = |line: usize| tests.iter().any(|item: &Lines| item.contains(line));
    let lines = numbered(&source.code).filter(|(line, _)| !in_tests(*line)).count();
    let mut problems = Vec::new();
    if lines > FILE_LINES_MAX {
        let text = format!("{lines} lines outside tests, {FILE_LINES_MAX} at most; split it by subject");
        problems.push(Problem::new(path, text));
    }
    for function in source.functions().into_iter().filter(|function| !in_tests(function.first)) {
        let length = function.last - function.first + 1;
        if length > FUNCTION_LINES_MAX {
            let place = format!("{path}:{}", function.first);
            let text =
                format!("`{}` has {length} lines, {FUNCTION_LINES_MAX} at most; split it by phase", function.name);
            problems.push(Problem::new(place, text));
        }
    }
    problems
}

/// Test code by its place: integration tests, benches, and modules in a file of their own.
fn test_file(path: &str) -> bool {
    let mut parts = path.split('/');
    let file = parts.next_back().unwrap_or_default();
    file == "tests.rs" || file.ends_with("_tests.rs") || parts.any(|folder| matches!(folder, "tests" | "benches"))
}

fn notes(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, words) in numbered(text) {
        // A hyphen makes a pattern of it, like that of a social security number.
        for note in
            NOTES.iter().filter(|note| occurrences(words, note, |it| word_part(it) || it == '-').next().is_some())
        {
            let text = format!("`{note}`: file an issue, or say in the documentation what does not work");
            problems.push(Problem::new(format!("{path}:{line}"), text));
        }
    }
    problems
}

fn places(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if path.ends_with("Cargo.lock") {
        return problems;
    }
    for (line, words) in numbered(text) {
        for host in REGISTRIES.iter().filter(|host| words.contains(**host)) {
            problems.push(Problem::new(format!("{path}:{line}"), format!("names the package registry `{host}`")));
        }
        for folder in MACHINE_PATHS.iter().filter(|folder| absolute(words, folder)) {
            problems
                .push(Problem::new(format!("{path}:{line}"), format!("names the folder `{folder}` of one machine")));
        }
    }
    problems
}

/// Whether the text has this path from the root of a machine, rather than as a part of another path or address.
fn absolute(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|it| it.is_whitespace() || matches!(it, '"' | '\'' | '`' | '(' | '=' | ':' | ',' | '<'))
    })
}

fn words(path: &str, text: &str) -> Vec<Problem> {
    let spoken = [".rs", ".md", ".html", ".toml", ".txt"].iter().any(|ending| path.ends_with(ending));
    if !spoken || WORDS_EXEMPT.iter().any(|place| path.starts_with(place)) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (line, words) in numbered(text) {
        let words = words.to_lowercase();
        for (word, name) in WORDS {
            if occurrences(&words, word, char::is_alphanumeric).next().is_some()
                || occurrences(&words, &format!("{word}s"), char::is_alphanumeric).next().is_some()
            {
                problems.push(Problem::new(format!("{path}:{line}"), format!("`{word}` is called {name} here")));
            }
        }
    }
    problems
}

/// What follows each place where `word` stands and is not part of a longer word.
fn occurrences<'a>(text: &'a str, word: &str, part: fn(char) -> bool) -> impl Iterator<Item = &'a str> {
    text.match_indices(word).filter_map(move |(at, found)| {
        let before = text.get(..at)?;
        let after = text.get(at + found.len()..)?;
        (!before.ends_with(part) && !after.starts_with(part)).then_some(after)
    })
}

fn word_part(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Tracked files and those that would be added, from the root; without git, everything but build output.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut files: Vec<String> = match capture(&mut git) {
        Ok(list) => list.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect(),
        Err(_) => walk(&workspace.root),
    };
    files.sort();
    Ok(files)
}

fn walk(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let built = matches!(entry.file_name().to_str(), Some("target" | ".git"));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !built => open.push(path),
                Ok(kind) if kind.is_file() => {
                    files.extend(path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check_file(path, text).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn notes_count_in_comments_and_stubs_in_code() {
        let [note, ..] = NOTES else { unreachable!() };
        let text = format!("let a = \"{note}\"; // {note}: later\nfn b() {{ todo!() }} // todo!\n// {note}-{note}\n");
        assert_eq!(
            found("a.rs", &text),
            [
                format!("a.rs:1: `{note}`: file an issue, or say in the documentation what does not work"),
                "a.rs:2: `todo!` has no place in the tree".to_owned(),
            ]
        );
        assert_eq!(found("a.sh", &format!("echo # {note}")).len(), 1);
        assert!(found("a.md", note).is_empty());
    }

    #[test]
    fn long_files_and_functions_are_found_outside_tests() {
        let long = format!("fn long() {{\n{}}}\n", "    f();\n".repeat(FUNCTION_LINES_MAX));
        assert_eq!(found("a.rs", &long), ["a.rs:1: `long` has 112 lines, 110 at most; split it by phase"]);
        assert!(found("crates/a/tests/it.rs", &long).is_empty());
        assert!(found("crates/a/src/tests.rs", &long).is_empty());
        let items = "const A: u8 = 1;\n".repeat(FILE_LINES_MAX);
        assert!(found("a.rs", &items).is_empty());
        assert!(found("a.rs", &format!("{items}#[cfg(test)]\nmod tests {{\n{long}}}\n")).is_empty());
        assert_eq!(found("a.rs", &format!("{items}{long}")).len(), 2);
    }

    #[test]
    fn machine_paths_and_registries_are_found() {
        let [folder, ..] = MACHINE_PATHS else { unreachable!() };
        let [host, ..] = REGISTRIES else { unreachable!() };
        assert_eq!(found("a.md", &format!("see {folder}notes")).len(), 1);
        assert_eq!(found("a.toml", &format!("path = \"{folder}notes\"")).len(), 1);
        assert!(found("a.md", &format!("https://example.com{folder}notes and docs{folder}a")).is_empty());
        assert_eq!(
            found("a.txt", &format!("https://{host}/simple")),
            [format!("a.txt:1: names the package registry `{host}`")]
        );
        assert!(found("Cargo.lock", host).is_empty());
    }

    #[test]
    fn words_are_those_of_the_glossary() {
        assert_eq!(found("docs/a.md", "Two Waivers."), ["docs/a.md:1: `waiver` is called exception here"]);
        assert!(found("docs/decisions/a.md", "a waiver").is_empty());
        assert!(found("docs/a.md", "waiverless").is_empty());
        assert_eq!(found("crates/writ/src/a.rs", "struct A { rule: B } // whitelist").len(), 1);
    }

    #[test]
    fn without_git_the_folder_is_walked() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["target", "src/deep"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("a.rs"), "").unwrap();
        }
        assert_eq!(walk(root.path()), ["src/deep/a.rs"]);
    }
}
