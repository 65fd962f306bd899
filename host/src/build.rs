//! `bailiwick build`: a project in Rust, TypeScript or Python becomes a component for the tools
//! folder.
//!
//! Apart from the story of a call: it runs on the author's machine, trusts the project and its
//! toolchain as any build does, and hands on one `.wasm` file. It sets every flag, because a user's
//! crate has no guest profile.
//!
//! Invariant: the component of a crate imports nothing but `bailiwick:tool` and exports tools,
//! resources or prompts; the file appears whole or not at all.

mod alias;
mod component;
mod direct;
mod halves;
mod linked;
mod memory;
mod package;
mod reach;
mod script;
#[cfg(test)]
mod testing;
mod toolchain;
mod unused;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use package::Package;
use script::Script;
use toolchain::Toolchain;

/// The project to build, and the folder for the component.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// The folder of the project, or a component that another tool made.
    pub path: PathBuf,
    /// The folder for the `.wasm` file; created if it does not exist.
    pub out: PathBuf,
    /// Cargo's target folder, for a crate; `guests` in the crate's own target folder unless given.
    /// Guests that share it compile their common dependencies once.
    pub target_dir: Option<PathBuf>,
    /// Whether a project in TypeScript or Python may get a development build: a component that is
    /// made once, into which each build writes the source alone.
    pub development: bool,
}

/// A component that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The file.
    pub component: PathBuf,
    /// `sha256:` and the digest of the file, as the configuration names it.
    pub digest: String,
    /// The size of the file.
    pub bytes: u64,
    /// The component without a source, if this is a development build.
    pub base: Option<PathBuf>,
}

/// A build that made no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is nothing to build at the path.
    #[error(
        "{} is neither the folder of a tool, with a Cargo.toml, package.json or pyproject.toml, nor a component",
        path.display()
    )]
    NotAProject {
        /// The path as given.
        path: PathBuf,
    },
    /// The project has no name.
    #[error("{}: the project's name cannot be read", path.display())]
    Unnamed {
        /// The manifest.
        path: PathBuf,
    },
    /// The project's packages could not be installed; the program has reported why.
    #[error(
        "the packages cannot be installed, and the lines above say why. They come from a registry, \
         which has to be reached once; in {}, run: {command}",
        folder.display()
    )]
    Install {
        /// The project's folder.
        folder: PathBuf,
        /// The command that failed.
        command: String,
    },
    /// The machine lacks the programs of the project's language.
    #[error("expected {needed}, and `{command}` says: {said}\nInstall it {how}")]
    Runtime {
        /// What the language needs.
        needed: &'static str,
        /// The command that shows that it is not there.
        command: String,
        /// What the command printed, or why it did not run.
        said: String,
        /// How it is installed.
        how: &'static str,
    },
    /// A program could not be started.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Cargo cannot read the crate.
    #[error("cargo cannot read the crate:\n{message}")]
    Manifest {
        /// Cargo's message.
        message: String,
    },
    /// The crate's dependencies could not be fetched; cargo has reported why.
    #[error(
        "the crates cannot be fetched, and the lines above say why. They come from a registry, which \
         has to be reached once; in {}, run: cargo fetch",
        folder.display()
    )]
    Fetch {
        /// The crate's folder.
        folder: PathBuf,
    },
    /// A name that cannot be a file's.
    #[error(
        "`{name}` cannot be a component's name: use letters, digits, `-` and `_` in the manifest's \
         name (a crate can have another one in [package.metadata.bailiwick])"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// No toolchain can build for WebAssembly.
    #[error("{}", toolchain::HOW_TO_INSTALL)]
    NoToolchain,
    /// A toolchain with the standard library's source, but no linker.
    #[error(
        "no linker for WebAssembly: install one (Debian: apt-get install lld), or set {}",
        toolchain::LINKER_VARIABLE
    )]
    NoLinker,
    /// The project does not compile; the compiler has reported why.
    #[error("it does not compile; the lines above say why")]
    Compile,
    /// The compiler made a module that cannot be a component.
    #[error("this module cannot become a component")]
    Encode {
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The component imports something that no tool gets.
    #[error(
        "the component imports interfaces that no tool gets: {}\n{}",
        imports.join(", "),
        component::HOW_WITHOUT
    )]
    Imports {
        /// The imports.
        imports: Vec<String>,
    },
    /// The crate depends on an SDK for an older version of the interface.
    #[error(
        "the crate is written for bailiwick:tool@{found}: depend on version 0.2 of bailiwick-sdk, \
         whose calls have `call.actor()` and the like in place of `call.identity()`"
    )]
    OldSdk {
        /// The version that the SDK is for.
        found: String,
    },
    /// The SDK made a base for development that has no room for the source.
    #[error("{}: it has no room for the source: remove its folder, and build again", base.display())]
    NoRoom {
        /// The component without a source.
        base: PathBuf,
    },
    /// The component offers no tools, resources or prompts.
    #[error(
        "the component exports no tools, resources or prompts: call \
         `bailiwick_sdk::export!(name_of_a_tool);` once in the crate"
    )]
    NothingOffered,
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// Builds the component. What the compilers print goes to standard error; nothing else is printed.
///
/// # Errors
/// There is no toolchain, the project does not compile, or a crate imports something that a tool
/// does not get.
pub fn build(request: &BuildRequest) -> Result<Built, BuildError> {
    let folder = fs::canonicalize(&request.path).map_err(at(&request.path))?;
    let (name, component, base) = if folder.is_file() {
        let (name, component) = of_another_tool(&folder)?;
        (name, component, None)
    } else if folder.join("Cargo.toml").is_file() {
        let (name, component) = from_crate(&folder, request.target_dir.as_deref())?;
        (name, component, None)
    } else {
        let script = Script::at(&folder)?;
        let script = script.ok_or_else(|| BuildError::NotAProject {
            path: request.path.clone(),
        })?;
        let (component, base) = script.build(request.development)?;
        // A base stays as it is, with its room in one piece.
        let component = match base {
            Some(_) => component,
            None => component::linked(component),
        };
        (script.component, component, base)
    };
    let file = request.out.join(format!("{name}.wasm"));
    write_whole(&file, &component)?;
    Ok(Built {
        digest: digest(&component),
        bytes: size(&component),
        component: file,
        base,
    })
}

