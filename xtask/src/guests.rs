//! The toolchain for WebAssembly, and the tools that are built with it.
//!
//! Rustup first, which is the ordinary way; the distribution's packages if its servers cannot be
//! reached. Invariant: nothing is installed if a usable toolchain is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::step::{run, say, step};

/// The commands to type where this program cannot help.
const BY_HAND: &str = "\
there is no Rust toolchain for WebAssembly, and it could not be installed. With rustup:
    rustup target add wasm32-unknown-unknown
On Debian (bookworm and later), as root, without rustup's servers:
    apt-get update
    apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src libstd-rust-web-dev
    rustup toolchain link debian-web /usr";

const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler, and the source of the standard library.
const PACKAGES: [&str; 4] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
];

/// The time that rustup may take; where its servers are out of reach it may try for minutes.
const PATIENCE: Duration = Duration::from_secs(90);

/// Returns the folders of the example tools.
pub(crate) fn examples(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("example-tools");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut tools: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    tools.retain(|tool| tool.join("Cargo.toml").is_file());
    tools.sort();
    Ok(tools)
}

/// Makes sure that a toolchain can compile for WebAssembly.
pub(crate) fn set_up() -> Result<()> {
    if has_target("rustc", TARGET) || has_source("/usr/bin/rustc") {
        return Ok(());
    }
    if step(
        "installing the target wasm32-unknown-unknown with rustup",
        || add_target(TARGET),
    )
    .is_ok()
    {
        return Ok(());
    }
    say("  rustup could not; trying the distribution's packages");
    if is_root() && step("installing Debian's rustc-web", install_packages).is_ok() {
        return Ok(());
    }
    bail!("{BY_HAND}")
}

/// Installs a target with rustup.
pub(crate) fn add_target(target: &str) -> Result<()> {
    run_for(
        PATIENCE,
        Command::new("rustup").args(["target", "add", target]),
    )?;
    if has_target("rustc", target) {
        return Ok(());
    }
    bail!("the active toolchain still lacks {target}")
}

fn install_packages() -> Result<()> {
    run(apt_get().arg("update"))?;
    run(apt_get()
        .args(["install", "-y", "--no-install-recommends"])
        .args(PACKAGES))?;
    // For users who call it by hand; `bailiwick build` finds it without the link.
    let linked = run(Command::new("rustup").args(["toolchain", "link", "debian-web", "/usr"]));
    if let Err(error) = linked {
        say(&format!("  not linked as a toolchain of rustup: {error:#}"));
    }
    if has_source("/usr/bin/rustc") {
        return Ok(());
    }
    bail!("the packages are there, but not the standard library's source")
}

fn apt_get() -> Command {
    let mut apt_get = Command::new("apt-get");
    apt_get
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    apt_get
}

/// Returns true if a compiler has the standard library of a target.
pub(crate) fn has_target(rustc: &str, target: &str) -> bool {
    let folder = printed(rustc, &["--print", "target-libdir", "--target", target]);
    folder.is_some_and(|folder| Path::new(&folder).is_dir())
}

/// Returns true if a compiler has the source of the standard library.
fn has_source(rustc: &str) -> bool {
    let sysroot = printed(rustc, &["--print", "sysroot"]);
    sysroot.is_some_and(|root| {
        Path::new(&root)
            .join("lib/rustlib/src/rust/library/Cargo.toml")
            .is_file()
    })
}

fn is_root() -> bool {
    printed("id", &["-u"]).is_some_and(|id| id == "0")
}

/// Returns a program's output, if the program succeeds.
pub(crate) fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}

/// Runs a program, but not for longer than `patience`.
fn run_for(patience: Duration, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn()?;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("{status}"),
            None if started.elapsed() > patience => {
                child.kill()?;
                child.wait()?;
                bail!("no end after {} s", patience.as_secs())
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "a child's end can only be polled with a limit"
            )]
            None => thread::sleep(Duration::from_millis(100)),
        }
    }
}
