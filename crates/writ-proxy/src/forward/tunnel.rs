//! After CONNECT: reads the ClientHello, holds its name against the target, then opens the connection, passes it on or
//! ends it. What is inside an opened one is served by [`super::inner`].

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::AlertDescription;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::server::TlsStream;
use writ_base::telemetry::Counter;
use writ_engine::Caller;
use writ_model::record::Ending;
use writ_model::{Set, Signal};

use super::hello::{self, First, Hello, Recording};
use super::inner::Inside;
use super::outer::opening;
use super::plan::{Named, Plan};
use super::target::{Target, name};
use super::wire::Wire;
use super::{Forward, limits, stopped};
use crate::drive::{self, TunnelRecord};
use crate::pipe::splice;

/// A connection after CONNECT.
pub(crate) struct Tunnel {
    pub(crate) wire: Wire,
    pub(crate) agreed: Agreed,
}

/// What CONNECT agreed to.
pub(crate) struct Agreed {
    pub(crate) caller: Arc<Caller>,
    pub(crate) target: Target,
    pub(crate) plan: Agreement,
    /// The connection to the host, if it is not opened here.
    pub(crate) server: Option<TcpStream>,
}

/// How a tunnel goes on.
pub(crate) enum Agreement {
    /// Opened here.
    Open,
    /// Judged and recorded: an AI service, passed on.
    Tunnel(TunnelRecord),
    /// Passed on: no AI service.
    Pass,
}

/// What a ClientHello says about where it goes.
enum Name {
    /// Where CONNECT said.
    Agrees,
    /// Nothing that can be seen.
    Hidden,
    /// Somewhere else.
    Elsewhere(Option<String>),
}

impl Tunnel {
    /// Carries the connection to its end, or up to where it is opened: what is inside is returned, to be served. Each
    /// stage of a connection is a future of its own, so that an idle connection holds no more than its last one.
    pub(crate) async fn run(
        self,
        forward: Forward,
        peer: SocketAddr,
        mut stop: watch::Receiver<bool>,
    ) -> Option<Intercepted> {
        let Self { wire, agreed } = self;
        let first = tokio::select! {
            first = hello::read(wire) => first,
            () = stopped(&mut stop) => return None,
        };
        let opened = Opened { forward, agreed, peer, stop };
        match first {
            First::Tls(hello) => return opened.tls(*hello).await,
            First::Other(wire) => {
                Counter::NameHidden.increment();
                opened.hidden(wire).await;
            }
            First::Malformed => Counter::HellosMalformed.increment(),
            First::Late => Counter::HellosLate.increment(),
            First::Gone => {}
        }
        None
    }
}

/// A connection that is opened: what serves its inside, and the stream under TLS.
pub(crate) type Intercepted = (Inside, TlsStream<Recording>);

struct Opened {
    forward: Forward,
    agreed: Agreed,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
}

impl Opened {
    async fn tls(self, hello: Hello) -> Option<Intercepted> {
        match self.name(&hello) {
            Name::Agrees => return self.go_on(hello, false).await,
            Name::Hidden => {
                Counter::NameHidden.increment();
                match &self.agreed.plan {
                    // The host that was asked for by name answers, and every request inside is held against it.
                    Agreement::Open if !hello.encrypted() => return self.go_on(hello, true).await,
                    _ => self.hidden(hello.into_wire()).await,
                }
            }
            Name::Elsewhere(other) => self.refuse(hello, other).await,
        }
        None
    }

    fn name(&self, hello: &Hello) -> Name {
        let target = &self.agreed.target;
        let Some(asked) = hello.name() else { return Name::Hidden };
        let Some(asked) = name(&asked) else { return Name::Elsewhere(None) };
        if asked == target.host() {
            return Name::Agrees;
        }
        if hello.encrypted() && target.address.is_none() {
            return Name::Hidden;
        }
        // An address has no name that could disagree; that of an AI service is connected to by name, and judged by it.
        let snapshot = self.forward.live().snapshot();
        let unknown = Plan::of(&snapshot.catalog, &asked, &|_| true) == Plan::Pass;
        if target.address.is_some() && unknown { Name::Agrees } else { Name::Elsewhere(Some(asked)) }
    }

    /// The names agree, or nothing contradicts the one of CONNECT.
    async fn go_on(self, hello: Hello, hidden: bool) -> Option<Intercepted> {
        match &self.agreed.plan {
            Agreement::Open => self.open(hello, hidden).await,
            Agreement::Tunnel(_) | Agreement::Pass => {
                self.pass_on(hello.into_wire()).await;
                None
            }
        }
    }

