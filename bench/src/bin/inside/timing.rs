//! Batches, and the median of them.

use std::time::{Duration, Instant};

/// Microseconds of one `operation`: the median of batches, after one that does not count.
pub(crate) async fn each<T, E>(times: u32, mut operation: impl AsyncFnMut() -> Result<T, E>) -> Result<f64, E> {
    let mut batches = Vec::new();
    for _ in 0..=BATCHES {
        let started = Instant::now();
        for _ in 0..times {
            std::hint::black_box(operation().await?);
        }
        batches.push(started.elapsed() / times);
    }
    batches.remove(0);
    Ok(median(batches))
}

/// The value in the middle, in microseconds.
pub(crate) fn median(mut values: Vec<Duration>) -> f64 {
    values.sort_unstable();
    values.get(values.len() / 2).map_or(f64::NAN, |middle| middle.as_secs_f64() * 1e6)
}

const BATCHES: usize = 9;
