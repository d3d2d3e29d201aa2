//! What can go wrong while the authority is made, extended or opened.

use std::path::{Path, PathBuf};

/// Why the authority cannot be made, extended or opened. Never holds key material or a passphrase.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// A file or folder refused.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    File {
        /// Read, write, make ...
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there already and would be lost.
    #[error("`{}` exists already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// Text that is no certificate or key, or one that cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase does not open the key, or the file was changed")]
    Passphrase,
    /// The passphrase is too short to protect a key that everybody's devices trust.
    #[error("the passphrase has fewer than {least} characters; take a longer one")]
    ShortPassphrase {
        /// How many are needed.
        least: usize,
    },
    /// A sealed key that the given key does not open.
    #[error("cannot open the key of group `{group}`: it was sealed with another key, or a file was changed")]
    Sealed {
        /// The group.
        group: String,
    },
    /// A name that cannot be listed.
    #[error("`{name}` cannot be listed: {reason}")]
    Name {
        /// The name as given.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A named limit was reached.
    #[error("{what} is over the limit `{limit}` of {most}")]
    Limit {
        /// What is too large.
        what: String,
        /// Name of the limit.
        limit: &'static str,
        /// Its value.
        most: usize,
    },
    /// The cryptographic library refused.
    #[error("cannot {doing}: {reason}")]
    Crypto {
        /// What was tried.
        doing: &'static str,
        /// What the library said.
        reason: String,
    },
}

impl CaError {
    pub(crate) fn file(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), source }
    }

    pub(crate) fn unusable(text: impl Into<String>) -> Self {
        Self::Unusable(text.into())
    }

    pub(crate) fn crypto(doing: &'static str, reason: &impl ToString) -> Self {
        Self::Crypto { doing, reason: reason.to_string() }
    }

    pub(crate) fn limit(what: String, limit: &writ_base::Limit) -> Self {
        Self::Limit { what, limit: limit.name(), most: limit.value() }
    }
}
