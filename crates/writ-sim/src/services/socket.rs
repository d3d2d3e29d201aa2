//! A WebSocket (RFC 6455) that sends back every message, at [`ECHO_PATH`] of every host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Version, header};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::journal::{Arrival, Journal};

/// The path of the socket.
pub const ECHO_PATH: &str = "/sim/socket";
/// Most bytes of one frame; a longer one closes the socket with code 1009.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// What RFC 6455 section 1.3 appends to the client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

type Stream = TokioIo<Upgraded>;

/// A socket whose handshake is done.
pub(crate) struct Socket {
    pub(crate) upgrade: OnUpgrade,
    pub(crate) host: String,
    pub(crate) server_name: Option<String>,
    pub(crate) journal: Journal,
    /// Changes when the services are pulled or stopped.
    pub(crate) cut: watch::Receiver<u64>,
}

/// The value of `Sec-WebSocket-Accept` for a request that asks for a socket at [`ECHO_PATH`].
pub(crate) fn accept(request: &Request<Incoming>) -> Option<String> {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let asks = request.uri().path() == ECHO_PATH
        && text(header::UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
    let key = text(header::SEC_WEBSOCKET_KEY).filter(|_| asks)?;
    Some(BASE64.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize()))
}

impl Socket {
    /// Sends every message back until the client closes or the services are cut.
    pub(crate) async fn serve(mut self) {
        let mut cut = self.cut.clone();
        tokio::select! {
            _ = cut.changed() => {}
            outcome = self.echo() => if let Err(error) = outcome {
                tracing::debug!(%error, "socket ended early");
            },
        }
    }

    async fn echo(&mut self) -> std::io::Result<()> {
        let upgraded = (&mut self.upgrade).await.map_err(std::io::Error::other)?;
        let mut stream = TokioIo::new(upgraded);
        loop {
            let first = stream.read_u8().await?;
            let second = stream.read_u8().await?;
            let length = length(&mut stream, second & !MASKED).await?;
            // A client has to mask (section 5.1).
            let refusal = match (second & MASKED, length) {
                (0, _) => Some(1002),
                (_, length) if length > FRAME_BYTES_MAX => Some(1009),
                _ => None,
            };
            if let Some(code) = refusal {
                let code: u16 = code;
                return close(&mut stream, &code.to_be_bytes()).await;
            }
            let payload = payload(&mut stream, length).await?;
            match first & 0x0f {
                CLOSE => return close(&mut stream, &payload).await,
                PING => write_frame(&mut stream, FINAL | PONG, &payload).await?,
                PONG => {}
                _ => {
                    self.record(payload.clone());
                    write_frame(&mut stream, first & (FINAL | 0x0f), &payload).await?;
                }
            }
        }
    }

    fn record(&self, payload: Bytes) {
        let method = Method::from_bytes(b"MESSAGE").unwrap_or_default();
        self.journal.record(Arrival {
            server_name: self.server_name.as_deref(),
            host: &self.host,
            version: Version::HTTP_11,
            method: &method,
            path: ECHO_PATH,
            headers: &HeaderMap::new(),
            trailers: &HeaderMap::new(),
            body_raw: payload.clone(),
            body: payload,
            readable: true,
        });
    }
}

async fn length(stream: &mut Stream, short: u8) -> std::io::Result<usize> {
    let length = match short {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    Ok(usize::try_from(length).unwrap_or(usize::MAX))
}

async fn payload(stream: &mut Stream, length: usize) -> std::io::Result<Bytes> {
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await?;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok(payload.into())
}

async fn close(stream: &mut Stream, payload: &[u8]) -> std::io::Result<()> {
    write_frame(stream, FINAL | CLOSE, payload).await?;
    stream.shutdown().await
}

async fn write_frame(stream: &mut Stream, first: u8, payload: &[u8]) -> std::io::Result<()> {
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend(u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    stream.write_all(&frame).await?;
    stream.flush().await
}
