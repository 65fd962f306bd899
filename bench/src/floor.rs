//! The floor under every durable record: the time in which the disk makes an appended line durable.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::rounds::median;

/// Returns the median time of `fdatasync` after an append of 400 bytes in `folder`, microseconds.
pub(crate) fn measure(folder: &Path) -> anyhow::Result<f64> {
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

const TIMES: usize = 400;
