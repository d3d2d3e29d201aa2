//! What a request's head tells of the client: kind of program, reader, account. Content is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Method};
use writ_base::Limit;
use writ_catalog::AccountHints;
use writ_engine::Audience;
use writ_model::{Channel, Language};
use writ_protocol::Endpoint;

/// Bytes of a bearer token whose claims are read.
pub(crate) static TOKEN: Limit = Limit::new("proxy.forward.token", "bytes", 16 << 10);

/// The kind of client, by what browsers alone can say of themselves, else by the program's name for itself.
pub(crate) fn channel(headers: &HeaderMap) -> Channel {
    let agent = text(headers, USER_AGENT.as_str()).unwrap_or_default().to_ascii_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| agent.contains(name));
    if named(CLI) {
        Channel::Cli
    } else if named(IDE) {
        Channel::Ide
    } else if named(DESKTOP) {
        Channel::Desktop
    // Node's `fetch` says `sec-fetch-mode` as well; only browsers say where a request comes from.
    } else if headers.contains_key("sec-fetch-site") || agent.starts_with("mozilla/") {
        Channel::Browser
    } else {
        Channel::Api
    }
}

/// Names of command line tools in `User-Agent`, as seen in their traffic.
const CLI: &[&str] = &[
    "claude-cli/",
    "claude-code/",
    "codex_cli",
    "codex-cli",
    "geminicli",
    "gemini-cli",
    "copilot-cli",
    "curl/",
    "wget/",
];
/// Names of editors and their extensions.
const IDE: &[&str] = &[
    "vscode",
    "visualstudio",
    "jetbrains",
    "intellij",
    "githubcopilotchat",
    "copilot-language-server",
    "github-copilot",
    "cursor/",
    "windsurf",
    "zed/",
    "xcode",
];
/// Names of desktop applications; most are Electron.
const DESKTOP: &[&str] = &["electron/", "chatgpt/", "claudedesktop", "claude/"];

/// Whether a browser goes to a page, so that what Writ says may be one. A script's fetch never gets HTML.
pub(crate) fn navigation(method: &Method, headers: &HeaderMap) -> bool {
    match text(headers, "sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => {
            let accepts = text(headers, ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
            accepts && [Method::GET, Method::POST].contains(method) && channel(headers) == Channel::Browser
        }
    }
}

/// Who reads what Writ says: a person in front of a page or of a chat in the browser, else a program.
pub(crate) fn audience(channel: Channel, endpoint: Endpoint, navigation: bool) -> Audience {
    let chat = matches!(
        endpoint,
        Endpoint::OpenaiChat
            | Endpoint::OpenaiResponses
            | Endpoint::AnthropicMessages
            | Endpoint::GeminiGenerate { .. }
    );
    if navigation || channel == Channel::Browser && chat { Audience::Person } else { Audience::Program }
}

/// The language that the person prefers.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    text(headers, ACCEPT_LANGUAGE.as_str()).map(Language::preferred).unwrap_or_default()
}

/// The value of a header, if it is text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A head as account markers read it.
pub(crate) struct Hints<'h>(pub(crate) &'h HeaderMap);

impl AccountHints for Hints<'_> {
    fn header(&self, name: &str) -> Vec<&str> {
        self.0.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// The token is not verified: the service does that, and refuses what does not hold.
    fn claim(&self, pointer: &str) -> Option<String> {
        let [authorization] = self.header(AUTHORIZATION.as_str())[..] else { return None };
        let (scheme, token) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") || !TOKEN.admits(token.len()) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        match claims.pointer(pointer)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn head(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    const CHROME: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";

    #[test]
    fn clients_are_told_apart() {
        for (agent, expected) in [
            (CHROME, Channel::Browser),
            ("claude-cli/2.1.197 (external, cli)", Channel::Cli),
            ("codex_cli_rs/0.169.0 (Debian 12)", Channel::Cli),
            ("GeminiCLI/0.61.0 (linux; x64)", Channel::Cli),
            ("curl/7.88.1", Channel::Cli),
            ("GitHubCopilotChat/0.31 vscode/1.105", Channel::Ide),
            ("Mozilla/5.0 Chrome/130 Electron/33.2 Safari", Channel::Desktop),
            ("OpenAI/Python 3.54.0", Channel::Api),
            ("", Channel::Api),
        ] {
            assert_eq!(channel(&head(&[("user-agent", agent)])), expected, "{agent}");
        }
        assert_eq!(channel(&head(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")])), Channel::Browser);
        let node = head(&[("sec-fetch-mode", "cors"), ("user-agent", "OpenAI/JS 6.49.0")]);
        assert_ne!(channel(&node), Channel::Browser);
    }

    #[test]
    fn only_a_navigation_gets_a_page() {
        let go = |lines: &[(&'static str, &'static str)]| navigation(&Method::GET, &head(lines));
        assert!(go(&[("sec-fetch-mode", "navigate"), ("user-agent", CHROME)]));
        assert!(!go(&[("sec-fetch-mode", "cors"), ("accept", "text/html"), ("user-agent", CHROME)]));
        assert!(go(&[("accept", "text/html,*/*"), ("user-agent", CHROME)]));
        assert!(!go(&[("accept", "text/html,*/*"), ("user-agent", "curl/8")]));
        assert!(!go(&[("accept", "*/*"), ("user-agent", CHROME)]));
        assert_eq!(audience(Channel::Browser, Endpoint::OpenaiChat, false), Audience::Person);
        assert_eq!(audience(Channel::Browser, Endpoint::AnyJson, false), Audience::Program);
        assert_eq!(audience(Channel::Cli, Endpoint::OpenaiChat, false), Audience::Program);
    }

    #[test]
    fn claims_of_a_token_are_read_and_nothing_else() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"email":"ann@example.com","auth":{"org":7}}"#);
        let token = |text: String| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::try_from(text).unwrap());
            headers
        };
        let good = token(format!("Bearer e30.{payload}.c2ln"));
        assert_eq!(Hints(&good).claim("/email").as_deref(), Some("ann@example.com"));
        assert_eq!(Hints(&good).claim("/auth/org").as_deref(), Some("7"));
        assert_eq!(Hints(&good).claim("/auth"), None);
        for bad in ["Bearer sk-abc", "Basic e30.e30.x", "Bearer e30.%%%.x", "Bearer", ""] {
            assert_eq!(Hints(&token(bad.to_owned())).claim("/email"), None, "{bad}");
        }
    }
}
