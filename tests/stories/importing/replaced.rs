//! What an import finds in its place: an earlier import is replaced, and nothing else.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{ensure_eq, tools};
use tempfile::TempDir;

use super::{import, shop};

#[tokio::test]
async fn a_folder_beside_an_import_stays_as_it_is() -> Result<()> {
    let out = TempDir::new()?;
    let folder = out.path().to_str().context("a path in UTF-8")?;
    let beside = out.path().join(".shop.import");
    fs::create_dir(&beside)?;
    let own = beside.join("shop.wasm");
    fs::write(&own, b"own")?;
    let usual = ["--service", "shop", "--only", "items/list", "--out", folder];
    let (good, said) = import(&shop(), &usual).await?;
    ensure!(good, "{said}");
    ensure_eq(fs::read(&own)?, b"own".to_vec(), "the file in the folder")?;
    ensure_eq(fs::read_dir(out.path())?.count(), 3, "what is there")
}

#[tokio::test]
async fn a_file_that_no_import_made_is_not_replaced() -> Result<()> {
    let (out, apart) = (TempDir::new()?, TempDir::new()?);
    let folder = out.path().to_str().context("a path in UTF-8")?;
    let elsewhere = apart.path().to_str().context("a path in UTF-8")?;
    let own = fs::read(tools()?.join("orders.wasm"))?;
    let lines = b"[services.shop]\n".to_vec();
    let usual = ["--service", "orders_api", "--only", "items/list"];
    for (name, file, bytes) in [("orders", "orders.wasm", own), ("shop", "shop.toml", lines)] {
        let file = out.path().join(file);
        fs::write(&file, &bytes)?;
        let here = [&usual[..], &["--name", name, "--out", folder]].concat();
        let (good, said) = import(&shop(), &here).await?;
        let why = format!("{}: no import made this file", file.display());
        ensure!(!good && said.contains(&why), "{name}: {said}");
        ensure!(said.contains("another --name or --out"), "{name}: {said}");
        let (good, said) = import(&shop(), &[&here[..], &["--dry-run"]].concat()).await?;
        let why = format!("An import would write nothing: {why}");
        ensure!(good && said.contains(&why), "{name}: {said}");
        ensure_eq(fs::read(&file)?, bytes, name)?;
        ensure_eq(fs::read_dir(out.path())?.count(), 1, name)?;
        fs::remove_file(&file)?;
        for to in [elsewhere, folder, folder] {
            let there = [&usual[..], &["--name", name, "--out", to]].concat();
            let (good, said) = import(&shop(), &there).await?;
            ensure!(good, "{name} in {to}: {said}");
        }
        fs::remove_dir_all(out.path())?;
        fs::create_dir(out.path())?;
    }
    Ok(())
}
