//! Lets a component's imports reach its memory without detours.
//!
//! An import that passes text needs the component's memory, which exists only when the module that
//! has the imports is instantiated. The usual encoding bridges that with two modules of its own:
//! one whose functions call through a table, and one that fills the table later. Both are
//! instantiated anew for every call. Here the memory has a small module of its own, with the
//! function that allocates in it, and that module comes first.
//!
//! Invariant: the result is valid and has the imports, exports and functions of the component that
//! it was made from. A component of any other shape than that encoding's stays as it is.

mod read;
mod write;

use wasmparser::{Validator, WasmFeatures};

use super::halves::split;
use read::Read;
use write::Write;

/// Returns the component without the detours; `None` if it has another shape.
pub(super) fn without_detours(component: &[u8]) -> Option<Vec<u8>> {
    let read = Read::of(component)?;
    let halves = split(read.main()?).ok().flatten()?;
    let direct = Write::default().component(&read, &halves)?;
    let mut validator = Validator::new_with_features(WasmFeatures::default());
    validator.validate_all(&direct).ok()?;
    Some(direct)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::testing::{IN_MEMORY, MODULE, encoded, modules, run};
    use super::*;

    #[test]
    fn a_component_without_detours_does_the_same() {
        let usual = encoded(&MODULE.replace("ALLOCATE", IN_MEMORY));
        let direct = without_detours(&usual).unwrap();
        assert_eq!((modules(&usual), modules(&direct)), (3, 2));
        assert_eq!(
            (run(&usual).as_str(), run(&direct).as_str()),
            ("hohoho", "hohoho")
        );
    }

    #[test]
    fn a_component_of_another_shape_stays_as_it_is() {
        let other = IN_MEMORY.replace("(i32.const 8)", "(global.get $stack)");
        assert!(without_detours(&encoded(&MODULE.replace("ALLOCATE", &other))).is_none());
        assert!(without_detours(&wat::parse_str("(component)").unwrap()).is_none());
        assert!(without_detours(&wat::parse_str("(module)").unwrap()).is_none());
        assert!(without_detours(b"#!/bin/sh").is_none());
    }
}
