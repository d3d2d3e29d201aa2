//! Simulated sites besides the model APIs: chat services with a page, an in-house assistant, a sign-in host, and sites
//! that have nothing to do with AI.
//!
//! Every site answers these paths, for tests of what stands between a client and it:
//!
//! | path | answer |
//! |---|---|
//! | `/sim/bytes/N` | N bytes, at most [`DOWNLOAD_BYTES_MAX`], with their hash in `x-sim-body-sha256` |
//! | `/sim/slow/MS` | a short text, each word after this many milliseconds |
//! | `/sim/first/MS` | a short text whose head comes after this many milliseconds |
//! | `/sim/drop` | half of a text, then the connection ends |
//! | `/sim/reset` | nothing: the connection ends |
//! | `/sim/socket` | a WebSocket that sends back every message |
//! | any path, POST | how many bytes arrived and their hash, except where the site has something better to say |

use bytes::Bytes;
use http::{Method, StatusCode};

use super::call::Call;
use super::directive::{DELAY_MS_MAX, Delivery, Fault};
use super::journal::sha256;
use super::openai;
use super::reply::{Payload, Reply};
use super::tls::SiteCertificate;
use crate::chat::page::{self, ChatTarget};
use crate::json::object;
use crate::seeded::Generator;

/// Most bytes of `/sim/bytes/N`.
pub const DOWNLOAD_BYTES_MAX: usize = 64 << 20;

/// What a site offers over HTTP/3, so that a test sees who takes the header out.
pub const ALT_SVC: &str = "h3=\":443\"; ma=86400";

/// The headers by which sign-in hosts and services learn which tenants a network allows.
pub const TENANT_HEADERS: [&str; 9] = [
    "sec-restrict-tenant-access-policy",
    "restrict-access-to-tenants",
    "restrict-access-context",
    "x-googapps-allowed-domains",
    "chatgpt-allowed-workspace-id",
    "anthropic-allowed-org-ids",
    "openai-allowed-organization-ids",
    "x-geminicodeassist-allowed-domains",
    "sec-github-allowed-enterprise",
];

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// A host that is simulated, with its own certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The host, in lower case.
    pub host: String,
    /// What is found there.
    pub kind: SiteKind,
    /// Where its certificate comes from.
    pub certificate: SiteCertificate,
}

/// What is found at a [`Site`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteKind {
    /// A chat with a page at `/` and answers in the format of OpenAI chat completions at any path that ends with
    /// `/chat/completions`. It asks for no key, as web apps look at sessions.
    Chat {
        /// Its name, as people know it.
        name: String,
        /// The model that its page asks for.
        model: String,
        /// The colour of its page, `#rrggbb`.
        colour: String,
    },
    /// A sign-in host: shows which of [`TENANT_HEADERS`] arrived.
    SignIn,
    /// An online bank.
    Bank,
    /// Web mail.
    Mail,
    /// A union's site for its members.
    Union,
    /// A page that says only where it came from.
    Plain,
}

impl Site {
    /// A chat service with a certificate of the simulated services.
    pub fn chat(host: &str, name: &str, model: &str, colour: &str) -> Self {
        let kind = SiteKind::Chat { name: name.to_owned(), model: model.to_owned(), colour: colour.to_owned() };
        Self::new(host, kind, SiteCertificate::Services)
    }

    /// A sign-in host with a certificate of the simulated services.
    pub fn sign_in(host: &str) -> Self {
        Self::new(host, SiteKind::SignIn, SiteCertificate::Services)
    }

    /// A site that has nothing to do with AI, with a certificate of the second authority.
    pub fn other(host: &str, kind: SiteKind) -> Self {
        Self::new(host, kind, SiteCertificate::Sites)
    }

    /// A site with any certificate.
    pub fn new(host: &str, kind: SiteKind, certificate: SiteCertificate) -> Self {
        Self { host: host.to_ascii_lowercase(), kind, certificate }
    }

