//! Accepting connections: HTTP/1.1, bounded in number and in patience.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower_service::Service as _;

use crate::guard::Peer;
use crate::limits;
use crate::pages::follow::Stopping;

/// Serves until `stop` says so; then no request is begun, and those under way end.
pub(crate) async fn serve(router: Router, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS.value()));
    loop {
        if places.available_permits() == 0 {
            limits::CONNECTIONS.hit();
        }
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        match stream {
            Ok((stream, peer)) => {
                tokio::spawn(connection(router.clone(), stream, Peer(peer), stop.clone(), place));
            }
            Err(error) => {
                // Out of descriptors, mostly: a moment later some are free.
                tracing::warn!(%error, "a connection to the console was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(limits::CONNECTIONS.value()).unwrap_or(u32::MAX);
    let ended = tokio::time::timeout(limits::ANSWER_WITHIN, places.acquire_many(all)).await;
    if ended.is_err() {
        tracing::warn!("connections to the console did not end in time");
    }
}

async fn connection(
    router: Router,
    stream: TcpStream,
    peer: Peer,
    mut stop: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let stopping = Stopping(stop.clone());
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stopping.clone());
        let mut router = router.clone();
        async move { router.call(request.map(Body::new)).await }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits::HEAD_WITHIN).max_buf_size(32 << 10);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let told = tokio::select! {
        _ = served.as_mut() => false,
        () = async { let _said = stop.wait_for(|stop| *stop).await; } => true,
    };
    if told {
        served.as_mut().graceful_shutdown();
        let _ended = served.await;
    }
    drop(place);
}
