//! The forward proxy: what people's browsers, editors and command lines go through.
//!
//! A client names itself ([`writ_identity::Gatekeeper`]) and asks for a tunnel (CONNECT) or a plain `http://` address.
//! What happens then is told by the name alone: the [catalog's host modes](writ_catalog::HostMode) with the
//! organisation's choices. Of a tunnel the ClientHello is read before anything is passed on.
//!
//! | host | what happens |
//! |---|---|
//! | inspect | TLS ends here, under a certificate of [`writ_ca::Authority`]; each request is judged ([`crate::drive`]) |
//! | head only | TLS ends here; tenant headers are set, bodies pass as opaque streams, which nothing reads. Without a tenant header to set the connection is not opened |
//! | paths | requests on AI paths as *inspect*, all others as opaque streams |
//! | splice, AI service | judged as a tunnel, recorded, bytes pass |
//! | refuse | refused inside TLS, in the client's own protocol; 403 to CONNECT where Writ has no certificate |
//! | any other | bytes pass, the host keeps its certificate; counted, never recorded, never logged by name |
//!
//! **One destination, one name**: CONNECT target, SNI and each request's authority agree, or the connection is ended
//! with a TLS alert, the request with 421, and the record carries `circumvention` where an AI service is involved. Two
//! exceptions, neither of which opens a way to an AI service: CONNECT to an address with the SNI of a host that is no AI
//! service passes, and an encrypted ClientHello (RFC 9849) is no contradiction but a hidden name.
//!
//! **Hidden names**: a tunnel without SNI or without TLS, or with an encrypted ClientHello under another name, has the
//! signal `name-hidden` and is judged as a tunnel, to an unknown service if its host is none; where the host that was
//! asked for can be opened and the client speaks TLS, it is opened and the signal goes with each request.
//!
//! What is not here: HTTP/3 (browsers do not use it through a proxy; `Alt-Svc` is removed), SOCKS, transparent
//! interception, messages inside WebSockets (the verdict knows them as `opaque (websocket)`).

mod check;
mod head;
mod hello;
mod inner;
pub mod limits;
mod opaque;
mod outer;
mod own;
mod plan;
mod target;
mod terminate;
mod tunnel;
mod wire;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use writ_base::telemetry::Counter;
use writ_ca::Authority;
use writ_identity::Gatekeeper;

use crate::drive::Edge;
use crate::live::Live;
use outer::Session;
use terminate::Terminator;
use wire::Client;

/// What happens with requests under a personal account at an AI service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PersonalAccounts {
    /// Refused at the head: nothing private is read.
    #[default]
    Refuse,
    /// Judged by the head; content streams unread.
    Unread,
    /// Read like all others.
    Inspect,
}

/// How the forward proxy is set up.
#[derive(Clone, Debug)]
pub struct ForwardOptions {
    /// The organisation's name: people see it when they are asked who they are.
    pub organisation: String,
    /// What happens with personal accounts.
    pub personal_accounts: PersonalAccounts,
    /// Ports to which CONNECT may go at hosts that are no AI services.
    pub connect_ports: BTreeSet<u16>,
}

impl Default for ForwardOptions {
    /// Personal accounts are refused; CONNECT goes to 443 and 8443.
    fn default() -> Self {
        Self {
            organisation: "Writ".to_owned(),
            personal_accounts: PersonalAccounts::Refuse,
            connect_ports: BTreeSet::from([443, 8443]),
        }
    }
}

/// The forward proxy as a service; clones share limits and memories.
#[derive(Clone)]
pub struct Forward(Arc<Inner>);

struct Inner {
    live: Arc<Live>,
    gatekeeper: Gatekeeper,
    authority: Arc<Authority>,
    edge: Arc<Edge>,
    options: ForwardOptions,
    terminator: Terminator,
    connections: Arc<Semaphore>,
    interactions: Arc<Semaphore>,
}

/// The set-up of a listener that asks for client certificates is not usable.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the listener for client certificates: {0}")]
pub struct ListenerSetup(String);

