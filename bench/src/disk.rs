//! The disk under the journal: the file system that it must be on, and the time in which it makes
//! an appended line durable, which is the floor under every durable record.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::figures::median;

/// Returns the median time of `fdatasync` after an append of 400 bytes in `folder`, microseconds.
pub(crate) fn sync_us(folder: &Path) -> anyhow::Result<f64> {
    let path = folder.join("floor");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let line = [b'x'; 400];
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let started = Instant::now();
        file.write_all(&line)?;
        file.sync_data()?;
        took.push(started.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path)?;
    Ok(median(took))
}

/// Returns the type of the file system that holds `folder`; fails if that is memory.
pub(crate) fn file_system(folder: &Path) -> anyhow::Result<String> {
    let folder = folder
        .canonicalize()
        .with_context(|| folder.display().to_string())?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("the mounts cannot be read")?;
    let kind = kind_of(&mounts, &folder).context("the work folder is on no mount")?;
    ensure!(
        !MEMORY.contains(&kind),
        "{} is on {kind}, which is memory: --work needs a folder on a disk",
        folder.display()
    );
    Ok(kind.to_owned())
}

/// Returns the type of the last mount with the longest path above `folder`.
fn kind_of<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let mounts = mounts.lines().filter_map(|line| {
        // `27 1 254:0 / /mount rw,relatime shared:1 - ext4 /dev/vda rw`
        let (head, tail) = line.split_once(" - ")?;
        Some((head.split(' ').nth(4)?, tail.split(' ').next()?))
    });
    mounts
        .filter(|(mount, _)| folder.starts_with(mount))
        .max_by_key(|(mount, _)| mount.len())
        .map(|(_, kind)| kind)
}

const TIMES: usize = 400;
/// File systems where a sync writes nothing.
const MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_counts_and_the_last_of_two_at_one_place() {
        let mounts = "\
            24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n\
            27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            25 24 0:23 / /dev/shm rw shared:4 - ramfs ramfs rw\n\
            30 25 0:27 / /dev/shm rw shared:4 master:2 - tmpfs tmpfs rw\n";
        let kind = |path: &str| kind_of(mounts, Path::new(path));
        assert_eq!(kind("/srv/bailiwick"), Some("ext4"));
        assert_eq!(kind("/dev/shm/x"), Some("tmpfs"));
        assert_eq!(kind("/devices"), Some("ext4"));
    }
}
