//! The room for a source in the component of a development build, and in the code made from it.
//!
//! The SDKs of TypeScript and Python make such a component once: with the engine, the SDK and a run
//! of known bytes, which a snapshot keeps in one piece. A source that is written into it changes
//! neither the structure nor a function. So the same write turns the code of the one component into
//! that of the other, and nothing is compiled.
//!
//! Invariant: the room is there once and whole, or there is none.

use std::io::BufRead as _;
use std::ops::Range;

/// Returns a copy of a component, or of its code, whose empty room has this source; `None` if there
/// is no empty room, more than one, or too little.
pub fn with_source(empty: &[u8], source: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(source.len()).ok()?;
    let room = find(empty)?;
    if empty.get(room.clone())? != filling() || source.len() + LENGTH > room.len() {
        return None;
    }
    let mut filled = empty.to_vec();
    let written = filled.get_mut(room)?;
    let (place, rest) = written.split_at_mut_checked(LENGTH)?;
    place.copy_from_slice(&length.to_le_bytes());
    rest.get_mut(..source.len())?.copy_from_slice(source);
    Some(filled)
}

/// Returns the source in the room of a component.
pub(super) fn source_of(filled: &[u8]) -> Option<&[u8]> {
    let (length, rest) = filled.get(find(filled)?)?.split_at_checked(LENGTH)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    rest.get(..usize::try_from(length).ok()?)
}

/// Finds the bytes after the mark, if that is there once.
fn find(bytes: &[u8]) -> Option<Range<usize>> {
    let (first, _) = MARK.split_first()?;
    let (mut rest, mut found) = (bytes, None);
    // The standard library looks for one byte at a time, at the speed of memory.
    while rest.skip_until(*first).is_ok_and(|skipped| skipped > 0) {
        let at = bytes.len() - rest.len();
        if bytes.get(..at)?.last() == Some(first) && rest.starts_with(&MARK[1..]) {
            let start = at + MARK.len() - 1;
            if found.replace(start..start + SIZE).is_some() {
                return None;
            }
        }
    }
    found
}

/// Returns what empty room is filled with: no byte is 0, because a snapshot leaves zeros out.
fn filling() -> Vec<u8> {
    let once: Vec<u8> = (1..=251).collect();
    let mut all = once.repeat(SIZE / once.len() + 1);
    all.truncate(SIZE);
    all
}

/// Returns empty room, as a component has it.
#[cfg(test)]
pub fn empty() -> Vec<u8> {
    [&MARK[..], &filling()].concat()
}

/// The mark before the room, chosen at random.
const MARK: [u8; 32] = [
    0x52, 0xe2, 0xfb, 0x89, 0x53, 0x06, 0xdb, 0xb5, 0x7e, 0x5e, 0xc3, 0x05, 0x0f, 0xef, 0xa7, 0xa7,
    0xb3, 0xc1, 0x8e, 0xe6, 0x73, 0x6b, 0x55, 0x19, 0x09, 0x38, 0x95, 0xaa, 0xc3, 0xb9, 0x64, 0x1f,
];
/// The bytes that hold the length of the source, little-endian.
const LENGTH: usize = 4;
/// The room with the length: as in `guest-sdk/typescript/src/wasm/developed.ts` and
/// `guest-sdk/python/src/bailiwick_sdk/_developed.py`.
const SIZE: usize = LENGTH + (512 << 10);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn room() -> Vec<u8> {
        [b"before", &*empty()].concat()
    }

    #[test]
    fn a_source_is_written_into_the_room_and_read_again() {
        let empty = [room(), b"after".to_vec()].concat();
        let whole = vec![7; SIZE - LENGTH];
        for source in [&b""[..], b"x = 1", &whole] {
            let filled = with_source(&empty, source).unwrap();
            assert_eq!(source_of(&filled), Some(source));
            assert_eq!(filled.len(), empty.len());
            assert!(filled.starts_with(b"before") && filled.ends_with(b"after"));
        }
    }

    #[test]
    fn room_that_is_not_empty_not_whole_not_there_or_there_twice_takes_nothing() {
        let empty = room();
        assert!(with_source(&empty, b"x").is_some());
        let filled = with_source(&empty, b"x").unwrap();
        let cut = empty.get(..empty.len() - 1).unwrap();
        let twice = empty.repeat(2);
        for (what, bytes) in [
            ("filled", &*filled),
            ("cut", cut),
            ("absent", b"before"),
            ("twice", &twice),
        ] {
            assert!(with_source(bytes, b"x").is_none(), "{what}");
        }
        let long = vec![7; SIZE - LENGTH + 1];
        assert!(with_source(&empty, &long).is_none(), "too long");
        assert!(source_of(&empty).is_none(), "no source yet");
    }
}
