//! The named limits of the forward proxy (LIM-1).

use std::time::Duration;

use writ_base::Limit;

/// Connections from clients at the same time, tunnels included.
pub static CONNECTIONS: Limit = Limit::new("proxy.forward.connections", "connections", 20_000);
/// Inspected interactions at the same time.
pub static INTERACTIONS: Limit = Limit::new("proxy.forward.interactions", "interactions", 5_000);
/// Requests of one HTTP/2 connection at the same time.
pub static STREAMS: Limit = Limit::new("proxy.forward.streams", "streams", 128);
/// Bytes of a ClientHello with its records.
pub static HELLO: Limit = Limit::new("proxy.forward.hello", "bytes", 32 << 10);
/// Bytes of a request's head; its lines are limited to 100 by the HTTP library.
pub static HEAD: Limit = Limit::new("proxy.forward.head", "bytes", 64 << 10);
/// TLS set-ups kept, one per host: 10,000 leaves are kept by the authority.
pub static TERMINATIONS: Limit = Limit::new("proxy.forward.terminations", "hosts", 4_000);
/// Idle upstream connections that one client's connection keeps, on hosts whose bodies stay unread.
pub static OPAQUE_IDLE: Limit = Limit::new("proxy.forward.opaque_idle", "connections", 4);
/// Bytes in each direction of a tunnel between client and destination.
pub static TUNNEL_BUFFER: Limit = Limit::new("proxy.forward.tunnel_buffer", "bytes", 8 << 10);

/// All of them, for metrics and the reference page.
pub static ALL: &[&Limit] = &[
    &CONNECTIONS,
    &INTERACTIONS,
    &STREAMS,
    &HELLO,
    &HEAD,
    &TERMINATIONS,
    &OPAQUE_IDLE,
    &TUNNEL_BUFFER,
    &super::head::TOKEN,
];

/// How long a client may take to say what it wants: the head of CONNECT or of a plain request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to send its ClientHello after the answer to CONNECT.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an intercepted connection may be idle, or take over a head: clients keep connections for minutes, and one
/// that dribbles a head holds no more than one that says nothing.
pub const IDLE: Duration = Duration::from_secs(330);
/// How often an HTTP/2 client is asked whether it is still there.
pub const PING: Duration = Duration::from_secs(60);
/// How long it may take to say so.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a tunnel may carry nothing in either direction.
pub const TUNNEL_IDLE: Duration = Duration::from_secs(3600);
/// How long connections may finish after the stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(5);
/// How long the listener waits after it could not accept: too many open files.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
