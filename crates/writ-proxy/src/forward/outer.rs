//! What a client asks of the proxy itself: who it is, CONNECT, plain `http://` requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::header::{CONNECTION, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::sync::watch;
use writ_base::telemetry::Counter;
use writ_engine::{Caller, Destination, RefuseReason, Snapshot, TunnelOpening};
use writ_identity::{Evidence, Presented};
use writ_model::record::Ending;
use writ_model::{Set, Signal};

use super::check::{self, Flaw};
use super::inner::Judged;
use super::opaque::{Opaque, Touch, Way};
use super::plan::{Named, Plan};
use super::target::Target;
use super::tunnel::{Agreed, Agreement, Tunnel};
use super::wire::{Client, Wire};
use super::{Forward, head, limits, own, until};
use crate::drive::{self, AnswerBody};

/// One client's connection to the proxy, up to CONNECT.
pub(crate) struct Session {
    forward: Forward,
    peer: SocketAddr,
    local_port: u16,
    certificate: Option<Vec<u8>>,
    /// What CONNECT agreed to, until the connection is handed over.
    agreed: Mutex<Option<(Agreed, OnUpgrade)>>,
    /// For plain requests to hosts that are no AI services.
    opaque: OnceLock<Opaque>,
}

impl Session {
    pub(crate) fn new(forward: Forward, peer: SocketAddr, local_port: u16, certificate: Option<Vec<u8>>) -> Self {
        Self { forward, peer, local_port, certificate, agreed: Mutex::new(None), opaque: OnceLock::new() }
    }

