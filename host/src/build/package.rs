//! Cargo's description of the crate to build.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::BuildError;

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
    let named = listed
        .metadata
        .and_then(|tables| tables.bailiwick)
        .and_then(|table| table.name);
    let component = file_name(named.unwrap_or(listed.name))?;
    Ok(Package {
        manifest,
        id: listed.id,
        component,
        target: metadata.target_directory,
    })
}

fn file_name(name: String) -> Result<String, BuildError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(allowed) {
        return Ok(name);
    }
    Err(BuildError::Name { name })
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolTable {
    name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{BuildError, Package, choose};

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
    fn the_package_at_the_path_is_taken() {
        assert!(package("my-tool", "null").is_ok_and(|package| package.id == "b"));
    }
}
