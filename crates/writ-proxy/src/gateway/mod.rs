//! The LLM gateway: `/openai/v1/...`, `/anthropic/...`, `/gemini/...`, one prefix per provider, and a plain
//! OpenAI-compatible base URL (`/v1/...`) for the first provider.
//!
//! Callers are known by API key, given wherever their SDK puts one. The organisation's own credential takes its place
//! after the verdict; a caller's key never leaves.

mod credential;
mod route;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use writ_base::Sensitive;
use writ_engine::{Caller, Handling, Opening};
use writ_model::{Declared, Language, Set, Term, Value};

use crate::callers::Callers;
use crate::drive::{self, AnswerBody, ClientBody, Dress, Edge, plain};
use crate::limits;
use crate::live::Live;

/// The gateway as a service.
#[derive(Clone)]
pub struct Gateway {
    /// What runs now.
    pub live: Arc<Live>,
    /// Who calls.
    pub callers: Callers,
    /// What carries interactions.
    pub edge: Arc<Edge>,
    interactions: Arc<Semaphore>,
}

impl Gateway {
    /// A gateway over what runs now.
    pub fn new(live: Arc<Live>, callers: Callers, edge: Arc<Edge>) -> Self {
        Self { live, callers, edge, interactions: Arc::new(Semaphore::new(limits::INTERACTIONS.value())) }
    }

    /// Serves connections until `stop` says so, then lets running ones finish for a few seconds.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let connections = Arc::new(Semaphore::new(limits::CONNECTIONS.value()));
        let graceful = GracefulShutdown::new();
        let gateway = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok((stream, peer)) = accepted else { continue };
            let Ok(slot) = Arc::clone(&connections).try_acquire_owned() else {
                limits::CONNECTIONS.hit();
                continue;
            };
            let _without_delay = stream.set_nodelay(true);
            let gateway = Arc::clone(&gateway);
            // Boxed, since an idle connection keeps room for it.
            let service = service_fn(move |request| Box::pin(Arc::clone(&gateway).answer(request, peer)));
            let mut server = auto::Builder::new(TokioExecutor::new());
            server
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(limits::HEAD_TIMEOUT)
                .max_buf_size(limits::HEAD.value().max(8192));
            server
                .http2()
                .timer(TokioTimer::new())
                .max_header_list_size(u32::try_from(limits::HEAD.value()).unwrap_or(u32::MAX));
            let connection =
                graceful.watch(server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a client's connection ended early");
                }
                drop(slot);
            });
        }
        drop(listener);
        let _in_time = tokio::time::timeout(limits::DRAIN, graceful.shutdown()).await;
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let Ok(place) = Arc::clone(&self.interactions).try_acquire_owned() else {
            limits::INTERACTIONS.hit();
            return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "writ: too many interactions at once; try again"));
        };
        Ok(self.interaction(request, peer, place).await)
    }

    async fn interaction(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Response<AnswerBody> {
        let (head, body) = ClientBody::take(request);
        let providers = self.live.providers();
        let Some(route) = route::find(&providers, &head.uri) else {
            return route::not_found(&providers);
        };
        let caller = match credential::find(&head.headers, &head.uri) {
            Some(key) => self.callers.find(&key, self.edge.clock.now()).await,
            None => None,
        };
        let Some(caller) = caller else {
            return credential::unauthorised(route.provider);
        };
        let content_type = head.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let endpoint = writ_protocol::endpoint(head.method.as_str(), &route.path_and_query, content_type);
        let opening = Opening {
            caller: caller_of(&caller, &head.headers, peer),
            service: route.provider.service.clone(),
            tier: route.provider.tier.clone(),
            account: route.provider.account,
            destination: route.provider.destination.clone(),
            endpoint,
            method: head.method,
            path_and_query: route.path_and_query,
            declared: text(&head.headers, "writ-level").and_then(Declared::named).unwrap_or(Declared::NotAsked),
            reason: text(&head.headers, "writ-reason").map(|reason| Sensitive::new(at_most(reason, REASON))),
            repository: text(&head.headers, "writ-repository").map(|name| Term::from(at_most(name, NAME))),
            headers: head.headers,
            handling: Handling::Inspect,
            passthrough: false,
            navigation: false,
            signals: Set::EMPTY,
        };
        let (engine, snapshot) = (Arc::clone(&self.live.engine), self.live.snapshot());
        drive::run(Arc::clone(&self.edge), engine, snapshot, opening, Dress::of(route.provider), body, place).await
    }
}

/// The caller with what this request says of it.
fn caller_of(caller: &Caller, headers: &HeaderMap, peer: SocketAddr) -> Caller {
    let address = (!caller.protected).then(|| peer.ip().to_string());
    let client = text(headers, "user-agent").map(|client| at_most(client, NAME));
    let language = text(headers, "accept-language").map(Language::preferred).unwrap_or_default();
    Caller { address, client, language, ..caller.clone() }
}

/// Characters of a reason that are kept.
const REASON: usize = 2000;
/// Characters of a name that are kept.
const NAME: usize = 200;

fn at_most(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
