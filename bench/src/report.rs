//! The results: a table for people, `bench.json` for programs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;

use crate::chart;
use crate::plan::Plan;
use crate::rounds::Measured;

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) http: Vec<Measured>,
    /// Microseconds by name.
    pub(crate) in_process: BTreeMap<String, f64>,
    pub(crate) fsync_floor_us: f64,
}

impl Report {
    /// Prints the tables.
    pub(crate) fn print(&self) {
        say("\nClient and servers share this machine's processors.\n");
        say(
            "| connections | server | calls/s | of native | p50 µs | p99 µs | processor µs a call | busy |",
        );
        say("|---:|---|---:|---:|---:|---:|---:|---:|");
        for of in &self.http {
            let share = self
                .share(of)
                .map_or(String::new(), |share| format!("{share:.2}"));
            let Measured {
                server,
                connections,
                calls_per_s,
                p50_us,
                p99_us,
                cpu_us,
                busy,
            } = of;
            let cpu = cpu_us.map_or(String::new(), |cpu| format!("{cpu:.0}"));
            say(&format!(
                "| {connections} | {server} | {calls_per_s:.0} | {share} | {p50_us:.0} | {p99_us:.0} | {cpu} | {busy} |"
            ));
        }
        say("\n| in process | µs |\n|---|---:|");
        for (name, us) in &self.in_process {
            say(&format!("| {name} | {us:.2} |"));
        }
        say(&format!(
            "\nfdatasync after 400 bytes: {:.0} µs (median)",
            self.fsync_floor_us
        ));
        if let Some(added) = self.added_us() {
            let allowed = 2.0 * self.fsync_floor_us + ALLOWED_US;
            say(&format!(
                "added p50 at 1 connection: {added:.0} µs; two syncs and {ALLOWED_US:.0} µs are {allowed:.0} µs"
            ));
        }
    }

    /// Writes the files that the plan names.
    pub(crate) fn write(&self, plan: &Plan) -> anyhow::Result<()> {
        if let Some(folder) = plan.json.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&plan.json, serde_json::to_vec_pretty(self)?)
            .with_context(|| plan.json.display().to_string())?;
        say(&format!("written: {}", plan.json.display()));
        if let Some(svg) = &plan.svg {
            fs::write(svg, chart::draw(&self.http)).with_context(|| svg.display().to_string())?;
            say(&format!("written: {}", svg.display()));
        }
        Ok(())
    }

    fn of(&self, server: &str, connections: usize) -> Option<&Measured> {
        self.http
            .iter()
            .find(|of| of.server == server && of.connections == connections)
    }

    /// Returns the calls a second as a share of the native server's.
    fn share(&self, of: &Measured) -> Option<f64> {
        Some(of.calls_per_s / self.of(NATIVE, of.connections)?.calls_per_s)
    }

    fn added_us(&self) -> Option<f64> {
        Some(self.of("bailiwick", 1)?.p50_us - self.of(NATIVE, 1)?.p50_us)
    }
}

/// Prints a line for a person.
pub(crate) fn say(line: &str) {
    // The output may be closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}

pub(crate) const NATIVE: &str = "native";
/// The allowance for a call beyond its two durable records.
const ALLOWED_US: f64 = 100.0;