/// The TLS set-up of a listener to which clients prove themselves with certificates of these authorities. A client
/// without one is not turned away here: the gatekeeper decides what it is without.
///
/// # Errors
/// If a certificate is none, the key does not belong to the chain, or no authority is given.
pub fn certificate_listener(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<Arc<ServerConfig>, ListenerSetup> {
    let failed = |error: &dyn std::fmt::Display| ListenerSetup(error.to_string());
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| failed(&error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| failed(&error))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Forward {
    /// A forward proxy over what runs now.
    pub fn new(
        live: Arc<Live>,
        gatekeeper: Gatekeeper,
        authority: Arc<Authority>,
        edge: Arc<Edge>,
        options: ForwardOptions,
    ) -> Self {
        Self(Arc::new(Inner {
            live,
            gatekeeper,
            authority,
            edge,
            options,
            terminator: Terminator::new(),
            connections: Arc::new(Semaphore::new(limits::CONNECTIONS.value())),
            interactions: Arc::new(Semaphore::new(limits::INTERACTIONS.value())),
        }))
    }

    /// Serves a listener until `stop` says so, then lets running requests finish for a few seconds. One call for each
    /// listener: the main one, and those of ports that belong to one person.
    pub async fn serve(&self, listener: TcpListener, stop: watch::Receiver<bool>) {
        self.accept(listener, None, stop).await;
    }

    /// As [`Forward::serve`], under TLS: see [`certificate_listener`].
    pub async fn serve_tls(&self, listener: TcpListener, config: Arc<ServerConfig>, stop: watch::Receiver<bool>) {
        self.accept(listener, Some(config), stop).await;
    }

    async fn accept(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_ended) = running.join_next() => continue,
                () = stopped(&mut stop) => break,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
                continue;
            };
            let Ok(place) = Arc::clone(&self.0.connections).try_acquire_owned() else {
                limits::CONNECTIONS.hit();
                continue;
            };
            let (forward, tls, stop) = (self.clone(), tls.clone(), stop.clone());
            running.spawn(async move {
                forward.connection(stream, peer, tls, stop).await;
                drop(place);
            });
        }
        drop(listener);
        let all = async { while running.join_next().await.is_some() {} };
        let _in_time = tokio::time::timeout(limits::DRAIN, all).await;
    }

    /// One client's connection, in one task.
    async fn connection(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        stop: watch::Receiver<bool>,
    ) {
        let _without_delay = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return };
        let (client, certificate) = match tls {
            None => (Client::Plain(stream), None),
            Some(config) => {
                let handshake = tokio_rustls::TlsAcceptor::from(config).accept(stream);
                let Ok(Ok(stream)) = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, handshake).await else {
                    Counter::HandshakesBroken.increment();
                    return;
                };
                let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let certificate = certificate.map(|leaf| leaf.as_ref().to_vec());
                (Client::Tls(Box::new(stream)), certificate)
            }
        };
        let session = Arc::new(Session::new(self.clone(), peer, local.port(), certificate));
        let Some(tunnel) = Box::pin(session.serve(client, stop.clone())).await else { return };
        let Some((inside, stream)) = Box::pin(tunnel.run(self, peer, stop.clone())).await else { return };
        Box::pin(inside.serve(stream, stop)).await;
    }

    fn live(&self) -> &Arc<Live> {
        &self.0.live
    }

    fn edge(&self) -> &Arc<Edge> {
        &self.0.edge
    }

    fn options(&self) -> &ForwardOptions {
        &self.0.options
    }

    /// A place among the interactions that may run at the same time.
    fn interaction(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.0.interactions).try_acquire_owned();
        place.inspect_err(|_| limits::INTERACTIONS.hit()).ok()
    }
}

/// Waits until the stop is asked for, or nobody can ask any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _asked = stop.wait_for(|stop| *stop).await;
}

/// Carries a connection to its end; when the stop is asked for it is told to finish what runs.
async fn until<C: Future>(
    connection: C,
    finish: impl FnOnce(Pin<&mut C>),
    mut stop: watch::Receiver<bool>,
) -> C::Output {
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            finish(connection.as_mut());
            connection.await
        }
    }
}
