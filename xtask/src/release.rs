//! `cargo xtask release`: the program as it is released, laid out by what calls execute.
//!
//! A first build counts what it executes while the bench lets it serve calls; a second build of the
//! same sources puts what is often executed together (profile-guided optimization). Invariant: the
//! counting program stays below `target/pgo`, and counts of other sources are never used. Those of
//! the same counting program are used again: each count differs, and costs one more build.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::step::{run, say, step};
use crate::{Project, bench, guests};

/// Builds the program as it is released; returns its path.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    let profdata = profdata()?;
    let folder = project.target().join("pgo");
    let (counts, profile) = (folder.join("counts"), folder.join("profile"));
    bench::prepare(project)?;
    let counting = program(project, &folder, "generate", &counts)?;
    let (counted, by) = (folder.join("counted"), digest(&counting)?);
    if profile.exists() && fs::read(&counted).is_ok_and(|last| last == by) {
        say("  the counts of this very program are there");
        return program(project, &folder, "use", &profile);
    }
    if counts.exists() {
        fs::remove_dir_all(&counts).with_context(|| counts.display().to_string())?;
    }
    step("serving calls, to count what they execute", || {
        run(bench::command(project, &counting, &folder)
            .args(["--only", "http,service", "--rounds", "3"])
            .args(["--turn-ms", "1500", "--peers"])
            .arg(folder.join("none"))
            .env("LLVM_PROFILE_FILE", counts.join("%p.profraw")))
    })?;
    // A worker of the compiler may not write files, so what it leaves behind may be unusable.
    let mut merge = Command::new(profdata);
    merge.args(["merge", "--failure-mode=all", "--output"]);
    run(merge.arg(&profile).arg(&counts))?;
    fs::write(&counted, by).with_context(|| counted.display().to_string())?;
    program(project, &folder, "use", &profile)
}

/// Builds the host with profile-guided optimization in one of its two steps.
fn program(project: &Project, folder: &Path, what: &str, path: &Path) -> Result<PathBuf> {
    let host = guests::printed("rustc", &["--print", "host-tuple"]).context("rustc has no host")?;
    let target = folder.join(what);
    let mut flags = OsString::from(format!("-Cprofile-{what}="));
    flags.push(path);
    let mut cargo = project.cargo();
    cargo.args(["build", "--locked", "--release", "--package", "bailiwick"]);
    // With a target named, build scripts and macros are built without the flags.
    cargo.args(["--bin", "bailiwick", "--target", &host]);
    cargo.arg("--target-dir").arg(&target);
    // Unlike RUSTFLAGS, it separates flags by a character that no path has.
    cargo
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    step(&format!("building the host (profile-{what})"), || {
        run(&mut cargo)
    })?;
    Ok(target.join(host).join("release/bailiwick"))
}

/// Returns the SHA-256 of a file.
fn digest(file: &Path) -> Result<[u8; 32]> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(Sha256::digest(bytes).into())
}

/// Finds the program that merges counts. It belongs to the compiler, whose format changes.
fn profdata() -> Result<PathBuf> {
    let find = || {
        let libraries = guests::printed("rustc", &["--print", "target-libdir"])?;
        let program = Path::new(&libraries)
            .with_file_name("bin")
            .join("llvm-profdata");
        program.is_file().then_some(program)
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", "llvm-tools"]);
    step("installing llvm-tools with rustup", || run(&mut rustup))?;
    match find() {
        Some(program) => Ok(program),
        None => bail!("the active toolchain still lacks llvm-profdata"),
    }
}
