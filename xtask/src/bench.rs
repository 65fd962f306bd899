//! What `cargo xtask bench` builds, and the program that then measures it.
//!
//! The host and the programs that measure are built as one, so that the native server runs on the very libraries that
//! the host has. Invariant: everything that is measured was built in release by this command.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::step::{run, step};
use crate::{Project, guests};

/// Builds and measures.
pub(crate) fn measure(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    guests::set_up()?;
    let inside = step("building the host and what measures it, in release", || build(project))?;
    let release = project.target().join("release");
    let folder = project.target().join("bench");
    let component = step("building the tool that is measured", || echo(project, &release.join("bailiwick"), &folder))?;
    let mut bench = Command::new(release.join("bailiwick-bench"));
    bench.current_dir(&project.root).arg("measure");
    bench.arg("--bailiwick").arg(release.join("bailiwick")).arg("--inside").arg(inside);
    bench.arg("--component").arg(component).arg("--work").arg(folder.join("work"));
    bench.arg("--json").arg(folder.join("bench.json")).args(arguments);
    step("measuring", || run(&mut bench))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the program that measures in process, whose file name only cargo knows.
fn build(project: &Project) -> Result<PathBuf> {
    let mut cargo = project.cargo();
    cargo.args(["build", "--release", "--package", "bailiwick", "--package", "bailiwick-bench"]);
    cargo.args(["--bins", "--bench", "inside", "--message-format", "json-render-diagnostics"]);
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo: {}", output.status);
    }
    executable(&String::from_utf8_lossy(&output.stdout), "inside").context("cargo does not say where `inside` is")
}

/// The program of a target among cargo's messages, one a line.
fn executable(messages: &str, target: &str) -> Option<PathBuf> {
    let named = format!("\"name\":\"{target}\"");
    let of_target = messages.lines().filter(|line| line.contains(&named));
    let mut paths = of_target.filter_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
    paths.next_back().map(|(path, _)| PathBuf::from(path))
}

fn echo(project: &Project, bailiwick: &Path, folder: &Path) -> Result<PathBuf> {
    let mut build = Command::new(bailiwick);
    build.arg("build").arg(project.root.join("bench/guest")).arg("--out").arg(folder);
    build.arg("--target-dir").arg(project.root.join("example-tools/target"));
    run(&mut build)?;
    Ok(folder.join("echo.wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"inside"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"inside"},"executable":"/t/inside-1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"other"},"executable":"/t/other"}"#,
        );
        assert_eq!(executable(messages, "inside"), Some(PathBuf::from("/t/inside-1")));
        assert_eq!(executable(messages, "none"), None);
    }
}
