//! What happens inside an intercepted connection: each request is checked against the name that the connection was
//! opened for, then judged, or passed on unread where the host's mode says so.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use writ_base::Sensitive;
use writ_base::telemetry::Counter;
use writ_engine::{Caller, Destination, Handling, Opening, RefuseReason, Snapshot};
use writ_model::{Account, Channel, Declared, Set, Signal, Term, UnreadReason, Value};

use super::check::{self, Flaw};
use super::opaque::{Opaque, Touch, Way};
use super::plan::{Named, Plan, tenant_headers};
use super::target::Target;
use super::{Forward, PersonalAccounts, head, limits, own, until};
use crate::drive::{self, AnswerBody, ClientBody, Dress};

/// One intercepted connection.
pub(crate) struct Inside {
    pub(crate) forward: Forward,
    pub(crate) caller: Arc<Caller>,
    pub(crate) peer: SocketAddr,
    /// What was connected to.
    pub(crate) target: Target,
    /// Whether the ClientHello named no host.
    pub(crate) hidden: bool,
    /// Whether the client speaks HTTP/2.
    pub(crate) http2: bool,
    /// For requests that pass unread.
    opaque: OnceLock<Opaque>,
}

impl Inside {
    pub(crate) fn new(
        forward: Forward,
        caller: Arc<Caller>,
        peer: SocketAddr,
        target: Target,
        hidden: bool,
        http2: bool,
    ) -> Self {
        Self { forward, caller, peer, target, hidden, http2, opaque: OnceLock::new() }
    }

