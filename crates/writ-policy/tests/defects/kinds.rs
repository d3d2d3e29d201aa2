//! The fourteen kinds of defects, in the order of the page.

/// A kind of defect.
pub(super) struct Kind {
    /// The name of its file.
    pub(super) name: &'static str,
    /// The heading on the page.
    pub(super) title: &'static str,
    /// What is asked, and what a finding means, in plain words.
    pub(super) means: &'static str,
    /// The codes that it is reported with; the first is the usual one.
    pub(super) codes: &'static [&'static str],
    /// Which part of Writ answers.
    pub(super) asked: &'static str,
    /// The entries.
    pub(super) text: &'static str,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "gap",
        title: "Gaps",
        means: "A policy that says `gaps: refused` claims to decide every case itself. Writ looks for situations in \
                which no rule and no table says anything, so that only the posture decides.",
        codes: &["gap"],
        asked: "`check`, `prove`, each load",
        text: include_str!("gap.md"),
    },
    Kind {
        name: "dead-rule",
        title: "Dead rules",
        means: "A rule that changes nothing: without it every request would be treated the same, because other rules \
                ask for at least as much wherever it applies. Somebody meant it to do something.",
        codes: &["dead-rule"],
        asked: "`check`, `prove`, each load",
        text: include_str!("dead-rule.md"),
    },
    Kind {
        name: "vacuous-rule",
        title: "Vacuous rules",
        means: "A rule that can never apply, because its conditions cannot hold together in any possible situation.",
        codes: &["vacuous-rule"],
        asked: "`check`, `prove`, each load",
        text: include_str!("vacuous-rule.md"),
    },
    Kind {
        name: "overruled",
        title: "Overruled permissions",
        means: "The text calls something acceptable, in a rule with `then: allow` or in a cell of a table, but a \
                stricter clause decides there in every case. Staff who read the permission are stopped all the same.",
        codes: &["overruled-allow", "overruled-cell"],
        asked: "`check`, `prove`, each load",
        text: include_str!("overruled.md"),
    },
    Kind {
        name: "term",
        title: "Undefined and double terms",
        means: "A word that nothing defines, so that the rule would speak about nothing; or one that two places \
                define, so that a reader cannot tell which of them holds.",
        codes: &[
            "undefined-name",
            "duplicate-name",
            "unknown-value",
            "undefined-source",
            "dangling-reference",
            "unknown-role",
        ],
        asked: "`check`, each load",
        text: include_str!("term.md"),
    },
    Kind {
        name: "promise",
        title: "Promises without a mode",
        means: "Prose that says what must or must not be, in a clause that no rule, no control and no stated mode makes \
                true: nobody could keep the promise, and nobody would notice that it is broken.",
        codes: &["promise-without-mode"],
        asked: "`check`, each load",
        text: include_str!("promise.md"),
    },
    Kind {
        name: "opaque",
        title: "Content without a reader that nothing decides",
        means: "Images, sound, encrypted files and the like have no reader. Each kind of them needs a rule that decides \
                it; otherwise such content passes on what little could be read.",
        codes: &["opaque-undecided"],
        asked: "`check`, each load",
        text: include_str!("opaque.md"),
    },
    Kind {
        name: "example",
        title: "Examples that contradict their rule",
        means: "An example is a promise to the reader: this text is stopped, that one is not. Writ runs each of them \
                with real detection and says where the rule does something else.",
        codes: &["example-contradicts-rule"],
        asked: "`check`, `test`",
        text: include_str!("example.md"),
    },
    Kind {
        name: "wide",
        title: "Carve-outs that are wider than their clause",
        means: "An `unless` that leaves nothing of its rule or never meets it, and an exception that reaches beyond the \
                clause it relaxes or changes what is decided where that clause says nothing.",
        codes: &["wide-unless", "wide-exception", "idle-unless", "refused"],
        asked: "`check`, `prove --standing`, each load and each grant",
        text: include_str!("wide.md"),
    },
    Kind {
        name: "expiry",
        title: "Exceptions without an end",
        means: "An exception ends by the clock. Writ refuses one that does not say when, and warns where one lasts \
                longer than the policy itself allows, or where the policy does not say how long one may last.",
        codes: &["exception-too-long", "refused", "missing-key", "invalid-value", "process-missing"],
        asked: "`check`, `prove --standing`, each load and each grant",
        text: include_str!("expiry.md"),
    },
    Kind {
        name: "weaker",
        title: "Weaker than the baseline",
        means: "A policy of a department that is to be at least as strict as the general one, but is not. Writ compares \
                what both decide in every situation, and not their words.",
        codes: &["weaker-than-baseline"],
        asked: "`check --baseline`, `prove --baseline`",
        text: include_str!("weaker.md"),
    },
    Kind {
        name: "assertion",
        title: "Assertions that fail",
        means: "A `prove` block says what must never or must always be. Writ proves it over all possible situations, or \
                shows one that breaks it.",
        codes: &["assertion-fails"],
        asked: "`check`, `prove`, each load and each grant",
        text: include_str!("assertion.md"),
    },
    Kind {
        name: "table",
        title: "Incomplete tables",
        means: "A table that leaves out a row or a column which nothing else decides either: the posture decides it, and \
                the table looks complete to its readers.",
        codes: &["incomplete-table"],
        asked: "`check`, `prove`, each load",
        text: include_str!("table.md"),
    },
    Kind {
        name: "capability",
        title: "Clauses without the means to enforce them",
        means: "A clause whose rules rest on facts that the installation cannot have, such as a gate before \
                protected branches: it is signed, and it never acts.",
        codes: &["not-enforced"],
        asked: "`prove`",
        text: include_str!("capability.md"),
    },
];