    pub(crate) fn answer(&self, call: &Call<'_>, fingerprint: &str) -> Reply {
        let reply = self.tool(call).unwrap_or_else(|| self.page(call, fingerprint));
        let mut reply = reply.with_header("alt-svc", ALT_SVC.to_owned());
        reply.headers.push(("x-sim-host", self.host.clone()));
        reply
    }

    /// The answers that every site has.
    fn tool(&self, call: &Call<'_>) -> Option<Reply> {
        let (tool, number) = match call.path.strip_prefix("/sim/")?.split_once('/') {
            Some((tool, number)) => (tool, number.parse::<usize>().ok()?),
            None => (call.path.strip_prefix("/sim/")?, 0),
        };
        let delay = u64::try_from(number).unwrap_or(u64::MAX).min(DELAY_MS_MAX);
        let delivery = match tool {
            "bytes" => return Some(download(number.min(DOWNLOAD_BYTES_MAX), call.seed)),
            "slow" => Delivery { delay_ms: delay, ..Delivery::default() },
            "first" => Delivery { first_ms: delay, ..Delivery::default() },
            "drop" => Delivery { fault: Some(Fault::Drop), ..Delivery::default() },
            "reset" => Delivery { fault: Some(Fault::Reset), ..Delivery::default() },
            _ => return None,
        };
        let words = ["These ", "words ", "come ", "one ", "by ", "one.\n"];
        let pieces = words.iter().map(|word| Bytes::from_static(word.as_bytes())).collect();
        let mut reply = Reply::events(pieces, Bytes::new()).delivered(delivery);
        reply.content_type = TEXT;
        Some(reply)
    }

    fn page(&self, call: &Call<'_>, fingerprint: &str) -> Reply {
        match (&self.kind, call.method, call.path) {
            (SiteKind::Chat { .. }, &Method::POST, path) if path.ends_with("/chat/completions") => {
                openai::generate(call, "chat/completions")
            }
            (SiteKind::Chat { .. }, &Method::POST, path) if path.ends_with("/responses") => {
                openai::generate(call, "responses")
            }
            (SiteKind::SignIn, ..) => tenants(&self.host, call, fingerprint),
            (_, &Method::GET | &Method::HEAD, path) => self.document(path, fingerprint),
            (_, _, _) => received(call),
        }
    }

    fn document(&self, path: &str, fingerprint: &str) -> Reply {
        if let (SiteKind::Chat { name, model, .. }, "/") = (&self.kind, path) {
            return html(&page::chat(&ChatTarget::site(name, model)), page::POLICY);
        }
        match (&self.kind, path) {
            (SiteKind::Chat { colour, .. }, "/theme.css") => asset("text/css; charset=utf-8", page::theme(colour)),
            (SiteKind::Chat { .. }, _) if page::asset(path).is_some() => {
                let (kind, text) = page::asset(path).unwrap_or((TEXT, ""));
                asset(kind, text.to_owned())
            }
            (_, "/site.css") => asset("text/css; charset=utf-8", SITE_CSS.to_owned()),
            (_, "/") => html(&self.site_page(fingerprint), SITE_POLICY),
            _ => {
                let mut reply = Reply::document(StatusCode::NOT_FOUND, "There is no such page.\n".to_owned());
                reply.content_type = TEXT;
                reply
            }
        }
    }

    fn site_page(&self, fingerprint: &str) -> String {
        let (title, lead, rows): (_, _, &[(&str, &str)]) = match self.kind {
            SiteKind::Bank => ("Harbour Savings Bank", "Good morning. Your accounts:", &BANK),
            SiteKind::Mail => ("Fjordpost", "Inbox", &MAIL),
            SiteKind::Union => ("Health Workers' Union", "For members", &UNION),
            _ => ("A site", "It has nothing to do with AI.", &[]),
        };
        let lines: Vec<Vec<String>> = rows.iter().map(|(left, right)| cells(left, right)).collect();
        site_html(title, lead, &lines, &self.host, fingerprint)
    }
}

const BANK: [(&str, &str); 3] =
    [("Current account", "1,204.18"), ("Savings", "8,950.00"), ("Card payment, corner bakery", "-4.60")];
