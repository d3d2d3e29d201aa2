//! Connections to AI services: the only module that opens them (invariant ENG-1).
//!
//! The sender's body type can be made from a [`Permitted`] request alone, so nothing else can be put on the wire. The
//! host that was judged is dialled, its certificate verified for that name, and connections are pooled by it. What the
//! name resolves to may be given (tests, demo); that changes neither the name nor the verification.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, vec};

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use writ_engine::{Destination, JudgedRequest, Permitted, UpstreamFailure};

use crate::limits;

/// How AI services are reached.
#[derive(Clone, Debug, Default)]
pub struct UpstreamOptions {
    /// Certificate authorities beside the public ones: of own models, of a parent proxy, of the simulator.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether the public certificate authorities are trusted.
    pub public_roots: bool,
    /// Addresses for host names, in place of DNS.
    pub resolve: BTreeMap<String, SocketAddr>,
}

/// A sender to AI services.
#[derive(Clone)]
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, PermittedBody>,
}

/// The roots or the TLS set-up are not usable.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up connections to AI services: {0}")]
pub struct UpstreamSetup(rustls::Error);

impl Upstream {
    /// A sender with its own pool.
    ///
    /// # Errors
    /// If a given root is no certificate, or the TLS provider lacks what it needs.
    pub fn new(options: UpstreamOptions) -> Result<Self, UpstreamSetup> {
        let mut roots = RootCertStore::empty();
        if options.public_roots {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for root in options.extra_roots {
            roots.add(root).map_err(UpstreamSetup)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(UpstreamSetup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new_with_resolver(Resolver(Arc::new(options.resolve)));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_secs(10)));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_all_versions().wrap_connector(http);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).timer(TokioTimer::new()).build(https);
        Ok(Self { client })
    }

    /// Sends what a permit let through and waits for the head of the answer. A request without a permit does not
    /// compile:
    ///
    /// ```compile_fail,E0308
    /// async fn around(upstream: writ_proxy::upstream::Upstream) {
    ///     let request = http::Request::new(bytes::Bytes::from_static(b"{}"));
    ///     let _answer = upstream.send(request).await;
    /// }
    /// ```
    ///
    /// # Errors
    /// If the service cannot be reached, is not who it should be, or does not begin to answer in time.
    pub async fn send(&self, request: Permitted<JudgedRequest>) -> Result<Response<Incoming>, UpstreamFailure> {
        let released = request.release();
        let uri = uri(&released.destination, &released.path_and_query).ok_or(UpstreamFailure::Unreachable)?;
        let mut request = Request::new(PermittedBody(Full::new(match released.body {
            writ_engine::ReleasedBody::Whole(body) => body,
            writ_engine::ReleasedBody::Streamed(_) => return Err(UpstreamFailure::Broken),
        })));
        *request.method_mut() = released.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = released.headers;
        let answer = tokio::time::timeout(limits::ANSWER_TIMEOUT, self.client.request(request));
        match answer.await {
            Err(_elapsed) => Err(UpstreamFailure::Timeout),
            Ok(Err(error)) => {
                // The error's text names host and cause, never content.
                tracing::warn!(error = %chain(&error), "an AI service could not be reached");
                Err(UpstreamFailure::Unreachable)
            }
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn uri(destination: &Destination, path_and_query: &str) -> Option<Uri> {
    let authority: Authority = destination.authority().parse().ok()?;
    Uri::builder().scheme(Scheme::HTTPS).authority(authority).path_and_query(path_and_query).build().ok()
}

/// A request body that came out of a permit. There is no other way to make one.
pub struct PermittedBody(Full<Bytes>);

impl Body for PermittedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Host names to addresses: as given, else by the operating system.
#[derive(Clone)]
struct Resolver(Arc<BTreeMap<String, SocketAddr>>);

impl tower_service::Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if let Some(address) = self.0.get(name.as_str()) {
            return Box::pin(std::future::ready(Ok(vec![*address].into_iter())));
        }
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.collect::<Vec<_>>().into_iter())
        })
    }
}
