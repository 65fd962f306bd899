//! Runs the program that measures in process, with the host as a library.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::plan::{Part, Plan};

/// Runs it; returns microseconds by name.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<BTreeMap<String, f64>> {
    if !plan.has(Part::Inside) {
        return Ok(BTreeMap::new());
    }
    let mut inside = Command::new(&plan.inside);
    inside
        .arg(plan.components.join("echo.wasm"))
        .arg(&plan.work)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = inside
        .output()
        .with_context(|| format!("cannot run {}", plan.inside.display()))?;
    ensure!(
        output.status.success(),
        "{}: {}",
        plan.inside.display(),
        output.status
    );
    serde_json::from_slice(&output.stdout).context("the measurements in process cannot be read")
}
