//! The check before the compiler: the shape of a file, counted, and its validity.
//!
//! Compiling can cost seconds for a file of kilobytes, and a compiler is large. So a file is walked
//! twice before: once to hold its parts against [`caps`], in time linear in its length whatever is
//! in it, and once by the validator, with no feature that a tool does not need.
//!
//! Trusts nothing. Hands on nothing but a yes.
//!
//! Invariant: no byte reaches the compiler unless the whole file is a valid component within the
//! caps. Deliberately absent: repair, warnings, any second reading of the file.

mod body;
mod caps;
mod component;
mod expansion;
mod items;
#[cfg(test)]
mod tests;
mod walk;

use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

use crate::characters;

/// The reasons for which a file does not reach the compiler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// The first bytes belong to another kind of file.
    #[error("it is not a WebAssembly component{0}")]
    Kind(&'static str),
    /// The file cannot be read.
    #[error("it is malformed at byte {offset}: {cause}")]
    Malformed {
        /// The offset of the fault.
        offset: u64,
        /// The reader's message.
        cause: String,
    },
    /// The file can be read, but is not valid with the features that tools get.
    #[error("it is not valid at byte {offset}: {cause}")]
    Invalid {
        /// The offset of the fault.
        offset: u64,
        /// The validator's message.
        cause: String,
    },
    /// The number of its instances cannot be counted.
    #[error(
        "it instantiates a component that it imports or takes from another instance (at byte {offset}), so its \
         instances cannot be counted; contain that component instead"
    )]
    Uncountable {
        /// The offset of the instantiation.
        offset: u64,
    },
    /// The file has more of something than any tool needs.
    #[error("it has {found} {what} (at byte {offset}); at most {most} are allowed")]
    TooMuch {
        /// The thing that was counted.
        what: &'static str,
        /// The count so far.
        found: u64,
        /// The cap.
        most: u64,
        /// The offset at which the cap was passed.
        offset: u64,
    },
}

/// Checks that `bytes` are a valid component within the caps.
///
/// # Errors
/// Fails if they are not, with the fault, its size and its offset.
pub(super) fn check(bytes: &[u8]) -> Result<(), StructureError> {
    kind(bytes)?;
    walk::walk(bytes)?;
    let invalid = |error: BinaryReaderError| StructureError::Invalid {
        offset: error.offset(),
        cause: format!("{}{}", printable(error.message()), advice(error.message())),
    };
    Validator::new_with_features(FEATURES)
        .validate_all(bytes)
        .map(drop)
        .map_err(invalid)
}

/// Everything that decides whether a file passes: the source of this module and the versions of all
/// crates that it is built with. It covers more than the rules, but is never equal for two hosts
/// that admit different files.
pub(super) const RULES: &[&[u8]] = &[
    include_bytes!("structure.rs"),
    include_bytes!("structure/body.rs"),
    include_bytes!("structure/caps.rs"),
    include_bytes!("structure/component.rs"),
    include_bytes!("structure/expansion.rs"),
    include_bytes!("structure/items.rs"),
    include_bytes!("structure/walk.rs"),
    include_bytes!(concat!(env!("OUT_DIR"), "/Cargo.lock")),
];

fn kind(bytes: &[u8]) -> Result<(), StructureError> {
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    let other = KINDS
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map_or("", |(_, what)| what);
    Err(StructureError::Kind(other))
}

/// Returns the reader's message on one line, with names from the file as far as they can be read.
fn printable(text: &str) -> String {
    characters::printable(&text.replace('\n', ": "))
}

/// Returns what an author can do about a fault that whole builds have.
fn advice(fault: &str) -> &'static str {
    if fault.contains("component model async feature") {
        "; tools are not async: build it without (componentize-qjs: --sync)"
    } else {
        ""
    }
}

fn malformed(error: &BinaryReaderError) -> StructureError {
    StructureError::Malformed {
        offset: error.offset(),
        cause: printable(error.message()),
    }
}

/// Magic number, version and layer (Component Model, Binary.md).
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Files that are mistaken for components, with advice for each.
const KINDS: &[(&[u8], &str)] = &[
    (
        b"\0asm\x01\0\0\0",
        " but a core module; `bailiwick build` makes components",
    ),
    (b"\0asm", " of a version that this host knows"),
    (
        b"\x7fELF",
        " but machine code; precompiled code is never loaded, put the component itself here",
    ),
    (b"\x1f\x8b", " but a gzip archive; unpack it"),
    (b"\x28\xb5\x2f\xfd", " but a zstd archive; unpack it"),
    (b"PK\x03\x04", " but a zip archive; unpack it"),
    (b"(", " but text; translate it with `wasm-tools parse`"),
    (b";;", " but text; translate it with `wasm-tools parse`"),
];

/// The features that compilers for tools emit, and no others: the engine's set without typed
/// references.
///
/// Off, among others: threads, garbage collection, exceptions, 64-bit memories, relaxed SIMD, stack
/// switching, custom page sizes, wide arithmetic, and everything asynchronous in components.
const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);
