//! Data classes: the kinds of data that rules speak about.

use crate::term::Term;
use crate::values::Level;

/// A shipped class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassSpec {
    /// The name in policies.
    pub name: &'static str,
    /// What belongs to it.
    pub doc: &'static str,
    /// The level of content that holds it, unless the document says otherwise.
    pub level: Level,
}

macro_rules! classes {
    ($($constant:ident = $name:literal, $level:ident: $doc:literal;)+) => {
        $(#[doc = $doc] pub const $constant: Term = Term::fixed($name);)+

        /// The shipped classes, in the order of the reference page.
        pub const CLASSES: &[ClassSpec] = &[$(ClassSpec { name: $name, doc: $doc, level: Level::$level }),+];
    };
}

classes! {
    CONTACT = "contact", Internal: "name, business e-mail, phone, address";
    PII = "pii", Confidential: "identifying numbers, dates of birth, private data";
    SPECIAL_CATEGORY = "special-category", Restricted: "religion, politics, health, union membership and the like (GDPR 9, 10)";
    PHI = "phi", Restricted: "an identifier of a person together with a health context";
    PAYMENT = "payment", Confidential: "payment cards and bank accounts";
    FINANCIAL = "financial", Confidential: "unpublished results and financial planning";
    CREDENTIALS = "credentials", Restricted: "passwords, keys and tokens";
    SOURCE_CODE = "source-code", Internal: "program source and configuration";
    TRADE_SECRET = "trade-secret", Restricted: "proprietary algorithms, research and development";
    STRATEGIC = "strategic", Restricted: "mergers and acquisitions, customer lists, plans";
    PRIVILEGED = "privileged", Restricted: "communication with counsel";
    EXPORT_CONTROLLED = "export-controlled", Restricted: "technical data under export control";
}

/// What every interaction contains, beside the classes found.
pub const PLAIN: Term = Term::fixed("plain");

/// Named groups of classes that ship, with their members.
pub const CLASS_GROUPS: &[(&str, &[&str])] = &[("personal", &["contact", "pii", "special-category", "phi"])];
