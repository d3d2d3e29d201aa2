//! Bytes in both directions between two connections, counted, until both are done or one fails.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::limits;

/// Bytes of one direction that are held at a time.
const BUFFER: usize = 16 << 10;

/// Passes bytes on between a client and a service; how many went up and down. Each direction ends by itself: a client
/// that has said everything still gets its answer. A connection on which nothing moves for
/// [`limits::PIPE_TIMEOUT`] is closed.
pub async fn both<C, S>(client: C, service: S) -> (u64, u64)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (client_reads, client_writes) = tokio::io::split(client);
    let (service_reads, service_writes) = tokio::io::split(service);
    let (mut up, mut down) = (0, 0);
    {
        let upward = one(client_reads, service_writes, &mut up);
        let downward = one(service_reads, client_writes, &mut down);
        // If one direction breaks, the other one has nobody to talk to.
        let _broken = tokio::try_join!(upward, downward);
    }
    (up, down)
}

async fn one(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passed: &mut u64,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = timeout(limits::PIPE_TIMEOUT, from.read(&mut buffer)).await??;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        to.write_all(bytes).await?;
        to.flush().await?;
        *passed += read as u64;
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_direction_ends_by_itself_and_is_counted() {
        let ((mut client, inner), (outer, mut service)) = (tokio::io::duplex(8), tokio::io::duplex(8));
        let piped = tokio::spawn(both(inner, outer));
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
        assert_eq!(piped.await.unwrap(), (39, 9));
    }
}
