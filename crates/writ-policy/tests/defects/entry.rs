//! Entries of the corpus: what is wrong with a policy, and how it is mended, in one diff.
//!
//! Lines that start with a space stand in both texts, `-` in the defective one, `+` in the mended one. `!` stands in both:
//! it is the line that the finding is about where that line itself is right. A finding belongs on a line with `-` or `!`.

use std::collections::BTreeSet;

use writ_policy::analyse::Capability;

use super::kinds::Kind;

/// The document around an entry that is not a whole one.
const BASE: &str = "---
writ: 1
language: en
owners: security: head of security, legal: general counsel, privacy: data protection officer
posture: employee coach, other block
situation: employee at chatgpt, identity password, action submit, status approved
---

BODY

## 8 Connections that are not inspected {#tunnel}

```rule
action: tunnel
then:   block
```

## 9 What cannot be read {#opaque}

```rule
signal: opaque
then:   block
```
";

/// The line of the front matter of entries that say `Gaps: refused`; a gap is a finding about it.
const REFUSED: &str = "gaps: refused";

/// The heading above an entry that brings none.
const CLAUSE: &str = "## 1 Use of AI {#use}\n\nBODY";

/// A defect with its mended twin.
pub(super) struct Defect {
    pub(super) kind: &'static Kind,
    pub(super) name: String,
    /// What is wrong, in a sentence or two.
    pub(super) wrong: String,
    /// The codes that it must be reported with: those stated, or else the first one of its kind.
    pub(super) says: BTreeSet<String>,
    /// What the installation lacks; nothing where that is not asked.
    pub(super) without: Vec<Capability>,
    pub(super) gaps_refused: bool,
    pub(super) policy: Diff,
    /// Exceptions beside the policy, each as lines `key: value`.
    pub(super) exceptions: Vec<Diff>,
    pub(super) baseline: Option<Diff>,
}

/// One side of a defect: all that Writ is given.
pub(super) struct Side {
    pub(super) text: String,
    /// Lines, from 1, that a finding may stand on.
    pub(super) marked: BTreeSet<usize>,
    pub(super) exceptions: Vec<String>,
    pub(super) baseline: Option<String>,
    pub(super) without: Vec<Capability>,
}

impl Defect {
    pub(super) fn defective(&self) -> Side {
        self.side('-')
    }

    pub(super) fn mended(&self) -> Side {
        self.side('+')
    }

    fn side(&self, own: char) -> Side {
        let (mut text, mut marked) = self.policy.document(own);
        if self.gaps_refused {
            text = text.replacen("\nposture:", &format!("\n{REFUSED}\nposture:"), 1);
            marked = marked.into_iter().map(|line| line + 1).collect();
        }
        let refused = text.lines().zip(1..).filter(|(line, _)| *line == REFUSED).map(|(_, line)| line);
        marked.extend(refused);
        Side {
            text,
            marked,
            exceptions: self.exceptions.iter().map(|exception| exception.body(own)).collect(),
            baseline: self.baseline.as_ref().map(|baseline| baseline.document(own).0),
            without: self.without.clone(),
        }
    }

    /// For messages of tests.
    pub(super) fn title(&self) -> String {
        format!("{}: {}", self.kind.name, self.name)
    }
}

/// Lines with their marks.
#[derive(Default)]
pub(super) struct Diff(Vec<(char, String)>);

