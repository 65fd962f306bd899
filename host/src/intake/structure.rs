//! Whether a file may go to the compiler at all: its shape, counted, and its validity, checked.
//!
//! Compiling can cost seconds for a file of kilobytes, and a compiler is large. So a file is walked
//! twice before: once to hold what it is made of against [`caps`], in time linear in its length
//! whatever is in it, and once by the validator, with no feature that a tool does not need.
//!
//! Trusts nothing. Hands on nothing but a yes.
//!
//! Invariant: no byte reaches the compiler unless all of its file is a valid component within the
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

/// Why a file does not get as far as the compiler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// Something else, told by its first bytes.
    #[error("it is not a WebAssembly component{0}")]
    Kind(&'static str),
    /// It cannot be read.
    #[error("it is malformed at byte {offset}: {cause}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What the reader says.
        cause: String,
    },
    /// It can be read, and is not valid with the features that tools get.
    #[error("it is not valid at byte {offset}: {cause}")]
    Invalid {
        /// Where.
        offset: u64,
        /// What the validator says.
        cause: String,
    },
    /// What it becomes cannot be counted.
    #[error(
        "it instantiates a component that it imports or takes from another instance (at byte {offset}), so its \
         instances cannot be counted; contain that component instead"
    )]
    Uncountable {
        /// Where.
        offset: u64,
    },
    /// It has more of something than any tool needs.
    #[error("it has {found} {what} (at byte {offset}); at most {most} are allowed")]
    TooMuch {
        /// What was counted.
        what: &'static str,
        /// How many there are, as far as it was read.
        found: u64,
        /// The cap.
        most: u64,
        /// Where the cap was passed.
        offset: u64,
    },
}

/// Checks that `bytes` are a valid component within the caps.
///
/// # Errors
/// They are not; says what, how much and where.
pub(super) fn check(bytes: &[u8]) -> Result<(), StructureError> {
    kind(bytes)?;
    walk::walk(bytes)?;
    let invalid = |error: BinaryReaderError| StructureError::Invalid {
        offset: error.offset(),
        cause: printable(error.message()),
    };
    Validator::new_with_features(FEATURES)
        .validate_all(bytes)
        .map(drop)
        .map_err(invalid)
}

/// What decides whether a file passes: this module, to the letter, and the versions of all that it
/// is built with. Not the rules alone, but never equal for two hosts that do not let the same files
/// pass.
pub(super) const RULES: &[&[u8]] = &[
    include_bytes!("structure.rs"),
    include_bytes!("structure/body.rs"),
    include_bytes!("structure/caps.rs"),
    include_bytes!("structure/component.rs"),
    include_bytes!("structure/expansion.rs"),
    include_bytes!("structure/items.rs"),
    include_bytes!("structure/walk.rs"),
    include_bytes!("../../../Cargo.lock"),
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

/// The reader's message on one line, with names from the file as far as they can be read.
fn printable(text: &str) -> String {
    characters::printable(&text.replace('\n', ": "))
}

fn malformed(error: &BinaryReaderError) -> StructureError {
    StructureError::Malformed {
        offset: error.offset(),
        cause: printable(error.message()),
    }
}

/// Magic number, version and layer (Component Model, Binary.md).
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// What is mistaken for a component, with what to do about it.
const KINDS: &[(&[u8], &str)] = &[
    (
        b"\0asm\x01\0\0\0",
        " but a core module; `bailiwick build` makes components",
    ),
    (b"\0asm", " of a version that this host knows"),
    (
        b"\x7fELF",
        " but machine code; precompiled code is never taken, put the component itself here",
    ),
    (b"\x1f\x8b", " but a gzip archive; unpack it"),
    (b"\x28\xb5\x2f\xfd", " but a zstd archive; unpack it"),
    (b"PK\x03\x04", " but a zip archive; unpack it"),
    (b"(", " but text; translate it with `wasm-tools parse`"),
    (b";;", " but text; translate it with `wasm-tools parse`"),
];

/// What compilers for tools emit, and nothing else: the engine's set without typed references.
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
