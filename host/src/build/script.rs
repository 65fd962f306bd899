//! Builds a project in TypeScript or Python with the program of its SDK.
//!
//! The SDK is a package of the project and knows its language's compiler; this module finds the
//! program, or installs the project's packages into the project's own folder first. Invariant:
//! nothing is installed outside the project.

mod base;
mod runtime;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{BuildError, at, file_name};
use crate::intake::room::with_source;
use base::linked_base;
use runtime::{NODE, PYTHON, Runtime};

/// A project whose SDK builds it.
pub(super) struct Script {
    folder: PathBuf,
    manager: Manager,
    /// The file name of the component, without `.wasm`.
    pub(super) component: String,
}

#[derive(Clone, Copy)]
enum Manager {
    /// A `package.json`: npm and Node.
    Node,
    /// A `pyproject.toml`: pip and Python.
    Python,
}

impl Script {
    /// Returns the project in a folder, if there is one.
    pub(super) fn at(folder: &Path) -> Result<Option<Self>, BuildError> {
        let named = |manager: Manager, name: Option<String>| {
            let name = name.ok_or_else(|| BuildError::Unnamed {
                path: folder.join(manager.manifest()),
            })?;
            let component = file_name(name)?;
            let folder = folder.to_owned();
            Ok(Some(Self {
                folder,
                manager,
                component,
            }))
        };
        for manager in [Manager::Node, Manager::Python] {
            let path = folder.join(manager.manifest());
            if path.is_file() {
                let text = fs::read_to_string(&path).map_err(at(&path))?;
                return named(manager, manager.name(&text));
            }
        }
        Ok(None)
    }

    /// Builds the component in a folder of the project; returns its bytes, and its base if it is a
    /// development build.
    pub(super) fn build(&self, develop: bool) -> Result<(Vec<u8>, Option<PathBuf>), BuildError> {
        let program = self.program();
        let out = self.folder.join(self.manager.scratch());
        let development = out.join("development");
        let base = development.join("base.wasm");
        // Where a base is, the SDK was there when it was made.
        let has_sdk = || (develop && base.is_file()) || self.has_sdk();
        if !program.is_file() || !has_sdk() {
            self.install()?;
        }
        fs::create_dir_all(&out).map_err(at(&out))?;
        let file = out.join(format!("{}.wasm", self.component));
        let mut build = Command::new(&program);
        if let Manager::Python = self.manager {
            build.args(["-m", "bailiwick_sdk.build"]);
        }
        // It prints the path of this file, which is not yet where the author wants it.
        build.arg("--out").arg(&file).stdout(Stdio::null());
        if develop {
            build.arg("--development").arg(&development);
        }
        if !run(build.current_dir(&self.folder))? {
            self.manager.runtime().check()?;
            return Err(BuildError::Compile);
        }
        // The SDK leaves a source only if there is room for it.
        let source = development.join("source");
        if !develop || !source.is_file() {
            return Ok((fs::read(&file).map_err(at(&file))?, None));
        }
        let base = linked_base(&base)?;
        let [empty, source] = [&base, &source].map(|path| fs::read(path).map_err(at(path)));
        match with_source(&empty?, &source?) {
            Some(component) => Ok((component, Some(base))),
            None => Err(BuildError::NoRoom { base }),
        }
    }

    /// Returns the program that builds: the SDK's own, or the project's Python.
    fn program(&self) -> PathBuf {
        self.folder.join(match self.manager {
            Manager::Node => "node_modules/.bin/bailiwick-sdk-build",
            Manager::Python => ".venv/bin/python",
        })
    }

    /// Returns true unless a project's Python lacks the SDK.
    fn has_sdk(&self) -> bool {
        let Manager::Python = self.manager else {
            return true;
        };
        let mut python = Command::new(self.program());
        python.args(["-c", "import bailiwick_sdk, componentize_py"]);
        python.stdin(Stdio::null()).stderr(Stdio::null());
        let status = python.current_dir(&self.folder).status();
        status.is_ok_and(|status| status.success())
    }

    /// Installs the project's packages.
    fn install(&self) -> Result<(), BuildError> {
        self.manager.runtime().check()?;
        for command in self.manager.install(&self.folder) {
            let (program, arguments) = command.split_first().unwrap_or((&"", &[]));
            let mut install = Command::new(program);
            install.args(arguments).current_dir(&self.folder);
            install.stdout(Stdio::from(std::io::stderr()));
            if !run(&mut install)? {
                let folder = self.folder.clone();
                let command = command.join(" ");
                return Err(BuildError::Install { folder, command });
            }
        }
        Ok(())
    }
}

impl Manager {
    fn manifest(self) -> &'static str {
        match self {
            Self::Node => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// Returns the folder for what is built, which the templates keep out of version control.
    fn scratch(self) -> &'static str {
        match self {
            Self::Node => "node_modules/.cache/bailiwick",
            Self::Python => ".venv/bailiwick",
        }
    }

