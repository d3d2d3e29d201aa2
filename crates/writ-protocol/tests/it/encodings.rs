//! Content encodings: whole, piece by piece, broken, and as bombs.

use std::io::Write as _;

use proptest::prelude::*;
use writ_base::Limit;
use writ_protocol::{Decoder, EncodingError, decode};

/// The encodings that have a reader.
pub const CODED: [&str; 5] = ["identity", "gzip", "deflate", "br", "zstd"];

static CAP: Limit = Limit::new("test.encoding_bytes", "bytes", 4 << 20);

pub fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate (raw)" => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let parameters = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
            brotli::BrotliCompress(&mut &*body, &mut out, &parameters).unwrap();
            out
        }
        "zstd" => zstd::encode_all(body, 1).unwrap(),
        _ => body.to_vec(),
    }
}

fn name(coding: &str) -> &str {
    coding.split(' ').next().unwrap()
}

fn pieces(coding: &str, wire: &[u8], size: usize) -> Result<Vec<u8>, EncodingError> {
    let mut decoder = Decoder::new(coding, &CAP)?;
    let mut out = Vec::new();
    for piece in wire.chunks(size.max(1)) {
        decoder.push(piece, &mut out)?;
    }
    decoder.finish()?;
    Ok(out)
}

const ALL: [&str; 6] = ["identity", "gzip", "deflate", "deflate (raw)", "br", "zstd"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_encoded_is_decoded_however_it_is_cut(
        body in prop::collection::vec(any::<u8>(), 0..3000), repeat in 1usize..20, size in 1usize..500,
    ) {
        let body = body.repeat(repeat);
        for coding in ALL {
            let wire = encoded(coding, &body);
            let whole = decode(name(coding), &wire, &CAP).unwrap();
            prop_assert_eq!(&*whole, &*body, "{}", coding);
            prop_assert_eq!(&pieces(name(coding), &wire, size).unwrap(), &body, "{}", coding);
        }
    }

    #[test]
    fn pro_1_any_bytes_are_decoded_or_refused(wire in prop::collection::vec(any::<u8>(), 0..300)) {
        for coding in ALL {
            let _ = decode(name(coding), &wire, &CAP);
        }
    }
}

#[test]
fn stacked_encodings_are_undone_from_the_last() {
    let body = b"{\"a\":1}".repeat(1000);
    let wire = encoded("br", &encoded("gzip", &body));
    assert_eq!(&*decode("gzip, br", &wire, &CAP).unwrap(), &*body);
    assert_eq!(pieces("GZIP,identity, br", &wire, 7).unwrap(), body);
    assert_eq!(decode("gzip, gzip, gzip, gzip", &wire, &CAP), Err(EncodingError::Unknown));
    assert_eq!(decode("compress", &wire, &CAP), Err(EncodingError::Unknown));
}

#[test]
fn a_body_cut_short_or_followed_by_more_is_broken() {
    let body: Vec<u8> = (0..20_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for coding in &ALL[1..] {
        let wire = encoded(coding, &body);
        for end in [1, 2, 5, wire.len() / 2, wire.len() - 1] {
            assert_eq!(decode(name(coding), &wire[..end], &CAP), Err(EncodingError::Broken), "{coding} {end}");
        }
        let more = [wire.as_slice(), b"more than there should be"].concat();
        assert_eq!(decode(name(coding), &more, &CAP), Err(EncodingError::Broken), "{coding}");
        assert_eq!(decode(name(coding), b"", &CAP).as_deref(), Ok(&b""[..]), "{coding}");
    }
}

#[test]
fn bombs_stop_at_the_cap_and_at_the_ratio() {
    static LARGE: Limit = Limit::new("test.large_bytes", "bytes", 1 << 30);
    let zeros = vec![0; 16 << 20];
    for coding in &ALL[1..] {
        let wire = encoded(coding, &zeros);
        assert_eq!(decode(name(coding), &wire, &CAP), Err(EncodingError::TooLarge), "{coding}");
        if wire.len() * 200 < zeros.len() {
            assert_eq!(decode(name(coding), &wire, &LARGE), Err(EncodingError::TooLarge), "{coding} by ratio");
        }
        assert_eq!(pieces(name(coding), &wire, 100), Err(EncodingError::TooLarge), "{coding}");
    }
    let twice = encoded("zstd", &encoded("zstd", &zeros));
    assert_eq!(decode("zstd, zstd", &twice, &CAP), Err(EncodingError::TooLarge));
}
