//! Content encodings (RFC 9110 section 8.4.1): decoded under a cap, whole or piece by piece.

use std::borrow::Cow;
use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};
use writ_base::Limit;
use writ_model::{Set, Signal, Unreadable};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

/// How many encodings may be applied on top of each other.
pub static STACKED: Limit = Limit::new("protocol.stacked_encodings", "encodings", 3);
/// How many times larger than its input an output above 1 MiB may be.
pub static RATIO: Limit = Limit::new("protocol.decoded_ratio", "times", 200);

/// Outputs up to this size may have any ratio: a small body of equal bytes is no bomb.
const RATIO_FREE: usize = 1 << 20;
/// The largest window that a zstd body may ask for, as a power of two: 8 MB, as RFC 9659 demands.
const ZSTD_WINDOW_LOG: u32 = 23;
/// How much one step of a decoder may write, in bytes.
const STEP: usize = 32 << 10;

/// Why a body could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// An encoding without a reader, or too many of them.
    #[error("the content encoding has no reader: known are gzip, deflate, br, zstd and identity")]
    Unknown,
    /// Bytes that are not of the encoding, or end too early, or go on too long.
    #[error("the body is not what its content encoding says")]
    Broken,
    /// More than the cap or the ratio allows.
    #[error("the decoded body is larger than its limit")]
    TooLarge,
}

impl EncodingError {
    /// The signal that it raises.
    pub fn signals(self) -> Set<Signal> {
        match self {
            Self::Unknown => Set::one(Signal::OpaqueEncoding),
            Self::Broken => Set::one(Signal::MalformedEncoding),
            Self::TooLarge => Set::EMPTY,
        }
    }

    /// Why the content is unreadable, if a reader failed.
    pub fn unreadable(self) -> Option<Unreadable> {
        (self == Self::TooLarge).then_some(Unreadable::TooLarge)
    }
}

/// A whole body without its encodings; the same bytes if it has none.
///
/// # Errors
/// As [`Decoder::push`] and [`Decoder::finish`].
pub fn decode<'b>(content_encoding: &str, body: &'b [u8], cap: &'static Limit) -> Result<Cow<'b, [u8]>, EncodingError> {
    let mut decoder = Decoder::new(content_encoding, cap)?;
    if decoder.is_identity() {
        return if cap.admits(body.len()) { Ok(Cow::Borrowed(body)) } else { Err(EncodingError::TooLarge) };
    }
    let mut out = Vec::new();
    decoder.push(body, &mut out)?;
    decoder.finish()?;
    Ok(Cow::Owned(out))
}

/// Decodes a body piece by piece.
pub struct Decoder {
    /// In the order in which they are undone.
    stages: Vec<Stage>,
    cap: &'static Limit,
    taken: usize,
    given: usize,
}

impl Decoder {
    /// A decoder for the value of a `Content-Encoding` header, several joined by commas; empty means none.
    ///
    /// # Errors
    /// [`EncodingError::Unknown`] if one of the encodings has no reader.
    pub fn new(content_encoding: &str, cap: &'static Limit) -> Result<Self, EncodingError> {
        let names = content_encoding.split(',').map(str::trim).filter(|name| !name.is_empty());
        let coded: Vec<&str> = names.filter(|name| !name.eq_ignore_ascii_case("identity")).collect();
        if !STACKED.admits(coded.len()) {
            return Err(EncodingError::Unknown);
        }
        let stages = coded.iter().rev().map(|name| Stage::named(name)).collect::<Result<_, _>>()?;
        Ok(Self { stages, cap, taken: 0, given: 0 })
    }

    /// Whether there is nothing to decode.
    pub fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Decodes the next bytes and appends what they give. After an error the body is lost.
    ///
    /// # Errors
    /// [`EncodingError::Broken`] or [`EncodingError::TooLarge`].
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodingError> {
        self.taken = self.taken.saturating_add(bytes.len());
        let room = self.room();
        let mut piece = Cow::Borrowed(bytes);
        for stage in &mut self.stages {
            let mut decoded = Bounded { bytes: Vec::new(), room, full: false };
            let done = stage.push(&piece, &mut decoded);
            if decoded.full {
                self.cap.hit();
                return Err(EncodingError::TooLarge);
            }
            done?;
            piece = Cow::Owned(decoded.bytes);
        }
        if piece.len() > room {
            self.cap.hit();
            return Err(EncodingError::TooLarge);
        }
        self.given += piece.len();
        out.extend_from_slice(&piece);
        Ok(())
    }

    /// Says that the body is at its end.
    ///
    /// # Errors
    /// [`EncodingError::Broken`] if the encoding is not. A body of no bytes is whole in every encoding.
    pub fn finish(&mut self) -> Result<(), EncodingError> {
        if self.taken == 0 {
            return Ok(());
        }
        self.stages.iter_mut().try_for_each(Stage::finish)
    }

    /// How many more bytes may come out.
    fn room(&self) -> usize {
        let by_ratio = self.taken.saturating_mul(RATIO.value()).max(RATIO_FREE);
        self.cap.value().min(by_ratio).saturating_sub(self.given)
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({} stages, {} B in, {} B out)", self.stages.len(), self.taken, self.given)
    }
}

