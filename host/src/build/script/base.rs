//! The base of a development build, with its modules linked.
//!
//! Linked, it compiles in three quarters of the time, and an instance takes half as long. A base
//! stays for many saves, so it is linked once. Invariant: its room stays in one piece.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{BuildError, at, component, digest, write_whole};
use crate::intake::room::with_source;

/// Links the modules of a base, unless that was done; returns the file. A base that cannot be
/// linked, or has no room then, stays as it is.
pub(super) fn linked_base(base: &Path) -> Result<PathBuf, BuildError> {
    let [file, key] = ["linked.wasm", "linked.key"].map(|name| base.with_file_name(name));
    let component = fs::read(base).map_err(at(base))?;
    let made_from = format!("{} {}", env!("CARGO_PKG_VERSION"), digest(&component));
    if file.is_file() && fs::read_to_string(&key).is_ok_and(|key| key == made_from) {
        return Ok(file);
    }
    // The key of another base must not stand beside this one's file, not even after a crash.
    if key.is_file() {
        fs::remove_file(&key).map_err(at(&key))?;
    }
    let linked = component::linked(component.clone());
    let has_room = with_source(&linked, b"").is_some();
    write_whole(&file, if has_room { &linked } else { &component })?;
    fs::write(&key, made_from).map_err(at(&key))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fmt::Write as _;

    use super::super::super::testing::{IN_MEMORY, MODULE, encoded};
    use super::*;
    use crate::intake::room::empty;

    /// Returns a memory with empty room in it, as a text.
    fn memory() -> String {
        let mut text = String::from("(memory (export \"memory\") 10) (data (i32.const 4096) \"");
        for byte in empty() {
            write!(text, "\\{byte:02x}").unwrap();
        }
        text + "\")"
    }

    #[test]
    fn a_base_is_linked_once_and_keeps_its_room() {
        let module = MODULE.replace("ALLOCATE", IN_MEMORY);
        let several = encoded(&module.replace("(memory (export \"memory\") 1)", &memory()));
        let one = format!(
            "(component (core module $m {}) (core instance (instantiate $m)))",
            memory()
        );
        let one = wat::parse_str(one).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base.wasm");
        for (component, links) in [(several, true), (one, false)] {
            fs::write(&base, &component).unwrap();
            let file = linked_base(&base).unwrap();
            let linked = fs::read(&file).unwrap();
            assert!(with_source(&linked, b"x = 1").is_some(), "its room");
            assert_eq!(linked != component, links);
            fs::write(&file, "kept").unwrap();
            assert_eq!(fs::read(linked_base(&base).unwrap()).unwrap(), b"kept");
        }
    }
}
