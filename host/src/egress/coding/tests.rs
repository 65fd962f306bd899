//! What services send in place of what they say, and what comes of it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::{HeaderName, HeaderValue};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const TEXT: &[u8] = br#"{"orders":[{"id":"1001"},{"id":"1002"}]}"#;

type Coder = fn(&[u8]) -> Vec<u8>;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

/// Meta-blocks without compression, of at most 64 KiB (RFC 7932 §9.2), and an empty last one.
fn brotli(text: &[u8]) -> Vec<u8> {
    // WBITS of 16, in one bit.
    let mut bits = vec![false];
    let mut coded = Vec::new();
    for block in text.chunks(1 << 16) {
        // ISLAST, MNIBBLES of 4, MLEN - 1, ISUNCOMPRESSED.
        bits.extend([false, false, false]);
        bits.extend((0..16).map(|at| (block.len() - 1) >> at & 1 == 1));
        bits.push(true);
        coded.extend(packed(&mut bits));
        coded.extend(block);
    }
    // ISLAST, ISLASTEMPTY.
    bits.extend([true, true]);
    coded.extend(packed(&mut bits));
    coded
}

fn packed(bits: &mut Vec<bool>) -> Vec<u8> {
    let bytes = bits.chunks(8).map(|byte| {
        let set = byte.iter().enumerate().filter(|(_, bit)| **bit);
        set.fold(0, |byte, (at, _)| byte | 1 << at)
    });
    let bytes = bytes.collect();
    bits.clear();
    bytes
}

const CODERS: &[(&str, Coder)] = &[
    ("gzip", gzip),
    ("x-gzip", gzip),
    ("br", brotli),
    ("zstd", zstd),
    ("deflate", zlib),
    ("deflate", deflate),
];

fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
    given
        .iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::from_static(name),
                HeaderValue::from_str(value).ok()?,
            ))
        })
        .collect()
}

