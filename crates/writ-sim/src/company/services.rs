//! Where the company's people and programs send what they ask, and which way it takes.

use super::people::{Company, Member};
use super::request::Format;
use crate::seeded::{Generator, HEXADECIMAL};

/// An AI service as the company's catalog knows it, and the format it is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Id, as a catalog of services names it.
    pub id: &'static str,
    /// Its host.
    pub host: &'static str,
    /// The format of its endpoint.
    pub format: Format,
    /// The model asked for.
    pub model: &'static str,
}

/// The way a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// To a gateway, with an API key.
    Gateway,
    /// From a browser, through a proxy with Basic authentication.
    Browser,
    /// From a command line, through a proxy with Basic authentication.
    Cli,
    /// From an editor, through a proxy with Basic authentication.
    Ide,
}

impl Way {
    /// Whether it goes through a proxy.
    pub const fn proxied(self) -> bool {
        !matches!(self, Self::Gateway)
    }

    /// The value of the policy dimension `channel`.
    pub const fn channel(self) -> &'static str {
        match self {
            Self::Gateway => "api",
            Self::Browser => "browser",
            Self::Cli => "cli",
            Self::Ide => "ide",
        }
    }

    /// What the client calls itself.
    pub const fn user_agent(self) -> &'static str {
        match self {
            Self::Gateway => "northwind-tools/3.2",
            Self::Browser => crate::chat::relay::USER_AGENT,
            Self::Cli => "claude-cli/2.1.197 (external, cli)",
            Self::Ide => "vscode/1.119.0 (northwind-assist/0.8.1)",
        }
    }
}

/// Whose account a person uses at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKind {
    /// One of the company.
    Corporate,
    /// The person's own.
    Personal,
}

/// The id of the company's accounts at chat services.
pub const CORPORATE_ACCOUNT: &str = "org-northwind-health";
/// What ids of accounts begin with that belong to people themselves.
pub const PERSONAL_ACCOUNT_PREFIX: &str = "personal-";

impl Service {
    /// The public chat that the company has a contract for.
    pub const CHATGPT: Self = Self { id: "chatgpt", host: "chatgpt.com", format: Format::Chat, model: "gpt-5.5" };
    /// A public chat that people use with their own accounts.
    pub const CLAUDE: Self = Self { id: "claude", host: "claude.ai", format: Format::Chat, model: "claude-sonnet-5-5" };
    /// The company's own assistant.
    pub const ASSISTANT: Self =
        Self { id: "care-copilot", host: Company::ASSISTANT_HOST, format: Format::Chat, model: "care-1" };
    /// A public chat that the company has denied.
    pub const DEEPSEEK: Self =
        Self { id: "deepseek", host: "chat.deepseek.com", format: Format::Chat, model: "deepseek-chat" };
    /// Model APIs that the company has approved.
    pub(crate) const APIS: [Self; 3] = [
        Self { id: "openai-api", host: "api.openai.com", format: Format::Chat, model: "gpt-4o" },
        Self { id: "openai-api", host: "api.openai.com", format: Format::Responses, model: "gpt-5.5" },
        Self { id: "anthropic-api", host: "api.anthropic.com", format: Format::Messages, model: "claude-sonnet-5-5" },
    ];
    /// A model API that the company is still looking at.
    pub const IN_REVIEW: Self = Self {
        id: "gemini-api",
        host: "generativelanguage.googleapis.com",
        format: Format::Gemini,
        model: "gemini-3.8-flash",
    };
    /// A model API that the company has denied.
    pub const DENIED: Self =
        Self { id: "deepseek-api", host: "api.deepseek.com", format: Format::Chat, model: "deepseek-chat" };

    /// Every service that the script uses.
    pub const ALL: [Self; 9] = {
        let [chat, responses, messages] = Self::APIS;
        [
            chat,
            responses,
            messages,
            Self::IN_REVIEW,
            Self::DENIED,
            Self::CHATGPT,
            Self::CLAUDE,
            Self::ASSISTANT,
            Self::DEEPSEEK,
        ]
    };

    /// Whether it is a chat for people, with sessions instead of keys.
    pub fn chat(self) -> bool {
        [Self::CHATGPT, Self::CLAUDE, Self::ASSISTANT, Self::DEEPSEEK].contains(&self)
    }

    /// The path that the service's own web app sends conversations to; none for APIs, whose format decides.
    pub(crate) fn web_path(self, account: &str) -> Option<String> {
        match self {
            Self::CHATGPT => Some("/backend-api/chat/completions".to_owned()),
            Self::CLAUDE => Some(format!("/api/organizations/{account}/chat/completions")),
            Self::DEEPSEEK => Some("/api/v0/chat/completions".to_owned()),
            Self::ASSISTANT => Some("/v1/chat/completions".to_owned()),
            _ => None,
        }
    }

    /// How the web app says which account is used: a header and its value.
    pub(crate) fn account_header(self, account: &str) -> Option<(&'static str, String)> {
        match self {
            Self::CHATGPT => Some(("chatgpt-account-id", account.to_owned())),
            Self::CLAUDE => Some(("cookie", format!("lastActiveOrg={account}"))),
            Self::ASSISTANT | Self::DEEPSEEK => Some(("cookie", format!("account={account}"))),
            _ => None,
        }
    }
}

impl AccountKind {
    /// The account's id: the company's, or one that belongs to the member.
    pub fn id(self, member: &Member) -> String {
        match self {
            Self::Corporate => CORPORATE_ACCOUNT.to_owned(),
            Self::Personal => {
                let mut own = Generator::keyed(0, member.login.as_bytes());
                format!("{PERSONAL_ACCOUNT_PREFIX}{}", own.token(12, HEXADECIMAL))
            }
        }
    }
}
