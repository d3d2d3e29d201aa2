//! Tunnels and upgraded connections: bytes in both directions, counted, never looked at.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::forward::limits;

/// How many bytes went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// From the client.
    pub(crate) up: u64,
    /// To the client.
    pub(crate) down: u64,
}

/// Passes bytes until both directions have ended, one breaks, or nothing moves in either for [`limits::TUNNEL_IDLE`].
/// A direction that ends alone is closed towards the other side, and the other one goes on (half-closed). `stopped`
/// ends it at once.
pub(crate) async fn splice(
    client: impl AsyncRead + AsyncWrite + Unpin,
    server: impl AsyncRead + AsyncWrite + Unpin,
    stopped: impl Future<Output = ()>,
) -> Passed {
    let (up, down) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut client = Counted { inner: client, read: Arc::clone(&up) };
    let mut server = Counted { inner: server, read: Arc::clone(&down) };
    let size = limits::TUNNEL_BUFFER.value();
    let passed = || Passed { up: up.load(Ordering::Relaxed), down: down.load(Ordering::Relaxed) };
    let idle = async {
        let mut before = passed();
        loop {
            tokio::time::sleep(limits::TUNNEL_IDLE).await;
            let now = passed();
            if now == before {
                return;
            }
            before = now;
        }
    };
    tokio::select! {
        _ended = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, size, size) => {}
        () = idle => {}
        () = stopped => {}
    }
    passed()
}

/// A connection that counts what is read from it.
struct Counted<S> {
    inner: S,
    read: Arc<AtomicU64>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.read.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn one_direction_may_end_before_the_other() {
        let ((mut client, proxy_side), (proxy_up, mut server)) = (tokio::io::duplex(64), tokio::io::duplex(64));
        let tunnel = tokio::spawn(splice(proxy_side, proxy_up, std::future::pending()));
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        server.write_all(b"a long answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"a long answer");
        assert_eq!(tunnel.await.unwrap(), Passed { up: 8, down: 13 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_tunnel_ends() {
        let ((mut client, proxy_side), (proxy_up, _server)) = (tokio::io::duplex(64), tokio::io::duplex(64));
        let tunnel = tokio::spawn(splice(proxy_side, proxy_up, std::future::pending()));
        client.write_all(b"hello").await.unwrap();
        assert_eq!(tunnel.await.unwrap(), Passed { up: 5, down: 0 });
    }

    #[tokio::test]
    async fn each_direction_ends_by_itself_and_is_counted() {
        let ((mut client, inner), (outer, mut service)) = (tokio::io::duplex(8), tokio::io::duplex(8));
        let piped = tokio::spawn(splice(inner, outer, std::future::pending()));
        let asked = async {
            client.write_all(b"a question that is longer than the pipe").await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answered = async {
            let mut question = String::new();
            service.read_to_string(&mut question).await.unwrap();
            service.write_all(b"an answer").await.unwrap();
            service.shutdown().await.unwrap();
            question
        };
        let (answer, question) = tokio::join!(asked, answered);
        assert_eq!((answer.as_str(), question.len()), ("an answer", 39));
        assert_eq!(piped.await.unwrap(), Passed { up: 39, down: 9 });
    }
}
