//! What can be wrong with a catalog text.

use writ_base::Limit;

/// Why a catalog or an organisation's services could not be loaded. Nothing of it is ever applied in part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A text is not TOML of the expected form; the message holds line and column.
    #[error("catalog text {number}: {message}")]
    Syntax {
        /// Which of the texts, from 1.
        number: usize,
        /// What the parser said, with line, column and excerpt.
        message: String,
    },
    /// Two services have one id.
    #[error("service `{id}` is defined twice; give one of them another id")]
    DuplicateService {
        /// The id.
        id: String,
    },
    /// Two services claim one host name.
    #[error("host `{host}` belongs to `{first}` and to `{second}`; a host belongs to one service")]
    DuplicateHost {
        /// The name.
        host: String,
        /// The service that claimed it first.
        first: String,
        /// The service that claimed it too.
        second: String,
    },
    /// A field of a service breaks a rule.
    #[error("service `{service}`: {problem}")]
    Service {
        /// The id of the service.
        service: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// An organisation's file names a service that no catalog text defines.
    #[error("no service is called `{id}`; run `writ catalog list` for the ids")]
    UnknownService {
        /// The id as written.
        id: String,
    },
    /// More than a named limit allows.
    #[error("more than {value} {unit} in a catalog (limit `{limit}`)")]
    Limit {
        /// The name of the limit.
        limit: &'static str,
        /// What it counts.
        unit: &'static str,
        /// How many are allowed.
        value: usize,
    },
}

impl CatalogError {
    /// Fails if `amount` is above `limit`.
    pub(crate) fn check_limit(limit: &'static Limit, amount: usize) -> Result<(), Self> {
        if limit.admits(amount) {
            return Ok(());
        }
        Err(Self::Limit { limit: limit.name(), unit: limit.unit(), value: limit.value() })
    }

    pub(crate) fn service(id: &str, problem: impl Into<String>) -> Self {
        Self::Service { service: id.to_owned(), problem: problem.into() }
    }
}
