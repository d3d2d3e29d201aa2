//! The named limits of the enforcement points (LIM-1).

use std::time::Duration;

use writ_base::Limit;

/// Connections from clients at the same time.
pub static CONNECTIONS: Limit = Limit::new("proxy.connections", "connections", 10_000);
/// Interactions at the same time.
pub static INTERACTIONS: Limit = Limit::new("proxy.interactions", "interactions", 5_000);
/// Reading jobs at the same time.
pub static JOBS: Limit = Limit::new("proxy.jobs", "jobs", 32);
/// Pieces of an answer between upstream and client.
pub static PIECES: Limit = Limit::new("proxy.answer.pieces", "pieces", 16);
/// Bytes of prompts held for inspection at the same time, in blocks of [`BLOCK`].
pub static HELD: Limit = Limit::new("proxy.held", "blocks of 16 KiB", 64 << 10);
/// Bytes of one block of [`HELD`].
pub const BLOCK: usize = 16 << 10;
/// Header bytes of a request.
pub static HEAD: Limit = Limit::new("proxy.head", "bytes", 64 << 10);

/// Idle connections kept per AI service.
pub static IDLE: Limit = Limit::new("proxy.upstream.idle", "connections per service", 256);
/// Idle connections kept for all AI services together, over HTTP/1.1.
pub static IDLE_ALL: Limit = Limit::new("proxy.upstream.idle_all", "connections", 2_000);
/// Header bytes of a parent proxy's answer to CONNECT.
pub static CONNECT_HEAD: Limit = Limit::new("proxy.parent.head", "bytes", 16 << 10);
/// Pieces of a request body between client and upstream.
pub static UPLOAD: Limit = Limit::new("proxy.upload.pieces", "pieces", 8);

/// All of them, for metrics and the reference page.
pub static ALL: &[&Limit] = &[
    &CONNECTIONS,
    &INTERACTIONS,
    &JOBS,
    &PIECES,
    &HELD,
    &HEAD,
    &IDLE,
    &IDLE_ALL,
    &CONNECT_HEAD,
    &UPLOAD,
    &crate::callers::REMEMBERED,
];

/// How long a client may take to send a request's head.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may pause within a body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an AI service may take to begin its answer; reasoning models think for minutes.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a connection to an AI service is kept without being used.
pub const IDLE_TIME: Duration = Duration::from_secs(90);
/// How long a host may take to accept a connection, and as long for its TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a body that streams may take, with the begin of the answer.
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// How long connections may finish after the stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(5);
