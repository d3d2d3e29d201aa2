//! The closed values of the dimensions: names as policies write them, meanings as the reference page prints them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of a closed dimension.
pub trait Value: Copy + Eq + 'static {
    /// All values, in the order of the schema; on ordered dimensions from the least to the greatest risk.
    const ALL: &'static [Self];
    /// The name in policies, facts and records.
    fn name(self) -> &'static str;
    /// Its place in [`Value::ALL`].
    fn index(self) -> u8;
    /// The value with this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// Name and meaning of a value, for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSpec {
    /// The name in policies.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
}

macro_rules! values {
    ($($(#[$meta:meta])* pub enum $type:ident { $($variant:ident = $name:literal: $doc:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $(#[doc = $doc] $variant,)+
        }

        impl $type {
            /// Names and meanings, in the order of the schema.
            pub const SPECS: &'static [ValueSpec] = &[$(ValueSpec { name: $name, doc: $doc }),+];

            /// The name in policies, facts and records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl Value for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                self.as_str()
            }

            fn index(self) -> u8 {
                self as u8
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&name, &[$($name),+]);
                Self::named(&name).ok_or_else(unknown)
            }
        }
    )+};
}

values! {
    /// Who acts.
    pub enum Who {
        Employee = "employee": "a person employed by the organisation",
        Contractor = "contractor": "a person who works for the organisation under another contract",
        Vendor = "vendor": "a person of a supplier with access to the organisation's systems",
        ServiceAccount = "service-account": "a program without a person behind it",
        Agent = "agent": "an AI agent, on behalf of a person or of the organisation",
        Unknown = "unknown": "nobody could say who acts",
    }

    /// How sure Writ is of who acts; from the least to the greatest risk.
    pub enum Identity {
        Strong = "strong": "client certificate, Kerberos, device-bound session or token",
        Password = "password": "password, OIDC login, API key of one person",
        Address = "address": "network address that belonged to the person at that time",
        Shared = "shared": "a key or address that several people use",
        None = "none": "no evidence",
    }

    /// What is done.
    pub enum Action {
        Submit = "submit": "a prompt is sent",
        Upload = "upload": "a file is sent",
        ToolCall = "tool-call": "an agent calls a tool",
        Receive = "receive": "an answer comes back",
        ToolResult = "tool-result": "a tool's result comes back",
        SignIn = "sign-in": "somebody signs in or signs up at a service",
        Tunnel = "tunnel": "a connection that will not be inspected",
        Merge = "merge": "AI-generated code enters a protected branch",
    }

    /// Kind of AI service.
    pub enum Category {
        PublicChat = "public-chat": "a chat open to the public",
        CodingAssistant = "coding-assistant": "writes or explains code, in an editor or on the command line",
        SaasFeature = "saas-feature": "AI inside another product",
        ModelApi = "model-api": "a model behind an API",
        OwnModel = "own-model": "a model that the organisation runs",
        Agent = "agent": "acts on its own over several steps",
        Search = "search": "answers with sources from the web",
        MeetingNotes = "meeting-notes": "records, transcribes or summarises meetings",
        Image = "image": "makes or edits pictures",
        Audio = "audio": "makes or edits speech, music or sound",
        Video = "video": "makes or edits video",
        Writing = "writing": "writes, corrects or translates text",
        Data = "data": "analyses tables and documents",
        Other = "other": "none of these",
        Unknown = "unknown": "the service is not known",
    }

    /// Where a (service, tier) stands in its life.
    pub enum Status {
        Discovered = "discovered": "seen in use, nobody asked for it yet",
        Requested = "requested": "somebody asked for it",
        InReview = "in-review": "vetting has begun",
        Approved = "approved": "vetted; allowed for the classes it is cleared for",
        Conditional = "conditional": "allowed under conditions",
        Denied = "denied": "vetted and refused",
        Retired = "retired": "no longer to be used",
    }

    /// The account used at the AI service.
    pub enum Account {
        Corporate = "corporate": "an account of the organisation",
        Personal = "personal": "a private account",
        LoggedOut = "logged-out": "no account",
        Unknown = "unknown": "could not be told",
    }

    /// How sensitive the content is; from the least to the greatest risk.
    pub enum Level {
        Unstated = "unstated": "nothing says",
        Public = "public": "may be seen by anybody",
        Internal = "internal": "for people of the organisation",
        Confidential = "confidential": "for those who need it",
        Restricted = "restricted": "for named people",
    }

    /// The level that the person stated.
    pub enum Declared {
        NotAsked = "not-asked": "nobody asked",
        Public = "public": "stated as public",
        Internal = "internal": "stated as internal",
        Confidential = "confidential": "stated as confidential",
        Restricted = "restricted": "stated as restricted",
    }

    /// Where the content comes from.
    pub enum Origin {
        InternalDocument = "internal-document": "matches a document of the organisation",
        PublicDocument = "public-document": "matches a published document",
        Unknown = "unknown": "no match",
    }

    /// What the prompt wants.
    pub enum Activity {
        Summarise = "summarise": "shorten a text",
        Draft = "draft": "write a text",
        Brainstorm = "brainstorm": "collect ideas",
        Code = "code": "write, explain or change code",
        Analyse = "analyse": "examine data",
        Translate = "translate": "translate a text",
        DecideAboutPeople = "decide-about-people": "judge, rank or choose people",
        Else = "else": "something else",
        Unknown = "unknown": "could not be told",
    }

    /// What kind of client asks.
    pub enum Channel {
        Browser = "browser": "a web browser",
        Desktop = "desktop": "a desktop application",
        Ide = "ide": "a code editor",
        Cli = "cli": "a command line tool",
        Api = "api": "a program",
        Agent = "agent": "an AI agent",
        Network = "network": "seen on the network only",
    }

    /// Whether the organisation manages the device.
    pub enum Device {
        Managed = "managed": "managed by the organisation",
        Unmanaged = "unmanaged": "not managed by the organisation",
        Unknown = "unknown": "could not be told",
    }

    /// Whether a person's training or attestation is up to date.
    pub enum Currency {
        Current = "current": "done and valid",
        Due = "due": "to be done, the deadline is ahead",
        Overdue = "overdue": "to be done, the deadline has passed",
        None = "none": "never done",
        NotApplicable = "not-applicable": "does not apply to this principal",
        Unknown = "unknown": "the records could not be read",
    }

    /// A fact from analysis of content or behaviour.
    pub enum Signal {
        Injection = "injection": "instructions hidden in content",
        Jailbreak = "jailbreak": "tries to make the model break its rules",
        Circumvention = "circumvention": "tries to get around the control",
        Unusual = "unusual": "deviates from what is normal here",
        MaliciousSite = "malicious-site": "a known harmful or look-alike site",
        UnsafeCode = "unsafe-code": "code with a known weakness",
        UnknownPackage = "unknown-package": "names a package that does not exist or is unknown",
        NameHidden = "name-hidden": "the destination's name could not be seen",
        MalformedJson = "malformed (json)": "JSON that parsers read differently: duplicate keys, bad UTF-8, trailing bytes",
        MalformedHttp = "malformed (http)": "an HTTP message that servers read differently",
        MalformedEncoding = "malformed (encoding)": "a compressed body that does not decode",
        MalformedFormat = "malformed (format)": "a known endpoint with a body that is not its format",
        OpaqueImage = "opaque (image)": "an image, which has no reader",
        OpaqueAudio = "opaque (audio)": "sound, which has no reader",
        OpaqueVideo = "opaque (video)": "video, which has no reader",
        OpaqueFile = "opaque (file)": "a file of a kind that has no reader",
        OpaqueReference = "opaque (reference)": "a reference to content that Writ has not seen: file id, URL, earlier answer",
        OpaqueEncrypted = "opaque (encrypted)": "encrypted or signed content that only the service reads",
        OpaqueWebsocket = "opaque (websocket)": "a WebSocket whose messages are not inspected",
        OpaqueFormat = "opaque (format)": "a body in a format that has no reader",
        OpaqueEncoding = "opaque (encoding)": "a content encoding that has no reader",
    }

    /// Why a reader failed.
    pub enum Unreadable {
        Timeout = "timeout": "a reader took too long",
        Overload = "overload": "no reader was free in time",
        Error = "error": "a reader failed",
        TooLarge = "too-large": "more than the readers may hold",
    }

    /// How many distinct values of a class were found.
    pub enum Band {
        One = "one": "a single value, unless the document says otherwise",
        Few = "few": "2 to 9 values, unless the document says otherwise",
        Bulk = "bulk": "10 or more values, unless the document says otherwise",
    }

    /// How grave it is when a rule is not kept; feeds the ladder, never shown to staff.
    pub enum Severity {
        Minor = "minor": "a slip",
        Moderate = "moderate": "should not happen",
        Serious = "serious": "may do harm",
        Critical = "critical": "does grave harm",
    }

    /// A step of the roll-out of a clause.
    pub enum Step {
        Observe = "observe": "what the clause demands has no effect yet",
        Coach = "coach": "what the clause would stop goes on with a note",
        Enforce = "enforce": "as written",
    }

    /// How a clause is made true.
    pub enum Mode {
        Enforced = "enforced": "rules that run",
        Detected = "detected": "rules that only report",
        Attested = "attested": "people confirm",
        Process = "process": "a control that is no inline rule",
        TextOnly = "text-only": "stands for itself, with a reason",
    }
}

impl From<Declared> for Level {
    fn from(declared: Declared) -> Self {
        match declared {
            Declared::NotAsked => Self::Unstated,
            Declared::Public => Self::Public,
            Declared::Internal => Self::Internal,
            Declared::Confidential => Self::Confidential,
            Declared::Restricted => Self::Restricted,
        }
    }
}

impl Signal {
    /// The word that a policy may write for all kinds of this signal: `opaque` for `opaque (image)`.
    pub fn family(self) -> &'static str {
        self.as_str().split(' ').next().unwrap_or_default()
    }
}

impl Action {
    /// Whether this action takes something out of the organisation: rules without `action` speak about these.
    pub const fn leaves(self) -> bool {
        matches!(self, Self::Submit | Self::Upload | Self::ToolCall)
    }

    /// Whether the posture speaks about this action; the base of every other action is allow.
    pub const fn has_posture(self) -> bool {
        matches!(self, Self::Submit | Self::Upload | Self::ToolCall | Self::Tunnel)
    }
}
