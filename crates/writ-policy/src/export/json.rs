//! The whole compiled form as JSON. `docs/reference/policy-export.md` says what each key means.

use std::collections::BTreeMap;

use serde::Serialize;
use writ_base::ContentHash;
use writ_model::standing::{ExceptionGrant, RolloutEntry};
use writ_model::verdict::{Offer, Restore};
use writ_model::{Effect, Mode, Severity, Term, Value as _};

use crate::eval::Policy;
use crate::eval::readable::{Atom, Condition, ReadableRow};
use crate::rule::{KeyTest, Keys, Rule};

/// The version of this form. Keys may be added under the same version; a change of meaning raises it.
pub const FORMAT: u32 = 1;

/// A compiled policy.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Export {
    /// [`FORMAT`].
    pub format: u32,
    /// What it was compiled from, and what it was compiled to.
    pub hashes: Hashes,
    /// The effect of what nothing foresees, per `who`.
    pub postures: BTreeMap<&'static str, Effect>,
    /// The classes.
    pub classes: BTreeMap<Term, Class>,
    /// The clauses, in the order of the text.
    pub clauses: Vec<Clause>,
    /// The rules, in the order of the text.
    pub rules: Vec<RuleForm>,
    /// What runs.
    pub rows: Rows,
    /// Exceptions that stand beside the policy.
    pub exceptions: Vec<ExceptionForm>,
    /// The roll-out.
    pub rollout: Vec<RolloutEntry>,
}

/// Hashes that anybody can compute again.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hashes {
    /// Of the signed text.
    pub text: ContentHash,
    /// Of the rows.
    pub rows: ContentHash,
    /// Of exceptions and roll-out.
    pub standing: ContentHash,
}

/// A class.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Class {
    /// The level of content that holds it.
    pub level: &'static str,
    /// The least number of distinct values of the band *few*.
    pub few: u32,
    /// The least number of distinct values of the band *bulk*.
    pub bulk: u32,
}

/// A clause.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Clause {
    /// The stable id.
    pub id: Term,
    /// The number as printed.
    pub number: String,
    /// The heading.
    pub title: String,
    /// How it is made true.
    pub mode: Mode,
}

/// A rule block or a cell of a table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleForm {
    /// Its clause.
    pub clause: Term,
    /// Its number within the clause.
    pub number: u16,
    /// Its conditions, as the policy writes them.
    pub keys: Vec<KeyForm>,
    /// Standing carve-outs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Vec<KeyForm>>,
    /// The effect.
    pub then: Effect,
    /// Whether its classes are removed.
    pub redact: bool,
    /// Whether it foresees.
    pub foresees: bool,
    /// What happens when content could not be read.
    pub fail: &'static str,
    /// Roles that may grant one interaction.
    #[serde(rename = "override", skip_serializing_if = "Vec::is_empty")]
    pub override_roles: Vec<Term>,
    /// What the person may choose instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offer: Vec<Offer>,
    /// How grave it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The reason shown to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Ids of risks or legal sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
    /// Where placeholders may be turned back.
    pub restore: Restore,
    /// Whether the person states a level.
    pub ask_level: bool,
    /// How often a note is shown, in seconds.
    pub every_seconds: u64,
}

/// A key of a rule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyForm {
    /// The key.
    pub key: &'static str,
    /// Whether it says `not`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// Its values, as the policy writes them.
    pub values: Vec<String>,
}

/// The rows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rows {
    /// Rows that foresee.
    pub foresee: Vec<RowForm>,
    /// Rows that raise.
    pub raise: Vec<RowForm>,
    /// Rows that raise where content could not be read.
    pub failure: Vec<RowForm>,
}

/// A row.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RowForm {
    /// The clause of its rule.
    pub clause: Term,
    /// The number of its rule within the clause.
    pub rule: u16,
    /// Its conditions: all must hold.
    pub when: Vec<ConditionForm>,
    /// What it covers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
}

