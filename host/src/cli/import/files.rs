//! The files of an import, and what they change.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bailiwick::answers::inspect::{ComponentReport, Verdict, inspect_each};
use bailiwick::build::write_whole;

use super::difference::show;
use crate::cli::compile::compiler;
use crate::cli::page::Page;
use crate::cli::wait;

/// Where an import writes.
pub(super) struct ImportedPlace {
    pub(super) component: PathBuf,
    /// The lines of the configuration.
    pub(super) lines: PathBuf,
    /// The folder for a component that nobody has looked at.
    apart: PathBuf,
}

impl ImportedPlace {
    pub(super) fn new(out: &Path, name: &str) -> Self {
        Self {
            component: out.join(format!("{name}.wasm")),
            lines: out.join(format!("{name}.toml")),
            apart: out.join(format!(".{name}.{}.import", std::process::id())),
        }
    }
}

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
    pub(super) fn write(&self, place: &ImportedPlace, page: &mut Page<'_>) -> anyhow::Result<()> {
        let ImportedPlace {
            component: file,
            lines,
            apart,
        } = place;
        let out = file.parent().unwrap_or(file);
        let refused = || format!("--out {}: nothing can be written there", out.display());
        // A host may watch the folder, so what it would refuse is never there. A folder that is
        // there already is somebody's.
        fs::create_dir_all(out).with_context(refused)?;
        fs::create_dir(apart).with_context(refused)?;
        let candidate = apart.join(file.file_name().unwrap_or_default());
        write_whole(&candidate, &self.component).with_context(refused)?;
        let held = file.is_file().then_some(file.as_path());
        let paths: Vec<&Path> = held.into_iter().chain([candidate.as_path()]).collect();
        let reports = wait(async { inspect_each(&paths, self.allowed, compiler()?).await });
        let removed = fs::remove_dir_all(apart);
        let reports = reports?;
        removed.with_context(|| apart.display().to_string())?;
        let (new, old) = reports.split_last().context("a report of the component")?;
        let reason = new.reason.clone().unwrap_or_default();
        ensure!(
            new.verdict == Verdict::Loads,
            "this host would not load the component: {reason}"
        );
        write_whole(file, &self.component)?;
        write_whole(lines, self.settings.as_bytes())?;
        told(file, lines, (old.first(), new), page)
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
