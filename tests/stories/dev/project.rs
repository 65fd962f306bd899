//! A project in the workbench: every save is built and served.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process::{self, Other};
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{bailiwick, ensure_eq};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use super::{Bench, DEADLINE};

/// Returns the folder of a new project in Rust. It uses the SDK where it lies, as the example tools
/// do, and so does not compile it again.
async fn shop(folder: &TempDir, root: &Path) -> Result<PathBuf> {
    let (project, sdk) = (folder.path().join("shop"), root.join("guest-sdk"));
    let [dir, sdk] = [&project, &sdk].map(|path| path.to_string_lossy());
    let made = process::run(
        &bailiwick()?,
        &["new", "shop", "--dir", &dir, "--sdk", &sdk],
    )
    .await?;
    ensure!(made.status.success(), "{made:?}");
    Ok(project)
}

/// Calls the tool of the project; returns its text.
async fn greet(bench: &Bench, url: &str) -> Result<String> {
    let mint = format!("{}/mint", bench.issuer()?);
    let form = [("user", "alice"), ("as", "text")];
    let token = client::form(&mint, None, &form).await?.text();
    let hello = json!({"greeting": "Hello"});
    let answer = mcp::call(url, Some(token.trim()), "greet", &hello).await?;
    let text = answer.structured().get("text").cloned();
    let text = text.with_context(|| answer.raw.clone())?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Returns the operator's page.
async fn page(bench: &Bench) -> Result<String> {
    let mut lines = bench.printed.lines();
    let page = lines.find_map(|line| line.strip_prefix("page     "));
    Ok(client::fetch(page.context("no page")?).await?.text())
}

#[tokio::test]
async fn a_project_is_built_and_served_again_after_each_save() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.context("the tests lie in the workspace")?;
    let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
    let project = shop(&folder, root).await?;
    let source = project.join("src/lib.rs");
    let first = fs::read_to_string(&source)?;
    let target = root.join("example-tools/target");
    let more = ["--target-dir", &target.to_string_lossy()];
    let mut bench = Bench::start(&project, temporary.path(), &more)?;
    bench.prints("✓ built in").await?;
    let url = bench.serves("greet").await?;
    ensure_eq(
        greet(&bench, &url).await?.as_str(),
        "Hello, alice!",
        "first",
    )?;

    let second = first.replace("{greeting}, {}!", "{greeting} once more, {}!");
    ensure!(second != first, "another template:\n{first}");
    fs::write(&source, &second)?;
    bench.prints("✓ built in").await?;
    bench.serves("greet").await?;
    let text = greet(&bench, &url).await?;
    ensure_eq(text.as_str(), "Hello once more, alice!", "after a save")?;

    fs::write(&source, format!("{second}\nfn unfinished("))?;
    bench.prints("error: ").await?;
    bench
        .prints("the last good version goes on serving")
        .await?;
    let text = greet(&bench, &url).await?;
    ensure_eq(text.as_str(), "Hello once more, alice!", "broken")?;
    let shown = page(&bench).await?;
    ensure!(
        shown.contains("the build failed: the last good") && shown.contains("error: "),
        "{shown}"
    );
    ensure!(!shown.contains("u{1b}"), "colours: {shown}");

    fs::write(&source, &first)?;
    bench.prints("✓ built in").await?;
    bench.serves("greet").await?;
    ensure_eq(
        greet(&bench, &url).await?.as_str(),
        "Hello, alice!",
        "whole",
    )?;
    let shown = page(&bench).await?;
    ensure!(!shown.contains("the build failed"), "{shown}");
    bench.stop().await?;
    let left = fs::read_dir(temporary.path())?.count();
    ensure_eq(left, 0, "temporary files left")
}

#[tokio::test]
async fn a_build_ends_with_the_workbench_however_that_ends() -> Result<()> {
    for end in [Signal::TERM, Signal::KILL] {
        let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
        fs::write(folder.path().join("package.json"), "{}")?;
        // A compiler that never comes to an end.
        let program = temporary.path().join("program");
        fs::write(
            &program,
            "#!/bin/sh\nsleep 600 &\necho \"compiler $!\"\nwait\n",
        )?;
        fs::set_permissions(&program, Permissions::from_mode(0o700))?;
        let more = ["--bailiwick", &program.to_string_lossy()];
        let mut bench = Bench::start(folder.path(), temporary.path(), &more)?;
        let (mut compiler, mut known) = (None, false);
        while compiler.is_none() || !known {
            let line = bench.line("compiler").await?;
            known |= line.contains("building");
            if let Some(id) = line.strip_prefix("compiler ") {
                compiler = Some(Other::of(id.parse()?)?);
            }
        }
        let compiler = compiler.context("no compiler")?;
        bench.signal(end)?;
        bench.child.wait().await?;
        ensure!(compiler.ends(DEADLINE)?, "the compiler runs on: {end:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_project_that_does_not_build_is_said_and_serves_nothing() -> Result<()> {
    let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
    let manifest = folder.path().join("package.json");
    fs::write(&manifest, "{}")?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    bench.prints("the project's name cannot be read").await?;
    bench.prints("nothing is served yet").await?;
    fs::write(&manifest, r#"{"name": "a/b"}"#)?;
    bench.prints("cannot be a component's name").await?;
    bench.prints("nothing is served yet").await?;
    bench.stop().await
}
