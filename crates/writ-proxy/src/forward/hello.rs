//! The first bytes of a tunnel: read before anything is passed on, kept so that they can be passed on unchanged.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::limits;
use super::wire::Wire;

/// How a tunnel begins.
pub(crate) enum First {
    /// With a ClientHello.
    Tls(Box<Hello>),
    /// With something else.
    Other(Wire),
    /// With a TLS record that holds no proper ClientHello, or one that is too long.
    Malformed,
    /// Not in time.
    Late,
    /// Not at all: the client went away.
    Gone,
}

/// A ClientHello whose handshake has not been answered yet.
pub(crate) struct Hello {
    start: StartHandshake<Recording>,
}

impl Hello {
    /// The name that it asks for, in lower case.
    pub(crate) fn name(&self) -> Option<String> {
        let hello = self.start.client_hello();
        // rustls drops names that are no DNS names; a trailing dot is not allowed in SNI (RFC 6066 section 3).
        hello.server_name().map(str::to_ascii_lowercase)
    }

    /// Whether it carries an encrypted ClientHello (RFC 9849), true or grease.
    pub(crate) fn encrypted(&self) -> bool {
        carries_extension(&self.start.io.seen, ENCRYPTED_CLIENT_HELLO)
    }

    /// The handshake, to be answered here.
    pub(crate) async fn accept(
        self,
        config: std::sync::Arc<rustls::ServerConfig>,
    ) -> io::Result<tokio_rustls::server::TlsStream<Recording>> {
        let Self { mut start } = self;
        start.io.stop();
        start.into_stream(config).await
    }

    /// The connection with all that was read put back, to be passed on.
    pub(crate) fn into_wire(self) -> Wire {
        self.start.io.into_wire()
    }
}

/// Reads up to the end of the ClientHello, or as far as shows that there is none.
pub(crate) async fn read(mut wire: Wire) -> First {
    let reading = async {
        let mut first = [0u8; 1];
        if !matches!(wire.read(&mut first).await, Ok(1)) {
            return First::Gone;
        }
        wire.put_back(Bytes::copy_from_slice(&first));
        if first != [HANDSHAKE_RECORD] {
            return First::Other(wire);
        }
        match LazyConfigAcceptor::new(Acceptor::default(), Recording::of(wire)).await {
            Ok(start) => First::Tls(Box::new(Hello { start })),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => First::Gone,
            Err(_malformed) => First::Malformed,
        }
    };
    tokio::time::timeout(limits::HELLO_TIMEOUT, reading).await.unwrap_or(First::Late)
}

/// The content type of a TLS record with a handshake message (RFC 8446 section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// The extension's number (RFC 9849 section 5).
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// A connection that keeps what is read from it, until told to stop.
pub(crate) struct Recording {
    wire: Wire,
    seen: BytesMut,
    on: bool,
}

impl Recording {
    fn of(wire: Wire) -> Self {
        Self { wire, seen: BytesMut::new(), on: true }
    }

    fn stop(&mut self) {
        self.on = false;
        self.seen = BytesMut::new();
    }

    fn into_wire(self) -> Wire {
        let Self { mut wire, seen, .. } = self;
        wire.put_back(seen.freeze());
        wire
    }
}

impl AsyncRead for Recording {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.wire).poll_read(cx, buf))?;
        if self.on {
            let new = buf.filled().get(before..).unwrap_or_default();
            if !limits::HELLO.admits(self.seen.len() + new.len()) {
                return Poll::Ready(Err(io::Error::other("the client hello is too long")));
            }
            let this = &mut *self;
            this.seen.extend_from_slice(buf.filled().get(before..).unwrap_or_default());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recording {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

/// Whether the ClientHello at the start of these records has the extension. The records were accepted by rustls before,
/// so that form is not judged here: what cannot be followed has no extensions.
fn carries_extension(records: &[u8], wanted: u16) -> bool {
    let message = joined(records);
    extensions(&message).is_some_and(|mut rest| {
        while rest.remaining() >= 4 {
            let (kind, length) = (rest.get_u16(), usize::from(rest.get_u16()));
            if kind == wanted {
                return true;
            }
            if rest.remaining() < length {
                return false;
            }
            rest.advance(length);
        }
        false
    })
}

/// The content of handshake records, joined (RFC 8446 section 5.1: messages may span records).
fn joined(mut records: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(records.len());
    while let Some((header, rest)) = records.split_at_checked(5) {
        let length = match header {
            [HANDSHAKE_RECORD, _, _, high, low] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => break,
        };
        let Some((content, after)) = rest.split_at_checked(length) else { break };
        message.extend_from_slice(content);
        records = after;
    }
    message
}

/// The extensions of a ClientHello (RFC 8446 section 4.1.2).
fn extensions(message: &[u8]) -> Option<&[u8]> {
    // Type and length, version, random.
    let rest = message.get(4 + 2 + 32..)?;
    let rest = skip(rest, 1)?;
    let rest = skip(rest, 2)?;
    let rest = skip(rest, 1)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

/// What follows a vector whose length takes so many bytes.
fn skip(bytes: &[u8], length_bytes: usize) -> Option<&[u8]> {
    let (length, rest) = bytes.split_at_checked(length_bytes)?;
    let length = length.iter().fold(0usize, |sum, byte| sum * 256 + usize::from(*byte));
    rest.get(length..)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello with these extensions, in records of at most `size` bytes.
    fn hello(extensions: &[(u16, &[u8])], size: usize) -> Vec<u8> {
        let mut list = Vec::new();
        for (kind, body) in extensions {
            list.extend(kind.to_be_bytes());
            list.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            list.extend(*body);
        }
        let mut message = vec![1, 0, 0, 0, 3, 3];
        message.extend([7; 32]);
        message.extend([2, 9, 9]);
        message.extend([0, 2, 0x13, 0x01]);
        message.extend([1, 0]);
        message.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
        message.extend(list);
        let mut records = Vec::new();
        for piece in message.chunks(size) {
            records.extend([22, 3, 1]);
            records.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            records.extend(piece);
        }
        records
    }

    #[test]
    fn extensions_are_found_across_records() {
        for size in [1, 3, 7, 4096] {
            let with = hello(&[(0, b"name"), (0xfe0d, b"secret"), (16, b"")], size);
            assert!(carries_extension(&with, ENCRYPTED_CLIENT_HELLO));
            assert!(!carries_extension(&hello(&[(0, b"\xfe\x0d\x00\x00"), (16, b"")], size), ENCRYPTED_CLIENT_HELLO));
        }
    }

    #[test]
    fn any_prefix_and_any_bytes_are_survived() {
        let whole = hello(&[(0, b"name"), (0xfe0d, b"secret")], 20);
        for end in 0..whole.len() {
            let _any = carries_extension(&whole[..end], ENCRYPTED_CLIENT_HELLO);
            let mut broken = whole.clone();
            broken[end] ^= 0xff;
            let _any = carries_extension(&broken, ENCRYPTED_CLIENT_HELLO);
        }
    }
}
