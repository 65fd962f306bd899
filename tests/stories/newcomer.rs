//! The first hour of an author who has the programs and nothing else of Bailiwick.
//!
//! The project is made in a folder of its own, with an empty home folder. The gate takes the path
//! in Rust; `BAILIWICK_NEWCOMER` names the languages of `cargo xtask deep newcomer`, which installs
//! their packages.

mod saving;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bailiwick_tests::{bailiwick, ensure_eq, workbench};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// What an author types in a language, and what comes back.
struct FirstTool {
    language: &'static str,
    /// The component that `bailiwick build` is to make.
    component: &'static str,
    /// The words after `bailiwick call`.
    call: &'static [&'static str],
    /// The scope that the call needs.
    scope: Option<&'static str>,
    answer: fn() -> Value,
    /// A call that the tool refuses, and its words.
    refused: (&'static [&'static str], &'static str),
}

const PATHS: [FirstTool; 3] = [
    FirstTool {
        language: "rust",
        component: "shop.wasm",
        call: &["greet", "greeting=Hello", "--as", "bob"],
        scope: None,
        answer: || json!({"text": "Hello, bob!"}),
        refused: (&["greet", "greeting= "], "say something"),
    },
    FirstTool {
        language: "typescript",
        component: "shop.wasm",
        call: &["get_order_status", "orderId=A-1001"],
        scope: Some("orders:read"),
        answer: || json!({"id": "A-1001", "status": "shipped", "askedBy": "alice"}),
        refused: (&["get_order_status", "orderId=9"], "not found"),
    },
    FirstTool {
        language: "python",
        component: "shop.wasm",
        call: &["get_order_status", "order_id=A-1001"],
        scope: Some("orders:read"),
        answer: || json!({"id": "A-1001", "status": "shipped"}),
        refused: (&["get_order_status", "order_id=9"], "not found"),
    },
];

/// An author's machine: a folder, the programs and a home folder with nothing in it.
struct Author {
    folder: TempDir,
    target: PathBuf,
}