async fn undone(
    given: &[(&'static str, &str)],
    body: &[u8],
    max: usize,
) -> Result<(HeaderMap, Bytes), CodingError> {
    let mut headers = headers(given);
    let body = undo(&mut headers, Bytes::copy_from_slice(body), max).await?;
    Ok((headers, body))
}

#[tokio::test]
async fn every_coding_is_undone_and_the_headers_are_true_of_what_is_left() {
    for (name, coder) in CODERS {
        let given = [
            ("content-encoding", *name),
            ("content-length", "9"),
            ("etag", "x"),
        ];
        let answer = undone(&given, &coder(TEXT), TEXT.len()).await;
        let (headers, body) = answer.unwrap_or_default();
        assert_eq!(body, TEXT, "{name}");
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["etag"], "{name}");
    }
    let plain = [("content-encoding", "Identity"), ("content-length", "39")];
    let (headers, body) = undone(&plain, TEXT, 1).await.unwrap_or_default();
    assert_eq!(
        (headers.len(), &*body),
        (2, TEXT),
        "nothing is decoded, so nothing changes"
    );
}

#[tokio::test]
async fn a_body_that_is_not_there_needs_no_decoder() {
    for (name, _) in CODERS {
        let given = [("content-encoding", *name), ("content-length", "90")];
        let (headers, body) = undone(&given, b"", 9).await.unwrap_or_default();
        assert!(headers.is_empty() && body.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn one_byte_more_than_the_limit_is_too_large_and_a_bomb_costs_no_more() {
    let bomb = vec![0; 8 << 20];
    for (name, coder) in CODERS {
        let given = [("content-encoding", *name)];
        let coded = coder(TEXT);
        assert!(undone(&given, &coded, TEXT.len()).await.is_ok(), "{name}");
        for (coded, max) in [(coded, TEXT.len() - 1), (coder(&bomb), 4096)] {
            let over = undone(&given, &coded, max).await;
            assert_eq!(over.err(), Some(CodingError::TooLarge), "{name} {max}");
        }
    }
}

#[tokio::test]
async fn a_coding_that_is_doubled_unknown_or_of_the_transfer_is_refused() {
    let twice = gzip(&gzip(TEXT));
    for (given, expected) in [
        (
            &[("content-encoding", "gzip, gzip")][..],
            CodingError::Repeated,
        ),
        (&[("content-encoding", "gzip, br")], CodingError::Repeated),
        (
            &[("content-encoding", "gzip"), ("content-encoding", "gzip")],
            CodingError::Repeated,
        ),
        (&[("content-encoding", "compress")], CodingError::Unknown),
        (&[("content-encoding", "aes128gcm")], CodingError::Unknown),
        (&[("content-encoding", "gzip;q=1")], CodingError::Unknown),
        (
            &[("transfer-encoding", "gzip, chunked")],
            CodingError::Transfer,
        ),
        (
            &[
                ("transfer-encoding", "gzip"),
                ("transfer-encoding", "chunked"),
            ],
            CodingError::Transfer,
        ),
    ] {
        let refused = undone(given, &twice, 1 << 20).await;
        assert_eq!(refused.err(), Some(expected), "{given:?}");
    }
    for given in [
        &[("content-encoding", "gzip, identity")][..],
        &[
            ("content-encoding", " GZIP ,"),
            ("transfer-encoding", "Chunked"),
        ],
    ] {
        let (_, body) = undone(given, &gzip(TEXT), 1 << 20)
            .await
            .unwrap_or_default();
        assert_eq!(body, TEXT, "{given:?}");
    }
}

/// Every cut, a changed byte wherever a sum covers it, and bytes behind the end.
#[tokio::test]
async fn bytes_that_are_not_what_the_coding_says_are_an_error_and_never_a_part() {
    for (name, coder) in CODERS {
        let given = [("content-encoding", *name)];
        let coded = coder(TEXT);
        for length in 1..coded.len() {
            let cut = undone(&given, coded.get(..length).unwrap_or_default(), 1 << 20).await;
            assert_eq!(
                cut.err(),
                Some(CodingError::Broken),
                "{name} cut to {length}"
            );
        }
        let longer = [&coded[..], b"more"].concat();
        let longer = undone(&given, &longer, 1 << 20).await;
        assert_eq!(longer.err(), Some(CodingError::Broken), "{name} and more");
        let other = undone(&given, b"<html>no coding at all</html>", 1 << 20).await;
        assert_eq!(
            other.err(),
            Some(CodingError::Broken),
            "{name} in name only"
        );
    }
    let summed: [(&str, Coder); 3] = [("gzip", gzip), ("zstd", zstd), ("deflate", zlib)];
    for (name, coder) in summed {
        let mut coded = coder(TEXT);
        if let Some(sum) = coded.iter_mut().rev().nth(4) {
            *sum ^= 1;
        }
        let given = [("content-encoding", name)];
        assert!(undone(&given, &coded, 1 << 20).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn several_members_and_frames_are_one_body() {
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let joined: [(&str, Coder, &[u8]); 3] = [
        ("gzip", gzip, &[]),
        ("zstd", zstd, &[]),
        ("zstd", zstd, &skipped),
    ];
    for (name, coder, between) in joined {
        let coded = [&coder(TEXT)[..], between, &coder(TEXT)].concat();
        let given = [("content-encoding", name)];
        let (_, body) = undone(&given, &coded, 2 * TEXT.len())
            .await
            .unwrap_or_default();
        assert_eq!(body, [TEXT, TEXT].concat(), "{name}");
        let over = undone(&given, &coded, 2 * TEXT.len() - 1).await;
        assert_eq!(over.err(), Some(CodingError::TooLarge), "{name}: together");
    }
    let endless = [0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff];
    let beyond = undone(&[("content-encoding", "zstd")], &endless, 9).await;
    assert_eq!(
        beyond.err(),
        Some(CodingError::Broken),
        "a frame to skip without its bytes"
    );
}

#[tokio::test]
async fn a_window_beyond_what_receivers_must_have_is_refused_before_it_is_allocated() {
    // A frame header alone: no single segment, a window of 2^(10 + exponent) bytes.
    for (exponent, expected) in [
        (13, None),
        (14, Some(CodingError::Broken)),
        (31, Some(CodingError::Broken)),
    ] {
        // One last, raw, empty block follows.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 1, 0, 0];
        let answer = undone(&[("content-encoding", "zstd")], &frame, 1 << 10).await;
        assert_eq!(answer.err(), expected, "{exponent}");
    }
}

/// Bytes that no coder makes shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let next = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [first, ..] = state.to_be_bytes();
        first
    });
    next.take(length).collect()
}

#[tokio::test]
async fn a_body_of_several_blocks_is_decoded_whole_or_not_at_all() {
    let text = noise(3 * BLOCK + 5);
    for (name, coder) in CODERS {
        let given = [("content-encoding", *name)];
        let coded = coder(&text);
        let whole = undone(&given, &coded, text.len()).await.unwrap_or_default();
        assert!(whole.1 == text, "{name}");
        let more = [&coded[..], b"more"].concat();
        for (wrong, what) in [
            (coded.get(..BLOCK).unwrap_or_default(), "one block"),
            (coded.get(..2 * BLOCK).unwrap_or_default(), "two blocks"),
            (&more[..], "and more"),
        ] {
            let answer = undone(&given, wrong, text.len()).await;
            assert_eq!(answer.err(), Some(CodingError::Broken), "{name} {what}");
        }
    }
}

/// Bodies of several blocks that hardly have a byte in them, with their coding.
fn hollow() -> [(Coding, Vec<u8>, &'static [u8]); 4] {
    let many = |part: &[u8], end: &[u8]| {
        let mut coded = part.repeat(3 * BLOCK / part.len());
        coded.extend(end);
        coded
    };
    let stored = [0, 0, 0, 0xff, 0xff];
    // The window with a block of metadata, more of these, and the last block, all of them empty
    // (RFC 7932 §9.2).
    let metadata = [&[0x0c][..], &many(&[0x06], &[0x03])].concat();
    [
        (Coding::Gzip, many(&gzip(b""), &gzip(TEXT)), TEXT),
        (Coding::Zstd, many(&zstd(b""), &zstd(TEXT)), TEXT),
        (Coding::Deflate, many(&stored, &deflate(TEXT)), TEXT),
        (Coding::Brotli, metadata, b""),
    ]
}

#[test]
fn decoding_that_nobody_waits_for_ends_before_it_takes_another_block() {
    for (coding, coded, text) in hollow() {
        let unwanted = Unwanted::default();
        let wanted = decode(coding, &coded, TEXT.len(), &unwanted);
        assert_eq!(wanted.as_deref(), Ok(text), "{coding:?}");
        unwanted.set();
        let given_up = decode(coding, &coded, TEXT.len(), &unwanted);
        assert_eq!(given_up, Err(CodingError::Unwanted), "{coding:?}");
    }
    let (coded, unwanted) = (noise(3 * BLOCK), Unwanted::default());
    let mut input = Input {
        rest: &coded,
        unwanted: &unwanted,
    };
    assert_eq!(input.fill_buf().ok().map(<[u8]>::len), Some(BLOCK));
    input.consume(BLOCK);
    assert_eq!(input.read(&mut [0; 9]).ok(), Some(9));
    unwanted.set();
    assert!(input.fill_buf().is_err() && input.read(&mut [0; 9]).is_err());
    assert_eq!(input.rest.len(), 2 * BLOCK - 9, "no more was taken");
}
