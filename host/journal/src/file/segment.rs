//! The active segment: what is appended to it is durable.
//!
//! Where it pays, whole blocks go past the page cache (`O_DIRECT`) into room that was filled with
//! NULs ahead: neither the file's length nor its place on the disk changes, so a batch is one
//! request to the disk and no work for the file system's own journal. The block in which the
//! records end is written again with the next batch, and begins with the same bytes.
//!
//! Elsewhere, bytes are appended, and `fdatasync` makes them durable.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IoSlice, Write as _};
use std::mem;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FsWord, OFlags, fstatfs};

use super::length_of;
use super::site::{Look, private};
use crate::durable::{sync_data, write_through};

/// The way in which segments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// Into room ahead, in blocks.
    Blocks,
    /// Behind the end, byte for byte.
    Appended,
}

impl Writes {
    /// Returns the way for a folder, given whether room is wanted.
    pub(super) fn fit(folder: &File, preallocate: bool) -> io::Result<Self> {
        // Others write a block to a new place, or ignore the flags.
        let pays = preallocate && (cfg!(test) || WRITE_IN_PLACE.contains(&fstatfs(folder)?.f_type));
        Ok(if pays { Self::Blocks } else { Self::Appended })
    }
}

/// A segment that is being written.
pub(super) struct ActiveSegment {
    file: File,
    /// Its room; none if bytes are appended.
    room: Option<Room>,
}

/// A segment's bytes and the room behind them.
struct Room {
    /// The bytes that were appended.
    used: u64,
    /// The length of the file.
    total: u64,
    /// The block in which they end, unless it is full.
    last: Vec<Block>,
}

/// As many bytes as a disk takes at once, where direct writes need them to be in memory.
#[derive(Clone)]
#[repr(align(4096))]
struct Block<const BYTES: usize = SIZE>([u8; BYTES]);

impl ActiveSegment {
    /// Begins a segment. The file must not exist, or must be empty.
    pub(super) fn begin(path: &Path, writes: Writes) -> io::Result<Self> {
        if writes == Writes::Blocks
            && let Some(segment) = Self::with_room(path)?
        {
            return Ok(segment);
        }
        let file = private().append(true).create(true).open(path)?;
        check_empty(&file)?;
        Ok(Self { file, room: None })
    }

    /// Begins a segment with room ahead. Returns `None` if the disk does not take these blocks.
    fn with_room(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECT | OFlags::DSYNC;
        let mut options = private();
        options
            .write(true)
            .create(true)
            .custom_flags(flags.bits().cast_signed());
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(None),
            opened => opened?,
        };
        check_empty(&file)?;
        // The second write shows that the disk takes single blocks anywhere, as batches need.
        let made = write_through(&file, &nuls(LEAST_ROOM), 0)
            .and_then(|()| write_through(&file, &nuls(BLOCK), LEAST_ROOM - BLOCK));
        if let Err(error) = made {
            // A file with contents would be in the way of the next attempt.
            if file.set_len(0).is_err() {
                fs::remove_file(path)?;
            }
            return match error.kind() {
                ErrorKind::InvalidInput | ErrorKind::Unsupported => Ok(None),
                _ => Err(error),
            };
        }
        let room = Room {
            used: 0,
            total: LEAST_ROOM,
            last: Vec::new(),
        };
        Ok(Some(Self {
            file,
            room: Some(room),
        }))
    }

    pub(super) fn look(&self) -> io::Result<Look> {
        Look::into(&self.file)
    }

    /// Returns the length of the file once these bytes are appended, given the present one.
    pub(super) fn length_with(&self, present: u64, bytes: &[u8]) -> u64 {
        let appended = present.saturating_add(length_of(bytes));
        let room = self.room.as_ref();
        room.map_or(appended, |room| room.total_with(bytes))
    }

    /// Appends bytes, and makes them durable. After an error, the segment must not be written.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(room) = &mut self.room {
            return room.append(&self.file, bytes);
        }
        self.file.write_all(bytes)?;
        sync_data(&self.file)
    }
}

impl Room {
    /// Returns the length of the file once these bytes are appended. If they do not fit, it grows
    /// by about as much as it has, so that this is rare and costs a small journal little.
    fn total_with(&self, bytes: &[u8]) -> u64 {
        let used = self.used.saturating_add(length_of(bytes));
        if used <= self.total {
            return self.total;
        }
        let ahead = used.clamp(LEAST_ROOM, MOST_ROOM);
        used.saturating_add(ahead).next_multiple_of(BLOCK)
    }

    fn append(&mut self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let total = self.total_with(bytes);
        let inside = self.used % BLOCK;
        let begins = self.used - inside;
        let mut blocks = self.blocks(usize::try_from(inside).map_err(io::Error::other)?, bytes)?;
        self.used = self.used.saturating_add(length_of(bytes));
        let ahead = if total > self.total {
            nuls(total - self.used.next_multiple_of(BLOCK))
        } else {
            Vec::new()
        };
        let slices = blocks.iter().map(|block| IoSlice::new(&block.0));
        let slices: Vec<_> = slices.chain(ahead).collect();
        write_through(file, &slices, begins)?;
        self.total = total;
        let kept = usize::from(!self.used.is_multiple_of(BLOCK));
        blocks.drain(..blocks.len().saturating_sub(kept));
        self.last = blocks;
        Ok(())
    }

