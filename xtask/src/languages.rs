//! Tools in other languages, for the stories that call them: JavaScript, Python, and Rust with
//! WASI.
//!
//! Needs Node with npm, Python, and rustup. If one is missing or cannot install, its components are
//! left out and a line says so. Invariant: nothing is installed outside `target/languages` but a
//! target of rustup, nothing is built twice from the same sources with the same tools, and a
//! component that the present sources could not build is not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};

use crate::guests;
use crate::packages;
use crate::step::{run, say, step};

/// The variable with the folder of the components for the stories.
const VARIABLE: &str = "BAILIWICK_LANGUAGES";

/// Builds what can be built; returns the variable for the stories.
pub(crate) fn set_up(root: &Path) -> (&'static str, PathBuf) {
    let places = Places {
        root,
        sources: &root.join("tests/languages"),
        out: &root.join("target/languages"),
    };
    thread::scope(|scope| {
        for language in LANGUAGES {
            scope.spawn(move || {
                if let Err(error) = (language.build)(places) {
                    say(&format!(
                        "  left out: the stories that need tools in {} ({error:#})",
                        language.name
                    ));
                    places.remove(language.components);
                }
            });
        }
    });
    (VARIABLE, places.out.to_owned())
}

/// A language that can be built or left out by itself.
#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    components: &'static [&'static str],
    build: fn(Places<'_>) -> Result<()>,
}

/// Each has tools of its own, so they are built side by side.
const LANGUAGES: [Language; 3] = [
    Language {
        name: "JavaScript",
        components: &[
            "qjs",
            "qjs_wasi",
            "documented",
            "js",
            "js_wasi",
            "js_default",
        ],
        build: javascript,
    },
    Language {
        name: "Python",
        components: &["py", "py_default"],
        build: python,
    },
    Language {
        name: "Rust with WASI",
        components: &["wasip2"],
        build: rust,
    },
];

#[derive(Clone, Copy)]
struct Places<'p> {
    root: &'p Path,
    sources: &'p Path,
    out: &'p Path,
}

impl Places<'_> {
    fn component(self, name: &str) -> PathBuf {
        self.out.join(name).with_extension("wasm")
    }

    /// Builds a component with a program, unless exactly this command made it of exactly these
    /// files before.
    fn build(self, name: &str, files: &[PathBuf], program: &Path, arguments: &str) -> Result<()> {
        let (component, stamp) = (
            self.component(name),
            self.out.join(name).with_extension("made"),
        );
        let mut wanted = arguments.as_bytes().to_vec();
        for file in files.iter().chain([&self.root.join("wit/tool.wit")]) {
            wanted.extend(fs::read(file).with_context(|| file.display().to_string())?);
        }
        if component.is_file() && fs::read(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(());
        }
        let mut command = Command::new(program);
        command
            .current_dir(self.root)
            .args(arguments.split_whitespace())
            .arg("-o")
            .arg(&component);
        step(&format!("building {name}.wasm"), || {
            run(command.stdin(Stdio::null()).stdout(Stdio::null()))
        })?;
        fs::write(stamp, wanted)?;
        Ok(())
    }

    /// Removes components that could not be built anew, so that old ones are not taken for them.
    fn remove(self, components: &[&str]) {
        for name in components {
            let component = self.component(name);
            if fs::remove_file(&component).is_err() && component.exists() {
                say(&format!("  out of date: {}", component.display()));
            }
        }
    }
}

fn javascript(places: Places<'_>) -> Result<()> {
    let (from, to) = (places.sources.join("node"), places.out.join("node"));
    packages::install_node(&from, &to, &["install", "--engine-strict"])?;
    for (name, source, program, arguments) in [
        (
            "qjs",
            JS,
            "componentize-qjs",
            "-n tool --sync --opt-size --minify --stub-wasi -j",
        ),
        (
            "qjs_wasi",
            JS,
            "componentize-qjs",
            "-n tool --sync --opt-size --minify -j",
        ),
        (
            "documented",
            DOCUMENTED,
            "componentize-qjs",
            "-n tool --sync --opt-size --minify --stub-wasi -j",
        ),
        (
            "js",
            JS,
            "componentize-js",
            "-n tool --disable=stdio --disable=random --disable=clocks --disable=http --disable=fetch-event",
        ),
        (
            "js_wasi",
            JS,
            "componentize-js",
            "-n tool --disable=http --disable=fetch-event",
        ),
        ("js_default", JS, "componentize-js", "-n tool"),
    ] {
        let files = [places.root.join(source), from.join("package-lock.json")];
        let arguments = format!(
            "target/languages/node/node_modules/.bin/{program} -w wit {arguments} {source}"
        );
        places.build(name, &files, Path::new("node"), &arguments)?;
    }
    Ok(())
}

fn python(places: Places<'_>) -> Result<()> {
    let (from, to) = (places.sources.join("python"), places.out.join("python"));
    packages::install_python(&from, &to)?;
    let files = [
        places.sources.join("py/app.py"),
        from.join("requirements.txt"),
    ];
    for (name, more) in [("py", "--stub-wasi"), ("py_default", "")] {
        let arguments = format!("-d wit -w tool componentize -p tests/languages/py {more} app");
        places.build(name, &files, &to.join("bin/componentize-py"), &arguments)?;
    }
    Ok(())
}

/// Builds with cargo, which knows itself what is built. The folder is that of the example tools,
/// because they are built from the same crates.
fn rust(places: Places<'_>) -> Result<()> {
    let component = places.component("wasip2");
    if !guests::has_target("rustc", TARGET) {
        step(
            &format!("installing the target {TARGET} with rustup"),
            || guests::add_target(TARGET),
        )?;
    }
    let target = places.root.join("example-tools/target");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(places.sources.join("wasip2")).args([
        "build",
        "--quiet",
        "--locked",
        "--release",
    ]);
    cargo
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target);
    step("building wasip2.wasm", || run(cargo.stdin(Stdio::null())))?;
    fs::create_dir_all(places.out)?;
    fs::copy(
        target
            .join(TARGET)
            .join("release/bailiwick_guest_wasip2.wasm"),
        component,
    )?;
    Ok(())
}

const JS: &str = "tests/languages/js/tool.js";
const DOCUMENTED: &str = "docs/examples/javascript/tool.js";
const TARGET: &str = "wasm32-wasip2";
