//! A chat page for people who look at a demo: their browser and an AI service's web app in one.
//!
//! The page needs no certificate and no proxy setting: it is served over plain HTTP on loopback, and this server sends
//! each prompt as the browser of the chosen person would, see [`relay`]: through the proxy with that person's
//! credentials, over TLS that is verified against the given roots, with a browser's headers. The whole conversation
//! goes along each time, as it does in real chats, messages that were stopped included.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | the tools |
//! | `GET /chat/SERVICE` | the page of a tool; `#text=` fills its box |
//! | `POST /relay/SERVICE` | the service's answer, as it arrives |
//!
//! Requests are answered only where `Host` is this server's own address, and prompts are taken only from its own pages
//! (`Origin`), so that no page on the internet can use a visitor's browser to send something through the proxy.

pub mod page;
pub mod relay;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use page::ChatTarget;
use relay::Relay;

/// Most bytes of one conversation; above it the answer is 413.
pub const CONVERSATION_BYTES_MAX: usize = 4 << 20;
/// Most connections at the same time; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 256;

const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// The header in which the page names the person.
pub const PERSON_HEADER: &str = "x-chat-person";

/// How the chat page runs.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The tools, in the order in which they are listed.
    pub services: Vec<ChatService>,
    /// Who a visitor can be; the first is chosen at first.
    pub people: Vec<ChatPerson>,
    /// The proxy that prompts go through.
    pub proxy: SocketAddr,
    /// The certificates to trust, in PEM: the authority that opens connections, and those of services.
    pub roots: String,
    /// The organisation, as its people know it.
    pub organisation: String,
    /// How texts begin that the organisation writes into a chat, besides those that the page knows.
    pub openings: Vec<String>,
    /// Hosts besides loopback to which texts may link, such as the organisation's own.
    pub link_hosts: Vec<String>,
    /// The languages on offer; the first is chosen at first.
    pub languages: Vec<ChatLanguage>,
}

impl ChatOptions {
    /// No tools and nobody to use them, in every language, on a free port.
    pub fn new(proxy: SocketAddr, roots: impl Into<String>, organisation: impl Into<String>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            services: Vec::new(),
            people: Vec::new(),
            proxy,
            roots: roots.into(),
            organisation: organisation.into(),
            openings: Vec::new(),
            link_hosts: Vec::new(),
            languages: ChatLanguage::ALL.to_vec(),
        }
    }
}

/// A tool on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatService {
    /// Id in paths of this server: letters, digits, `-`.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// What it is, in a few words.
    pub tagline: String,
    /// The host that prompts go to, port 443.
    pub host: String,
    /// The path there; it takes OpenAI chat completions.
    pub path: String,
    /// The model asked for.
    pub model: String,
    /// The colour of its page, `#rrggbb`.
    pub colour: String,
    /// Headers that the web app adds, such as the account: names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Somebody a visitor can be.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatPerson {
    /// The login at the proxy.
    pub login: String,
    /// The password at the proxy; it never reaches the page.
    pub password: String,
    /// The name on the page.
    pub name: String,
    /// What the person does, in a few words; may be empty.
    pub role: String,
}

impl std::fmt::Debug for ChatPerson {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ChatPerson").field("login", &self.login).finish_non_exhaustive()
    }
}

/// A language that the page speaks and asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChatLanguage {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl ChatLanguage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// The tag of RFC 5646.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// The language's own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Fr => "Français",
            Self::Es => "Español",
        }
    }
}

/// A chat page that is served until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningChat {
    /// Where it is: `http://{addr}/`.
    pub addr: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl RunningChat {
    /// Closes the port and cuts the connections.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        // The task ends by itself; an error here means that the runtime is going down.
        let _ = self.accepting.await;
    }
}

/// Starts the chat page on `options.listen`.
///
/// # Errors
/// When the address is not loopback or cannot be bound, when a root cannot be read, or when an id, a colour, a host, a
/// path or a header of a service is not well formed.
pub async fn start(options: ChatOptions) -> io::Result<RunningChat> {
    if !options.listen.ip().is_loopback() {
        return Err(invalid(format!("`{}` is not a loopback address", options.listen)));
    }
    options.services.iter().try_for_each(check)?;
    let relay = Relay::new(options.proxy, &options.roots)?;
    let listener = TcpListener::bind(options.listen).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let chat = Arc::new(Chat { addr, relay, options });
    let accepting = tokio::spawn(accept(listener, chat, stopped));
    Ok(RunningChat { addr, stop, accepting })
}

