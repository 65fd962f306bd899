//! The guests of the tests: crates outside any workspace, built as a user would build them.
//!
//! Built on first use with the binary under test, so the stories also test `bailiwick build`. They
//! are apart from the example tools, because no one should serve them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bailiwick_dev::process;
use tokio::sync::Mutex;

use crate::world::{bailiwick, tools};

/// The guests that this process built, by name.
static BUILT: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::const_new(BTreeMap::new());

/// Returns the component of `guests/NAME`.
///
/// # Errors
/// Fails if it cannot be built; the error carries the output of the build.
pub async fn guest(name: &str) -> anyhow::Result<Vec<u8>> {
    // One build at a time: the others wait for cargo's lock anyway.
    let mut built = BUILT.lock().await;
    if let Some(component) = built.get(name) {
        return Ok(component.clone());
    }
    let component = build(name).await?;
    built.insert(name.to_owned(), component.clone());
    Ok(component)
}

async fn build(name: &str) -> anyhow::Result<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tools()?.with_file_name("guests");
    let root = here.parent().context("the tests lie in the workspace")?;
    let (source, target) = (
        here.join("guests").join(name),
        root.join("example-tools/target"),
    );
    let [source, out_text, target] = [&source, &out, &target].map(|path| path.to_string_lossy());
    let arguments = [
        "build",
        &source,
        "--out",
        &out_text,
        "--target-dir",
        &target,
    ];
    let output = process::run(&bailiwick()?, &arguments).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "bailiwick build {source}: {said}");
    let component = out.join(name).with_extension("wasm");
    std::fs::read(&component).with_context(|| format!("{} was not written", component.display()))
}
