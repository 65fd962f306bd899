//! The processor time of a server: the cost of a call, whatever else the machine does.

use std::fs;
use std::time::Duration;

/// Returns the processor time that the threads of a process have used so far; `None` where the
/// system does not report it.
pub(crate) fn used(process: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let mut total = Duration::ZERO;
    for thread in threads {
        // A thread that has just ended is missing; servers keep theirs.
        let Ok(schedule) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        total += Duration::from_nanos(schedule.split(' ').next()?.parse().ok()?);
    }
    Some(total)
}
