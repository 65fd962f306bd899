//! Compiled code that is kept: a second start, tampering, and a cache that cannot be used.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{Plan, World, ensure_eq, reasons};

use super::refusal;

/// A change to a file of the cache.
type Change = dyn Fn(&Path) -> Result<()>;

/// Returns the files of the cache.
fn kept(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.join("cache"))?;
    let mut files: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

/// Returns the number of components from the cache, and the number that were compiled.
fn cached(said: &str) -> (usize, usize) {
    (
        said.matches("cached=true").count(),
        said.matches("cached=false").count(),
    )
}

#[tokio::test]
async fn a_second_start_compiles_nothing_and_a_tampered_file_is_compiled_again() -> Result<()> {
    let world = World::start().await?;
    ensure_eq(cached(&world.host.said()), (0, 2), "first start")?;
    let folder = world.folder.path().to_owned();
    ensure_eq(
        fs::metadata(folder.join("cache"))?.mode() & 0o7777,
        0o700,
        "mode of the folder",
    )?;
    let files = kept(&folder)?;
    ensure_eq(files.len(), 2, "files")?;
    ensure_eq(
        fs::metadata(folder.join("keys/cache.key"))?.mode() & 0o7777,
        0o600,
        "mode of the key",
    )?;
    let mut world = world.stop().await?.restart().await?;
    ensure_eq(cached(&world.host.said()), (2, 0), "second start")?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "the code from the cache"
    );

    let flip = |path: &Path| {
        let mut bytes = fs::read(path)?;
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).context("an empty file")? ^= 1;
        replace(path, &bytes, 0o400)
    };
    let foreign = |path: &Path| {
        let bytes = fs::read(path)?;
        replace(path, bytes.get(48..).context("a short file")?, 0o400)
    };
    let open = |path: &Path| {
        Ok(fs::set_permissions(
            path,
            fs::Permissions::from_mode(0o644),
        )?)
    };
    let swap = |path: &Path| {
        let files = kept(path.parent().and_then(Path::parent).context("a folder")?)?;
        let other = files
            .into_iter()
            .find(|other| other != path)
            .context("another file")?;
        replace(path, &fs::read(other)?, 0o400)
    };
    let changes: [(&str, &Change); 4] = [
        ("flipped", &flip),
        ("foreign", &foreign),
        ("open", &open),
        ("swapped", &swap),
    ];
    for (what, change) in changes {
        let remains = world.stop().await?;
        change(files.first().context("a file")?)?;
        world = remains.restart().await?;
        ensure_eq(cached(&world.host.said()), (1, 1), what)?;
        ensure!(
            world
                .host
                .said()
                .contains("a file of the cache is not used"),
            "{what}: {}",
            world.host.said()
        );
        ensure!(
            world
                .order(&world.token("alice")?, "A-1001")
                .await?
                .is_success(),
            "{what}: it does not serve"
        );
    }
    Ok(())
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    fs::remove_file(path)?;
    fs::File::create(path)?.write_all(bytes)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[tokio::test]
async fn compiled_code_in_the_tools_folder_is_refused_however_good_it_is() -> Result<()> {
    let world = World::start().await?;
    let file = kept(world.folder.path())?
        .pop()
        .context("nothing is kept")?;
    let whole = fs::read(file)?;
    let code = whole.get(48..).context("a short file")?;
    ensure!(code.starts_with(b"\x7fELF"), "this is not compiled code");
    for (index, bytes) in [code, &whole].into_iter().enumerate() {
        world.folder.write_tool("ready.wasm", bytes)?;
        let cause = refusal(&world, index + 1).await?;
        ensure!(cause.contains("not a WebAssembly component"), "{cause}");
    }
    ensure_eq(
        reasons(&world.records()?, "component.refused"),
        vec!["not-loadable".to_owned(); 2],
        "reasons",
    )
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_costs_time_and_nothing_else() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.server.push_str("cache = \"bailiwick.toml\"\n");
    }))
    .await?;
    ensure!(
        world.host.said().contains("compiled code is not kept"),
        "{}",
        world.host.said()
    );
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "it does not serve"
    );
    Ok(())
}
