//! Batches of an operation, and their median.

use std::time::{Duration, Instant};

/// Returns the microseconds of one `operation`: the median of many small batches, after some that
/// do not count. A batch is short, so that other work of the machine interrupts few of them.
pub(crate) async fn each<T, E>(
    batch: u32,
    mut operation: impl AsyncFnMut() -> Result<T, E>,
) -> Result<f64, E> {
    let mut batches = Vec::with_capacity(BATCHES);
    for number in 0..WARM_UP + BATCHES {
        let started = Instant::now();
        for _ in 0..batch {
            std::hint::black_box(operation().await?);
        }
        if number >= WARM_UP {
            batches.push(started.elapsed() / batch);
        }
    }
    Ok(median(batches))
}

/// Returns the middle value, in microseconds.
pub(crate) fn median(mut values: Vec<Duration>) -> f64 {
    values.sort_unstable();
    values
        .get(values.len() / 2)
        .map_or(f64::NAN, |middle| middle.as_secs_f64() * 1e6)
}

const WARM_UP: usize = 20;
const BATCHES: usize = 200;
