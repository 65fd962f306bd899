//! What a server used: processor time, wake-ups, and syncs of its journal.
//!
//! The host's figures are read from its threads and its own metrics, the machine's from
//! `/proc/stat`, which also has what kernel threads did for the host, and the client's work.

mod metrics;

use std::fs;
use std::time::Duration;

use serde::Serialize;

pub(crate) use metrics::Metrics;

/// Reads what a server uses.
#[derive(Clone)]
pub(crate) struct Meter {
    process: u32,
    metrics: Option<Metrics>,
}

/// The totals at one moment.
pub(crate) struct Reading {
    answered: u64,
    cpu: Option<Duration>,
    wakes: Option<u64>,
    machine: Option<Machine>,
    journal: Option<Journal>,
    resident_mib: Option<f64>,
}

/// The processors of the machine since it was started.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// The time in which they worked.
    pub(crate) busy: Duration,
    /// The time in which they would have worked, but the hypervisor ran another machine.
    pub(crate) stolen: Duration,
    /// All time.
    pub(crate) all: Duration,
}

/// The journal of a host since it was started.
#[derive(Clone, Copy)]
pub(super) struct Journal {
    pub(super) records: f64,
    pub(super) syncs: f64,
}

/// What a call used.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Used {
    /// Processor time of the server.
    pub(crate) cpu_us: Option<f64>,
    /// Busy time of all processors: server, client and kernel.
    pub(crate) machine_us: Option<f64>,
    /// Times that a thread of the server went to sleep.
    pub(crate) wakes: Option<f64>,
    /// Syncs of the journal.
    pub(crate) syncs: Option<f64>,
    /// Records for each sync.
    pub(crate) records_per_sync: Option<f64>,
    /// The memory of the server, MiB, not for each call.
    pub(crate) resident_mib: Option<f64>,
}

impl Meter {
    /// Reads a process and, if it has them, its metrics.
    pub(crate) fn new(process: Option<u32>, metrics: Option<Metrics>) -> Option<Self> {
        Some(Self {
            process: process?,
            metrics,
        })
    }

    /// Reads the totals; `answered` is the number of calls so far.
    pub(crate) async fn read(&self, answered: u64) -> Reading {
        let cpu = cpu(self.process);
        let wakes = wakes(self.process);
        let machine = Machine::read();
        let journal = match &self.metrics {
            Some(metrics) => metrics.journal().await,
            None => None,
        };
        Reading {
            answered,
            cpu,
            wakes,
            machine,
            journal,
            resident_mib: resident_mib(self.process),
        }
    }
}

impl Reading {
    /// Returns what each of `calls` used until a later reading.
    pub(crate) fn until(&self, later: &Self, calls: f64) -> Used {
        let each = |time: Option<Duration>| Some(time?.as_secs_f64() * 1e6 / calls);
        let cpu = || later.cpu?.checked_sub(self.cpu?);
        let machine = || later.machine?.busy.checked_sub(self.machine?.busy);
        let wakes = || later.wakes?.checked_sub(self.wakes?).map(number);
        let journal = self.journal.zip(later.journal);
        let syncs = journal.map(|(before, after)| after.syncs - before.syncs);
        let records = journal.map(|(before, after)| after.records - before.records);
        // The readings of the journal are a little late, so they go with the calls at that time.
        let answered = number(later.answered.saturating_sub(self.answered)).max(1.0);
        Used {
            cpu_us: each(cpu()),
            machine_us: each(machine()),
            wakes: wakes().map(|wakes| wakes / calls),
            syncs: syncs.map(|syncs| syncs / answered),
            records_per_sync: records
                .zip(syncs)
                .filter(|(_, syncs)| *syncs > 0.0)
                .map(|(records, syncs)| records / syncs),
            resident_mib: later.resident_mib,
        }
    }
}

impl Used {
    /// Makes one whose figures are those that `pick` returns for each.
    pub(crate) fn with(pick: impl Fn(fn(&Self) -> Option<f64>) -> Option<f64>) -> Self {
        Self {
            cpu_us: pick(|used| used.cpu_us),
            machine_us: pick(|used| used.machine_us),
            wakes: pick(|used| used.wakes),
            syncs: pick(|used| used.syncs),
            records_per_sync: pick(|used| used.records_per_sync),
            resident_mib: pick(|used| used.resident_mib),
        }
    }
}

impl Machine {
    /// Reads the first line of `/proc/stat`; `None` where the system does not have it.
    pub(crate) fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .filter_map(|number| number.parse().ok())
            .collect();
        let [user, nice, system, idle, waiting, hard, soft, stolen, ..] = numbers.as_slice() else {
            return None;
        };
        let busy = user + nice + system + hard + soft;
        let time = |ticks: u64| Duration::from_millis(ticks * TICK_MS);
        Some(Self {
            busy: time(busy),
            stolen: time(*stolen),
            all: time(busy + idle + waiting + stolen),
        })
    }
}

/// Returns the processor time that the threads of a process have used so far; `None` where the
/// system does not report it.
fn cpu(process: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for schedule in of_threads(process, "schedstat")? {
        total += Duration::from_nanos(schedule.split(' ').next()?.parse().ok()?);
    }
    Some(total)
}

/// Returns how often the threads of a process have gone to sleep so far.
fn wakes(process: u32) -> Option<u64> {
    let mut total = 0;
    for status in of_threads(process, "status")? {
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        total += count.trim().parse::<u64>().ok()?;
    }
    Some(total)
}

/// Reads a file of each thread.
fn of_threads(process: u32, file: &str) -> Option<Vec<String>> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    // A thread that has just ended is missing; servers keep theirs.
    let texts = threads
        .filter_map(Result::ok)
        .filter_map(|thread| fs::read_to_string(thread.path().join(file)).ok());
    Some(texts.collect())
}

/// Returns the memory of a process, MiB.
pub(crate) fn resident_mib(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// The unit of `/proc/stat`.
const TICK_MS: u64 = 10;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn stolen_time_is_not_busy() {
        let read = Machine::parse("cpu  5 1 2 90 3 1 1 7 4 0\ncpu0 1 1 1 1\n").unwrap();
        assert_eq!(read.busy, Duration::from_millis(100));
        assert_eq!(read.stolen, Duration::from_millis(70));
        assert_eq!(read.all, Duration::from_millis(1100));
    }
}
