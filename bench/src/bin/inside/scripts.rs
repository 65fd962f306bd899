//! Tools in other languages, where there are some: `qjs.wasm`, `js.wasm` and `py.wasm` in the folder that
//! `BAILIWICK_SCRIPTS` names.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use wasmtime::component::Component;

use crate::Figures;
use crate::ground::Ground;
use crate::guest::Guest;
use crate::timing::each;

pub(crate) async fn measure(ground: &Ground, folder: &Path, figures: &mut Figures) -> anyhow::Result<()> {
    for name in ["qjs", "js", "py"] {
        let path = folder.join(name).with_extension("wasm");
        if !path.is_file() {
            continue;
        }
        if let Err(error) = one(ground, &path, name, figures).await {
            writeln!(std::io::stderr(), "left out: {}: {error:#}", path.display())?;
        }
    }
    Ok(())
}

async fn one(ground: &Ground, path: &Path, name: &str, figures: &mut Figures) -> wasmtime::Result<()> {
    let bytes = std::fs::read(path)?;
    let started = Instant::now();
    let component = Component::from_binary(ground.sandbox.engine(), &bytes)?;
    let compiled = started.elapsed().as_secs_f64() * 1e6;
    let guest = Guest::new(ground, &component, "", "{}")?;
    let tool = guest.first_tool().await?.ok_or_else(|| wasmtime::Error::msg("it has no tools"))?;
    let guest = Guest::new(ground, &component, &tool, "{}")?;
    let fresh = each(1, async || guest.fresh().await).await?;
    figures.insert(format!("{name}_compile"), compiled);
    figures.insert(format!("{name}_fresh"), fresh);
    Ok(())
}
