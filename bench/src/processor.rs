//! How much processor time a server takes: what a call costs, whatever else the machine does
//! meanwhile.

use std::fs;
use std::time::Duration;

/// What the threads of a process have had of the processors so far; `None` where the system does
/// not tell.
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
