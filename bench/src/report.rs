//! The results: tables for people, `bench.json` for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use crate::chart;
use crate::contest::{HOPS, Memory, NATIVE, WRITTEN};
use crate::goals::{self, Goal};
use crate::growth::Growth;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::rounds::Row;
use crate::table;

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) commit: String,
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) goals: Vec<Goal>,
    pub(crate) http: Vec<Row>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) service: Vec<Row>,
    pub(crate) imported: Vec<Row>,
    pub(crate) growth: Option<Growth>,
    /// Microseconds by name.
    pub(crate) in_process: BTreeMap<String, f64>,
}

impl Report {
    /// Prints everything, and writes the files that the plan names.
    pub(crate) fn publish(&self, plan: &Plan) -> anyhow::Result<()> {
        let text = self.markdown();
        say(&format!("\n{text}"));
        write(&plan.json, &serde_json::to_vec_pretty(self)?)?;
        if let Some(markdown) = &plan.markdown {
            write(markdown, text.as_bytes())?;
        }
        if let Some(svg) = &plan.svg {
            write(svg, chart::draw(&self.http).as_bytes())?;
        }
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "Commit {}.\n\n```console\n{}\n```\n\n```text\n{}\n```\n",
            self.commit,
            self.command,
            self.machine.describe()
        );
        let mut section = |title: &str, there: bool, lines: Vec<String>| {
            if there {
                // Writing to a string does not fail.
                let _ = write!(text, "\n### {title}\n\n{}\n", lines.join("\n"));
            }
        };
        let rows = |rows: &[Row], base| (!rows.is_empty(), table::of_rows(base, rows));
        section("Goals", !self.goals.is_empty(), goals::table(&self.goals));
        let (there, lines) = rows(&self.http, NATIVE);
        section("Over HTTP", there, lines);
        section(
            "Memory",
            !self.memory.is_empty(),
            table::of_memory(&self.memory),
        );
        let (there, lines) = rows(&self.service, HOPS);
        section("One service", there, lines);
        let (there, lines) = rows(&self.imported, WRITTEN);
        section("An imported operation", there, lines);
        if let Some(growth) = &self.growth {
            section("Tools", true, table::of_rows("2 tools", &growth.tools));
            section("Users", true, table::of_rows("1 user", &growth.users));
            section(
                "Connections",
                true,
                table::of_rows("32", &growth.connections),
            );
            section("Records", true, table::of_stages(NATIVE, &growth.records));
        }
        let steps = self.in_process.iter();
        let steps = steps.map(|(name, us)| format!("| {name} | {us:.2} |"));
        let heads = ["| in process | µs |", "|---|---:|"].map(str::to_owned);
        let lines = heads.into_iter().chain(steps).collect();
        section("In process", !self.in_process.is_empty(), lines);
        text
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| path.display().to_string())?;
    say(&format!("written: {}", path.display()));
    Ok(())
}

/// Prints a line for a person.
pub(crate) fn say(line: &str) {
    // The output may be closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
