//! The fuzz targets (`host/fuzz`): libFuzzer makes inputs that reach new code, and a target stops
//! when the host reads one of them as a second reader would not.
//!
//! Built with the coverage counters of the stable compiler, below `target/fuzz`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::outcome::end_of;
use crate::step::{run, step};
use crate::{Project, guests};

/// Runs each target for as many seconds; returns how many inputs it read, and the code reached.
pub(super) fn all(project: &Project, seconds: &str, folder: &Path) -> Result<Vec<String>> {
    let programs = build(project)?;
    let seeds = project.root.join("host/fuzz/seeds");
    let mut targets = fs::read_dir(&seeds)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<Vec<OsString>>>()?;
    targets.sort();
    let mut figures = Vec::new();
    for target in &targets {
        let name = target.to_string_lossy();
        let log = folder.join(format!("fuzz-{name}.log"));
        // New inputs go to the first folder, and stay for the next time.
        let found = folder.join("fuzz").join(target);
        fs::create_dir_all(&found)?;
        let mut fuzz = Command::new(programs.join(target));
        fuzz.args([&found, &seeds.join(target)]);
        fuzz.args([format!("-max_total_time={seconds}")]);
        fuzz.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1"]);
        fuzz.arg(format!("-artifact_prefix={}/{name}-", folder.display()));
        fuzz.stdin(Stdio::null()).stdout(Stdio::null());
        fuzz.stderr(File::create(&log)?);
        let label = format!("fuzzing {name} for {seconds} s (to {})", log.display());
        let ran = step(&label, || run(&mut fuzz));
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        ran.with_context(|| end_of(&said))?;
        figures.push(figure(&name, &said)?);
    }
    Ok(figures)
}

/// Returns what libFuzzer says at its end.
fn figure(name: &str, said: &str) -> Result<String> {
    let after = |mark: &str| {
        let rest = said.rsplit_once(mark)?.1;
        rest.split_whitespace().next()
    };
    match (after("stat::number_of_executed_units:"), after(" cov: ")) {
        (Some(inputs), Some(edges)) if inputs != "0" => {
            Ok(format!("{name}: {inputs} inputs, {edges} edges"))
        }
        _ => bail!("{name} read nothing: {}", end_of(said)),
    }
}

fn build(project: &Project) -> Result<std::path::PathBuf> {
    let host = guests::printed("rustc", &["--print", "host-tuple"]).context("rustc has no host")?;
    let target = project.target().join("fuzz");
    let mut cargo = project.cargo();
    cargo.args(["build", "--locked", "--manifest-path"]);
    cargo.arg(project.root.join("host/fuzz/Cargo.toml"));
    // With a target named, build scripts and macros are built without the flags.
    cargo.args(["--target", &host, "--target-dir"]).arg(&target);
    cargo
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    step("building the fuzz targets", || run(&mut cargo))?;
    Ok(target.join(host).join("debug"))
}

/// The flags of cargo-fuzz without a sanitizer, which stable Rust does not have.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_read_nothing_has_failed() {
        let good = "#9\tDONE   cov: 12 ft: 3\nstat::number_of_executed_units: 9\n";
        let figure = |said| figure("claims", said).ok();
        assert_eq!(figure(good).as_deref(), Some("claims: 9 inputs, 12 edges"));
        assert_eq!(figure("stat::number_of_executed_units: 0 cov: 1"), None);
        assert_eq!(figure("==1== ERROR: libFuzzer: deadly signal"), None);
    }
}
