//! Tools in other languages, where there are some: `qjs.wasm`, `js.wasm` and `py.wasm` in the folder that
//! `BAILIWICK_SCRIPTS` names.

use std::io::Write as _;
use std::path::Path;

use bailiwick::sandbox::Tier;
use wasmtime::component::Component;

use crate::Figures;
use crate::ground::Ground;
use crate::guest::Guest;
use crate::timing::{each, median};

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

async fn one(ground: &Ground, path: &Path, name: &str, figures: &mut Figures) -> anyhow::Result<()> {
    loads(ground, path, name, figures).await?;
    let bytes = std::fs::read(path)?;
    let guest =
        |tool: &str| Guest::new(&Component::from_binary(ground.sandbox.engine(Tier::Script), &bytes)?, tool, "{}");
    let fresh = async {
        let tool = guest("")?.first_tool().await?.ok_or_else(|| wasmtime::Error::msg("it has no tools"))?;
        let guest = guest(&tool)?;
        each(1, async || guest.fresh().await).await
    };
    figures.insert(format!("{name}_fresh"), fresh.await.map_err(|error| anyhow::anyhow!("{error:#}"))?);
    Ok(())
}

/// Loading with compiling, and loading what an earlier host compiled: everything from reading the file to its tools.
pub(crate) async fn loads(ground: &Ground, path: &Path, name: &str, figures: &mut Figures) -> anyhow::Result<()> {
    let micros = |took: std::time::Duration| took.as_secs_f64() * 1e6;
    figures.insert(format!("{name}_load_compiling"), micros(ground.load(path).await?));
    let mut cached = Vec::new();
    for _ in 0..5 {
        cached.push(ground.load(path).await?);
    }
    figures.insert(format!("{name}_load_cached"), median(cached));
    Ok(())
}