    /// Serves the connection; the tunnel that it becomes, if it does.
    pub(crate) async fn serve(self: Arc<Self>, client: Client, stop: watch::Receiver<bool>) -> Option<Tunnel> {
        let session = Arc::clone(&self);
        let service = service_fn(move |request| {
            let session = Arc::clone(&session);
            async move { Ok::<_, Infallible>(session.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD_TIMEOUT)
            .max_buf_size(limits::HEAD.value())
            .half_close(true)
            .serve_connection(TokioIo::new(client), service)
            .with_upgrades();
        let ended = until(connection, |it| it.graceful_shutdown(), stop).await;
        if let Err(error) = ended {
            tracing::debug!(%error, "a client's connection ended early");
        }
        let (agreed, upgrade) = self.agreed.lock().take()?;
        let parts = upgrade.await.ok()?.downcast::<TokioIo<Client>>().ok()?;
        Some(Tunnel { wire: Wire::new(parts.io.into_inner(), parts.read_buf), agreed })
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<AnswerBody> {
        let caller = match self.identify(request.headers()).await {
            Presented::Caller(caller) => *caller,
            Presented::Refused | Presented::Missing => {
                Counter::CallersRefused.increment();
                return own::unauthorised(&self.forward.options().organisation);
            }
        };
        if request.method() != Method::CONNECT {
            return self.plain(caller, request).await;
        }
        let upgrade = hyper::upgrade::on(&mut request);
        match self.connect(caller, &request).await {
            Ok(agreed) => {
                *self.agreed.lock() = Some((agreed, upgrade));
                Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync())
            }
            Err(mut refusal) => {
                // What follows a refused CONNECT would be the tunnel's bytes: they are not read as requests.
                refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                *refusal
            }
        }
    }

    async fn identify(&self, headers: &HeaderMap) -> Presented {
        let mut credentials = headers.get_all(PROXY_AUTHORIZATION).iter();
        let proxy_authorization = credentials.next().map(|value| value.to_str().unwrap_or_default());
        if credentials.next().is_some() {
            return Presented::Refused;
        }
        let evidence = Evidence {
            proxy_authorization,
            peer: self.peer,
            local_port: self.local_port,
            certificate: self.certificate.as_deref(),
            user_agent: head::text(headers, "user-agent"),
        };
        self.forward.0.gatekeeper.identify(evidence, self.forward.edge().clock.now()).await
    }

    async fn connect(&self, caller: Caller, request: &Request<Incoming>) -> Result<Agreed, Box<Response<AnswerBody>>> {
        let target = check::connect(request).map_err(|flaw| Box::new(flawed(flaw)))?;
        let (live, caller) = (self.forward.live(), Arc::new(caller));
        let snapshot = live.snapshot();
        let plan = Plan::of(&snapshot.catalog, target.host(), &|host| self.forward.opens(host));
        let refused = |reason: &str| Box::new(own::text(StatusCode::FORBIDDEN, reason));
        match plan {
            Plan::Refuse(named) if !self.forward.opens(target.host()) => {
                let refusal = self.forward.refused_host(&snapshot, &caller, named, &target).await;
                Err(refused(&refusal))
            }
            Plan::Tunnel(named) => {
                let opening = opening(&caller, named, &target, Set::EMPTY);
                let tunnel = drive::tunnel(self.forward.edge(), &live.engine, &snapshot, opening).await;
                let tunnel = tunnel.map_err(|stopped| Box::new(stopped_answer(stopped)))?;
                Counter::Tunnels.increment();
                Ok(Agreed { caller, target, plan: Agreement::Tunnel(tunnel.record), server: Some(tunnel.stream) })
            }
            Plan::Pass => {
                if !self.forward.options().connect_ports.contains(&target.port) {
                    return Err(refused("connections to this port are not passed on"));
                }
                let server = self.forward.edge().upstream.connect_plain(target.host(), target.port).await;
                let server = server.map_err(|failure| Box::new(own::failed(failure, None)))?;
                Ok(Agreed { caller, target, plan: Agreement::Pass, server: Some(server) })
            }
            Plan::Inspect(_) | Plan::Paths(_) | Plan::HeadOnly(_) | Plan::Refuse(_) => {
                Ok(Agreed { caller, target, plan: Agreement::Open, server: None })
            }
        }
    }

    /// A plain request, in absolute form.
    async fn plain(&self, caller: Caller, request: Request<Incoming>) -> Response<AnswerBody> {
        let target = match check::absolute(&request) {
            Ok(target) => target,
            Err(flaw) => return flawed(flaw),
        };
        let snapshot = self.forward.live().snapshot();
        let plan = Plan::of(&snapshot.catalog, target.host(), &|_| true);
        let (named, refused) = match plan {
            Plan::Refuse(named) => (named, Some(RefuseReason::HostRefused)),
            Plan::Paths(named) if ai_path(&snapshot, &target, &request) => (named, None),
            // Without TLS there is nothing to pass on unopened: an AI service is judged, or it is none.
            Plan::Inspect(named) | Plan::Tunnel(named) | Plan::HeadOnly(Some(named)) => (named, None),
            Plan::Paths(_) | Plan::Pass | Plan::HeadOnly(None) => return self.pass(&target, request).await,
        };
        let target = if target.port == 80 { target.with_port(443) } else { target };
        let judged = Judged { caller: &caller, peer: self.peer, target: &target, named, refused, signals: Set::EMPTY };
        self.forward.judged(judged, request, snapshot).await
    }

    /// A plain request to a host that is no AI service: passed on, unread.
    async fn pass(&self, target: &Target, request: Request<Incoming>) -> Response<AnswerBody> {
        Counter::PlainOther.increment();
        let page = head::navigation(request.method(), request.headers()).then(|| head::language(request.headers()));
        let opaque = self.opaque.get_or_init(|| Opaque::new(self.forward.clone(), Way::Plain, false));
        opaque.pass(target, request, Touch { tenant: None, upgrades: true, page }).await
    }
}

fn ai_path(snapshot: &Snapshot, target: &Target, request: &Request<Incoming>) -> bool {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    snapshot.catalog.match_host(target.host()).is_some_and(|found| found.host.ai_path(path))
}

/// A connection to be judged as a whole.
pub(crate) fn opening(caller: &Caller, named: Named, target: &Target, signals: Set<Signal>) -> TunnelOpening {
    TunnelOpening {
        caller: caller.clone(),
        service: named.service,
        tier: named.tier,
        destination: Destination { host: target.host().to_owned(), port: target.port },
        signals,
    }
}

fn flawed(flaw: Flaw) -> Response<AnswerBody> {
    match flaw {
        Flaw::Malformed(why) => own::text(StatusCode::BAD_REQUEST, why),
        Flaw::Method => own::text(StatusCode::METHOD_NOT_ALLOWED, "this method is not passed on"),
        Flaw::Elsewhere => {
            Counter::NamesDisagree.increment();
            own::text(StatusCode::BAD_REQUEST, "target and host of the request disagree")
        }
    }
}

fn stopped_answer(stopped: drive::TunnelRefused) -> Response<AnswerBody> {
    match (stopped.refusal, stopped.failure) {
        (Some(refusal), _) => own::text(StatusCode::FORBIDDEN, &refusal.for_programs),
        (None, Some(failure)) => own::failed(failure, None),
        (None, None) => own::text(StatusCode::SERVICE_UNAVAILABLE, "the connection could not be recorded; try again"),
    }
}

impl Forward {
    /// Whether Writ has a certificate for a host; where the catalog wants it opened and there is none, that is counted.
    pub(crate) fn opens(&self, host: &str) -> bool {
        let covers = self.0.authority.covers(host);
        if !covers {
            Counter::NoLeaf.increment();
        }
        covers
    }

    /// Writes the record of a tunnel whose names disagree.
    pub(crate) async fn names_disagree(
        &self,
        snapshot: &Arc<Snapshot>,
        caller: &Caller,
        named: Named,
        target: &Target,
    ) {
        Counter::NamesDisagree.increment();
        let (edge, now) = (self.edge(), self.edge().clock.now());
        let opening = opening(caller, named, target, Set::EMPTY);
        let verdict = self.live().engine.names_disagree(snapshot, opening, now);
        let _written = edge.recorder.decision(verdict.new, now).await;
        edge.recorder.outcome(&verdict.end.outcome(Ending::Refused, 0, 0, now), now).await;
    }

    /// Writes the record of a host that the organisation refuses and that cannot be opened; the reason, for programs.
    async fn refused_host(&self, snapshot: &Arc<Snapshot>, caller: &Caller, named: Named, target: &Target) -> String {
        let (edge, now) = (self.edge(), self.edge().clock.now());
        let verdict = self.live().engine.refuse_tunnel(snapshot, opening(caller, named, target, Set::EMPTY), now);
        let _written = edge.recorder.decision(verdict.new, now).await;
        edge.recorder.outcome(&verdict.end.outcome(Ending::Refused, 0, 0, now), now).await;
        verdict.refusal.map(|refusal| refusal.for_programs).unwrap_or_default()
    }
}