enum Stage {
    Gzip(Box<flate2::write::MultiGzDecoder<Bounded>>),
    /// RFC 9110 says zlib; some senders leave its head out. The first two bytes tell.
    Deflate {
        head: Vec<u8>,
        inflate: Option<Box<Decompress>>,
        ended: bool,
    },
    Brotli(Box<brotli::DecompressorWriter<Bounded>>),
    Zstd {
        decoder: Box<ZstdDecoder<'static>>,
        ended: bool,
    },
}

impl Stage {
    fn named(name: &str) -> Result<Self, EncodingError> {
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&["gzip", "x-gzip"]) {
            Ok(Self::Gzip(Box::new(flate2::write::MultiGzDecoder::new(Bounded::default()))))
        } else if is(&["deflate"]) {
            Ok(Self::Deflate { head: Vec::new(), inflate: None, ended: false })
        } else if is(&["br"]) {
            Ok(Self::Brotli(Box::new(brotli::DecompressorWriter::new(Bounded::default(), STEP))))
        } else if is(&["zstd"]) {
            let mut decoder = ZstdDecoder::new().map_err(|_| EncodingError::Unknown)?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map_err(|_| EncodingError::Unknown)?;
            Ok(Self::Zstd { decoder: Box::new(decoder), ended: true })
        } else {
            Err(EncodingError::Unknown)
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Bounded) -> Result<(), EncodingError> {
        match self {
            Self::Gzip(decoder) => {
                std::mem::swap(decoder.get_mut(), out);
                let done = decoder.write_all(bytes).and_then(|()| decoder.flush());
                std::mem::swap(decoder.get_mut(), out);
                done.map_err(|_| EncodingError::Broken)
            }
            Self::Brotli(decoder) => {
                std::mem::swap(decoder.get_mut(), out);
                let done = decoder.write_all(bytes).and_then(|()| decoder.flush());
                std::mem::swap(decoder.get_mut(), out);
                done.map_err(|_| EncodingError::Broken)
            }
            Self::Deflate { head, inflate, ended } => match inflate {
                Some(inflate) => inflate_into(inflate, bytes, out, ended),
                None => {
                    head.extend_from_slice(bytes);
                    let [first, second, ..] = head.as_slice() else { return Ok(()) };
                    let zlib = first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0;
                    let head = std::mem::take(head);
                    inflate_into(inflate.insert(Box::new(Decompress::new(zlib))), &head, out, ended)
                }
            },
            Self::Zstd { decoder, ended } => zstd_into(decoder, bytes, out, ended),
        }
    }

    fn finish(&mut self) -> Result<(), EncodingError> {
        let whole = match self {
            Self::Gzip(decoder) => decoder.try_finish().is_ok(),
            Self::Brotli(decoder) => decoder.close().is_ok(),
            Self::Deflate { ended, .. } | Self::Zstd { ended, .. } => *ended,
        };
        if whole { Ok(()) } else { Err(EncodingError::Broken) }
    }
}

fn inflate_into(
    inflate: &mut Decompress,
    mut bytes: &[u8],
    out: &mut Bounded,
    ended: &mut bool,
) -> Result<(), EncodingError> {
    let mut step = Vec::with_capacity(STEP);
    loop {
        if *ended {
            return if bytes.is_empty() { Ok(()) } else { Err(EncodingError::Broken) };
        }
        step.clear();
        let before = inflate.total_in();
        let status =
            inflate.decompress_vec(bytes, &mut step, FlushDecompress::None).map_err(|_| EncodingError::Broken)?;
        let taken = usize::try_from(inflate.total_in() - before).unwrap_or(0);
        bytes = bytes.get(taken..).unwrap_or_default();
        out.write_all(&step).map_err(|_| EncodingError::TooLarge)?;
        *ended = status == Status::StreamEnd;
        if !*ended && taken == 0 && step.is_empty() {
            return if bytes.is_empty() { Ok(()) } else { Err(EncodingError::Broken) };
        }
    }
}

fn zstd_into(
    decoder: &mut ZstdDecoder<'static>,
    bytes: &[u8],
    out: &mut Bounded,
    ended: &mut bool,
) -> Result<(), EncodingError> {
    let mut input = InBuffer::around(bytes);
    let mut step = vec![0; STEP];
    loop {
        let mut output = OutBuffer::around(step.as_mut_slice());
        let before = input.pos();
        let pending = decoder.run(&mut input, &mut output).map_err(|_| EncodingError::Broken)?;
        let written = output.pos();
        out.write_all(step.get(..written).unwrap_or_default()).map_err(|_| EncodingError::TooLarge)?;
        if input.pos() > before || written > 0 {
            *ended = pending == 0;
        }
        let used_up = input.pos() >= bytes.len();
        if (used_up && written < STEP) || (input.pos() == before && written == 0) {
            return if used_up { Ok(()) } else { Err(EncodingError::Broken) };
        }
    }
}

/// A buffer that refuses to grow beyond its room.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.room {
            self.full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