/// Reads a component that a language's own tool made; returns its name and bytes, linked.
fn of_another_tool(file: &Path) -> Result<(String, Vec<u8>), BuildError> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let component = fs::read(file).map_err(at(file))?;
    if !component::is_component(&component) {
        let path = file.to_owned();
        return Err(BuildError::NotAProject { path });
    }
    Ok((file_name(name.into_owned())?, component::linked(component)))
}

/// Builds a crate to a module that is joined with something before it can be a component
/// ([`crate::import`]).
///
/// # Errors
/// There is no toolchain, or the crate does not compile.
pub fn module(folder: &Path, target: Option<&Path>) -> Result<Vec<u8>, BuildError> {
    let folder = fs::canonicalize(folder).map_err(at(folder))?;
    compiled(&folder, target).map(|(_, module)| module)
}

/// Encodes a module that [`module`] built, and that was joined since.
///
/// # Errors
/// It imports something that a tool does not get, or exports nothing that a host serves.
pub fn component(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    component::from_module(module)
}

/// Builds a crate; returns the component's name and bytes.
fn from_crate(folder: &Path, target: Option<&Path>) -> Result<(String, Vec<u8>), BuildError> {
    let (name, module) = compiled(folder, target)?;
    Ok((name, component::from_module(&module)?))
}

/// Compiles a crate; returns the component's name, and a module without what it does not use.
fn compiled(folder: &Path, target: Option<&Path>) -> Result<(String, Vec<u8>), BuildError> {
    let toolchain = Toolchain::find(folder)?;
    let package = Package::read(toolchain.cargo(), folder)?;
    let own = package.target.join("guests");
    let target = target.unwrap_or(&own);
    // Cargo runs in the crate's folder, where a relative path would mean another place.
    let target = std::path::absolute(target).unwrap_or_else(|_| target.to_owned());
    let core = toolchain.compile(&package, &target)?;
    let module = fs::read(&core).map_err(at(&core))?;
    let module = memory::with_arena(&module, package.memory.arena)?;
    Ok((package.component, unused::without(&module)?))
}

/// Returns a name if it can be a file's.
fn file_name(name: String) -> Result<String, BuildError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(allowed) {
        return Ok(name);
    }
    Err(BuildError::Name { name })
}

/// Writes a file beside the old one and renames it, because a host may be watching the folder.
///
/// # Errors
/// The file, or its folder, cannot be written.
pub fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    if fs::read(file).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    let beside = file.with_extension(format!("wasm.{}.tmp", std::process::id()));
    fs::write(&beside, bytes).map_err(at(&beside))?;
    fs::rename(&beside, file).map_err(at(file))
}

/// Returns `sha256:` and the digest, as the configuration names it.
pub fn digest(bytes: &[u8]) -> String {
    let hexadecimal = |byte: &u8| format!("{byte:02x}");
    let digest: String = Sha256::digest(bytes).iter().map(hexadecimal).collect();
    format!("sha256:{digest}")
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn at(path: &Path) -> impl Fn(io::Error) -> BuildError {
    move |source| BuildError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::path::PathBuf;

    use super::{BuildError, BuildRequest, build, digest, write_whole};

    #[test]
    fn what_is_neither_a_project_nor_a_component_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("module.wasm");
        std::fs::write(&module, wat::parse_str("(module)").unwrap()).unwrap();
        for path in [folder.path().to_owned(), module] {
            let out = PathBuf::from("out");
            let error = build(&BuildRequest {
                path,
                out,
                target_dir: None,
                development: false,
            });
            assert!(matches!(error, Err(BuildError::NotAProject { .. })));
        }
    }

    #[test]
    fn a_component_of_another_tool_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greet.wasm");
        std::fs::write(&path, wat::parse_str("(component)").unwrap()).unwrap();
        let built = build(&BuildRequest {
            path,
            out: folder.path().join("tools"),
            target_dir: None,
            development: false,
        });
        let component = built.unwrap().component;
        assert_eq!(component, folder.path().join("tools/greet.wasm"));
    }

    #[test]
    fn a_component_appears_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tools/orders.wasm");
        write_whole(&file, b"one").unwrap();
        write_whole(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(
            std::fs::read_dir(folder.path().join("tools"))
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn a_digest_is_as_the_configuration_names_it() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }
}
