//! The temporary folder of a workbench, and the process that removes it when the workbench has
//! ended.
//!
//! The folder has keys in it, and a killed workbench cannot remove it. So a second process waits
//! until its standard input closes, which the kernel ensures, kills the build that runs, waits for
//! the hosts that it knows, and removes the folder.
//!
//! Invariant: it removes no folder that a workbench did not make.

use std::io::{BufRead as _, ErrorKind, stdin};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::process::{Host, Other};

/// The first argument of the process that removes the folder. The folder is the second.
pub const SWEEP: &str = "--sweep";

/// A temporary folder that ends with this process.
pub(super) struct Sweeper {
    folder: PathBuf,
    process: Child,
}

impl Sweeper {
    /// Makes the folder, and starts the process that removes it.
    pub(super) fn start() -> anyhow::Result<Self> {
        let made = TempDir::with_prefix(PREFIX)?;
        // In its own process group, so that a signal of the terminal that ends the workbench does
        // not end it too.
        let process = Command::new(env::current_exe()?)
            .arg(SWEEP)
            .arg(made.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("the process that clears up cannot be started")?;
        Ok(Self {
            folder: made.keep(),
            process,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the folder for as long as this host runs.
    pub(super) async fn wait_for(&mut self, host: &Host) -> anyhow::Result<()> {
        match host.id() {
            Some(id) => self.say(&id.to_string()).await,
            None => Ok(()),
        }
    }

    /// Lets no process of this group outlive this process; forgets the group that was named before.
    pub(super) async fn kill_at_end(&mut self, group: Option<Pid>) -> anyhow::Result<()> {
        let group = group.map_or(0, |group| group.as_raw_nonzero().get());
        self.say(&format!("{GROUP}{group}")).await
    }

    async fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let Some(pipe) = &mut self.process.stdin else {
            return Ok(());
        };
        pipe.write_all(format!("{line}\n").as_bytes())
            .await
            .context("the process that clears up is gone")
    }

    /// Removes the folder, after every host has ended.
    pub(super) async fn finish(&mut self) -> anyhow::Result<()> {
        // Waiting closes its standard input.
        let status = self.process.wait().await?;
        ensure!(
            status.success(),
            "{} is left: {status}",
            self.folder.display()
        );
        Ok(())
    }
}

/// Runs the process that removes `folder`.
///
/// # Errors
/// The folder is no workbench's, or cannot be removed.
pub fn sweep(folder: &Path) -> anyhow::Result<()> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    ensure!(
        name.starts_with(PREFIX),
        "{} is not the folder of a workbench",
        folder.display()
    );
    let (mut hosts, mut build) = (Vec::new(), None);
    for line in stdin().lock().lines() {
        let line = line?;
        if let Some(group) = line.strip_prefix(GROUP) {
            build = group.parse().ok().and_then(Pid::from_raw);
        } else {
            // A host that has ended by now need not be waited for.
            hosts.extend(line.parse().ok().and_then(|id| Other::of(id).ok()));
        }
    }
    if let Some(build) = build {
        // The only possible error is that all of it has ended.
        let _gone = kill_process_group(build, Signal::KILL);
    }
    for host in hosts {
        if !host.ends(PATIENCE)? {
            host.kill();
            host.ends(PATIENCE)?;
        }
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The beginning of a line with the number of a process group, or 0.
const GROUP: &str = "group ";
/// The beginning of the folders' names.
const PREFIX: &str = "bailiwick-dev-";
/// The longest time for a host to stop.
const PATIENCE: Duration = Duration::from_secs(60);
