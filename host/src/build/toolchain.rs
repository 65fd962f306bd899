//! Finds a compiler for WebAssembly and calls it.
//!
//! Two kinds of toolchain lead to the same component: one that has the target's standard library
//! (rustup), and one that has the library's source (Debian's `rust-web-src`), which is then built
//! once per target folder.
//!
//! Invariant: the flags are the same for every guest on a machine, so guests share their
//! dependencies.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::BuildError;
use super::package::Package;

/// The advice for a machine without a toolchain.
pub(super) const HOW_TO_INSTALL: &str = "\
no Rust toolchain for WebAssembly. With rustup (to install from https://rustup.rs):
    rustup target add wasm32-unknown-unknown
On Debian, without access to rustup's servers:
    apt-get update
    apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src libstd-rust-web-dev lld";

/// The variable that names the linker, for cargo and for this program.
pub(super) const LINKER_VARIABLE: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER";

/// A compiler for WebAssembly.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    programs: Programs,
    library: StandardLibrary,
}

#[derive(Clone, Debug)]
struct Programs {
    cargo: PathBuf,
    rustc: PathBuf,
}

/// The origin of the standard library.
#[derive(Clone, Debug)]
enum StandardLibrary {
    /// It is part of the toolchain.
    Installed,
    /// It is built from source, with a linker that does not belong to the toolchain.
    Source { linker: PathBuf },
}

impl Toolchain {
    /// Finds the active toolchain if it has the target, else the system's, else one with the
    /// library's source.
    pub(super) fn find(folder: &Path) -> Result<Self, BuildError> {
        let known = [Programs::active(), Programs::system()];
        if let Some(programs) = known.iter().find(|programs| programs.has_library(folder)) {
            return Ok(Self {
                programs: programs.clone(),
                library: StandardLibrary::Installed,
            });
        }
        let Some(programs) = known.iter().find(|programs| programs.has_source(folder)) else {
            return Err(BuildError::NoToolchain);
        };
        let linker = linker(&known, folder).ok_or(BuildError::NoLinker)?;
        Ok(Self {
            programs: programs.clone(),
            library: StandardLibrary::Source { linker },
        })
    }

    /// Returns cargo, with this toolchain's compiler.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.programs.cargo);
        if let StandardLibrary::Source { linker } = &self.library {
            cargo.env("RUSTC", &self.programs.rustc);
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env(LINKER_VARIABLE, linker);
        }
        cargo
    }

    /// Compiles the crate to a module.
    pub(super) fn compile(&self, package: &Package, target: &Path) -> Result<PathBuf, BuildError> {
        self.fetch(package)?;
        let mut cargo = self.cargo();
        cargo.args(["rustc", "--release", "--lib", "--crate-type", "cdylib"]);
        cargo.args([
            "--target",
            TARGET,
            "--message-format",
            "json-render-diagnostics",
        ]);
        // A person waits for the progress; a log needs only what is wrong.
        if !io::stderr().is_terminal() {
            cargo.arg("--quiet");
        }
        cargo
            .arg("--manifest-path")
            .arg(&package.manifest)
            .arg("--target-dir")
            .arg(target);
        if let StandardLibrary::Source { .. } = self.library {
            cargo.args(["-Z", "build-std=std,panic_abort"]);
        }
        // For the last step alone: guests with other stacks still share their dependencies.
        cargo.args(["--", "-C"]);
        cargo.arg(format!("link-arg=-zstack-size={}", package.memory.stack));
        cargo.envs(PROFILE).env("CARGO_ENCODED_RUSTFLAGS", flags());
        cargo.current_dir(package.manifest.parent().unwrap_or(Path::new(".")));
        cargo.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = cargo.output().map_err(not_run)?;
        let module = module_of(&output.stdout, &package.id);
        module
            .filter(|_| output.status.success())
            .ok_or(BuildError::Compile)
    }

    /// Fetches the dependencies, so that the folders that [`flags`] renames exist.
    fn fetch(&self, package: &Package) -> Result<(), BuildError> {
        let mut cargo = self.cargo();
        cargo.args(["fetch", "--quiet", "--target", TARGET]);
        cargo.arg("--manifest-path").arg(&package.manifest);
        cargo.current_dir(package.manifest.parent().unwrap_or(Path::new(".")));
        cargo.stdin(Stdio::null()).stderr(Stdio::inherit());
        let fetched = cargo.status().map_err(not_run)?.success();
        let folder = package.manifest.parent().unwrap_or(Path::new("."));
        fetched.then_some(()).ok_or_else(|| BuildError::Fetch {
            folder: folder.to_owned(),
        })
    }
}

fn not_run(source: io::Error) -> BuildError {
    BuildError::Run {
        program: "cargo".to_owned(),
        source,
    }
}

