//! Defects seeded by machine into policies that are clean: what a hand slips on, at random places of a long document.

use writ_policy::eval::testing::Seeded;

use super::examine::{Examined, Said, document, examine_text};

/// A kind of slip.
pub(super) struct Slip {
    /// The kind of defect that it makes.
    pub(super) kind: &'static str,
    /// Any of these codes is right.
    pub(super) codes: &'static [&'static str],
    /// Whether only the analyser sees it.
    analysed: bool,
    /// Makes it at a random place, with the line at which it must be found; nothing where the policy has no such place.
    make: fn(&Policy, &mut Seeded) -> Option<(String, usize)>,
}

pub(super) const SLIPS: &[Slip] = &[
    Slip { kind: "dead-rule", codes: &["dead-rule"], analysed: true, make: narrower_copy },
    Slip { kind: "vacuous-rule", codes: &["vacuous-rule"], analysed: true, make: impossible_keys },
    Slip { kind: "overruled", codes: &["overruled-allow"], analysed: true, make: allowed_all_the_same },
    Slip { kind: "wide", codes: &["wide-unless"], analysed: true, make: carved_out_whole },
    Slip { kind: "term", codes: &["undefined-name", "unknown-value"], analysed: false, make: renamed },
    Slip { kind: "promise", codes: &["promise-without-mode"], analysed: false, make: mode_lost },
    Slip { kind: "opaque", codes: &["opaque-undecided"], analysed: false, make: one_kind_of_opaque },
    Slip { kind: "example", codes: &["example-contradicts-rule"], analysed: false, make: innocent_violation },
    Slip { kind: "expiry", codes: &["missing-key"], analysed: false, make: limit_lost },
    Slip { kind: "assertion", codes: &["assertion-fails"], analysed: true, make: wishful_assertion },
    Slip { kind: "table", codes: &["incomplete-table"], analysed: true, make: row_cut },
    Slip { kind: "gap", codes: &["gap"], analysed: true, make: row_cut_where_gaps_are_refused },
];

/// A clean policy, and where things stand in it.
pub(super) struct Policy {
    lines: Vec<String>,
    /// The first and last lines of rule blocks, fences included, from 0.
    rules: Vec<(usize, usize)>,
}

impl Policy {
    pub(super) fn new(text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let opened = lines.iter().enumerate().filter(|(_, line)| *line == "```rule").map(|(place, _)| place);
        let closed =
            |from: usize| lines.iter().skip(from + 1).position(|line| line == "```").map(|more| from + 1 + more);
        let rules = opened.filter_map(|from| Some((from, closed(from)?))).collect();
        Self { lines, rules }
    }

    /// The keys of a rule block.
    fn keys(&self, rule: (usize, usize)) -> Vec<(&str, &str)> {
        let lines = self.lines.iter().take(rule.1).skip(rule.0 + 1).filter(|line| !line.starts_with([' ', '-']));
        lines.filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim())).collect()
    }

    /// A random rule block that has the property.
    fn pick(&self, random: &mut Seeded, wanted: impl Fn(&[(&str, &str)]) -> bool) -> Option<(usize, usize)> {
        let fitting: Vec<(usize, usize)> =
            self.rules.iter().copied().filter(|rule| wanted(&self.keys(*rule))).collect();
        fitting.get(random.below(fitting.len())).copied()
    }

    /// The text with lines put in before a place, or others in the place of some.
    fn with(&self, place: usize, taken: usize, put_in: &[String]) -> String {
        let mut lines = self.lines.clone();
        lines.splice(place..place + taken, put_in.iter().cloned());
        lines.join("\n") + "\n"
    }
}

impl Slip {
    /// The text with the slip, and the line at which it must be found.
    pub(super) fn made(&self, policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
        (self.make)(policy, random)
    }

    /// What Writ says of such a text.
    pub(super) fn examined(&self, text: &str) -> Examined {
        if self.analysed { examine_text(text) } else { document(text) }
    }

