//! Tools in other languages, if there are any: `qjs.wasm`, `js.wasm` and `py.wasm` in the folder
//! that `BAILIWICK_SCRIPTS` names.

use std::io::Write as _;
use std::path::Path;

use bailiwick::build::{BuildRequest, build};
use bailiwick::intake::inspect;
use wasmtime::component::Component;

use crate::Figures;
use crate::ground::Ground;
use crate::guest::Guest;
use crate::timing::{each, median};

pub(crate) async fn measure(
    ground: &Ground,
    folder: &Path,
    figures: &mut Figures,
) -> anyhow::Result<()> {
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

/// Measures a component as the language's tool made it, and as `bailiwick build` hands it on.
async fn one(
    ground: &Ground,
    path: &Path,
    name: &str,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    figures.insert(format!("{name}_unlinked_fresh"), fresh(ground, path).await?);
    let built = build(&BuildRequest {
        path: path.to_owned(),
        out: ground.folder.join("linked"),
        target_dir: None,
        development: false,
    })?;
    loads(ground, &built.component, name, figures).await?;
    let fresh = fresh(ground, &built.component).await?;
    figures.insert(format!("{name}_fresh"), fresh);
    Ok(())
}

/// Measures a fresh instance that describes its tools.
async fn fresh(ground: &Ground, path: &Path) -> anyhow::Result<f64> {
    let failed = |error: wasmtime::Error| anyhow::anyhow!("{error:#}");
    let bytes = std::fs::read(path)?;
    let engine = ground.sandbox.engine(inspect(&bytes)?.tier);
    let component = Component::from_binary(engine, &bytes);
    let guest = Guest::new(&component.map_err(failed)?, "", "{}")
        .await
        .map_err(failed)?;
    each(1, async || guest.described().await)
        .await
        .map_err(failed)
}

/// Measures loading by compiling, and loading what an earlier host compiled: everything from
/// reading the file to knowing its tools.
pub(crate) async fn loads(
    ground: &Ground,
    path: &Path,
    name: &str,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let micros = |took: std::time::Duration| took.as_secs_f64() * 1e6;
    figures.insert(
        format!("{name}_load_compiling"),
        micros(ground.load(path).await?),
    );
    let mut cached = Vec::new();
    for _ in 0..5 {
        cached.push(ground.load(path).await?);
    }
    figures.insert(format!("{name}_load_cached"), median(cached));
    Ok(())
}
