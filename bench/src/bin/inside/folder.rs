//! Measures a look at the tools folder, which the host takes every 50 ms.

use std::fs;
use std::time::Instant;

use bailiwick::app::components_in;

use crate::Figures;
use crate::timing::median;

/// Measures looks at folders with so many files.
pub(crate) fn looks(figures: &mut Figures) -> anyhow::Result<()> {
    for files in [10, 1_000, 10_000] {
        let folder = tempfile::tempdir()?;
        for number in 0..files {
            let file = format!("component-{number:05}.wasm");
            fs::write(folder.path().join(file), "x")?;
        }
        let mut took = Vec::new();
        for _ in 0..LOOKS {
            let started = Instant::now();
            let seen = components_in(folder.path(), MOST);
            took.push(started.elapsed());
            anyhow::ensure!(seen == files.min(MOST), "{seen} of {files} files were seen");
        }
        figures.insert(format!("look_at_{files}_files"), median(took));
    }
    Ok(())
}

const LOOKS: usize = 50;
/// The components that a host takes by default (`limits.components`).
const MOST: usize = 1_000;
