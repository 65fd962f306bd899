//! The snapshot of the advisory database of `RustSec` that the gate checks against.
//!
//! The snapshot is committed, so a check needs no network and has the same result on every machine.
//! `refresh` replaces it with the present contents of a clone of the database. `lay_out` makes of
//! it the folder that cargo-deny expects. Invariant: the folder holds exactly the advisories of the
//! snapshot.

mod snapshot;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};

use crate::step::{run, say, step};
use snapshot::{Advisory, Snapshot};

/// The database's own repository.
const HOME: &str = "https://github.com/rustsec/advisory-db";

/// The path of the snapshot, from the root of the workspace.
const FILE: &str = "xtask/advisories.txt";

/// The folder that cargo-deny makes of the database's URL, a hash included, below `db-path` of
/// deny.toml.
const FOLDER: &str = "target/advisories/advisory-db-3157b0e258782691";

/// The age at which a snapshot is called old, in days.
const OLD: u64 = 90;

/// Replaces the snapshot by the state of a repository: the database's own, unless another is named.
pub(crate) fn refresh(root: &Path, from: Option<&str>) -> Result<()> {
    let from = from.unwrap_or(HOME);
    let clone = root.join("target/advisory-db");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--depth", "1", "--", from])
        .arg(&clone);
    step(&format!("cloning {from}"), || run(git.stdin(Stdio::null())))?;
    let mut fresh = take(&clone)?;
    ensure!(
        fresh.advisories.len() > 1000,
        "{from} has only {} advisories",
        fresh.advisories.len()
    );
    if let Ok(before) = read(root) {
        ensure!(
            fresh.seconds >= before.seconds,
            "{from} is of {}, the snapshot of {}",
            fresh.date,
            before.date
        );
    }
    fs::write(root.join(FILE), fresh.text())?;
    say(&format!(
        "{FILE}: {} advisories, {} of {}",
        fresh.advisories.len(),
        fresh.commit,
        fresh.date
    ));
    Ok(())
}

/// Makes the folder that cargo-deny reads, and reports the age of the snapshot.
pub(crate) fn lay_out(root: &Path) -> Result<()> {
    let (snapshot, folder) = (read(root)?, root.join(FOLDER));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for Advisory { path, text } in &snapshot.advisories {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().context("a file without a folder")?)?;
        fs::write(file, text)?;
    }
    // Cargo-deny takes this file's time for the last fetch. A calendar must not fail an old commit,
    // so it is now.
    fs::create_dir_all(folder.join(".git"))?;
    File::create(folder.join(".git/FETCH_HEAD"))?;
    let days = now()?.as_secs().saturating_sub(snapshot.seconds) / (24 * 60 * 60);
    let old = if days > OLD {
        "; it is old, refresh it: cargo xtask advisories"
    } else {
        ""
    };
    say(&format!(
        "  advisories of {} ({days} days, commit {}){old}",
        snapshot.date, snapshot.commit
    ));
    Ok(())
}

fn read(root: &Path) -> Result<Snapshot> {
    Snapshot::parse(&fs::read_to_string(root.join(FILE)).context(FILE)?).context(FILE)
}

/// Reads the advisories of a clone of the database.
fn take(clone: &Path) -> Result<Snapshot> {
    let said = said_by_git(clone, "%H %cs %ct")?;
    let mut words = said.split_whitespace().map(str::to_owned);
    let mut next = || words.next().context("git names no commit");
    let (commit, date, seconds) = (next()?, next()?, next()?.parse()?);
    let mut advisories = Vec::new();
    for folder in entries(&clone.join("crates"))? {
        for file in entries(&folder)? {
            if file.extension().is_some_and(|ending| ending == "md") {
                let path = file
                    .strip_prefix(clone)?
                    .to_str()
                    .context("a path that is no text")?;
                advisories.push(Advisory::read(path, &fs::read_to_string(&file)?)?);
            }
        }
    }
    Ok(Snapshot {
        commit,
        date,
        seconds,
        advisories,
    })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn said_by_git(clone: &Path, format: &str) -> Result<String> {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(clone)
        .args(["log", "-1", &format!("--format={format}")]);
    let output = git
        .stdin(Stdio::null())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[expect(clippy::disallowed_methods, reason = "how old the snapshot is")]
fn now() -> Result<Duration> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")
}