    /// Returns what the machine needs for the language.
    fn runtime(self) -> &'static Runtime {
        match self {
            Self::Node => &NODE,
            Self::Python => &PYTHON,
        }
    }

    /// Returns the commands that install a project's packages. Those that a new project has are
    /// taken by their hashes alone: npm reads them in the project's own list, pip in the SDK's.
    fn install(self, folder: &Path) -> Vec<Vec<&'static str>> {
        match self {
            // Scripts of packages could only make code for this machine, which no component has.
            Self::Node => vec![words("npm install --ignore-scripts --no-audit --no-fund")],
            Self::Python => {
                let venv = words("python3 -m venv .venv");
                let pip = words(".venv/bin/python -m pip install --disable-pip-version-check");
                let project = words("--editable .[dev]");
                if !folder.join(PINNED).is_file() {
                    return vec![venv, [pip, project].concat()];
                }
                let pinned = words("--require-hashes --only-binary :all: --requirement");
                let pinned = [&*pip, &pinned, &[PINNED]].concat();
                // With what builds packages from the list, too.
                let pip = [pip, words("--no-build-isolation")].concat();
                vec![venv, pinned, [pip, project].concat()]
            }
        }
    }

    /// Reads the component's name from the project's manifest, as its SDK does.
    fn name(self, manifest: &str) -> Option<String> {
        match self {
            Self::Node => {
                let manifest = serde_json::from_str::<NodeManifest>(manifest).ok()?;
                let own = manifest.bailiwick.and_then(|own| own.name);
                own.or_else(|| Some(without_scope(&manifest.name?).to_owned()))
            }
            Self::Python => toml::from_str::<Projects>(manifest).ok()?.project?.name,
        }
    }
}

/// What the SDK for Python needs, and what tests need, with hashes.
const PINNED: &str = "vendor/bailiwick-sdk/requirements.txt";

/// Splits a command that has no quotes.
fn words(command: &'static str) -> Vec<&'static str> {
    command.split(' ').collect()
}

/// Runs a program to its end; returns whether it ended well.
fn run(command: &mut Command) -> Result<bool, BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|source| BuildError::Run { program, source })?;
    Ok(status.success())
}

/// Returns the name of a package without its scope: `orders` for `@shop/orders`.
fn without_scope(name: &str) -> &str {
    let scoped = name.strip_prefix('@').and_then(|name| name.split_once('/'));
    scoped.map_or(name, |(_, name)| name)
}

#[derive(Deserialize)]
struct NodeManifest {
    name: Option<String>,
    bailiwick: Option<ManifestName>,
}

#[derive(Deserialize)]
struct ManifestName {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Projects {
    project: Option<ManifestName>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn packages_that_the_sdk_lists_are_taken_by_their_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let shown = |manager: Manager| {
            let commands = manager.install(folder.path());
            let commands: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
            commands.join("\n")
        };
        let all = shown(Manager::Python);
        assert!(
            !all.contains("--require-hashes"),
            "nothing is listed: {all}"
        );
        let list = folder.path().join(PINNED);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        fs::write(list, "").unwrap();
        let all = shown(Manager::Python);
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines.len(), 3, "{all}");
        let line = |index: usize| lines.get(index).copied().unwrap_or_default();
        assert!(line(1).contains("--require-hashes") && line(1).ends_with(PINNED));
        assert!(line(2).contains("--no-build-isolation"), "{all}");
        assert!(shown(Manager::Node).contains("--ignore-scripts"));
    }

    #[test]
    fn a_project_is_known_by_its_manifest_and_named_by_it() {
        let cases = [
            ("package.json", r#"{"name":"orders"}"#, Some("orders")),
            ("package.json", r#"{"name":"@shop/orders"}"#, Some("orders")),
            (
                "package.json",
                r#"{"name":"a","bailiwick":{"name":"orders"}}"#,
                Some("orders"),
            ),
            ("package.json", r#"{"name":"../orders"}"#, None),
            (
                "package.json",
                r#"{"name":"a","bailiwick":{"name":"../orders"}}"#,
                None,
            ),
            ("package.json", "{}", None),
            (
                "pyproject.toml",
                "[project]\nname = \"my-tool\"",
                Some("my-tool"),
            ),
            ("pyproject.toml", "[tool]\n", None),
            ("pyproject.toml", "[project", None),
        ];
        for (file, text, name) in cases {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(file), text).unwrap();
            let found = Script::at(folder.path());
            match name {
                Some(name) => assert_eq!(found.unwrap().unwrap().component, name),
                None => assert!(found.is_err(), "{text}"),
            }
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(Script::at(empty.path()).unwrap().is_none());
    }
}