impl Diff {
    /// As it stands in the corpus.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(|(mark, line)| format!("{mark}{line}").trim_end().to_owned() + "\n").collect()
    }

    fn body(&self, own: char) -> String {
        let lines: Vec<&str> = self.lines(own).map(|(_, line)| line).collect();
        lines.join("\n")
    }

    fn lines(&self, own: char) -> impl Iterator<Item = (char, &str)> {
        let of_side = move |mark: char| mark == ' ' || mark == '!' || mark == own;
        self.0.iter().filter(move |(mark, _)| of_side(*mark)).map(|(mark, line)| (*mark, line.as_str()))
    }

    /// The whole document of a side, and the lines on which a finding may stand.
    fn document(&self, own: char) -> (String, BTreeSet<usize>) {
        let body = self.body(own);
        let whole = body.starts_with("---");
        let headed = body.lines().any(|line| line.starts_with("## "));
        let around = match (whole, headed) {
            (true, _) => "BODY\n".to_owned(),
            (false, true) => BASE.to_owned(),
            (false, false) => BASE.replace("BODY", CLAUSE),
        };
        let before = around.lines().take_while(|line| *line != "BODY").count();
        let marked = self.lines(own).zip(before + 1..).filter(|((mark, _), _)| *mark != ' ' && *mark != '+');
        (around.replace("BODY", &body), marked.map(|(_, line)| line).collect())
    }
}

/// The entries of one kind.
pub(super) fn read(kind: &'static Kind) -> Vec<Defect> {
    kind.text.split("\n## ").skip(1).flat_map(|entry| entry_of(kind, entry)).collect()
}

/// An entry without its `## `. The text of diffs has no heading in the first column, so that nothing is cut in two.
fn entry_of(kind: &'static Kind, entry: &str) -> Option<Defect> {
    let mut defect = Defect {
        kind,
        name: entry.lines().next()?.trim().to_owned(),
        wrong: String::new(),
        says: BTreeSet::new(),
        without: Vec::new(),
        gaps_refused: false,
        policy: Diff::default(),
        exceptions: Vec::new(),
        baseline: None,
    };
    let mut open: Option<(&str, Diff)> = None;
    for line in entry.lines().skip(1) {
        match open.take() {
            Some((of, diff)) if line == "````" => defect.close(of, diff),
            Some((of, mut diff)) => {
                let mark = line.chars().next().unwrap_or(' ');
                assert!(" -+!".contains(mark), "{}: `{line}` has no mark", defect.title());
                diff.0.push((mark, line.get(1..).unwrap_or_default().to_owned()));
                open = Some((of, diff));
            }
            None => match line.strip_prefix("````diff") {
                Some(of) => open = Some((of.trim(), Diff::default())),
                None => defect.word(line),
            },
        }
    }
    assert!(open.is_none() && !defect.policy.0.is_empty(), "{}: a diff that ends", defect.title());
    if defect.says.is_empty() {
        defect.says = kind.codes.iter().take(1).map(|code| (*code).to_owned()).collect();
    }
    Some(defect)
}

impl Defect {
    fn close(&mut self, of: &str, diff: Diff) {
        match of {
            "" => self.policy = diff,
            "exception" => self.exceptions.push(diff),
            "baseline" => self.baseline = Some(diff),
            other => panic!("{}: a diff of `{other}`", self.title()),
        }
    }

    /// A line of prose, or what is said about the entry.
    fn word(&mut self, line: &str) {
        let names = |text: &str| -> Vec<String> {
            text.split(',').map(|name| name.trim_matches([' ', '`', '.']).to_owned()).collect()
        };
        if let Some(codes) = line.strip_prefix("Says: ") {
            self.says = names(codes).into_iter().collect();
        } else if let Some(parts) = line.strip_prefix("Without: ") {
            self.without = names(parts).iter().flat_map(|name| capability(name)).collect();
            assert!(!self.without.is_empty(), "{}: `{parts}`", self.title());
        } else if line == "Gaps: refused" {
            self.gaps_refused = true;
        } else {
            self.wrong = format!("{} {line}", self.wrong).trim().to_owned();
        }
    }
}

/// A part of an installation by its name; `this version` is all that no installation of it has.
fn capability(name: &str) -> Vec<Capability> {
    match name {
        "this version" => writ_policy::analyse::lacking(),
        name => Capability::all().filter(|capability| serde_json::json!(capability) == name).collect(),
    }
}