impl Author {
    fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let programs = folder.path().join("programs");
        for made in [&programs, &folder.path().join("home")] {
            fs::create_dir(made)?;
        }
        for program in [bailiwick()?, workbench()?] {
            let name = program.file_name().context("a program has a name")?;
            std::os::unix::fs::symlink(&program, programs.join(name))?;
        }
        // What crates have in common is compiled once for all stories.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let target = root.context("the tests lie in the workspace")?;
        Ok(Self {
            folder,
            target: target.join("example-tools/target"),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut path = OsString::from(self.folder.path().join("programs"));
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(self.folder.path().join("programs/bailiwick"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("PATH", path).env("NO_COLOR", "1");
        // The compilers are the machine's, wherever their home is.
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if env::var_os(name).is_none()
                && let Some(home) = env::home_dir()
            {
                command.env(name, home.join(below));
            }
        }
        command.env("HOME", self.folder.path().join("home"));
        command.env_remove("XDG_CACHE_HOME");
        command
    }

    /// Runs a command to its end; returns its code, and what it printed on both streams.
    async fn runs(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let output = self.command(arguments).output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        Ok((output.status.code(), out, err))
    }

    /// Goes the whole path of a language; returns the seconds of each step.
    async fn goes(&self, path: &FirstTool) -> Result<String> {
        let mut took = Vec::new();
        let mut began = Instant::now();
        let mut lap = |step: &str| {
            took.push(format!("{step} {:.1} s", began.elapsed().as_secs_f64()));
            began = Instant::now();
        };
        let (code, out, err) = self.runs(&["new", "shop", "--lang", path.language]).await?;
        ensure_eq(code, Some(0), &format!("new: {out}{err}"))?;
        lap("new");
        let target = self.target.to_string_lossy();
        let build = ["build", "shop", "--target-dir", &target];
        let (code, out, err) = self.runs(&build).await?;
        ensure_eq(code, Some(0), &format!("build: {out}{err}"))?;
        ensure!(
            out.contains("sha256:") && !out.contains("warning"),
            "{out}{err}"
        );
        let component = self.folder.path().join("tools").join(path.component);
        ensure!(component.is_file(), "no {}", component.display());
        lap("build");
        let (code, out, err) = self.runs(&[&["call"], path.call].concat()).await?;
        ensure_eq(code, Some(0), &format!("call: {out}{err}"))?;
        let answer: Value = serde_json::from_str(&out)?;
        ensure_eq(answer, (path.answer)(), "the answer")?;
        lap("call");
        let (arguments, words) = path.refused;
        let (code, out, err) = self.runs(&[&["call"], arguments].concat()).await?;
        ensure_eq(code, Some(1), &format!("refused: {out}{err}"))?;
        ensure!(out.contains(words), "{out}{err}");
        let file = component.to_string_lossy();
        if let Some(scope) = path.scope {
            let without = [&["call"], path.call, &["--scopes", "other:read"]].concat();
            let (code, out, err) = self.runs(&without).await?;
            ensure_eq(code, Some(2), &format!("without a scope: {out}{err}"))?;
            ensure!(
                err.contains(&format!("--scopes leaves out {scope}")),
                "{err}"
            );
        }
        let absent = ["call", "absent", "--file", &file];
        let (code, out, err) = self.runs(&absent).await?;
        ensure_eq(code, Some(2), &format!("absent: {out}{err}"))?;
        let known = path.call.first().copied().unwrap_or_default();
        ensure!(
            err.contains("no tool absent") && err.contains(known),
            "{err}"
        );
        Ok(took.join(", "))
    }
}

#[tokio::test]
async fn an_author_with_the_programs_alone_starts_builds_and_calls_a_tool() -> Result<()> {
    let named = env::var_os("BAILIWICK_NEWCOMER").unwrap_or_else(|| "rust".into());
    let named = named.to_string_lossy();
    let mut gone = 0;
    for language in named.split(',') {
        let path = PATHS.iter().find(|path| path.language == language);
        let path = path.with_context(|| format!("no path for {language}"))?;
        let took = Author::new()?.goes(path).await?;
        let _unheard = writeln!(std::io::stderr(), "the first tool in {language}: {took}");
        gone += 1;
    }
    ensure!(gone > 0, "no language");
    Ok(())
}

/// A machine that lacks something: the language, the programs that are there as shell scripts, and
/// what is said.
type Lacking = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const LACKING: [Lacking; 9] = [
    ("typescript", &[], "`node --version` says: No such file"),
    (
        "typescript",
        &[("node", "echo v18.20.1")],
        "` says: v18.20.1",
    ),
    (
        "typescript",
        &[("node", "echo v20.0.0")],
        "`npm --version` says: ",
    ),
    ("python", &[], "`python3 --version` says: No such file"),
    (
        "python",
        &[("python3", "echo Python 3.9.2")],
        "` says: Python 3.9.2",
    ),
    ("rust", &[], "rustup target add wasm32-unknown-unknown"),
    // Without a network: what was asked for fails, and the program has said why.
    (
        "typescript",
        &[("node", "echo v20.0.0"), ("npm", WITHOUT_NETWORK)],
        "has to be reached once; in ",
    ),
    (
        "python",
        &[("python3", "[ x$2 = xvenv ] && exit 1; echo Python 3.11.0")],
        "has to be reached once; in ",
    ),
    (
        "rust",
        &[("rustc", "echo ${0%/*}"), ("cargo", CARGO)],
        "run: cargo fetch",
    ),
];

const WITHOUT_NETWORK: &str = "[ $1 = --version ] || exit 1; echo 1.0.0";

/// Knows the crate, and fetches nothing.
const CARGO: &str = r#"[ $1 = metadata ] || exit 1
echo "{\"packages\":[{\"id\":\"shop\",\"name\":\"shop\",\"manifest_path\":\"$PWD/Cargo.toml\",\"metadata\":null}],"
echo "\"target_directory\":\"$PWD/target\"}""#;

#[tokio::test]
async fn a_machine_that_lacks_something_for_a_language_is_told_how_to_get_it() -> Result<()> {
    let author = Author::new()?;
    for (number, (language, there, said)) in LACKING.iter().enumerate() {
        // Debian's compiler is found wherever PATH leads.
        let elsewhere = *language == "rust" && there.is_empty();
        if elsewhere && Path::new("/usr/bin/rustc").exists() {
            continue;
        }
        let name = format!("shop{number}");
        let (code, ..) = author.runs(&["new", &name, "--lang", language]).await?;
        ensure_eq(code, Some(0), language)?;
        let path = author.folder.path().join(format!("path{number}"));
        fs::create_dir(&path)?;
        // What a compiler for WebAssembly has beside it.
        fs::write(path.join("libstd-1.rlib"), "")?;
        for (program, script) in *there {
            let program = path.join(program);
            fs::write(&program, format!("#!/bin/sh\n{script}\n"))?;
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        }
        let mut build = author.command(&["build", &name]);
        let output = build.env("PATH", &path).output().await?;
        let err = String::from_utf8_lossy(&output.stderr);
        ensure_eq(output.status.code(), Some(1), &err)?;
        ensure!(err.contains(said), "{language}: {err}");
        let installs = !said.contains(" says: ") || err.contains("Install it from https://");
        ensure!(installs, "{language}: {err}");
    }
    Ok(())
}
