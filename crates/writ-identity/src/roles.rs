//! Roles and what they may do: one table in code, printed to `docs/reference/roles.md`, with a test for every cell.

use std::collections::BTreeSet;
use std::fmt;

use writ_store::state::CaseKind;

macro_rules! names {
    ($($(#[$meta:meta])* pub enum $type:ident { $($variant:ident = $name:literal: $doc:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $(#[doc = $doc] $variant,)+
        }

        impl $type {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in commands, tables and records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }

            /// The one with this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

names! {
    /// What somebody is in the console.
    pub enum Role {
        Admin = "admin": "keeps the system running; sees no people",
        PrivacyOfficer = "privacy-officer": "guards the rights of the people recorded: reveals, objections",
        Analyst = "analyst": "reads records by pseudonym",
        PolicyOwner = "policy-owner": "answers for the policy: roll-out, requests for exceptions",
        HelpDesk = "help-desk": "helps with a stop, by its code",
        Employee = "employee": "reads the policy and the own record",
    }

    /// What can be allowed.
    pub enum Permission {
        SeePolicy = "see-policy": "read the policy and its hashes",
        SeeOwnRecord = "see-own-record": "read what was recorded of oneself, and who looked at it",
        SeeOverview = "see-overview": "counts without people: verdicts, classes, clauses, share not inspected",
        SeeTools = "see-tools": "AI services seen in use",
        UseStudio = "use-studio": "clauses with their rules and figures, findings, made-up situations",
        KeepDraft = "keep-draft": "keep a draft of the policy; it never runs by itself",
        SeeRollout = "see-rollout": "how far each clause bites, and for whom",
        ChangeRollout = "change-rollout": "advance a clause, or take it back",
        SeeLive = "see-live": "the list of records, by pseudonym",
        SeeDetail = "see-detail": "one record: facts, classes, clauses, both verdicts",
        LookUpCode = "look-up-code": "a stop by its code: clause and way out, neither person nor content",
        SeeInbox = "see-inbox": "cases of the kinds that the role answers",
        AnswerInbox = "answer-inbox": "answer those cases, with a reason",
        SeeReveals = "see-reveals": "requests to lift a pseudonym",
        AskReveal = "ask-reveal": "ask for a pseudonym to be lifted, with a purpose",
        ApproveReveal = "approve-reveal": "approve that with one's own share",
        ReadLedger = "read-ledger": "verify the ledger, read checkpoints",
        SeeHealth = "see-health": "state of parts, limits, failures",
        SeeMetrics = "see-metrics": "counters for monitoring",
        SeeAccounts = "see-accounts": "accounts by id, with their roles",
        ManageAccounts = "manage-accounts": "make and disable accounts, give roles, reset passwords",
    }
}

/// Whether a role has a permission: the table.
pub const fn allows(role: Role, permission: Permission) -> bool {
    use Permission as P;
    use Role::{Admin, Analyst, HelpDesk, PolicyOwner, PrivacyOfficer};
    match permission {
        P::SeePolicy | P::SeeOwnRecord => true,
        P::SeeOverview | P::SeeTools | P::SeeRollout | P::UseStudio => {
            matches!(role, Admin | PrivacyOfficer | Analyst | PolicyOwner)
        }
        P::KeepDraft => matches!(role, Admin | PrivacyOfficer | PolicyOwner),
        P::SeeLive | P::SeeDetail => matches!(role, PrivacyOfficer | Analyst),
        P::LookUpCode => matches!(role, HelpDesk | PrivacyOfficer | Analyst),
        P::SeeInbox | P::AnswerInbox => matches!(role, PrivacyOfficer | PolicyOwner),
        P::SeeReveals | P::AskReveal | P::ApproveReveal => matches!(role, PrivacyOfficer),
        P::ChangeRollout => matches!(role, PolicyOwner),
        P::ReadLedger => matches!(role, Admin | PrivacyOfficer | Analyst),
        P::SeeHealth => matches!(role, Admin | Analyst),
        P::SeeMetrics | P::SeeAccounts | P::ManageAccounts => matches!(role, Admin),
    }
}

/// Whether a role answers cases of this kind: objections are about people's rights, requests about the policy.
pub const fn answers(role: Role, kind: CaseKind) -> bool {
    match kind {
        CaseKind::Objection => matches!(role, Role::PrivacyOfficer),
        CaseKind::ExceptionRequest | CaseKind::VettingRequest => matches!(role, Role::PolicyOwner),
    }
}

/// Whether any of these roles has a permission.
pub fn any_allows(roles: &BTreeSet<Role>, permission: Permission) -> bool {
    roles.iter().any(|role| allows(*role, permission))
}

/// The table as Markdown: the page `docs/reference/roles.md`.
pub fn render() -> String {
    let mut page = String::from(
        "# Roles\n\nGenerated from the table in `writ_identity::roles`; a test holds this page to it. An account has one or \
         more roles; people appear by pseudonym in all of them, and lifting one takes the shares of two people.\n\n",
    );
    page.push_str("| role | |\n|---|---|\n");
    for role in Role::ALL {
        page.push_str(&format!("| `{role}` | {} |\n", role.doc()));
    }
    page.push_str("\n| permission | |");
    Role::ALL.iter().for_each(|role| page.push_str(&format!(" {role} |")));
    page.push_str("\n|---|---|");
    Role::ALL.iter().for_each(|_| page.push_str(":-:|"));
    page.push('\n');
    for permission in Permission::ALL {
        page.push_str(&format!("| `{permission}` | {} |", permission.doc()));
        for role in Role::ALL {
            page.push_str(if allows(*role, *permission) { " yes |" } else { " |" });
        }
        page.push('\n');
    }
    page.push_str("\n| answers cases of kind |");
    Role::ALL.iter().for_each(|role| page.push_str(&format!(" {role} |")));
    page.push_str("\n|---|");
    Role::ALL.iter().for_each(|_| page.push_str(":-:|"));
    page.push('\n');
    for kind in CaseKind::ALL {
        page.push_str(&format!("| `{}` |", kind.as_str()));
        for role in Role::ALL {
            page.push_str(if answers(*role, *kind) { " yes |" } else { " |" });
        }
        page.push('\n');
    }
    page
}
