//! A service as the catalog knows it.

use serde::{Deserialize, Serialize};
use writ_model::{Category, Term};

use crate::fact::{Fact, SourceDate};
use crate::path::PathPattern;

/// An AI offering: a public one, a feature inside another product, or an own model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Stable id, kebab-case; policies name it.
    pub id: Term,
    /// The name that people know.
    pub name: String,
    /// Who offers it.
    pub vendor: String,
    /// What kind of service it is; never `unknown`.
    pub category: Category,
    /// The wire formats that its endpoints speak, as far as known.
    pub formats: Vec<WireFormat>,
    /// How we know that these hosts are this service.
    pub evidence: Evidence,
    /// A remark for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its hosts, sorted by name; empty where only the vendor's admin logs show its use.
    pub hosts: Vec<Host>,
    /// Headers that limit an account to the organisation's own workspace.
    #[serde(default, rename = "tenant-header", skip_serializing_if = "Vec::is_empty")]
    pub tenant_headers: Vec<TenantHeader>,
    /// Plans that a source tells apart, sorted by id. The tier `unknown` is implied and is the weakest.
    #[serde(default, rename = "tier", skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
}

impl Service {
    /// The plan called `id`, if the catalog knows it.
    pub fn tier(&self, id: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.id.as_str() == id)
    }
}

/// A wire format by name; the codecs are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireFormat {
    /// OpenAI chat completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Gemini `generateContent` and `streamGenerateContent`.
    GeminiGenerate,
    /// A format without a codec of its own: its strings are walked.
    Unknown,
}

impl WireFormat {
    /// The codec for it.
    pub const fn codec(self) -> writ_model::WireFormat {
        match self {
            Self::OpenaiChat => writ_model::WireFormat::OpenaiChat,
            Self::OpenaiResponses => writ_model::WireFormat::OpenaiResponses,
            Self::AnthropicMessages => writ_model::WireFormat::AnthropicMessages,
            Self::GeminiGenerate => writ_model::WireFormat::GeminiGenerate,
            Self::Unknown => writ_model::WireFormat::AnyJson,
        }
    }
}

/// How the service is told apart, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What shows its use.
    pub seen: Seen,
    /// Who lists these hosts as this service.
    pub source: String,
    /// The date of the first source named.
    pub date: SourceDate,
}

/// What shows that a service is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The host name alone.
    Host,
    /// On some of its hosts the path is needed, hence decryption.
    HostAndPath,
    /// Neither: only the vendor's admin logs.
    AdminLogs,
}

/// A host name of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Host {
    /// Lower case, ASCII (IDN as punycode), no trailing dot, no port.
    pub name: String,
    /// How a name is compared with it.
    #[serde(rename = "match")]
    pub matching: HostMatch,
    /// How a connection to it is handled unless the organisation chose otherwise.
    pub mode: HostMode,
    /// The plan that this host alone tells, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Term>,
    /// The paths that are AI; only with, and required by, the mode `paths`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
}

impl Host {
    /// Whether a request target (`/path?query`) is on one of the AI paths. Always true unless the mode is `paths`.
    pub fn ai_path(&self, target: &str) -> bool {
        if self.mode != HostMode::Paths {
            return true;
        }
        let path = crate::path::normalise_path(target);
        self.paths.iter().any(|pattern| pattern.matches(&path))
    }
}

/// How a host name is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostMatch {
    /// The name itself.
    Exact,
    /// The name itself and every name below it, on label boundaries.
    Suffix,
    /// One `*` stands for one or more characters of one label: `*-aiplatform.googleapis.com`.
    Pattern,
}

/// How a connection to a host is handled (DESIGN, host modes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostMode {
    /// Decrypted, judged, recorded.
    Inspect,
    /// Decrypted for its head only: tenant headers are set, no body is read. For sign-in hosts.
    HeadOnly,
    /// A host that also holds mail or files: the body is read on its AI paths only. Off until the organisation turns
    /// it on; until then the connection is spliced and is no evidence of AI use.
    Paths,
    /// Passed through unread.
    Splice,
    /// Refused.
    Refuse,
}

/// A header that limits sign-in or use to the organisation's own workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantHeader {
    /// Name of the header as documented.
    pub name: String,
    /// What its value looks like, in words.
    pub value: String,
    /// Who documents it.
    pub source: String,
    /// The date of that document, or the day it was read.
    pub date: SourceDate,
}

/// A plan of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tier {
    /// Kebab-case: free, team, enterprise ...
    pub id: Term,
    /// Whether inputs train models.
    pub training: Fact<TrainingUse>,
    /// How many days inputs are kept by default; 0 = not kept.
    pub retention_days: Fact<u32>,
    /// Where inputs are stored: country codes (ISO 3166-1 alpha-2) or `eu`.
    pub regions: Fact<Vec<String>>,
}

/// Whether inputs are used to train models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingUse {
    /// Not used.
    No,
    /// Not used unless the customer asks for it.
    OptIn,
    /// Used unless the customer objects.
    OptOut,
    /// Used.
    Yes,
}

/// A sign-in host that is not itself an AI service. Its mode is always [`HostMode::HeadOnly`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignIn {
    /// Stable id, kebab-case.
    pub id: Term,
    /// The name that people know.
    pub name: String,
    /// Who runs it.
    pub vendor: String,
    /// Exact host names, sorted.
    pub hosts: Vec<String>,
    /// Headers that limit sign-in to the organisation's own tenant.
    #[serde(rename = "tenant-header")]
    pub tenant_headers: Vec<TenantHeader>,
}
