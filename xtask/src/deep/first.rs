//! Measures the README's first command: from nothing, and again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;

use crate::Project;
use crate::step::run;

/// Plays the demo in a fresh clone, twice; returns how long that took.
pub(super) fn demo(project: &Project) -> Result<Vec<String>> {
    let folder = tempfile::tempdir_in(project.target())?;
    let clone = folder.path().join("clone");
    let mut git = Command::new("git");
    run(git
        .args(["clone", "--quiet"])
        .arg(&project.root)
        .arg(&clone))?;
    let first = seconds(project, &clone)?;
    let second = seconds(project, &clone)?;
    Ok(vec![format!(
        "the demo, built from nothing (with the crates' sources) and played: {first:.0} s; again: {second:.1} s"
    )])
}

fn seconds(project: &Project, clone: &Path) -> Result<f64> {
    let started = Instant::now();
    let mut demo = project.cargo();
    demo.current_dir(clone)
        .args(["xtask", "demo", "--once"])
        .env_remove("CARGO_TARGET_DIR");
    run(demo.stdin(Stdio::null()).stdout(Stdio::null()))?;
    Ok(started.elapsed().as_secs_f64())
}
