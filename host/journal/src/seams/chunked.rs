//! The operating system's generator, asked for many bytes at once.
//!
//! A call needs a few short identifiers, and a system call for each costs more than everything else
//! about them. So each thread draws a chunk, from which short requests are served.
//!
//! Invariant: no byte is handed out twice. It is erased when it is handed out, and what is left of
//! a chunk is erased with its thread. A process that uses this must not go on in a fork, where the
//! same chunk would be handed out again; the serving host cannot fork, because its filter of system
//! calls denies that. Keys are not drawn from chunks.

use std::cell::RefCell;

use zeroize::Zeroize as _;

use super::{Random, SystemRandom};

/// The operating system's generator, asked for a chunk of bytes for each thread: for identifiers,
/// not for keys.
#[derive(Debug, Default)]
pub struct ChunkedRandom;

impl Random for ChunkedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = bytes.len() <= LONGEST
            // A thread that ends has no chunk any more.
            && CHUNK
                .try_with(|chunk| chunk.borrow_mut().draw(bytes, &SystemRandom))
                .is_ok();
        if !drawn {
            SystemRandom.fill(bytes);
        }
    }
}

thread_local! {
    static CHUNK: RefCell<Chunk> = const { RefCell::new(Chunk::EMPTY) };
}

/// Random bytes of which the first `left` were not handed out yet; the others are zero.
struct Chunk {
    bytes: [u8; SIZE],
    left: usize,
}

impl Chunk {
    const EMPTY: Self = Self {
        bytes: [0; SIZE],
        left: 0,
    };

    /// Hands out as many bytes as fit into `bytes`, and erases them here.
    fn draw(&mut self, bytes: &mut [u8], source: &dyn Random) {
        if self.left < bytes.len() {
            source.fill(&mut self.bytes);
            self.left = SIZE;
        }
        let from = self.left.saturating_sub(bytes.len());
        match self.bytes.get_mut(from..self.left) {
            Some(drawn) if drawn.len() == bytes.len() => {
                bytes.copy_from_slice(drawn);
                drawn.zeroize();
                self.left = from;
            }
            // More than a whole chunk.
            _ => source.fill(bytes),
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

const SIZE: usize = 1024;

/// The longest request that is served from a chunk.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU16, Ordering};
    use std::thread;

    use super::*;

    /// A source of which no two bytes that follow each other at an even place come again.
    struct Counting(AtomicU16);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for pair in bytes.chunks_mut(2) {
                // Neither byte is zero.
                let count = self.0.fetch_add(1, Ordering::Relaxed);
                let (high, low) = (count / 255 + 1, count % 255 + 1);
                let both = [u8::try_from(high).unwrap(), u8::try_from(low).unwrap()];
                pair.copy_from_slice(&both[..pair.len()]);
            }
        }
    }

    #[test]
    fn each_byte_is_erased_when_it_is_handed_out() {
        let (mut chunk, source) = (Chunk::EMPTY, Counting(AtomicU16::new(0)));
        for length in [16, 2, 64, 0, 1, 7, 32].into_iter().cycle().take(200) {
            let mut bytes = vec![0; length];
            chunk.draw(&mut bytes, &source);
            assert!(bytes.iter().all(|byte| *byte != 0), "{bytes:?}");
            let (left, drawn) = chunk.bytes.split_at(chunk.left);
            assert!(left.iter().all(|byte| *byte != 0), "{left:?}");
            assert!(drawn.iter().all(|byte| *byte == 0), "{drawn:?}");
        }
    }

    #[test]
    fn no_byte_is_handed_out_twice() {
        let (mut chunk, source) = (Chunk::EMPTY, Counting(AtomicU16::new(0)));
        let mut seen = HashSet::new();
        for length in [16, 2, 64, 30, 1024, 2048].into_iter().cycle().take(60) {
            let mut bytes = vec![0; length];
            chunk.draw(&mut bytes, &source);
            for pair in bytes.chunks(2) {
                assert!(seen.insert(pair.to_vec()), "{pair:?}");
            }
        }
    }

    #[test]
    fn no_two_of_a_million_identifiers_are_equal() {
        let draw = || {
            let one = |_| {
                let mut bytes = [0; 16];
                ChunkedRandom.fill(&mut bytes);
                u128::from_ne_bytes(bytes)
            };
            (0..125_000).map(one).collect::<Vec<_>>()
        };
        let threads = [(); 8].map(|()| thread::spawn(draw));
        let mut all: Vec<u128> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(all.len(), 1_000_000);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1_000_000);
    }
}