    /// Serves the connection to its end, or lets its last requests finish once `stop` says so. The protocol is the one
    /// that was agreed on under TLS: a client that begins another one is not followed.
    pub(crate) async fn serve<S>(self, stream: S, stop: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (http2, inside) = (self.http2, Arc::new(self));
        // Boxed, since an idle connection keeps room for it.
        let service = service_fn(move |request| {
            let inside = Arc::clone(&inside);
            Box::pin(async move { Ok::<_, Infallible>(inside.answer(request).await) })
        });
        let stream = TokioIo::new(stream);
        let ended = if http2 {
            let mut server = http2::Builder::new(TokioExecutor::new());
            server
                .timer(TokioTimer::new())
                .keep_alive_interval(limits::PING)
                .keep_alive_timeout(limits::PING_TIMEOUT)
                .max_concurrent_streams(u32::try_from(limits::STREAMS.value()).unwrap_or(u32::MAX))
                .max_header_list_size(u32::try_from(limits::HEAD.value()).unwrap_or(u32::MAX));
            until(server.serve_connection(stream, service), |it| it.graceful_shutdown(), stop).await
        } else {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(limits::IDLE).max_buf_size(limits::HEAD.value());
            let connection = server.serve_connection(stream, service).with_upgrades();
            until(connection, |it| it.graceful_shutdown(), stop).await
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an intercepted connection ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<AnswerBody> {
        let snapshot = self.forward.live().snapshot();
        let host = self.target.host();
        // The catalog of now decides, not that of the moment when the connection was opened.
        let plan = Plan::of(&snapshot.catalog, host, &|_| true);
        if let Err(flaw) = check::inside(&request, &self.target) {
            let mut answer = self.flawed(flaw, request, snapshot, plan).await;
            if !self.http2 {
                // What else came on this connection is not read: it may be the rest of what was just refused.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return answer;
        }
        match plan {
            Plan::Inspect(named) => self.judged(request, snapshot, named, None).await,
            Plan::Refuse(named) => self.judged(request, snapshot, named, Some(RefuseReason::HostRefused)).await,
            Plan::Paths(named) => {
                let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
                if snapshot.catalog.match_host(host).is_some_and(|found| found.host.ai_path(target)) {
                    return self.judged(request, snapshot, named, None).await;
                }
                self.unread(request, &snapshot, Way::Tls, true).await
            }
            Plan::HeadOnly(None) => self.unread(request, &snapshot, Way::Tls, false).await,
            Plan::HeadOnly(Some(named)) => {
                let way = Way::Judged(Arc::clone(&self.caller), named);
                self.unread(request, &snapshot, way, false).await
            }
            // The catalog says otherwise since a moment ago: a new connection follows it.
            Plan::Tunnel(_) | Plan::Pass => {
                own::text(StatusCode::MISDIRECTED_REQUEST, "this connection is out of date; connect again")
            }
        }
    }

    /// The answer to a request that is not passed on. One for another host than the connection was opened for is
    /// recorded where that is an AI service.
    async fn flawed(
        &self,
        flaw: Flaw,
        request: Request<Incoming>,
        snapshot: Arc<Snapshot>,
        plan: Plan,
    ) -> Response<AnswerBody> {
        match flaw {
            Flaw::Malformed(why) => return own::text(StatusCode::BAD_REQUEST, why),
            Flaw::Method => return own::text(StatusCode::METHOD_NOT_ALLOWED, "this method is not passed on"),
            Flaw::Elsewhere => Counter::NamesDisagree.increment(),
        }
        match plan.ai().cloned() {
            Some(named) => self.judged(request, snapshot, named, Some(RefuseReason::NamesDisagree)).await,
            None => {
                own::text(StatusCode::MISDIRECTED_REQUEST, "this connection was opened for another host; connect again")
            }
        }
    }

    /// A request that passes with its body unread.
    async fn unread(
        &self,
        request: Request<Incoming>,
        snapshot: &Snapshot,
        way: Way,
        upgrades: bool,
    ) -> Response<AnswerBody> {
        Counter::HeadOnly.increment();
        let tenant = tenant_headers(&snapshot.catalog, self.target.host());
        let page = head::navigation(request.method(), request.headers()).then(|| head::language(request.headers()));
        let opaque = self.opaque.get_or_init(|| Opaque::new(self.forward.clone(), way, self.http2));
        Box::pin(opaque.pass(&self.target, request, Touch { tenant: Some(&tenant), upgrades, page })).await
    }

    async fn judged(
        &self,
        request: Request<Incoming>,
        snapshot: Arc<Snapshot>,
        named: Named,
        refused: Option<RefuseReason>,
    ) -> Response<AnswerBody> {
        let signals = if self.hidden { Set::one(Signal::NameHidden) } else { Set::EMPTY };
        let judged = Judged { caller: &self.caller, peer: self.peer, target: &self.target, named, refused, signals };
        self.forward.judged(judged, request, snapshot).await
    }
}

/// What is known of a request to an AI service before its head is read.
pub(crate) struct Judged<'j> {
    pub(crate) caller: &'j Caller,
    pub(crate) peer: SocketAddr,
    pub(crate) target: &'j Target,
    pub(crate) named: Named,
    /// Why it is refused before it is read, if so.
    pub(crate) refused: Option<RefuseReason>,
    pub(crate) signals: Set<Signal>,
}

impl Forward {
    /// Carries a request to an AI service through the engine.
    pub(crate) async fn judged(
        &self,
        judged: Judged<'_>,
        request: Request<Incoming>,
        snapshot: Arc<Snapshot>,
    ) -> Response<AnswerBody> {
        let Some(place) = self.interaction() else {
            return own::text(StatusCode::SERVICE_UNAVAILABLE, "too many interactions at once; try again");
        };
        let tenant_headers = tenant_headers(&snapshot.catalog, judged.target.host());
        let (head, body) = ClientBody::take(request);
        let opening = self.opening(&judged, head, &snapshot);
        let dress = Dress { tenant_headers, ..Dress::default() };
        let engine = Arc::clone(&self.live().engine);
        drive::run(Arc::clone(self.edge()), engine, snapshot, opening, dress, body, place).await
    }

    fn opening(&self, judged: &Judged<'_>, request: http::request::Parts, snapshot: &Snapshot) -> Opening {
        let http::request::Parts { method, uri, headers, .. } = request;
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let content_type = head::text(&headers, "content-type");
        let endpoint = writ_protocol::endpoint(method.as_str(), &path_and_query, content_type);
        let navigation = head::navigation(&method, &headers);
        let caller = caller_of(judged, &headers, endpoint, navigation);
        let marked = snapshot.catalog.account(&judged.named.service, &head::Hints(&headers));
        let (account, tier) = marked.unwrap_or((Account::Unknown, None));
        Opening {
            service: judged.named.service.clone(),
            tier: tier.unwrap_or(&judged.named.tier).clone(),
            account,
            destination: Destination { host: judged.target.host().to_owned(), port: judged.target.port },
            endpoint,
            method,
            path_and_query,
            declared: head::text(&headers, "writ-level").and_then(Declared::named).unwrap_or(Declared::NotAsked),
            reason: head::text(&headers, "writ-reason").map(|reason| Sensitive::new(at_most(reason, REASON))),
            repository: head::text(&headers, "writ-repository").map(|name| Term::from(at_most(name, NAME))),
            headers,
            handling: self.handling(&caller, account, judged.refused),
            caller,
            passthrough: true,
            navigation,
            signals: judged.signals,
        }
    }

    fn handling(&self, caller: &Caller, account: Account, refused: Option<RefuseReason>) -> Handling {
        if let Some(reason) = refused {
            return Handling::Refuse(reason);
        }
        let personal = account == Account::Personal;
        match self.options().personal_accounts {
            PersonalAccounts::Refuse if personal => Handling::Refuse(RefuseReason::PersonalAccount),
            _ if caller.protected => Handling::Unread(UnreadReason::ProtectedPerson),
            PersonalAccounts::Unread if personal => Handling::Unread(UnreadReason::PersonalAccount),
            _ => Handling::Inspect,
        }
    }
}

/// The caller with what this request says of it.
fn caller_of(
    judged: &Judged<'_>,
    headers: &http::HeaderMap,
    endpoint: writ_protocol::Endpoint,
    navigation: bool,
) -> Caller {
    let mut caller = judged.caller.clone();
    // An agent's key says more than the name of the program that it runs in.
    if caller.channel != Channel::Agent {
        caller.channel = head::channel(headers);
        caller.audience = head::audience(caller.channel, endpoint, navigation);
    }
    caller.language = head::language(headers);
    if !caller.protected {
        caller.address = Some(judged.peer.ip().to_string());
        caller.client = head::text(headers, "user-agent").map(|client| at_most(client, NAME));
    }
    caller
}

/// Characters of a reason that are kept.
const REASON: usize = 2000;
/// Characters of a name that are kept.
const NAME: usize = 200;

fn at_most(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