fn check(service: &ChatService) -> io::Result<()> {
    let named = |part: &str, value: &str| invalid(format!("`{value}` is not the {part} of a chat service"));
    let id = !service.id.is_empty() && service.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let host = service.host.parse::<http::uri::Authority>().is_ok_and(|host| host.port().is_none());
    match (id, page::is_colour(&service.colour), host, service.path.starts_with('/')) {
        (false, ..) => Err(named("id", &service.id)),
        (_, false, ..) => Err(named("colour", &service.colour)),
        (_, _, false, _) => Err(named("host", &service.host)),
        (_, _, _, false) => Err(named("path", &service.path)),
        _ => service.headers.iter().try_for_each(|(name, value)| {
            let fits = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
            fits.then_some(()).ok_or_else(|| named("header", name))
        }),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

async fn accept(listener: TcpListener, chat: Arc<Chat>, mut stopped: oneshot::Receiver<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async { (Arc::clone(&places).acquire_owned().await, listener.accept().await) };
        tokio::select! {
            _ = &mut stopped => return,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => {
                if let (Ok(place), Ok((stream, _))) = (place, accepted) {
                    let chat = Arc::clone(&chat);
                    connections.spawn(async move {
                        connection(stream, chat).await;
                        drop(place);
                    });
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, chat: Arc<Chat>) {
    // Small events must not wait for each other; where the option fails they are only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let chat = Arc::clone(&chat);
        async move { Ok::<_, Infallible>(chat.answer(request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection of the chat page ended early");
    }
}

/// What answers are made of.
pub(crate) type ChatBody = BoxBody<Bytes, io::Error>;

struct Chat {
    addr: SocketAddr,
    relay: Relay,
    options: ChatOptions,
}

impl Chat {
    async fn answer(&self, request: Request<Incoming>) -> Response<ChatBody> {
        let Some(own) = self.own_host(&request) else {
            return error(StatusCode::MISDIRECTED_REQUEST, "this server answers at its own address only");
        };
        let path = request.uri().path().to_owned();
        match (request.method(), path.as_str()) {
            (&Method::GET | &Method::HEAD, path) => self.document(path),
            (&Method::POST, path) => match path.strip_prefix("/relay/").and_then(|id| self.service(id)) {
                Some(service) => self.relay(service, &own, request).await,
                None => error(StatusCode::NOT_FOUND, "there is no such tool"),
            },
            _ => error(StatusCode::METHOD_NOT_ALLOWED, "this server takes GET and POST"),
        }
    }

    /// The host of the request, where it is a name of this server. A page of another site that has its name resolve to
    /// loopback (DNS rebinding) shows its own name here.
    fn own_host(&self, request: &Request<Incoming>) -> Option<String> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = hosts.next()?.to_str().ok()?.to_ascii_lowercase();
        if hosts.next().is_some() || request.uri().authority().is_some() {
            return None;
        }
        let port = self.addr.port();
        let address = match self.addr.ip() {
            IpAddr::V4(ip) => format!("{ip}:{port}"),
            IpAddr::V6(ip) => format!("[{ip}]:{port}"),
        };
        (host == address || host == format!("localhost:{port}")).then_some(host)
    }

    fn service(&self, id: &str) -> Option<&ChatService> {
        self.options.services.iter().find(|service| service.id == id)
    }

    fn document(&self, path: &str) -> Response<ChatBody> {
        if path == "/" {
            return html(page::index(&self.options));
        }
        if let Some((kind, text)) = page::asset(path) {
            return text_answer(kind, text.to_owned());
        }
        if let Some(service) = path.strip_prefix("/chat/").and_then(|id| self.service(id)) {
            return html(page::chat(&ChatTarget::relayed(service, &self.options)));
        }
        let theme = path.strip_prefix("/theme/").and_then(|name| name.strip_suffix(".css"));
        if let Some(service) = theme.and_then(|id| self.service(id)) {
            return text_answer("text/css; charset=utf-8", page::theme(&service.colour));
        }
        if path == "/themes.css" {
            return text_answer("text/css; charset=utf-8", page::themes(&self.options.services));
        }
        error(StatusCode::NOT_FOUND, "there is no such page")
    }

    async fn relay(&self, service: &ChatService, own: &str, request: Request<Incoming>) -> Response<ChatBody> {
        let (head, body) = request.into_parts();
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let same_site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
        if text("origin") != Some(format!("http://{own}").as_str()) || !same_site {
            return error(StatusCode::FORBIDDEN, "prompts are taken from this server's own pages only");
        }
        if text("content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
            return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a conversation is JSON");
        }
        let people = &self.options.people;
        let asked = text(PERSON_HEADER);
        let person = people.iter().find(|person| asked.is_none_or(|login| login == person.login));
        let Some(person) = person else {
            return error(StatusCode::NOT_FOUND, "there is no such person");
        };
        let languages = text("accept-language").unwrap_or("en").to_owned();
        let body = match Limited::new(body, CONVERSATION_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return error(StatusCode::PAYLOAD_TOO_LARGE, "the conversation is too long or was cut off"),
        };
        match self.relay.send(service, person, &languages, body).await {
            Ok(answer) => answer,
            Err(failure) => relay_error(&failure),
        }
    }
}

fn relay_error(failure: &relay::RelayError) -> Response<ChatBody> {
    let mut answer = error(StatusCode::BAD_GATEWAY, &failure.to_string());
    if let Some(reference) = failure.reference().and_then(|code| HeaderValue::from_str(code).ok()) {
        answer.headers_mut().insert(relay::REFERENCE, reference);
    }
    answer
}

fn html(text: String) -> Response<ChatBody> {
    text_answer("text/html; charset=utf-8", text)
}

fn error(status: StatusCode, message: &str) -> Response<ChatBody> {
    let document = serde_json::json!({ "error": { "message": message, "type": "chat_page" } });
    let mut answer = text_answer("application/json", document.to_string());
    *answer.status_mut() = status;
    answer
}

fn text_answer(kind: &'static str, text: String) -> Response<ChatBody> {
    let mut answer = Response::new(Full::from(text).map_err(|never| match never {}).boxed());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    secure(headers);
    answer
}

/// The headers of every answer: nothing from elsewhere, framed by nobody, kept by nobody.
pub(crate) fn secure(headers: &mut http::HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
