//! Cargo's description of the crate to build.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{BuildError, file_name};

/// The crate to build.
pub(super) struct Package {
    /// Its Cargo.toml.
    pub(super) manifest: PathBuf,
    /// Cargo's name for it, in what it reports.
    pub(super) id: String,
    /// The file name of the component, without `.wasm`.
    pub(super) component: String,
    /// The target folder of its workspace.
    pub(super) target: PathBuf,
    /// The memory that each call of it starts with.
    pub(super) memory: StartingMemory,
}

/// The parts of a component's starting memory that its author chooses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StartingMemory {
    /// The stack. A call that needs more is stopped.
    pub(super) stack: u32,
    /// The allocator's memory. A call that needs more is slower.
    pub(super) arena: u32,
}

impl Package {
    /// Asks cargo for the crate in `folder`, which may be part of a workspace.
    pub(super) fn read(mut cargo: Command, folder: &Path) -> Result<Self, BuildError> {
        let manifest = folder.join("Cargo.toml");
        cargo.args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ]);
        cargo
            .arg(&manifest)
            .current_dir(folder)
            .stdin(Stdio::null());
        let source = |source| BuildError::Run {
            program: "cargo".to_owned(),
            source,
        };
        let output = cargo.output().map_err(source)?;
        if !output.status.success() {
            return Err(unreadable(&String::from_utf8_lossy(&output.stderr)));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).map_err(|error| unreadable(&error))?;
        choose(metadata, manifest)
    }
}

fn choose(metadata: Metadata, manifest: PathBuf) -> Result<Package, BuildError> {
    let listed = metadata
        .packages
        .into_iter()
        .find(|listed| listed.manifest_path == manifest);
    let Some(listed) = listed else {
        return Err(unreadable(
            "it is the root of a workspace; name one of its members",
        ));
    };
    let table = listed.metadata.and_then(|tables| tables.bailiwick);
    let table = table.unwrap_or_default();
    Ok(Package {
        manifest,
        id: listed.id,
        memory: starting_memory(&table)?,
        component: file_name(table.name.unwrap_or(listed.name))?,
        target: metadata.target_directory,
    })
}

fn starting_memory(table: &ToolTable) -> Result<StartingMemory, BuildError> {
    let bytes = |key: &str, kib: Option<u32>, unless_given: u32| {
        let kib = kib.unwrap_or(unless_given);
        let allowed = (1..=MOST_KIB).contains(&kib).then_some(kib << 10);
        allowed.ok_or_else(|| {
            unreadable(&format!(
                "[package.metadata.bailiwick] {key} = {kib}: expected 1 to {MOST_KIB}"
            ))
        })
    };
    Ok(StartingMemory {
        stack: bytes("stack-kib", table.stack_kib, STACK_KIB)?,
        arena: bytes("arena-kib", table.arena_kib, ARENA_KIB)?,
    })
}

fn unreadable(message: &(impl ToString + ?Sized)) -> BuildError {
    let message = message.to_string().trim().to_owned();
    BuildError::Manifest { message }
}

/// The part of `cargo metadata` that matters.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<ListedPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct ListedPackage {
    id: String,
    name: String,
    manifest_path: PathBuf,
    metadata: Option<Tables>,
}

/// `[package.metadata]`.
#[derive(Deserialize)]
struct Tables {
    bailiwick: Option<ToolTable>,
}

/// `[package.metadata.bailiwick]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ToolTable {
    name: Option<String>,
    stack_kib: Option<u32>,
    arena_kib: Option<u32>,
}

// A small tool's data, up to 17 KiB, fits beside these into one page, 64 KiB, which the host clears
// after each call; the arena gets what the data leaves. A larger stack comes first, because a call
// without stack fails and a call without arena is slower. The odd KiB, all that most calls use of
// the stack, lies in the same 4 KiB as the first data: a waiting call holds one piece of memory
// less.
const STACK_KIB: u32 = 41;
const ARENA_KIB: u32 = 6;
/// The compact tier's largest starting memory.
const MOST_KIB: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::{BuildError, Package, StartingMemory, choose};

    fn package(name: &str, metadata: &str) -> Result<Package, BuildError> {
        let json = format!(
            r#"{{ "target_directory": "/w/target", "packages": [
                {{ "id": "a", "name": "other", "manifest_path": "/w/other/Cargo.toml", "metadata": null }},
                {{ "id": "b", "name": "{name}", "manifest_path": "/w/it/Cargo.toml", "metadata": {metadata} }}
            ] }}"#
        );
        let metadata = serde_json::from_str(&json).map_err(|error| super::unreadable(&error))?;
        choose(metadata, "/w/it/Cargo.toml".into())
    }

    #[test]
    fn the_component_is_named_by_the_manifest_or_the_package() {
        let name = |metadata| {
            package("my-tool", metadata)
                .map(|package| package.component)
                .ok()
        };
        assert_eq!(name("null").as_deref(), Some("my-tool"));
        assert_eq!(name(r#"{"docs":{}}"#).as_deref(), Some("my-tool"));
        assert_eq!(
            name(r#"{"bailiwick":{"name":"orders"}}"#).as_deref(),
            Some("orders")
        );
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let error = package("my-tool", r#"{"bailiwick":{"name":"../orders"}}"#).err();
        assert!(matches!(error, Some(BuildError::Name { .. })));
        let error = package("my-tool", r#"{"bailiwick":{"nam":"orders"}}"#).err();
        assert!(matches!(error, Some(BuildError::Manifest { .. })));
    }

    #[test]
    fn the_author_chooses_the_stack_and_the_arena() {
        let memory = |metadata| package("my-tool", metadata).map(|package| package.memory);
        let bytes = |stack, arena| StartingMemory { stack, arena };
        assert!(memory("null").is_ok_and(|memory| memory == bytes(41 << 10, 6 << 10)));
        let chosen = memory(r#"{"bailiwick":{"stack-kib":64,"arena-kib":300}}"#);
        assert!(chosen.is_ok_and(|memory| memory == bytes(64 << 10, 300 << 10)));
        for wrong in ["0", "1025"] {
            let metadata = format!(r#"{{"bailiwick":{{"stack-kib":{wrong}}}}}"#);
            let error = package("my-tool", &metadata).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("stack-kib"), "{error}");
        }
    }

    #[test]
    fn the_package_at_the_path_is_taken() {
        assert!(package("my-tool", "null").is_ok_and(|package| package.id == "b"));
    }
}
