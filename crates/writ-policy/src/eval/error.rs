//! Why a policy, or what stands beside it, cannot be put in force.

use writ_model::Term;
use writ_model::standing::{ExceptionId, RolloutId};

/// A policy that needs more than a named limit admits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The `unless` of a rule lowers to too many rows.
    #[error(
        "rule {rule} of clause `{clause}` needs {rows} combinations of its `unless` keys, at most {limit} are possible; write several rules instead"
    )]
    TooManyUnless {
        /// The clause.
        clause: Term,
        /// The rule's number within it.
        rule: u16,
        /// Rows that it would need.
        rows: usize,
        /// Rows that it may have.
        limit: usize,
    },
    /// Too many classes.
    #[error(
        "the policy tells {count} data classes apart, at most {limit} are possible; merge classes that share their rules"
    )]
    TooManyClasses {
        /// Classes of the policy.
        count: usize,
        /// Classes that it may have.
        limit: usize,
    },
    /// Too many values of all dimensions together.
    #[error(
        "the policy and its exceptions need {bits} bits for the values that they name, at most {limit} are possible; use groups, categories or statuses instead of naming each service, region or entity"
    )]
    TooManyValues {
        /// Bits needed.
        bits: usize,
        /// Bits that there are.
        limit: usize,
    },
    /// Too many rows of all rules together.
    #[error("the rules lower to more than {limit} rows; write fewer `unless` keys or fewer classes with `cleared`")]
    TooManyRows {
        /// Rows that there may be.
        limit: usize,
    },
}

/// An exception or an entry of the roll-out that cannot be put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StandingError {
    /// An exception for a clause that the policy does not have.
    #[error("exception `{exception}` is for clause `{clause}`, which this policy does not have")]
    ExceptionWithoutClause {
        /// The exception.
        exception: ExceptionId,
        /// The clause it names.
        clause: Term,
    },
    /// An entry of the roll-out for a clause that the policy does not have.
    #[error("roll-out entry `{entry}` is for clause `{clause}`, which this policy does not have")]
    RolloutWithoutClause {
        /// The entry.
        entry: RolloutId,
        /// The clause it names.
        clause: Term,
    },
    /// An exception that ends before it begins.
    #[error("exception `{exception}` ends before it begins")]
    ExceptionEndsFirst {
        /// The exception.
        exception: ExceptionId,
    },
    /// An entry of the roll-out that ends before it begins.
    #[error("roll-out entry `{entry}` ends before it begins")]
    RolloutEndsFirst {
        /// The entry.
        entry: RolloutId,
    },
    /// An exception whose situation cannot be read.
    #[error("exception `{exception}` has a situation that cannot be read: {error}")]
    Keys {
        /// The exception.
        exception: ExceptionId,
        /// What is wrong with its keys.
        error: KeyError,
    },
    /// An exception for a clause without rules.
    #[error("exception `{exception}` is for clause `{clause}`, which has no rule that could be relaxed")]
    NothingToRelax {
        /// The exception.
        exception: ExceptionId,
        /// The clause.
        clause: Term,
    },
    /// An exception that reaches beyond its clause.
    #[error(
        "exception `{exception}` reaches beyond clause `{clause}` in `{key}`; state `{key}` so that it lies within what the clause says"
    )]
    OutsideClause {
        /// The exception.
        exception: ExceptionId,
        /// The clause.
        clause: Term,
        /// The key in which it reaches beyond.
        key: &'static str,
    },
    /// The keys of the exceptions need more than a named limit admits.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// A situation in keys that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key that the schema does not have.
    #[error("`{key}` is not a key; the keys are those of the policy language, such as `group`, `status` or `data`")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A value that the dimension does not have.
    #[error("`{value}` is not a value of `{key}`")]
    UnknownValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
    /// A key without a value.
    #[error("`{key}` has no value")]
    NoValue {
        /// The key.
        key: &'static str,
    },
    /// `not` where it has no meaning.
    #[error("`not` has no meaning on `{key}`")]
    Not {
        /// The key.
        key: &'static str,
    },
}
