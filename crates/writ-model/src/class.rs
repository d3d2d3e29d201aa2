//! Data classes: the kinds of data that rules speak about.

use crate::term::Term;
use crate::values::Level;

/// A shipped class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassSpec {
    /// The name in policies.
    pub name: &'static str,
    /// What people call it, in English.
    pub said: &'static str,
    /// What belongs to it.
    pub doc: &'static str,
    /// The level of content that holds it, unless the document says otherwise.
    pub level: Level,
}

macro_rules! classes {
    ($($constant:ident = $name:literal ($said:literal), $level:ident: $doc:literal;)+) => {
        $(#[doc = $doc] pub const $constant: Term = Term::fixed($name);)+

        /// The shipped classes, in the order of the reference page.
        pub const CLASSES: &[ClassSpec] = &[$(ClassSpec { name: $name, said: $said, doc: $doc, level: Level::$level }),+];
    };
}

classes! {
    CONTACT = "contact" ("contact data"), Internal: "name, business e-mail, phone, address";
    PII = "pii" ("personal data"), Confidential: "identifying numbers, dates of birth, private data";
    SPECIAL_CATEGORY = "special-category" ("special categories"), Restricted: "religion, politics, health, union membership and the like (GDPR 9, 10)";
    PHI = "phi" ("health information"), Restricted: "an identifier of a person together with a health context";
    PAYMENT = "payment" ("payment data"), Confidential: "payment cards and bank accounts";
    FINANCIAL = "financial" ("financial plans"), Confidential: "unpublished results and financial planning";
    CREDENTIALS = "credentials" ("credentials"), Restricted: "passwords, keys and tokens";
    SOURCE_CODE = "source-code" ("source code"), Internal: "program source and configuration";
    TRADE_SECRET = "trade-secret" ("trade secrets"), Restricted: "proprietary algorithms, research and development";
    STRATEGIC = "strategic" ("strategic plans"), Restricted: "mergers and acquisitions, customer lists, plans";
    PRIVILEGED = "privileged" ("legal advice"), Restricted: "communication with counsel";
    EXPORT_CONTROLLED = "export-controlled" ("export-controlled data"), Restricted: "technical data under export control";
}

/// What every interaction contains, beside the classes found.
pub const PLAIN: Term = Term::fixed("plain");

/// What people call a class, in English; of one that does not ship, its own name.
pub fn said(class: &str) -> String {
    let shipped = CLASSES.iter().find(|spec| spec.name == class);
    shipped.map_or_else(|| class.replace('-', " "), |spec| spec.said.to_owned())
}

/// Named groups of classes that ship, with their members.
pub const CLASS_GROUPS: &[(&str, &[&str])] = &[("personal", &["contact", "pii", "special-category", "phi"])];
