//! What stands where an import writes: another import's component and lines, which are replaced, or
//! somebody's own, which never are.

use std::path::Path;
use std::{fs, io};

use super::ImportError;
use super::join::is_imported;
use super::settings::is_grant;

/// Checks that an import may write a component and the lines that grant it.
///
/// # Errors
/// One of the files is there, and no import made it; or it cannot be read.
pub fn check_place(component: &Path, lines: &Path) -> Result<(), ImportError> {
    check(component, is_imported)?;
    check(lines, is_grant)
}

fn check(path: &Path, is_made: fn(&[u8]) -> bool) -> Result<(), ImportError> {
    let unreadable = |source| ImportError::Place {
        path: path.to_owned(),
        source,
    };
    let is_file = match fs::metadata(path) {
        // A link that leads nowhere is there.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(());
        }
        found => found.map_err(unreadable)?.is_file(),
    };
    if is_file && is_made(&fs::read(path).map_err(unreadable)?) {
        return Ok(());
    }
    Err(ImportError::Foreign(path.to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::super::{ImportError, ImportPlan, ImportRequest};
    use super::check_place;
    use crate::import::ApiDocument;

    /// A module within a component has no say about it.
    const WITHIN: &str = r#"(component (core module (@custom "bailiwick:import" "{}")))"#;

    #[test]
    fn only_what_an_import_made_may_be_replaced() {
        let document = br#"{"openapi": "3.0.3", "paths": {"/a": {"get": {}}}}"#;
        let request = ImportRequest {
            service: "shop".to_owned(),
            ..ImportRequest::default()
        };
        let plan = ImportPlan::of(&ApiDocument::read(document).unwrap(), &request).unwrap();
        let component = plan.component().unwrap();
        let lines = plan.settings("shop", "sha256:00").unwrap();
        let lines = lines.as_bytes();
        let other = wat::parse_str("(component)").unwrap();
        let within = wat::parse_str(WITHIN).unwrap();
        let cut = component.get(..component.len() - 8).unwrap();
        for (held, granted, foreign) in [
            (None, None, None),
            (Some(&component[..]), Some(lines), None),
            (Some(&component), None, None),
            (None, Some(lines), None),
            (Some(&other), None, Some("a.wasm")),
            (Some(&within), Some(lines), Some("a.wasm")),
            (Some(cut), Some(lines), Some("a.wasm")),
            (Some(b"#!/bin/sh"), None, Some("a.wasm")),
            (Some(&component), Some(b"[services.shop]\n"), Some("a.toml")),
            (None, Some(b""), Some("a.toml")),
        ] {
            let folder = TempDir::new().unwrap();
            let [wasm, toml] = ["a.wasm", "a.toml"].map(|name| folder.path().join(name));
            for (file, bytes) in [(&wasm, held), (&toml, granted)] {
                if let Some(bytes) = bytes {
                    fs::write(file, bytes).unwrap();
                }
            }
            let found = match check_place(&wasm, &toml) {
                Err(ImportError::Foreign(path)) => path.file_name().map(ToOwned::to_owned),
                other => other.map(|()| None).unwrap(),
            };
            assert_eq!(found.as_deref(), foreign.map(AsRef::as_ref));
        }
        let folder = TempDir::new().unwrap();
        let refused = check_place(folder.path(), &folder.path().join("a.toml"));
        assert!(matches!(refused, Err(ImportError::Foreign(_))), "a folder");
        let [wasm, toml] = ["a.wasm", "a.toml"].map(|name| folder.path().join(name));
        check_place(&wasm, &toml).unwrap();
        symlink("nowhere", &toml).unwrap();
        let refused = check_place(&wasm, &toml);
        assert!(matches!(refused, Err(ImportError::Place { .. })), "a link");
    }
}