    /// Returns the last block, of which so many bytes are used, with these bytes behind them, and
    /// as many more blocks as they need. What they do not fill is NULs.
    fn blocks(&mut self, inside: usize, mut bytes: &[u8]) -> io::Result<Vec<Block>> {
        let mut blocks = mem::take(&mut self.last);
        blocks.resize((inside + bytes.len()).div_ceil(SIZE), Block([0; SIZE]));
        let mut free = inside;
        for block in &mut blocks {
            let mut space = block.0.get_mut(free..).unwrap_or_default();
            let copied = space.write(bytes)?;
            bytes = bytes.get(copied..).unwrap_or_default();
            free = 0;
        }
        Ok(blocks)
    }
}

/// Returns this many NULs, a multiple of a block.
fn nuls(length: u64) -> Vec<IoSlice<'static>> {
    static NULS: Block<{ 16 * SIZE }> = Block([0; 16 * SIZE]);
    let mut slices = Vec::new();
    let mut left = usize::try_from(length).unwrap_or(usize::MAX);
    while left > 0 {
        let slice = NULS.0.get(..left).unwrap_or(&NULS.0);
        slices.push(IoSlice::new(slice));
        left -= slice.len();
    }
    slices
}

fn check_empty(file: &File) -> io::Result<()> {
    if Look::into(file)?.length == 0 {
        return Ok(());
    }
    let what = "a new segment already has contents";
    Err(io::Error::new(ErrorKind::AlreadyExists, what))
}

/// The bytes of a block. Disks take 512 or 4096 at once, and pages of memory have as many.
const SIZE: usize = 4096;
const BLOCK: u64 = 4096;

/// The least and the most room that a segment gets at once.
const LEAST_ROOM: u64 = if cfg!(test) { BLOCK } else { 64 << 10 };
const MOST_ROOM: u64 = if cfg!(test) { 4 * BLOCK } else { 1 << 20 };

/// File systems that write in place: ext2 to ext4, and XFS.
const WRITE_IN_PLACE: [FsWord; 2] = [0xef53, 0x5846_5342];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;

    use super::super::super::testing::temporary;
    use super::*;
    use crate::durable::seen::Synced;

    /// Batches of every kind of length, with respect to blocks and to one system call.
    const LENGTHS: [usize; 14] = [
        1, 4094, 1, 1, 4096, 4095, 4097, 700, 0, 8192, 12_000, 5_000_000, 3, 100_000,
    ];

    fn batch(number: usize, length: usize) -> Vec<u8> {
        vec![b'a' + u8::try_from(number % 26).unwrap(); length]
    }

    #[test]
    fn whichever_way_a_segment_is_written_its_bytes_are_the_same_and_durable() {
        for writes in [Writes::Blocks, Writes::Appended] {
            let folder = temporary();
            let path = folder.path().join("segment");
            let mut segment = ActiveSegment::begin(&path, writes).unwrap();
            assert_eq!(segment.room.is_some(), writes == Writes::Blocks);
            let mut expected = Vec::new();
            for (number, length) in LENGTHS.into_iter().cycle().take(40).enumerate() {
                let batch = batch(number, length);
                let present = segment.look().unwrap().length;
                let announced = segment.length_with(present, &batch);
                let (appended, synced) = Synced::during(|| segment.append(&batch));
                appended.unwrap();
                expected.extend(batch);
                let found = fs::read(&path).unwrap();
                assert_eq!(length_of(&found), announced, "{writes:?} {number}");
                let (bytes, room) = found.split_at(expected.len());
                assert!(bytes == expected, "{writes:?} {number}");
                assert!(room.iter().all(|byte| *byte == 0), "{writes:?} {number}");
                assert!(synced.has(&path), "{writes:?} {number}");
            }
        }
    }

    #[test]
    fn a_segment_grows_seldom_and_never_by_much() {
        let folder = temporary();
        let path = folder.path().join("segment");
        let mut segment = ActiveSegment::begin(&path, Writes::Blocks).unwrap();
        let (mut used, mut lengths) = (0, BTreeSet::new());
        for number in 0..1000 {
            segment.append(&batch(number, 700)).unwrap();
            used += 700;
            let length = segment.look().unwrap().length;
            assert!(
                length >= used && length <= used + MOST_ROOM + BLOCK,
                "{used}: {length}"
            );
            lengths.insert(length);
        }
        assert!(lengths.len() < 50, "{} lengths", lengths.len());
    }

    #[test]
    fn a_segment_with_contents_is_not_begun() {
        for writes in [Writes::Blocks, Writes::Appended] {
            let folder = temporary();
            let path = folder.path().join("segment");
            fs::write(&path, "x").unwrap();
            let error = ActiveSegment::begin(&path, writes).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"x");
        }
    }

    #[test]
    fn room_is_made_only_if_it_is_wanted() {
        let folder = temporary();
        let directory = File::open(folder.path()).unwrap();
        assert_eq!(Writes::fit(&directory, false).unwrap(), Writes::Appended);
        assert_eq!(Writes::fit(&directory, true).unwrap(), Writes::Blocks);
    }
}