    /// What says it, at its place.
    pub(super) fn found<'e>(&self, examined: &'e Examined, line: usize) -> Option<&'e Said> {
        examined.said.iter().find(|said| self.codes.contains(&said.code.as_str()) && said.line == line)
    }
}

fn has(keys: &[(&str, &str)], key: &str) -> bool {
    keys.iter().any(|(name, _)| *name == key)
}

fn value<'a>(keys: &[(&'a str, &'a str)], key: &str) -> Option<&'a str> {
    keys.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
}

/// A rule that stops something of what leaves, by keys that mean the same in a rule that allows.
fn plain_block(keys: &[(&str, &str)]) -> bool {
    let odd = ["cleared", "unless", "ask", "identity", "level", "declared", "action", "origin", "activity", "signal"];
    value(keys, "then") == Some("block")
        && !odd.iter().any(|key| has(keys, key))
        && keys.iter().all(|(_, it)| !it.contains("(bulk"))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The block of a rule with other keys beside its conditions.
fn block(keys: &[(&str, &str)], more: &str) -> Vec<String> {
    let conditions = keys.iter().filter(|(key, _)| writ_model::Dimension::named(key).is_some());
    let conditions: String = conditions.map(|(key, value)| format!("{key}: {value}\n")).collect();
    lines(&format!("\n```rule\n{conditions}{more}```"))
}

/// The same rule for contractors, below the one for all.
fn narrower_copy(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let rule = policy
        .pick(random, |keys| value(keys, "then") == Some("block") && !has(keys, "channel") && !has(keys, "unless"))?;
    let put_in = block(&policy.keys(rule), "channel: browser, ide\nthen: block\n");
    Some((policy.with(rule.1 + 1, 0, &put_in), rule.1 + 3))
}

/// Two keys that no service meets.
fn impossible_keys(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let rule = policy.pick(random, |keys| !has(keys, "service") && !has(keys, "category") && has(keys, "then"))?;
    let put_in = lines("service: chatgpt\ncategory: meeting-notes");
    Some((policy.with(rule.0 + 1, 0, &put_in), rule.0 + 1))
}

/// What a clause stops, called acceptable below it.
fn allowed_all_the_same(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let rule = policy.pick(random, plain_block)?;
    let put_in = block(&policy.keys(rule), "then: allow\n");
    Some((policy.with(rule.1 + 1, 0, &put_in), rule.1 + 3))
}

/// An `unless` that repeats a condition of its rule.
fn carved_out_whole(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let same = ["who", "status", "account"];
    let rule = policy.pick(random, |keys| {
        has(keys, "then")
            && !has(keys, "unless")
            && value(keys, "then") != Some("allow")
            && same.iter().any(|key| has(keys, key))
    })?;
    let keys = policy.keys(rule);
    let (key, value) = keys.iter().find(|(key, _)| same.contains(key))?;
    // At the head of the block, so that nothing continues it.
    let put_in = vec![format!("unless: {key} {value}")];
    Some((policy.with(rule.0 + 1, 0, &put_in), rule.0 + 2))
}

/// A value spelt otherwise.
fn renamed(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let renamed = |key: &str| key == "data" || key == "status" || key == "who";
    let rule = policy.pick(random, |keys| keys.iter().any(|(key, _)| renamed(key)))?;
    let place = (rule.0..rule.1).find(|place| {
        policy.lines.get(*place).and_then(|line| line.split_once(':')).is_some_and(|(key, _)| renamed(key.trim()))
    })?;
    let line = policy.lines.get(place)?;
    let end = line.trim_end().trim_end_matches(')').len();
    let cut = line.get(..end)?.rfind([' ', ','])? + 1;
    let put_in = vec![format!("{}x{}", line.get(..cut)?, line.get(cut..)?)];
    Some((policy.with(place, 1, &put_in), place + 1))
}

/// A clause that promises and lost what kept it: a new one, as nobody may take the words of another for its mode.
fn mode_lost(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    policy.lines.iter().find(|line| *line == "language: en")?;
    let headings: Vec<usize> = (0..policy.lines.len())
        .filter(|place| policy.lines.get(*place).is_some_and(|line| line.starts_with("## ")))
        .collect();
    let place = random.pick(&headings, *headings.first()?);
    let promise = random.pick(
        &["Answers must be checked by a person.", "Drafts are never sent unread.", "It is forbidden to paste minutes."],
        "You must ask first.",
    );
    let put_in = lines(&format!("## 77 Checks {{#checks-of-answers}}\n\n{promise}\n"));
    Some((policy.with(place, 0, &put_in), place + 3))
}

/// Content without a reader: a rule for all of it made one for pictures, or the row of one kind cut.
fn one_kind_of_opaque(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let at = |wanted: fn(&str) -> bool| -> Vec<usize> {
        let lines = policy.lines.iter().enumerate().filter(|(_, line)| wanted(line.as_str()));
        lines.map(|(place, _)| place).collect()
    };
    if let Some(rule) = at(|line| line.starts_with("signal:") && line.trim_end().ends_with(" opaque")).first() {
        return Some((policy.with(*rule, 1, &["signal: opaque (image)".to_owned()]), 1));
    }
    let rows = at(|line| line.starts_with("| opaque ("));
    let row = random.pick(&rows, *rows.first()?);
    Some((policy.with(row, 1, &[]), 1))
}

/// A text without anything in it, among what a rule about data stops.
fn innocent_violation(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let rule = policy.pick(random, |keys| has(keys, "data") && has(keys, "violates"))?;
    let place =
        (rule.0..rule.1).find(|place| policy.lines.get(*place).is_some_and(|line| line.starts_with("violates")))?;
    let put_in = vec!["  - \"Which films are on this week?\"".to_owned()];
    Some((policy.with(place + 1, 0, &put_in), place + 2))
}

/// The process for exceptions without its limit.
fn limit_lost(policy: &Policy, _: &mut Seeded) -> Option<(String, usize)> {
    let block = policy.lines.iter().position(|line| line.starts_with("```control exception-process"))?;
    let limit = block + policy.lines.iter().skip(block).position(|line| line.starts_with("limit:"))?;
    Some((policy.with(limit, 1, &[]), block + 1))
}

/// A promise that no policy keeps which lets anything go.
fn wishful_assertion(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    // Without a posture everything is stopped that nothing foresees, and such a promise may hold.
    policy.lines.iter().find(|line| line.starts_with("posture: employee coach"))?;
    let place = policy.rules.get(random.below(policy.rules.len()))?.0;
    let wish = random.pick(
        &[
            "always: who employee, status approved, at least block",
            "never: who employee, passes plain",
            "always: action receive, at least block",
        ],
        "never: passes any",
    );
    let put_in = lines(&format!("```prove\n{wish}\n```\n"));
    Some((policy.with(place, 0, &put_in), place + 2))
}

/// A row of a rule table about data without `other`.
fn cut(policy: &Policy, random: &mut Seeded) -> Option<(usize, usize)> {
    let caption = policy.lines.iter().position(|line| line.starts_with("Rule table: data by"))?;
    let first =
        (0..caption).rev().find(|place| policy.lines.get(*place).is_some_and(|line| line.starts_with("|--")))? + 1;
    let rows: Vec<usize> =
        (first..caption).filter(|place| policy.lines.get(*place).is_some_and(|line| line.starts_with('|'))).collect();
    let other = rows.iter().any(|place| policy.lines.get(*place).is_some_and(|line| line.starts_with("| other")));
    (!other && rows.len() > 1).then(|| (random.pick(&rows, first), caption))
}

fn row_cut(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let (row, caption) = cut(policy, random)?;
    Some((policy.with(row, 1, &[]), caption))
}

fn row_cut_where_gaps_are_refused(policy: &Policy, random: &mut Seeded) -> Option<(String, usize)> {
    let (row, _) = cut(policy, random)?;
    let text = policy.with(row, 1, &[]).replacen("\nwrit: 1\n", "\nwrit: 1\ngaps: refused\n", 1);
    let line = text.lines().position(|line| line == "gaps: refused")? + 1;
    Some((text, line))
}
