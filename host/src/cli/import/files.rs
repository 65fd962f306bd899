//! The files of an import, and what they change.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bailiwick::answers::inspect::{ComponentReport, Verdict, inspect_each};
use bailiwick::build::write_whole;

use super::difference::show;
use crate::cli::compile::compiler;
use crate::cli::page::Page;
use crate::cli::wait;

/// What an import writes.
pub(super) struct ImportedFiles<'p> {
    pub(super) component: Vec<u8>,
    /// The lines of the configuration.
    pub(super) settings: String,
    /// The parameters that the grant allows by name.
    pub(super) allowed: &'p [String],
}

impl ImportedFiles<'_> {
    /// Writes the files, if this host would load the component.
    pub(super) fn write(&self, out: &Path, name: &str, page: &mut Page<'_>) -> anyhow::Result<()> {
        let file = out.join(format!("{name}.wasm"));
        // A host may watch the folder, so what it would refuse is never there.
        let apart = out.join(format!(".{name}.import"));
        let candidate = apart.join(format!("{name}.wasm"));
        write_whole(&candidate, &self.component)
            .with_context(|| format!("--out {}: nothing can be written there", out.display()))?;
        let held = file.is_file().then_some(file.as_path());
        let paths: Vec<&Path> = held.into_iter().chain([candidate.as_path()]).collect();
        let reports = wait(async { inspect_each(&paths, self.allowed, compiler()?).await });
        let removed = fs::remove_dir_all(&apart);
        let reports = reports?;
        removed.with_context(|| apart.display().to_string())?;
        let (new, old) = reports.split_last().context("a report of the component")?;
        let reason = new.reason.clone().unwrap_or_default();
        ensure!(
            new.verdict == Verdict::Loads,
            "this host would not load the component: {reason}"
        );
        write_whole(&file, &self.component)?;
        let lines = out.join(format!("{name}.toml"));
        write_whole(&lines, self.settings.as_bytes())?;
        told(&file, &lines, (old.first(), new), page)
    }
}

/// Says what was written, and what that changes.
fn told(
    file: &Path,
    lines: &Path,
    (old, new): (Option<&ComponentReport>, &ComponentReport),
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    page.line(&format!(
        "{} ({} tools, {} bytes, {})",
        file.display(),
        new.tools.len(),
        new.bytes,
        new.digest
    ))?;
    page.line(&format!("{} (what to grant)", lines.display()))?;
    for warning in &new.warnings {
        page.line(&format!("warning: {warning}"))?;
    }
    if let Some(old) = old {
        show(old, new, page)?;
    }
    Ok(())
}
