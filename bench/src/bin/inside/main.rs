//! Measures the steps of a call in process. `cargo xtask bench` runs it.
//!
//! Takes the component with the tool `echo` and a folder on the disk whose journal is measured.
//! Prints one JSON object: microseconds by name. The place that measures a figure explains its
//! name, and so does docs/performance.md.

mod folder;
mod ground;
mod guest;
mod neighbours;
mod scripts;
mod steps;
mod timing;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use ground::Ground;

/// The program's own allocator, as in the host.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Microseconds by name.
type Figures = BTreeMap<String, f64>;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(PathBuf::from);
    let usage = "usage: inside COMPONENT FOLDER";
    let (component, folder) = (
        arguments.next().context(usage)?,
        arguments.next().context(usage)?,
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(async {
        let ground = Arc::new(Ground::new(&component, &folder).await?);
        let mut figures = Figures::new();
        steps::measure(&ground, &mut figures).await?;
        guest::measure(&ground, &mut figures)
            .await
            .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        neighbours::measure(&ground, &mut figures).await?;
        folder::looks(&mut figures)?;
        scripts::loads(&ground, &component, "echo", &mut figures).await?;
        if let Some(folder) = std::env::var_os("BAILIWICK_SCRIPTS") {
            scripts::measure(&ground, &PathBuf::from(folder), &mut figures).await?;
        }
        anyhow::Ok(figures)
    })?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&figures)?)?;
    Ok(())
}
