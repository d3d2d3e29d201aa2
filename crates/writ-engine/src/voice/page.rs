//! Pages: HTML that works without script, at 200 % zoom, on a phone and with a screen reader. Nothing is loaded from
//! anywhere; a content security policy allows the one style sheet by its hash and nothing else.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest as _, Sha256};

use super::said::{Choosing, Said, plain};
use super::words::{Words, fill, words};
use super::{Stop, Voice};
use crate::commands::{CertificateProblem, UpstreamFailure};

/// A page of the organisation, with the headers that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The document.
    pub html: String,
    /// Content security policy, caching, referrer.
    pub headers: Vec<(HeaderName, String)>,
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1.5rem 1rem;\
color:#1b1f24;background:#fff}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}\
h2{font-size:1.0625rem;margin:1.5rem 0 .5rem}\
p{margin:.5rem 0}\
.from,footer{color:#4d5560}\
ol{padding-left:1.5rem}\
li{margin:.5rem 0}\
a{color:#0b4f9e}\
textarea{box-sizing:border-box;width:100%;min-height:8rem;font:inherit;padding:.5rem;border:1px solid #6b7380;\
border-radius:.25rem;color:inherit;background:transparent}\
footer{border-top:1px solid #c5cad1;margin-top:1.5rem;padding-top:.75rem}\
.go{display:inline-block;padding:.5rem 1rem;border:1px solid #0b4f9e;border-radius:.25rem}\
@media(prefers-color-scheme:dark){body{color:#e8eaed;background:#15181c}.from,footer{color:#b3bac4}\
a{color:#8ab8f5}.go{border-color:#8ab8f5}footer{border-color:#454c55}}";

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// The page of a stop.
pub(super) fn stop(voice: &Voice, said: &Said, stop: &Stop<'_>) -> Page {
    let words = words(stop.language);
    let mut body = heading(&said.first, &said.sender);
    body.push_str(&paragraph(&said.reason));
    if !said.choices.is_empty() {
        body.push_str(&format!("<h2>{}</h2>\n<ol>\n", escape(&said.choices_title)));
        for choice in &said.choices {
            body.push_str(&format!("<li>{}</li>\n", choosing(choice)));
        }
        body.push_str("</ol>\n");
    }
    if let Some((question, choice)) = &said.mistake {
        body.push_str(&format!("<p><strong>{}</strong> {}</p>\n", escape(question), choosing(choice)));
    }
    if let Some(typed) = stop.typed {
        let title = escape(words.your_text);
        body.push_str(&format!(
            "<h2 id=\"text\">{title}</h2>\n<textarea readonly aria-labelledby=\"text\">\n{}</textarea>\n",
            escape(typed)
        ));
    }
    let own = said.own_record.as_ref().map(|(name, link)| format!(" {}", anchor(link, name))).unwrap_or_default();
    body.push_str(&format!("<p>{}{own}</p>\n", inline(&said.recorded)));
    body.push_str(&format!("<footer>{}</footer>\n", escape(&said.last)));
    page(voice, words, &said.first, &body)
}

/// The notice of first use.
pub(super) fn first_use(voice: &Voice, words: &Words, service: &str, path_and_query: &str) -> Page {
    let first = &words.first_use;
    let (organisation, service) = (plain(&voice.organisation), plain(service));
    let values = [("organisation", organisation.as_str()), ("service", service.as_str())];
    let title = fill(first.title, &values);
    let mut body = heading(&title, first.nothing_sent);
    let private_way = voice.private_way.then_some(first.private_way);
    for text in [Some(first.who), Some(first.what), Some(first.why), Some(first.kept), private_way] {
        body.push_str(&text.map(|text| paragraph(&fill(text, &values))).unwrap_or_default());
    }
    if let Some(host) = &voice.host {
        body.push_str(&format!("<p>{}</p>\n", anchor(&format!("{host}/how"), first.more)));
    }
    // A path that begins with two slashes would lead to another host.
    let path = format!("/{}", path_and_query.trim_start_matches(['/', '\\']));
    body.push_str(&format!("<p><a class=\"go\" href=\"{}\">{}</a></p>\n", escape(&path), escape(first.understood)));
    body.push_str(&format!("<footer>{}</footer>\n", escape(&organisation)));
    page(voice, words, &title, &body)
}

/// The page of a service that failed.
pub(super) fn failure(voice: &Voice, words: &Words, service: &str, failure: UpstreamFailure) -> Page {
    let said = &words.failure;
    let service = plain(service);
    let values = [("service", service.as_str())];
    let what = match failure {
        UpstreamFailure::Unreachable => said.unreachable,
        UpstreamFailure::Timeout => said.timeout,
        UpstreamFailure::Broken => said.broken,
        UpstreamFailure::Certificate(CertificateProblem::Expired) => said.expired,
        UpstreamFailure::Certificate(CertificateProblem::WrongName) => said.wrong_name,
        UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer) => said.unknown_issuer,
        UpstreamFailure::Certificate(CertificateProblem::Other) => said.certificate,
        UpstreamFailure::ForbiddenAddress => said.address,
    };
    // Where the service was reached, something may have gone there.
    let sent = matches!(failure, UpstreamFailure::Timeout | UpstreamFailure::Broken);
    let title = fill(said.title, &values);
    let mut body = heading(&title, if sent { "" } else { said.nothing_sent });
    body.push_str(&paragraph(&fill(what, &values)));
    body.push_str(&paragraph(said.again));
    let help_desk = voice.help_desk.as_ref().map(|number| fill(words.help_desk, &[("help_desk", &plain(number))]));
    let last = [help_desk, Some(plain(&voice.organisation))].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    body.push_str(&format!("<footer>{}</footer>\n", escape(&last)));
    page(voice, words, &title, &body)
}

fn page(voice: &Voice, words: &Words, title: &str, body: &str) -> Page {
    let html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{} · {}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        words.language.code(),
        escape(title.trim_end_matches('.')),
        escape(&plain(&voice.organisation)),
    );
    let headers = vec![
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Page { html, headers }
}

fn heading(title: &str, from: &str) -> String {
    let from = if from.is_empty() { String::new() } else { format!("<p class=\"from\">{}</p>\n", escape(from)) };
    format!("<h1>{}</h1>\n{from}", escape(title.trim_end_matches('.')))
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", inline(text))
}

fn choosing(choice: &Choosing) -> String {
    let name = choice
        .link
        .as_ref()
        .map_or_else(|| format!("<strong>{}</strong>", escape(&choice.name)), |link| anchor(link, &choice.name));
    format!("{name}: {}", escape(&choice.then))
}

fn anchor(link: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(link), escape(text))
}

/// Text with what stands between `**` set off.
fn inline(text: &str) -> String {
    let pieces: Vec<&str> = text.split("**").collect();
    let whole = pieces.len() % 2 == 1;
    let dress = |(place, piece): (usize, &&str)| match place % 2 {
        1 if whole => format!("<strong>{}</strong>", escape(piece)),
        _ => escape(piece),
    };
    pieces.iter().enumerate().map(dress).collect()
}

/// Text as HTML (WHATWG HTML section 13.3).
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
