//! The pages: one document, one style sheet, one script, nothing from elsewhere.

use serde_json::json;

use super::{ChatOptions, ChatService};

/// The Content-Security-Policy of every page: what this server itself serves, and nothing inline.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' \
                          data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CHAT: &str = include_str!("../../assets/chat.html");
const INDEX: &str = include_str!("../../assets/index.html");
const STYLE: &str = include_str!("../../assets/chat.css");
const SCRIPT: &str = include_str!("../../assets/chat.js");

/// What a chat page talks to.
#[derive(Debug, Clone)]
pub(crate) struct ChatTarget<'a> {
    name: &'a str,
    tagline: &'a str,
    theme: String,
    /// What the script needs to know, as JSON.
    config: serde_json::Value,
}

impl<'a> ChatTarget<'a> {
    /// The page of a tool whose prompts go through the relay.
    pub(crate) fn relayed(service: &'a ChatService, options: &ChatOptions) -> Self {
        let people: Vec<_> = options
            .people
            .iter()
            .map(|person| json!({ "login": person.login, "name": person.name, "role": person.role }))
            .collect();
        let languages: Vec<_> =
            options.languages.iter().map(|one| json!({ "tag": one.tag(), "name": one.name() })).collect();
        let config = json!({
            "endpoint": format!("/relay/{}", service.id), "model": service.model, "service": service.name,
            "organisation": options.organisation, "openings": options.openings, "linkHosts": options.link_hosts,
            "people": people, "languages": languages, "home": "/",
        });
        Self { name: &service.name, tagline: &service.tagline, theme: format!("/theme/{}.css", service.id), config }
    }

    /// The page that a simulated chat service serves itself, for browsers that really go through a proxy.
    pub(crate) fn site(name: &'a str, model: &str) -> Self {
        let config = json!({
            "endpoint": "/v1/chat/completions", "model": model, "service": name, "organisation": "", "openings": [],
            "linkHosts": [], "people": [], "languages": [], "home": null,
        });
        Self { name, tagline: "A simulated AI service", theme: "/theme.css".to_owned(), config }
    }
}

/// The page of one tool.
pub(crate) fn chat(target: &ChatTarget<'_>) -> String {
    CHAT.replace("{{initial}}", &initial(target.name))
        .replace("{{name}}", &escape(target.name))
        .replace("{{tagline}}", &escape(target.tagline))
        .replace("{{theme}}", &escape(&target.theme))
        .replace("{{config}}", &escape(&target.config.to_string()))
}

/// The list of tools.
pub(crate) fn index(options: &ChatOptions) -> String {
    let tile = |service: &ChatService| {
        format!(
            "<li><a class=\"tile brand-{id}\" href=\"/chat/{id}\"><span class=\"glyph\" aria-hidden=\"true\">{initial}\
             </span><span class=\"tile-text\"><strong>{name}</strong><span>{tagline}</span><code>{host}</code></span>\
             </a></li>",
            id = escape(&service.id),
            initial = initial(&service.name),
            name = escape(&service.name),
            tagline = escape(&service.tagline),
            host = escape(&service.host),
        )
    };
    let tiles: String = options.services.iter().map(tile).collect();
    INDEX.replace("{{organisation}}", &escape(&options.organisation)).replace("{{tiles}}", &tiles)
}

/// A file that pages load: content type and text.
pub(crate) fn asset(path: &str) -> Option<(&'static str, &'static str)> {
    match path {
        "/chat.css" => Some(("text/css; charset=utf-8", STYLE)),
        "/chat.js" => Some(("text/javascript; charset=utf-8", SCRIPT)),
        _ => None,
    }
}

/// The style sheet with the colour of one tool.
pub(crate) fn theme(colour: &str) -> String {
    let colour = if is_colour(colour) { colour } else { "#4a5568" };
    format!(":root {{ --brand: {colour}; }}\n")
}

/// The style sheet with the colours of all tools.
pub(crate) fn themes(services: &[ChatService]) -> String {
    let rule = |service: &ChatService| format!(".brand-{} {{ --brand: {}; }}\n", service.id, service.colour);
    services.iter().map(rule).collect()
}

/// Whether a text is a colour as `#rrggbb`.
pub(crate) fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|d| d.is_ascii_hexdigit()))
}

/// A text as it stands in HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A value that looks like a place of the document must not be filled in a second time.
            '{' => escaped.push_str("&#123;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn initial(name: &str) -> String {
    escape(&name.chars().take(1).collect::<String>().to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place() {
        assert_eq!(escape("<a href=\"x\">'&{{config}}"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#123;&#123;config}}");
        let target = ChatTarget::site("\"><script>alert(1)</script>{{theme}}", "m");
        let page = chat(&target);
        assert!(!page.contains("<script>alert") && !page.contains("{{"), "{page}");
        assert_eq!(page.matches("/theme.css").count(), 1);
    }

    #[test]
    fn colours_are_hexadecimal() {
        assert!(is_colour("#10a37F") && !is_colour("red") && !is_colour("#fff") && !is_colour("#12345g"));
        assert!(theme("red}*{display:none").contains("#4a5568"));
    }

    #[test]
    fn pages_need_nothing_from_elsewhere_and_nothing_inline() {
        for text in [CHAT, INDEX, STYLE, SCRIPT, include_str!("../../assets/site.css")] {
            for foreign in ["http://", "https://", "//cdn", "@import", " onclick", " style=", "innerHTML", "eval("] {
                assert!(!text.contains(foreign), "{foreign}");
            }
        }
    }
}
