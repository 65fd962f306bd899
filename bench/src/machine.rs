//! The state of the machine, written beside the figures: without it no one can judge them.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::disk;
use crate::usage;

/// What is known about the machine before a run.
pub(crate) struct Before {
    file_system: String,
    load: [f64; 3],
    sync_us: f64,
    totals: Option<usage::Machine>,
}

/// The machine during a run.
#[derive(Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) kernel: String,
    /// The file system under the journals.
    pub(crate) file_system: String,
    /// The load averages of 1, 5 and 15 minutes.
    pub(crate) load_before: [f64; 3],
    pub(crate) load_after: [f64; 3],
    /// The share of the processors' time that the hypervisor gave to others.
    pub(crate) stolen: Option<f64>,
    /// The median time of `fdatasync` after an append of 400 bytes, microseconds.
    pub(crate) sync_us: f64,
    pub(crate) sync_us_after: f64,
}

impl Before {
    /// Looks at the machine, and at the folder that holds the journals. Fails if that is not on a
    /// disk.
    pub(crate) fn look(work: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(work)?;
        Ok(Self {
            file_system: disk::file_system(work)?,
            load: load(),
            sync_us: disk::sync_us(work)?,
            totals: usage::Machine::read(),
        })
    }

    /// Looks again, after the run.
    pub(crate) fn after(self, work: &Path) -> anyhow::Result<Machine> {
        Ok(Machine {
            processor: processor(),
            processors: std::thread::available_parallelism()?.get(),
            kernel: line("/proc/sys/kernel/osrelease"),
            file_system: self.file_system,
            load_before: self.load,
            load_after: load(),
            stolen: self.totals.zip(usage::Machine::read()).map(share),
            sync_us: self.sync_us,
            sync_us_after: disk::sync_us(work)?,
        })
    }
}

impl Machine {
    /// Returns whether nothing else seems to have run.
    fn is_quiet(&self) -> bool {
        let [load, ..] = self.load_before;
        load < QUIET_LOAD && self.stolen.is_none_or(|stolen| stolen < QUIET_STOLEN)
    }

    /// Returns the lines for a person.
    pub(crate) fn describe(&self) -> String {
        let load = |[one, five, fifteen]: [f64; 3]| format!("{one:.2} {five:.2} {fifteen:.2}");
        let stolen = self
            .stolen
            .map_or_else(|| "unknown".into(), |share| format!("{:.1} %", share * 1e2));
        let state = if self.is_quiet() {
            "quiet"
        } else {
            "BUSY with other work: compare ratios, and only within this run"
        };
        format!(
            "machine: {} × {}, Linux {}, journals on {}\n\
             load before {}, after {}; stolen {stolen}; {state}\n\
             fdatasync after 400 bytes: {:.0} µs before, {:.0} after (medians)",
            self.processors,
            self.processor,
            self.kernel,
            self.file_system,
            load(self.load_before),
            load(self.load_after),
            self.sync_us,
            self.sync_us_after,
        )
    }
}

fn share((before, after): (usage::Machine, usage::Machine)) -> f64 {
    let all = after.all.saturating_sub(before.all).as_secs_f64();
    let stolen = after.stolen.saturating_sub(before.stolen).as_secs_f64();
    stolen / all.max(f64::MIN_POSITIVE)
}

/// Returns the load averages; not numbers where the system does not have them.
fn load() -> [f64; 3] {
    let text = line("/proc/loadavg");
    let mut loads = text.split(' ').map(|load| load.parse().unwrap_or(f64::NAN));
    [(); 3].map(|()| loads.next().unwrap_or(f64::NAN))
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| Some(rest.split_once(':')?.1.trim().to_owned()));
    model.unwrap_or_else(|| "unknown processor".into())
}

fn line(file: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.trim().to_owned()
}

/// The load average below which nothing else runs, as far as it tells.
const QUIET_LOAD: f64 = 0.5;
/// The stolen share below which a neighbour is not felt.
const QUIET_STOLEN: f64 = 0.02;
