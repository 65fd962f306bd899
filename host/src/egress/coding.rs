//! Undoes the coding of an answer (RFC 9110 §8.4), so that everything behind it sees the bytes that
//! the service meant.
//!
//! Trusts no coded byte. Hands on a body of bounded size, or an error, and headers that are true of
//! that body.
//!
//! Invariant: at most one coding is undone, and never more bytes come out than the limit allows.
//! Decoding ends when nobody waits for it, at the next block that goes in or comes out: a body of
//! the largest size may hold a million members, frames or blocks without a byte in them.

#[cfg(any(test, fuzzing))]
pub(crate) mod surface;

use std::io::{self, BufRead, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::{HeaderMap, header};
use hyper::body::Bytes;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::cores::{Unwanted, apart};

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
    /// Nobody waits for it any more.
    #[error("nobody waits for it any more")]
    Unwanted,
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
    // It ends with this future, and a decoder that panics ends nothing else.
    apart(move |unwanted| decode(coding, &body, max, unwanted))
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

fn decode(
    coding: Coding,
    coded: &[u8],
    max: usize,
    unwanted: &Unwanted,
) -> Result<Vec<u8>, CodingError> {
    let mut input = Input {
        rest: coded,
        unwanted,
    };
    let mut output = Output {
        bytes: Vec::new(),
        max,
    };
    let decoded = match coding {
        Coding::Gzip => output.take(MultiGzDecoder::new(&mut input)),
        // Many servers leave out the frame of zlib (RFC 9110 §8.4.1.2).
        Coding::Deflate => inflate(&mut input, &mut output),
        Coding::Brotli => expand(&mut input, &mut output),
        Coding::Zstd => frames(&mut input, &mut output),
    };
    if unwanted.is_set() {
        return Err(CodingError::Unwanted);
    }
    decoded.map(|()| output.bytes)
}

/// Decodes one stream of zlib, or of deflate alone. The decoders that read would take a stream that
/// is cut off for a whole one.
fn inflate(input: &mut Input<'_>, output: &mut Output) -> Result<(), CodingError> {
    let mut state = Decompress::new(is_zlib(input.rest));
    let mut buffer = [0; BLOCK];
    loop {
        let (read, written) = (state.total_in(), state.total_out());
        let status = state
            .decompress(input.fill_buf()?, &mut buffer, FlushDecompress::None)
            .map_err(|_| CodingError::Broken)?;
        let since = |total: u64, before: u64| usize::try_from(total - before).unwrap_or_default();
        let (used, made) = (
            since(state.total_in(), read),
            since(state.total_out(), written),
        );
        input.consume(used);
        output.take(buffer.get(..made).unwrap_or_default())?;
        match status {
            Status::StreamEnd => return input.ends(),
            Status::Ok | Status::BufError if used + made == 0 => return Err(CodingError::Broken),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Decodes one stream of Brotli (RFC 7932). The decoder that reads would pass over bytes behind it.
fn expand(input: &mut Input<'_>, output: &mut Output) -> Result<(), CodingError> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new(alloc(), alloc(), alloc());
    let mut total = 0;
    let mut buffer = [0; BLOCK];
    loop {
        let block = input.fill_buf()?;
        let (mut left, mut used) = (block.len(), 0);
        let (mut room, mut made) = (buffer.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut used,
            block,
            &mut room,
            &mut made,
            &mut buffer,
            &mut total,
            &mut state,
        );
        input.consume(used);
        output.take(buffer.get(..made).unwrap_or_default())?;
        match result {
            BrotliResult::ResultSuccess => return input.ends(),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput if !input.rest.is_empty() => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => {
                return Err(CodingError::Broken);
            }
        }
    }
}

/// Decodes all frames (RFC 8878 §3.1), with the window that every receiver has (RFC 9659 §3).
fn frames(input: &mut Input<'_>, output: &mut Output) -> Result<(), CodingError> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW.max(u64::try_from(output.max).unwrap_or(WINDOW)));
    while !input.rest.is_empty() {
        match StreamingDecoder::new_with_decoder(&mut *input, &mut decoder) {
            Ok(mut frame) => output.take(&mut frame)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let left = input.rest;
                let rest = usize::try_from(length).ok().and_then(|at| left.get(at..));
                input.rest = rest.ok_or(CodingError::Broken)?;
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

/// What is not decoded yet. It is read block by block, and not at all once it is unwanted.
struct Input<'b> {
    rest: &'b [u8],
    unwanted: &'b Unwanted,
}

impl Input<'_> {
    /// Fails if bytes follow the end of a stream.
    fn ends(&self) -> Result<(), CodingError> {
        self.rest
            .is_empty()
            .then_some(())
            .ok_or(CodingError::Broken)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unwanted.is_set() {
            return Err(io::Error::other(CodingError::Unwanted));
        }
        let length = self.rest.len().min(BLOCK);
        Ok(self.rest.get(..length).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.rest = self.rest.get(amount..).unwrap_or_default();
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
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

/// Detects the two bytes with which a zlib stream begins (RFC 1950 §2.2).
fn is_zlib(coded: &[u8]) -> bool {
    matches!(coded, [first, second, ..]
        if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31))
}

/// The window that every receiver of zstd must have, and no sender may exceed, in bytes.
const WINDOW: u64 = 8 << 20;
/// The most bytes that a decoder takes or gives before it looks whether it is still wanted.
const BLOCK: usize = 16 << 10;

#[cfg(test)]
mod tests;