/// A condition of a row.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConditionForm {
    /// The dimension.
    pub key: &'static str,
    /// Some of these hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub some: Option<Vec<String>>,
    /// None of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<Vec<String>>,
}

/// An exception.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExceptionForm {
    /// As it was granted.
    pub grant: ExceptionGrant,
    /// Its situation as it is tested.
    pub when: Vec<ConditionForm>,
    /// What it covers.
    pub covers: Vec<String>,
}

impl Export {
    /// The compiled form of a policy.
    pub fn of(policy: &Policy) -> Self {
        let (model, readable) = (policy.model(), policy.readable());
        let class = |class: &crate::rule::ClassDefinition| Class {
            level: class.level.as_str(),
            few: class.few,
            bulk: class.bulk,
        };
        let clause = |clause: &crate::rule::ClauseModel| Clause {
            id: clause.id.clone(),
            number: clause.number.clone(),
            title: clause.title.clone(),
            mode: clause.mode,
        };
        let rows = |rows: &[ReadableRow]| rows.iter().filter_map(|row| row_form(policy, row)).collect();
        let exceptions = policy.standing().exceptions.iter().zip(&readable.exceptions);
        Self {
            format: FORMAT,
            hashes: Hashes { text: policy.text_hash(), rows: policy.rows_hash(), standing: policy.standing_hash() },
            postures: writ_model::Who::ALL.iter().map(|who| (who.as_str(), policy.posture_of(*who))).collect(),
            classes: readable.classes.iter().map(|(name, definition)| (name.clone(), class(definition))).collect(),
            clauses: model.clauses.iter().map(clause).collect(),
            rules: model.rules.iter().map(rule_form).collect(),
            rows: Rows {
                foresee: rows(&readable.foresee),
                raise: rows(&readable.raise),
                failure: rows(&readable.failure),
            },
            exceptions: exceptions
                .map(|(exception, form)| ExceptionForm {
                    grant: exception.grant.clone(),
                    when: form.conditions.iter().map(condition_form).collect(),
                    covers: atoms(&form.covers),
                })
                .collect(),
            rollout: policy.standing().rollout.clone(),
        }
    }
}

fn row_form(policy: &Policy, row: &ReadableRow) -> Option<RowForm> {
    let rule = policy.model().rules.get(row.rule)?;
    Some(RowForm {
        clause: rule.clause.clone(),
        rule: rule.number,
        when: row.conditions.iter().map(condition_form).collect(),
        covers: atoms(&row.covers),
    })
}

fn condition_form(condition: &Condition) -> ConditionForm {
    let values = atoms(&condition.atoms);
    let (some, none) = if condition.none { (None, Some(values)) } else { (Some(values), None) };
    ConditionForm { key: condition.dimension.key(), some, none }
}

fn atoms(atoms: &[Atom]) -> Vec<String> {
    atoms.iter().map(ToString::to_string).collect()
}

fn rule_form(rule: &Rule) -> RuleForm {
    RuleForm {
        clause: rule.clause.clone(),
        number: rule.number,
        keys: keys(&rule.keys),
        unless: rule.unless.iter().map(keys).collect(),
        then: rule.then,
        redact: rule.redact,
        foresees: rule.foresees,
        fail: if rule.fail_closed { "closed" } else { "open" },
        override_roles: rule.override_roles.iter().cloned().collect(),
        offer: rule.offers.clone(),
        severity: rule.severity,
        why: rule.why.clone(),
        because: rule.because.clone(),
        restore: rule.restore,
        ask_level: rule.ask_level,
        every_seconds: rule.every_seconds,
    }
}

fn keys(keys: &Keys) -> Vec<KeyForm> {
    let form = |key: &KeyTest| KeyForm {
        key: key.dimension.key(),
        not: key.not,
        values: key.values.iter().map(|value| value.name(key.dimension)).collect(),
    };
    keys.tests.iter().map(form).collect()
}