    /// Ends TLS here.
    async fn open(self, hello: Hello, hidden: bool) -> Option<Intercepted> {
        let Self { forward, agreed, peer, .. } = self;
        let Agreed { caller, target, .. } = agreed;
        let leaf = forward.0.authority.certified(target.host());
        let config = match leaf.map(|leaf| forward.0.terminator.config(target.host(), &leaf)) {
            Ok(Ok(config)) => config,
            Ok(Err(error)) => {
                tracing::error!(%error, "tls towards clients cannot be set up");
                return None;
            }
            Err(error) => {
                Counter::NoLeaf.increment();
                tracing::warn!(%error, "a connection that should be opened has no certificate");
                return None;
            }
        };
        let handshake = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, hello.accept(config)).await;
        let broken = |_elapsed| Counter::HandshakesBroken.increment();
        let stream = handshake.map_err(broken).ok()?.map_err(|error| count_failed_handshake(&error)).ok()?;
        Counter::Intercepted.increment();
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Some((Inside::new(forward, caller, peer, target, hidden, http2), stream))
    }

    /// Passes bytes on, for a connection that CONNECT agreed to pass.
    async fn pass_on(self, wire: Wire) {
        let Self { agreed, mut stop, .. } = self;
        let Some(server) = agreed.server else { return };
        let passed = splice(wire, server, drained(&mut stop)).await;
        match agreed.plan {
            Agreement::Tunnel(record) => record.finish(Ending::Delivered, passed.up, passed.down).await,
            Agreement::Pass | Agreement::Open => {
                Counter::SplicedOther.increment();
                Counter::SplicedOtherBytes.add(passed.up + passed.down);
            }
        }
    }

    /// The name cannot be seen: judged as a tunnel with that signal, to an unknown service if the host is none. One that
    /// was judged by its host's name already is judged again with what is known now.
    async fn hidden(self, wire: Wire) {
        let Self { forward, agreed, mut stop, .. } = self;
        let Agreed { caller, target, plan, server } = agreed;
        drop(server);
        if let Agreement::Tunnel(record) = plan {
            record.finish(Ending::Refused, 0, 0).await;
        }
        let snapshot = forward.live().snapshot();
        let named = Plan::of(&snapshot.catalog, target.host(), &|_| true).ai().cloned();
        let signals = Set::one(Signal::NameHidden);
        let opening = opening(&caller, named.unwrap_or_else(Named::unknown), &target, signals);
        let Ok(tunnel) = drive::tunnel(forward.edge(), &forward.live().engine, &snapshot, opening).await else {
            return end(wire, AlertDescription::AccessDenied).await;
        };
        Counter::Tunnels.increment();
        let passed = splice(wire, tunnel.stream, drained(&mut stop)).await;
        tunnel.record.finish(Ending::Delivered, passed.up, passed.down).await;
    }

    /// The names disagree: nothing passes.
    async fn refuse(self, hello: Hello, other: Option<String>) {
        let Self { forward, agreed, .. } = self;
        let Agreed { caller, target, plan, server } = agreed;
        drop(server);
        if let Agreement::Tunnel(record) = plan {
            record.finish(Ending::Refused, 0, 0).await;
        }
        let snapshot = forward.live().snapshot();
        let named = |host: &str| Plan::of(&snapshot.catalog, host, &|_| true).ai().cloned();
        match named(target.host()).or_else(|| other.as_deref().and_then(named)) {
            Some(named) => forward.names_disagree(&snapshot, &caller, named, &target).await,
            None => Counter::NamesDisagree.increment(),
        }
        end(hello.into_wire(), AlertDescription::UnrecognisedName).await;
    }
}

/// Waits for the stop and then as long as running requests get.
async fn drained(stop: &mut watch::Receiver<bool>) {
    stopped(stop).await;
    tokio::time::sleep(limits::DRAIN / 2).await;
}

/// Ends a handshake with an alert (RFC 8446 section 6). A client that does not speak TLS sees seven bytes and the end.
async fn end(mut wire: Wire, alert: AlertDescription) {
    const FATAL: u8 = 2;
    let record = [21, 3, 3, 0, 2, FATAL, u8::from(alert)];
    let _sent = wire.write_all(&record).await;
    let _closed = wire.shutdown().await;
}

/// Counts a handshake that failed by its cause.
fn count_failed_handshake(error: &std::io::Error) {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(_)) => Counter::HandshakesRejected.increment(),
        Some(rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol) => {
            Counter::HandshakesIncompatible.increment();
        }
        _ => Counter::HandshakesBroken.increment(),
    }
}
