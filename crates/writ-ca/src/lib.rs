//! The certificate authority: what lets Writ answer for AI services on devices that trust the organisation's root, and
//! keeps it from answering for anything else.
//!
//! Three levels. The **root** ([`Root`]) is used by `writ ca` only; its key is encrypted with a passphrase and is not
//! on the serving machine. **Intermediates** ([`Intermediate`]), one for each [`Group`] of listed names, carry critical
//! name constraints: their listed DNS subtrees are permitted, every IP address is excluded, the path ends with them.
//! **Leaves** are made while serving ([`Authority`]): exactly one DNS name, weeks of validity, one key per process that
//! signs nothing but handshakes. The claim is: *the running proxy can impersonate only the listed hosts*.
//!
//! The constraints stand on the intermediates because some verifiers ignore those of a root, and they exclude IP
//! addresses because DNS constraints alone do not. Directory, e-mail and URI names are not constrained: an empty
//! constraint of these kinds makes Java or Go refuse the whole chain. Instead intermediates may be used for TLS servers
//! only (extended key usage), and `docs/reference/ca-verifiers.md` shows, made by a test, what each verifier does.
//!
//! Keys are made and used by aws-lc with its own randomness; serial numbers and sealing take a
//! [`writ_base::Randomness`].

mod authority;
mod cache;
mod certificate;
mod der;
mod error;
mod extend;
mod folder;
mod groups;
pub mod kit;
mod listed;
mod parsed;
mod pem;
mod root;

pub use authority::{Authority, NoCertificate};
pub use error::CaError;
pub use extend::{Extended, Extension, extend};
pub use folder::{Folder, Stored};
pub use groups::{Group, groups, groups_beside};
pub use listed::{Listed, listed};
pub use pem::{certificates, pem_of};
pub use root::{Intermediate, Root, RootName, handshake_bytes};

/// Limits of this crate (invariant LIM-1).
pub mod limits {
    use writ_base::Limit;

    /// The certificate message of TLS 1.3 with leaf and intermediate, for a root that `writ ca init` made.
    pub static HANDSHAKE: Limit = Limit::new("ca.handshake", "bytes", 1500);
    /// Names of one group.
    pub static GROUP_NAMES: Limit = Limit::new("ca.group_names", "names", 30);
    /// Names that one authority can answer for.
    pub static NAMES: Limit = Limit::new("ca.names", "names", 5_000);
    /// Leaves kept.
    pub static LEAVES: Limit = Limit::new("ca.leaves", "certificates", 10_000);
    /// Leaves kept for names below one listed name, at most; fewer where many names are listed.
    pub static LEAVES_BELOW: Limit = Limit::new("ca.leaves_below", "certificates", 256);
    /// One file of certificates or a key.
    pub static FILE: Limit = Limit::new("ca.file", "bytes", 256 << 10);

    /// All of them, for the metrics page.
    pub static ALL: &[&Limit] = &[&HANDSHAKE, &GROUP_NAMES, &NAMES, &LEAVES, &LEAVES_BELOW, &FILE];
}
