//! How far a build is, while it runs.
//!
//! Cargo shows that itself, but neither how long it will take nor anything at all without a
//! terminal. Here a line says how many of the build's parts are there and about how many minutes
//! are left, counted by the parts that take long.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::step::read;

/// Runs a `cargo build` of these packages, or of the default members, and shows how far it is.
pub(crate) fn build(mut cargo: Command, root: &Path, packages: &[&str]) -> Result<()> {
    let mut progress = Progress::new(parts(root, packages)?);
    cargo
        .args(["--quiet", "--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut running = cargo.spawn().context("cargo cannot be run")?;
    let messages = running.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(messages).lines() {
        if let Ok(message) = serde_json::from_str(&line?) {
            progress.hear(&message);
        }
    }
    progress.end();
    let status = running.wait()?;
    if status.success() {
        return Ok(());
    }
    bail!("cargo build: {status}")
}

/// Returns how many parts each package has that is built: libraries, programs, build scripts and
/// their runs.
fn parts(root: &Path, packages: &[&str]) -> Result<BTreeMap<String, u32>> {
    let host = read(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", host.trim()]);
    if !packages.is_empty() {
        cargo.arg("--no-default-features");
    }
    let metadata = serde_json::from_str(&read(&mut cargo)?)?;
    counted(&metadata, packages).context("cargo describes no packages")
}

/// Counts the parts of these packages, or of the default members, and of all that they are built
/// from.
fn counted(metadata: &Value, packages: &[&str]) -> Option<BTreeMap<String, u32>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let members = metadata["workspace_default_members"].as_array()?;
    let mut members: BTreeSet<String> = members.iter().filter_map(text).collect();
    if !packages.is_empty() {
        let named = |id: &String| packages.iter().any(|name| is(id, name));
        members.retain(named);
    }
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in metadata.pointer("/resolve/nodes")?.as_array()? {
        let built = node["deps"].as_array()?.iter().filter(|dependency| {
            let kinds = dependency["dep_kinds"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        });
        let built = built.filter_map(|dependency| text(&dependency["pkg"]));
        needed.insert(text(&node["id"])?, built.collect());
    }
    let (mut open, mut reached) = (Vec::from_iter(members.clone()), BTreeSet::new());
    while let Some(package) = open.pop() {
        if reached.insert(package.clone()) {
            open.extend(needed.remove(&package).unwrap_or_default());
        }
    }
    let mut parts = BTreeMap::new();
    for package in metadata["packages"].as_array()? {
        let id = text(&package["id"])?;
        if !reached.contains(&id) {
            continue;
        }
        let targets = package["targets"].as_array()?.iter();
        let of_target =
            targets.map(
                |target| match target.pointer("/kind/0").and_then(Value::as_str) {
                    Some("custom-build") => 2,
                    Some("bin") => u32::from(members.contains(&id)),
                    Some("test" | "bench" | "example") | None => 0,
                    Some(_) => 1,
                },
            );
        let count = of_target.sum();
        parts.insert(id, count);
    }
    Some(parts)
}

/// The parts of a build, and those that are there.
struct Progress {
    /// What is left of each package.
    left: BTreeMap<String, u32>,
    begun: Instant,
    /// When the last line was written.
    told: Option<Instant>,
    /// A terminal has the line anew; a file gets one a minute.
    terminal: bool,
    done: u32,
    all: u32,
    /// The same by the time that parts take; without those that were there before.
    weight_done: u32,
    weight_left: u32,
}

impl Progress {
    fn new(left: BTreeMap<String, u32>) -> Self {
        Self {
            begun: Instant::now(),
            told: None,
            terminal: std::io::stderr().is_terminal(),
            done: 0,
            all: left.values().sum(),
            weight_done: 0,
            weight_left: left
                .iter()
                .map(|(package, parts)| parts * weight(package))
                .sum(),
            left,
        }
    }

    fn hear(&mut self, message: &Value) {
        let is_part = matches!(
            message["reason"].as_str(),
            Some("compiler-artifact" | "build-script-executed")
        );
        let package = message["package_id"].as_str().unwrap_or_default();
        let Some(left) = self
            .left
            .get_mut(package)
            .filter(|left| is_part && **left > 0)
        else {
            return;
        };
        *left -= 1;
        self.done += 1;
        self.weight_left = self.weight_left.saturating_sub(weight(package));
        if message["fresh"] == true {
            return;
        }
        self.weight_done += weight(package);
        let pause = Duration::from_secs(if self.terminal { 1 } else { 60 });
        if self.told.unwrap_or(self.begun).elapsed() >= pause {
            self.told = Some(Instant::now());
            self.tell();
        }
    }

    fn tell(&self) {
        let line = said(self.done, self.all, self.remaining());
        let mut out = std::io::stderr();
        // The other end of standard error may be closed.
        let _ = if self.terminal {
            write!(out, "\r  {line}\u{1b}[K").and_then(|()| out.flush())
        } else {
            writeln!(out, "  {line}")
        };
    }

    /// Returns the time that the rest takes, if it takes as long as what was built.
    fn remaining(&self) -> Duration {
        self.begun.elapsed() * self.weight_left / self.weight_done.max(1)
    }

    /// Removes the line from a terminal.
    fn end(&self) {
        if self.terminal && self.told.is_some() {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn said(done: u32, all: u32, remaining: Duration) -> String {
    let left = match remaining.as_secs().div_ceil(60) {
        0 | 1 => "less than a minute".to_owned(),
        minutes => format!("about {minutes} minutes"),
    };
    format!("{done} of {all}, {left} left")
}

/// Returns how long a part of a package takes, about, in tenths of a second.
fn weight(package: &str) -> u32 {
    let long = LONG.iter().find(|(name, _)| is(package, name));
    long.map_or(6, |(_, weight)| *weight)
}

/// Returns true if a package's identity in cargo's messages has this name:
/// `registry+https://…#log@0.4.29`.
fn is(package: &str, name: &str) -> bool {
    let (_, named) = package.rsplit_once('#').unwrap_or_default();
    named.split('@').next() == Some(name)
}

/// The packages that take long.
const LONG: [(&str, u32); 8] = [
    ("aws-lc-sys", 150),
    ("cranelift-codegen", 250),
    ("wasmtime", 200),
    ("wasmparser", 60),
    ("wasmtime-environ", 40),
    ("bailiwick", 300),
    ("bailiwick-dev", 100),
    ("rmcp", 40),
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    /// A member with a program, its library with a build script, and what only tests need.
    fn metadata() -> Value {
        let package = |id: &str, kinds: &[&str]| {
            let targets: Vec<Value> = kinds.iter().map(|kind| json!({"kind": [kind]})).collect();
            json!({"id": id, "targets": targets})
        };
        let needs =
            |id: &str, kind: Option<&str>| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        json!({
            "workspace_default_members": ["p#member@1", "p#tester@1"],
            "packages": [
                package("p#member@1", &["bin", "lib", "test"]),
                package("p#library@1", &["lib", "custom-build", "bin"]),
                package("p#builder@1", &["proc-macro"]),
                package("p#tester@1", &["lib"]),
            ],
            "resolve": {"nodes": [
                {"id": "p#member@1", "deps": [needs("p#library@1", None), needs("p#tester@1", Some("dev"))]},
                {"id": "p#library@1", "deps": [needs("p#builder@1", Some("build"))]},
                {"id": "p#builder@1", "deps": []},
                {"id": "p#tester@1", "deps": []},
            ]},
        })
    }

    #[test]
    fn the_parts_of_a_build_are_those_of_the_members_and_what_they_are_built_from() {
        let parts = counted(&metadata(), &["member"]).unwrap();
        let expected = [("p#builder@1", 1), ("p#library@1", 3), ("p#member@1", 2)];
        assert_eq!(
            parts,
            expected.map(|(id, parts)| (id.to_owned(), parts)).into()
        );
        let all = counted(&metadata(), &[]).unwrap();
        assert_eq!((all.len(), all.get("p#tester@1")), (4, Some(&1)));
    }

    #[test]
    fn parts_are_counted_once_and_those_that_were_there_take_no_time() {
        let mut progress = Progress::new(counted(&metadata(), &["member"]).unwrap());
        let part = |reason: &str, id: &str, fresh: bool| json!({"reason": reason, "package_id": id, "fresh": fresh});
        for (message, done, weight) in [
            (part("compiler-artifact", "p#builder@1", true), 1, 0),
            (part("compiler-artifact", "p#builder@1", false), 1, 0),
            (part("compiler-message", "p#library@1", false), 1, 0),
            (part("build-script-executed", "p#library@1", false), 2, 6),
            (part("compiler-artifact", "stranger", false), 2, 6),
        ] {
            progress.hear(&message);
            assert_eq!(
                (progress.done, progress.weight_done),
                (done, weight),
                "{message}"
            );
        }
        assert_eq!((progress.all, progress.weight_left), (6, 24));
    }

    #[test]
    fn a_line_says_how_much_there_is_and_how_long_the_rest_takes() {
        for (seconds, left) in [(20, "less than a minute"), (61, "about 2 minutes")] {
            let line = said(212, 353, Duration::from_secs(seconds));
            assert_eq!(line, format!("212 of 353, {left} left"));
        }
        assert_eq!(
            (
                weight("registry+x#aws-lc-sys@0.30"),
                weight("path+file:///x/host#bailiwick@0.1.0"),
                weight("registry+x#log@1")
            ),
            (150, 300, 6)
        );
    }
}
