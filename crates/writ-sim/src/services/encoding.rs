//! Content codings of requests (decoded under a cap) and of answers (flushed after each event).

use std::io::{self, Read, Write};

use bytes::Bytes;

/// Most bytes of one decoded request body; what decodes to more is refused with 413.
pub const DECODED_BODY_BYTES_MAX: usize = 128 << 20;

const BROTLI_BUFFER_BYTES: usize = 4096;
const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW: u32 = 20;

/// A content coding (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn decoder<'a>(self, bytes: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            Self::Deflate => Box::new(flate2::read::ZlibDecoder::new(bytes)),
            Self::Brotli => Box::new(brotli::Decompressor::new(bytes, BROTLI_BUFFER_BYTES)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes)?),
        })
    }

    /// The pieces, compressed as one stream that is flushed after each piece, so that a client can decode every
    /// event as it arrives.
    pub(crate) fn encode(self, pieces: Vec<Bytes>) -> io::Result<Vec<Bytes>> {
        match self {
            Self::Gzip => {
                let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                flushed(encoder, pieces, |encoder| encoder.get_mut(), flate2::write::GzEncoder::finish)
            }
            Self::Deflate => {
                let encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                flushed(encoder, pieces, |encoder| encoder.get_mut(), flate2::write::ZlibEncoder::finish)
            }
            Self::Brotli => {
                let encoder =
                    brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW);
                flushed(encoder, pieces, |encoder| encoder.get_mut(), |encoder| Ok(encoder.into_inner()))
            }
            Self::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), 0)?;
                flushed(encoder, pieces, |encoder| encoder.get_mut(), zstd::stream::write::Encoder::finish)
            }
        }
    }
}

fn flushed<E: Write>(
    mut encoder: E,
    pieces: Vec<Bytes>,
    output: impl Fn(&mut E) -> &mut Vec<u8>,
    finish: impl FnOnce(E) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<Bytes>> {
    let mut encoded = Vec::with_capacity(pieces.len() + 1);
    for piece in pieces {
        encoder.write_all(&piece)?;
        encoder.flush()?;
        encoded.push(Bytes::from(std::mem::take(output(&mut encoder))));
    }
    encoded.push(Bytes::from(finish(encoder)?));
    Ok(encoded)
}

/// Why a request body could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// A coding that the services do not accept.
    UnknownCoding,
    /// The bytes are not in the coding that was declared.
    Malformed,
    /// More than [`DECODED_BODY_BYTES_MAX`].
    TooLarge,
}

/// Decodes a body by the value of its `Content-Encoding` header, last coding first.
pub(crate) fn decode(header: &str, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = body.to_vec();
    for coding in header.rsplit(',').map(|coding| coding.trim().to_ascii_lowercase()) {
        if coding.is_empty() || coding == "identity" {
            continue;
        }
        let encoding = Encoding::named(&coding).ok_or(DecodeError::UnknownCoding)?;
        decoded = decode_one(encoding, &decoded)?;
    }
    Ok(decoded)
}

fn decode_one(encoding: Encoding, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let decoder = encoding.decoder(bytes).map_err(|_| DecodeError::Malformed)?;
    let mut decoded = Vec::new();
    let cap = u64::try_from(DECODED_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    decoder.take(cap.saturating_add(1)).read_to_end(&mut decoded).map_err(|_| DecodeError::Malformed)?;
    if decoded.len() > DECODED_BODY_BYTES_MAX { Err(DecodeError::TooLarge) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 4] = [Encoding::Gzip, Encoding::Deflate, Encoding::Brotli, Encoding::Zstd];

    #[test]
    fn every_coding_comes_back() {
        let pieces = vec![Bytes::from_static(b"event one\n\n"), Bytes::new(), Bytes::from_static(b"event two\n\n")];
        for encoding in ALL {
            let whole: Vec<u8> = encoding.encode(pieces.clone()).unwrap().concat();
            assert_eq!(decode(encoding.name(), &whole).unwrap(), b"event one\n\nevent two\n\n", "{encoding:?}");
        }
    }

    #[test]
    fn each_event_can_be_read_when_it_arrives() {
        for encoding in ALL {
            let encoded = encoding.encode(vec![Bytes::from_static(b"first"), Bytes::from_static(b"second")]).unwrap();
            let mut decoder = encoding.decoder(&encoded[0]).unwrap();
            let mut first = [0; 5];
            decoder.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"first", "{encoding:?}");
        }
    }

    #[test]
    fn codings_stack_and_faults_have_names() {
        let gzip = Encoding::Gzip.encode(vec![Bytes::from_static(b"x")]).unwrap().concat();
        let both = Encoding::Zstd.encode(vec![Bytes::from(gzip)]).unwrap().concat();
        assert_eq!(decode("gzip, zstd", &both).unwrap(), b"x");
        assert_eq!(decode("compress", b"x"), Err(DecodeError::UnknownCoding));
        assert_eq!(decode("gzip", b"not gzip"), Err(DecodeError::Malformed));
        assert_eq!(decode("identity", b"x").unwrap(), b"x");
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let zeros = vec![Bytes::from(vec![0; 1 << 20]); (DECODED_BODY_BYTES_MAX >> 20) + 1];
        let bomb = Encoding::Zstd.encode(zeros).unwrap().concat();
        assert_eq!(decode("zstd", &bomb), Err(DecodeError::TooLarge));
    }
}
