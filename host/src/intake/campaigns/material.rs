//! The material of campaigns: a small component that loads, and the example tools if they are
//! built.

use std::fs;
use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Returns a component of the world `tool` with one tool, a few kilobytes.
pub(crate) fn small() -> Vec<u8> {
    with_core(&wat::parse_str(CORE).unwrap())
}

/// Returns a component of the world `tool` around `core`.
pub(super) fn with_core(core: &[u8]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"))
        .unwrap();
    let world = resolve.select_world(&[package], Some("tool")).unwrap();
    let mut core = core.to_vec();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&core)
        .and_then(|mut encoder| encoder.encode())
        .unwrap()
}

/// Returns the example tools, in the folder that `BAILIWICK_TOOLS` names; without it, none.
pub(super) fn examples() -> Vec<Vec<u8>> {
    let folder = std::env::var_os("BAILIWICK_TOOLS").map(PathBuf::from);
    let read = |name: &str| fs::read(folder.as_ref()?.join(name)).ok();
    ["whoami.wasm", "orders.wasm"]
        .into_iter()
        .filter_map(read)
        .collect()
}

/// Returns the first core module in a component, and what comes before and after its section.
pub(super) fn parts(component: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut at = 8;
    while let Some(id) = component.get(at) {
        let (size, digits) = number(component.get(at + 1..)?)?;
        let start = at + 1 + digits;
        let content = component.get(start..start.checked_add(size)?)?;
        if *id == MODULE {
            return Some((
                component.get(..at)?,
                content,
                component.get(start + size..)?,
            ));
        }
        at = start + size;
    }
    None
}

/// Returns `before`, a section with `module`, and `after`.
pub(super) fn joined(before: &[u8], module: &[u8], after: &[u8]) -> Vec<u8> {
    let mut all = before.to_vec();
    all.push(MODULE);
    let mut rest = module.len();
    while rest >= 0x80 {
        all.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    all.push(u8::try_from(rest).unwrap());
    [&all, module, after].concat()
}

/// Reads a number in LEB128; returns it with its length in bytes.
fn number(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The id of a section with a core module.
const MODULE: u8 = 1;

/// One tool, `small`, that describes itself from its data segment and fails when called.
const CORE: &str = r#"(module
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
        (global.get $free)
        (global.set $free (i32.add (global.get $free) (local.get 3))))
    (func (export "bailiwick:tool/tools@0.2.0#describe") (result i32) (i32.const 0))
    (func (export "bailiwick:tool/tools@0.2.0#call")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
    (data (i32.const 0) "\10\00\00\00\01\00\00\00")
    (data (i32.const 16)
        "\80\00\00\00\05\00\00\00" "\00\00\00\00\00\00\00\00\00\00\00\00"
        "\80\00\00\00\05\00\00\00" "\a0\00\00\00\2e\00\00\00")
    (data (i32.const 128) "small")
    (data (i32.const 160) "{\"type\":\"object\",\"additionalProperties\":false}"))"#;

/// One component for each proposal that tools do not get.
pub(in super::super) const PROPOSALS: &[(&str, &str)] = &[
    ("threads", "(component (core module (memory 1 1 shared)))"),
    (
        "threads",
        "(component (core module (memory 1) (func (drop (i32.atomic.load (i32.const 0))))))",
    ),
    (
        "garbage collection",
        "(component (core module (type (struct (field i32)))))",
    ),
    (
        "garbage collection",
        "(component (core module (func (param i31ref))))",
    ),
    ("memory64", "(component (core module (memory i64 1)))"),
    (
        "memory64",
        "(component (core module (table i64 1 funcref)))",
    ),
    ("exceptions", "(component (core module (tag (param i32))))"),
    (
        "exceptions",
        "(component (core module (func (param exnref))))",
    ),
    (
        "relaxed simd",
        "(component (core module (func (param v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))",
    ),
    (
        "stack switching",
        "(component (core module (type $f (func)) (type (cont $f))))",
    ),
    (
        "custom page sizes",
        "(component (core module (memory 1 (pagesize 1))))",
    ),
    (
        "wide arithmetic",
        "(component (core module (func (param i64) (result i64 i64)
            (i64.mul_wide_u (local.get 0) (local.get 0)))))",
    ),
    (
        "compact imports",
        r#"(component (core module (import "m" (item "a" (func)) (item "b" (global i32)))))"#,
    ),
    (
        "compact imports",
        r#"(component (core module (import "m" (item "a") (item "b") (func))))"#,
    ),
    (
        "shared-everything threads",
        "(component (core module (global (shared i32) (i32.const 0))))",
    ),
    (
        "asynchronous components",
        "(component (import \"f\" (func async)))",
    ),
    ("asynchronous components", "(component (type (stream u8)))"),
    ("asynchronous components", "(component (type (future u8)))"),
    (
        "asynchronous components",
        "(component (core func (canon task.cancel)))",
    ),
    (
        "asynchronous components",
        "(component (core func (canon backpressure.inc)))",
    ),
    ("error contexts", "(component (type error-context))"),
    (
        "threads in components",
        "(component (core func (canon thread.index)))",
    ),
    ("fixed-length lists", "(component (type (list u8 4)))"),
    (
        "values in components",
        "(component (import \"v\" (value string)))",
    ),
];

#[test]
fn a_component_is_taken_apart_and_put_together() {
    let small = small();
    let (before, module, after) = parts(&small).unwrap();
    assert!(module.starts_with(b"\0asm\x01"));
    assert_eq!(joined(before, module, after), small);
    assert!(small.len() <= 8 << 10, "{}", small.len());
}
