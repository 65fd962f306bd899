//! Undoes the coding of an answer (RFC 9110 §8.4), so that everything behind it sees the bytes that
//! the service meant.
//!
//! Trusts no coded byte. Hands on a body of bounded size, or an error, and headers that are true of
//! that body.
//!
//! Invariant: at most one coding is undone, and never more bytes come out than the limit allows.

use std::io::{self, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::{HeaderMap, header};
use hyper::body::Bytes;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// The codings that the host asks for.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";

/// An answer whose coding cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// The host does not know the coding.
    #[error("its Content-Encoding is not gzip, br, zstd or deflate")]
    Unknown,
    /// There is more than one coding.
    #[error("it is coded more than once")]
    Repeated,
    /// The coding is one of the transfer, which the host did not offer (RFC 9112 §7.4).
    #[error("its Transfer-Encoding is not `chunked`")]
    Transfer,
    /// The bytes are not what their coding says.
    #[error("its bytes are not what its Content-Encoding says")]
    Broken,
    /// More bytes come out than the limit allows.
    #[error("it is too large when it is decoded")]
    TooLarge,
}

/// One coding that the host undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Brotli,
    Zstd,
    Deflate,
}

/// Returns `body` without its coding, at most `max` bytes, and takes what is no longer true out of
/// `headers`.
///
/// # Errors
/// The coding cannot be undone.
pub(super) async fn undo(
    headers: &mut HeaderMap,
    body: Bytes,
    max: usize,
) -> Result<Bytes, CodingError> {
    let Some(coding) = named(headers)? else {
        return Ok(body);
    };
    // An answer to HEAD, or a 304, states the coding and the length of a body that it does not
    // have.
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    if body.is_empty() {
        return Ok(body);
    }
    // The work is bounded by `max`, and a decoder that panics ends nothing else.
    tokio::task::spawn_blocking(move || decode(coding, &body, max))
        .await
        .map_err(|_| CodingError::Broken)?
        .map(Bytes::from)
}

/// Returns the one coding of an answer.
fn named(headers: &HeaderMap) -> Result<Option<Coding>, CodingError> {
    let transfer = headers.get_all(header::TRANSFER_ENCODING);
    if transfer
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Err(CodingError::Transfer);
    }
    let values = headers.get_all(header::CONTENT_ENCODING);
    let names = values
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|name| name.trim_ascii().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_slice(), b"" | b"identity"));
    let mut coding = None;
    for name in names {
        if coding.is_some() {
            return Err(CodingError::Repeated);
        }
        coding = Some(match name.as_slice() {
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"br" => Coding::Brotli,
            b"zstd" => Coding::Zstd,
            b"deflate" => Coding::Deflate,
            _ => return Err(CodingError::Unknown),
        });
    }
    Ok(coding)
}

fn decode(coding: Coding, coded: &[u8], max: usize) -> Result<Vec<u8>, CodingError> {
    let mut output = Output {
        bytes: Vec::new(),
        max,
    };
    match coding {
        Coding::Gzip => output.take(MultiGzDecoder::new(coded))?,
        // Many servers leave out the frame of zlib (RFC 9110 §8.4.1.2).
        Coding::Deflate => inflate(coded, &mut output)?,
        Coding::Brotli => expand(coded, &mut output)?,
        Coding::Zstd => frames(coded, &mut output)?,
    }
    Ok(output.bytes)
}

/// Decodes one stream of zlib, or of deflate alone. The decoders that read would take a stream that
/// is cut off for a whole one.
fn inflate(coded: &[u8], output: &mut Output) -> Result<(), CodingError> {
    let mut state = Decompress::new(is_zlib(coded));
    let mut rest = coded;
    let mut buffer = [0; 16 << 10];
    loop {
        let (read, written) = (state.total_in(), state.total_out());
        let status = state
            .decompress(rest, &mut buffer, FlushDecompress::None)
            .map_err(|_| CodingError::Broken)?;
        let since = |total: u64, before: u64| usize::try_from(total - before).unwrap_or_default();
        rest = rest
            .get(since(state.total_in(), read)..)
            .unwrap_or_default();
        let made = since(state.total_out(), written);
        output.take(buffer.get(..made).unwrap_or_default())?;
        match status {
            Status::StreamEnd => return ends(rest),
            Status::Ok | Status::BufError if made == 0 => return Err(CodingError::Broken),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Decodes one stream of Brotli (RFC 7932). The decoder that reads would pass over bytes behind it.
fn expand(coded: &[u8], output: &mut Output) -> Result<(), CodingError> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new(alloc(), alloc(), alloc());
    let (mut left, mut at, mut total) = (coded.len(), 0, 0);
    let mut buffer = [0; 16 << 10];
    loop {
        let (mut room, mut made) = (buffer.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            coded,
            &mut room,
            &mut made,
            &mut buffer,
            &mut total,
            &mut state,
        );
        output.take(buffer.get(..made).unwrap_or_default())?;
        match result {
            BrotliResult::ResultSuccess => return ends(coded.get(at..).unwrap_or_default()),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => {
                return Err(CodingError::Broken);
            }
        }
    }
}

/// Decodes all frames (RFC 8878 §3.1), with the window that every receiver has (RFC 9659 §3).
fn frames(mut coded: &[u8], output: &mut Output) -> Result<(), CodingError> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW.max(u64::try_from(output.max).unwrap_or(WINDOW)));
    while !coded.is_empty() {
        match StreamingDecoder::new_with_decoder(&mut coded, &mut decoder) {
            Ok(mut frame) => output.take(&mut frame)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let rest = usize::try_from(length).ok().and_then(|at| coded.get(at..));
                coded = rest.ok_or(CodingError::Broken)?;
                continue;
            }
            Err(_) => return Err(CodingError::Broken),
        }
        let sum = decoder.get_checksum_from_data();
        if sum.is_some() && sum != decoder.get_calculated_checksum() {
            return Err(CodingError::Broken);
        }
    }
    Ok(())
}

/// What came out so far.
struct Output {
    bytes: Vec<u8>,
    max: usize,
}

impl Output {
    /// Reads a decoder to its end.
    fn take(&mut self, decoder: impl Read) -> Result<(), CodingError> {
        let room = self.max.saturating_sub(self.bytes.len());
        let most = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
        match decoder.take(most).read_to_end(&mut self.bytes) {
            Ok(_) if self.bytes.len() > self.max => Err(CodingError::TooLarge),
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<io::Error> for CodingError {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Fails if bytes follow the end of a stream.
fn ends(rest: &[u8]) -> Result<(), CodingError> {
    rest.is_empty().then_some(()).ok_or(CodingError::Broken)
}

/// Detects the two bytes with which a zlib stream begins (RFC 1950 §2.2).
fn is_zlib(coded: &[u8]) -> bool {
    matches!(coded, [first, second, ..]
        if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31))
}

/// The window that every receiver of zstd must have, and no sender may exceed, in bytes.
const WINDOW: u64 = 8 << 20;

#[cfg(test)]
mod tests;
