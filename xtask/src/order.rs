//! The order of the host's modules: each imports only modules that stand before it in the list of
//! ARCHITECTURE.md, so no two of them lie on a cycle, and one type name means one thing.
//!
//! Reads `host/src` as text; code that is compiled for tests alone is exempt. Invariant: every path
//! that the compiler would resolve to a module of the host is seen, however it is written:
//! `crate::x`, `super::` that leaves a module, nested use trees, paths in code and in macros.

mod imports;
mod list;
mod modules;
mod names;
mod ranking;
mod siblings;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::step::say;
use imports::{Import, imports};
use list::Ranks;
use modules::{Module, Sources, modules};

/// Checks the host's sources, or lists cycles between siblings.
pub(crate) fn report(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let host = Host::read(root)?;
    let faults = match arguments {
        [] => host.faults(),
        [mode] if mode == "--siblings" => host.cycles_of_siblings(&[]),
        _ => bail!("expected `--siblings` or nothing"),
    };
    if faults.is_empty() {
        say("the modules of the host are in order");
        return Ok(ExitCode::SUCCESS);
    }
    for fault in &faults {
        say(&format!("{fault}\n"));
    }
    say(&format!("{} in all", faults.len()));
    Ok(ExitCode::FAILURE)
}

/// The sources and the list.
struct Host {
    ranks: Ranks,
    modules: Vec<Module>,
    imports: Vec<Import>,
}

impl Host {
    fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join("ARCHITECTURE.md"))?;
        let sources = Sources::of_folder(&root.join("host/src"))?;
        Self::new(&text, &sources).context("host/src")
    }

    /// Returns the host with these sources and this text of ARCHITECTURE.md.
    fn new(architecture: &str, sources: &Sources) -> Result<Self> {
        let modules = modules(sources, &["lib.rs", "main.rs"])?;
        Ok(Self {
            ranks: Ranks::read(architecture)?,
            imports: imports(&modules),
            modules,
        })
    }

    /// Returns every fault, one text each.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.ranks.differences(&self.modules);
        faults.extend(ranking::backwards(&self.ranks, &self.imports));
        faults.extend(self.cycles_of_siblings(&[]));
        faults.extend(names::repeated(&self.modules, SHARED_NAMES));
        faults
    }

    fn cycles_of_siblings(&self, tolerated: &[&str]) -> Vec<String> {
        siblings::cycles(&self.modules, &self.imports, tolerated)
    }
}

/// Type names that may be defined more than once, because each definition is only ever read within
/// its own file.
const SHARED_NAMES: &[&str] = &[
    // The arguments of each command.
    "Args",
];