const MAIL: [(&str, &str); 3] = [
    ("Aunt Hedda", "The cabin is free in the second week of July"),
    ("School of music", "Lessons start again on Monday"),
    ("Fjordpost", "Your mailbox is 12 % full"),
];
const UNION: [(&str, &str); 3] = [
    ("Meeting of members", "Thursday, 18:00, room 2"),
    ("Pay talks", "What was agreed on the third day"),
    ("Counselling", "Write to us in confidence"),
];

fn cells(left: &str, right: &str) -> Vec<String> {
    vec![left.to_owned(), right.to_owned()]
}

/// What a sign-in host shows: the tenant headers that arrived.
fn tenants(host: &str, call: &Call<'_>, fingerprint: &str) -> Reply {
    let found: Vec<(&str, String)> = TENANT_HEADERS
        .iter()
        .filter_map(|name| call.headers.get(*name).map(|value| (*name, value)))
        .map(|(name, value)| (name, String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    if call.path == "/site.css" {
        return asset("text/css; charset=utf-8", SITE_CSS.to_owned());
    }
    if call.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        let members = found.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let document = object! { "tenant_headers": crate::json::Json::Object(members) };
        return Reply::document(StatusCode::OK, document.to_string());
    }
    let lead = match found.len() {
        0 => "No tenant header arrived: any account could sign in here.",
        _ => "These tenant headers arrived with the request:",
    };
    let rows: Vec<Vec<String>> = found.iter().map(|(name, value)| cells(name, value)).collect();
    html(&site_html("Sign in", lead, &rows, host, fingerprint), SITE_POLICY)
}

fn received(call: &Call<'_>) -> Reply {
    let document = object! { "received_bytes": call.body.len(), "sha256": sha256(call.body) };
    Reply::document(StatusCode::OK, document.to_string())
}

fn download(bytes: usize, seed: u64) -> Reply {
    let mut generator = Generator::keyed(seed, b"download");
    let mut content = Vec::with_capacity(bytes.saturating_add(8));
    while content.len() < bytes {
        content.extend_from_slice(&generator.number().to_le_bytes());
    }
    content.truncate(bytes);
    let hash = sha256(&content);
    let mut reply = Reply::document(StatusCode::OK, String::new()).with_header("x-sim-body-sha256", hash);
    (reply.content_type, reply.payload) = ("application/octet-stream", Payload::Bytes(content.into()));
    reply
}

fn html(text: &str, policy: &str) -> Reply {
    let mut reply = asset(HTML, text.to_owned());
    reply.headers.push(("content-security-policy", policy.to_owned()));
    reply.headers.push(("referrer-policy", "no-referrer".to_owned()));
    reply
}

fn asset(kind: &'static str, text: String) -> Reply {
    let mut reply = Reply::document(StatusCode::OK, text);
    reply.content_type = kind;
    reply.headers.push(("x-content-type-options", "nosniff".to_owned()));
    reply.headers.push(("cache-control", "no-store".to_owned()));
    reply
}

const SITE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

const SITE_CSS: &str = include_str!("../../assets/site.css");

fn site_html(title: &str, lead: &str, rows: &[Vec<String>], host: &str, fingerprint: &str) -> String {
    let row = |cells: &Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", page::escape(cell))).collect();
        format!("<tr>{cells}</tr>")
    };
    let table = match rows.iter().map(row).collect::<String>() {
        rows if rows.is_empty() => rows,
        rows => format!("<table><tbody>{rows}</tbody></table>"),
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/site.css\"></head><body><main>\
         <h1>{title}</h1><p>{lead}</p>{table}<footer><p>You are looking at a simulated site. Its own certificate for \
         <code>{host}</code> has the SHA-256 fingerprint <code class=\"print\">{fingerprint}</code>. Your browser \
         shows the same one when nobody has opened the connection in between.</p></footer></main></body></html>\n",
        title = page::escape(title),
        lead = page::escape(lead),
        host = page::escape(host),
    )
}