impl Programs {
    fn active() -> Self {
        Self {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
        }
    }

    fn system() -> Self {
        Self {
            cargo: "/usr/bin/cargo".into(),
            rustc: "/usr/bin/rustc".into(),
        }
    }

    fn has_library(&self, folder: &Path) -> bool {
        let library = self.print(folder, &["--print", "target-libdir", "--target", TARGET]);
        let files = library.and_then(|library| library.read_dir().ok());
        files.is_some_and(|files| {
            let names = files.filter_map(Result::ok).map(|file| file.file_name());
            names
                .filter_map(|name| name.into_string().ok())
                .any(|name| name.starts_with("libstd-"))
        })
    }

    fn has_source(&self, folder: &Path) -> bool {
        let sysroot = self.print(folder, &["--print", "sysroot"]);
        sysroot.is_some_and(|root| {
            root.join("lib/rustlib/src/rust/library/Cargo.toml")
                .is_file()
        })
    }

    /// Returns the linker that rustup's toolchains include.
    fn linker(&self, folder: &Path) -> Option<PathBuf> {
        let targets = self
            .print(folder, &["--print", "sysroot"])?
            .join("lib/rustlib");
        let programs = targets.read_dir().ok()?.filter_map(Result::ok);
        programs
            .map(|target| target.path().join("bin/rust-lld"))
            .find(|linker| linker.is_file())
    }

    /// Returns a path that the compiler prints. It runs in the crate's folder, which may choose a
    /// toolchain.
    fn print(&self, folder: &Path, arguments: &[&str]) -> Option<PathBuf> {
        let mut rustc = Command::new(&self.rustc);
        rustc
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null());
        let output = rustc
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(PathBuf::from(
            String::from_utf8(output.stdout).ok()?.trim_end(),
        ))
    }
}

/// Finds a linker: the one that the author names, one of a toolchain, or the system's.
fn linker(known: &[Programs], folder: &Path) -> Option<PathBuf> {
    let named = env::var_os(LINKER_VARIABLE).map(PathBuf::from);
    let brought = || known.iter().find_map(|programs| programs.linker(folder));
    let installed = || {
        let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
        let linkers = folders
            .iter()
            .flat_map(|folder| LINKERS.map(|name| folder.join(name)));
        linkers.into_iter().find(|linker| linker.is_file())
    };
    named.or_else(brought).or_else(installed)
}

/// Joins the compiler's flags with 0x1f, as cargo expects.
fn flags() -> OsString {
    let mut flags: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
    // The folders of dependencies are this machine's and its registry's own, and would change the
    // digest. The compiler takes the last flag that fits.
    if let Some(home) = cargo_home() {
        let sources = folders(&home.join("registry/src"));
        flags.push(renamed(&home, "/cargo"));
        flags.extend(sources.iter().map(|source| renamed(source, "/cargo")));
    }
    flags.join(&OsString::from("\u{1f}"))
}

/// Returns the flag by which code names a folder otherwise.
fn renamed(folder: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    flag.push("=");
    flag.push(name);
    flag
}

/// Returns the folders in a folder, sorted; none if it cannot be read.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn cargo_home() -> Option<PathBuf> {
    let named = env::var_os("CARGO_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from);
    named.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Finds the module among the artifacts that cargo reports.
fn module_of(report: &[u8], package: &str) -> Option<PathBuf> {
    let lines = report.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
    let files = artifacts.filter(|artifact| artifact.package_id == package);
    files.flat_map(|artifact| artifact.filenames).find(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    })
}

/// A `compiler-artifact` message; other messages lack these members.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    filenames: Vec<PathBuf>,
}

/// A target that needs no system, unlike the `wasip` targets, so a component imports only what the
/// world names.
const TARGET: &str = "wasm32-unknown-unknown";

/// The SDK provides the random bytes of other crates.
const FLAGS: [&str; 2] = ["--cfg", "getrandom_backend=\"custom\""];

/// Small and without names, because only machines read a component.
const PROFILE: [(&str, &str); 8] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
];

/// Linkers for WebAssembly, as systems name them.
const LINKERS: [&str; 2] = ["rust-lld", "wasm-ld"];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::module_of;

    #[test]
    fn the_module_of_the_package_is_found_in_the_report() {
        let report = concat!(
            r#"{"reason":"compiler-artifact","package_id":"sdk","filenames":["/t/libsdk.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"dep","filenames":["/t/dep.wasm"]}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","package_id":"tool","filenames":["/t/tool.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let module = module_of(report.as_bytes(), "tool");
        assert_eq!(module.as_deref(), Some(Path::new("/t/tool.wasm")));
        assert_eq!(module_of(report.as_bytes(), "other"), None);
    }
}
