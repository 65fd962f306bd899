//! The body of a service's answer, decoded from any bytes.
#![expect(
    clippy::expect_used,
    reason = "a second reader that fails has found something"
)]

use std::io::{self, BufReader, Read};

use brotli_decompressor::Decompressor;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::{Coding, CodingError, decode, is_zlib};
use crate::cores::Unwanted;
use crate::surfaces::Fate;

/// Decodes a body as gzip.
pub fn gzip(bytes: &[u8]) -> Fate {
    body(Coding::Gzip, bytes)
}

/// Decodes a body as Brotli.
pub fn brotli(bytes: &[u8]) -> Fate {
    body(Coding::Brotli, bytes)
}

/// Decodes a body as zstd.
pub fn zstd(bytes: &[u8]) -> Fate {
    body(Coding::Zstd, bytes)
}

/// Decodes a body as deflate.
pub fn deflate(bytes: &[u8]) -> Fate {
    body(Coding::Deflate, bytes)
}

/// Decodes a body. Never more comes out than the limit allows, the limit decides about nothing but
/// the size, and whoever gets the bytes in small pieces reads the same.
fn body(coding: Coding, bytes: &[u8]) -> Fate {
    if bytes.is_empty() {
        // A body that is not there is not decoded.
        return Fate::Refused;
    }
    let Ok(whole) = decoded(coding, bytes, MOST) else {
        assert!(decoded(coding, bytes, MOST / 2).is_err());
        return Fate::Refused;
    };
    assert!(whole.len() <= MOST);
    assert_eq!(decoded(coding, bytes, whole.len()).as_ref(), Ok(&whole));
    if let Some(less) = whole.len().checked_sub(1) {
        let over = decoded(coding, bytes, less);
        assert_eq!(over, Err(CodingError::TooLarge));
    }
    for size in [1, 7] {
        let again = in_pieces(coding, bytes, size).expect("what is whole is whole in pieces");
        assert_eq!(again, whole, "{size}");
    }
    Fate::Accepted
}

/// Decodes bytes as the host does, for as long as it takes.
fn decoded(coding: Coding, bytes: &[u8], max: usize) -> Result<Vec<u8>, CodingError> {
    decode(coding, bytes, max, &Unwanted::default())
}

/// Decodes bytes that come `size` at a time.
fn in_pieces(coding: Coding, bytes: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let pieces = Pieces { rest: bytes, size };
    let buffered = BufReader::with_capacity(size, pieces);
    match coding {
        Coding::Gzip => read(MultiGzDecoder::new(buffered)),
        Coding::Deflate if is_zlib(bytes) => read(ZlibDecoder::new(buffered)),
        Coding::Deflate => read(DeflateDecoder::new(buffered)),
        Coding::Brotli => read(Decompressor::new(buffered, size)),
        Coding::Zstd => frames(buffered.into_inner()),
    }
}

/// Decodes all frames of zstd.
fn frames(mut pieces: Pieces<'_>) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    while !pieces.rest.is_empty() {
        match StreamingDecoder::new(&mut pieces) {
            Ok(mut frame) => {
                frame.read_to_end(&mut whole)?;
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = usize::try_from(length).map_err(io::Error::other)?;
                pieces.rest = pieces.rest.get(length..).unwrap_or_default();
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    Ok(whole)
}

fn read(mut decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    decoder.read_to_end(&mut whole)?;
    Ok(whole)
}

/// Bytes that come a few at a time.
#[derive(Clone, Copy)]
struct Pieces<'b> {
    rest: &'b [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.size.min(buffer.len());
        self.rest.read(buffer.get_mut(..most).unwrap_or_default())
    }
}

/// The limit of a decoded body, in bytes.
const MOST: usize = 64 << 10;
