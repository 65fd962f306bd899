//! Types that are short in a file and large for a reader.
//!
//! The engine's own parser takes both files: the first overflows its stack, the second costs it a
//! second for 4 KB. The check has a later parser, which refuses them.

use super::super::structure::{StructureError, check};

#[test]
fn types_that_nest_deeply_are_refused_without_a_stack_for_them() {
    for levels in [101, 300_000] {
        // Each level is an instance type with one declaration, a type.
        let nested = [[0x42, 1, 1].repeat(levels), vec![0x42, 0]].concat();
        let file = component(&section(TYPES, &items(&[nested])));
        let refused = check(&file);
        assert!(
            matches!(&refused, Err(StructureError::Malformed { cause, .. }) if cause.contains("nesting")),
            "{levels} levels: {refused:?}"
        );
    }
}

#[test]
fn a_large_type_is_not_read_again_for_each_of_its_names() {
    // Each type is a pair of the one before, the first a pair of characters.
    let pairs: Vec<Vec<u8>> = (0..18_u8)
        .map(|index| match index.checked_sub(1) {
            None => vec![0x6f, 2, 0x74, 0x74],
            Some(before) => vec![0x6f, 2, before, before],
        })
        .collect();
    let types = section(TYPES, &items(&pairs));
    let named = |times: usize| {
        // Names the last type, of the component one level further out.
        let names = items(&vec![vec![0x03, 0x02, 1, 17]; times]);
        let inner = component(&section(ALIASES, &names));
        component(&[types.clone(), section(COMPONENT, &inner)].concat())
    };
    assert_eq!(check(&named(1)), Ok(()));
    for times in [100, 1_000] {
        let refused = check(&named(times));
        assert!(
            matches!(&refused, Err(StructureError::Invalid { cause, .. }) if cause.contains("size")),
            "{times} names: {refused:?}"
        );
    }
}

/// The sections of a component by number (Component Model, Binary.md).
const COMPONENT: u8 = 4;
const ALIASES: u8 = 6;
const TYPES: u8 = 7;

fn component(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0", sections].concat()
}

fn section(kind: u8, contents: &[u8]) -> Vec<u8> {
    [vec![kind], number(contents.len()), contents.to_vec()].concat()
}

fn items(all: &[Vec<u8>]) -> Vec<u8> {
    [number(all.len()), all.concat()].concat()
}

/// Returns a number in LEB128.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}
