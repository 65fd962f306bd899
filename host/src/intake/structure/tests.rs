#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    reason = "a test whose material cannot be made has failed, and material is made in one line"
)]

use super::super::campaigns::material::PROPOSALS;
use super::caps::Item;
use super::*;

fn refused(wat: &str) -> StructureError {
    let bytes = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    check(&bytes).expect_err("it passes")
}

/// Returns a core module in a component.
fn module(inside: &str) -> String {
    format!("(component (core module {inside}))")
}

/// Returns a function in a core module in a component.
fn function(inside: &str) -> String {
    module(&format!("(func {inside})"))
}

#[test]
fn what_is_no_component_is_told_by_what_it_is() {
    for (bytes, what) in [
        (&b""[..], "not a WebAssembly component"),
        (b"\0asm", "version"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"\0asm\x0d\0\0\0", "version"),
        (b"\x7fELF\x02\x01\x01", "precompiled"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"(component)", "text"),
        (b"#!/bin/sh", "not a WebAssembly component"),
    ] {
        let error = check(bytes).expect_err("it passes").to_string();
        assert!(error.contains(what), "{bytes:?}: {error}");
    }
    assert_eq!(check(b"\0asm\x0d\0\x01\0"), Ok(()));
    let precompiled = wasmtime::Engine::default()
        .precompile_component(b"\0asm\x0d\0\x01\0")
        .unwrap();
    assert!(matches!(check(&precompiled), Err(StructureError::Kind(_))));
}

fn times(count: u64, text: &str) -> String {
    text.repeat(usize::try_from(count).unwrap())
}

/// One more than the cap.
fn over(item: Item) -> u64 {
    item.cap().1 + 1
}

/// Components that have too much.
fn too_much_in_components() -> Vec<(Item, String)> {
    vec![
        (
            Item::Modules,
            format!(
                "(component {})",
                times(over(Item::Modules), "(core module)")
            ),
        ),
        (
            Item::Components,
            format!(
                "(component {})",
                times(over(Item::Components), "(component)")
            ),
        ),
        (
            Item::Depth,
            format!(
                "{}{}",
                times(over(Item::Depth), "(component "),
                times(over(Item::Depth), ")")
            ),
        ),
        (
            Item::Instances,
            format!(
                "(component (core module $m) {})",
                times(over(Item::Instances), "(core instance (instantiate $m))")
            ),
        ),
        (
            Item::ComponentInstances,
            format!(
                "(component {})",
                times(over(Item::ComponentInstances), "(instance)")
            ),
        ),
        (
            Item::ComponentTypes,
            format!(
                "(component {})",
                times(over(Item::ComponentTypes), "(type (list u8))")
            ),
        ),
        (
            Item::ComponentTypes,
            format!(
                "(component (type (instance {})))",
                times(over(Item::ComponentTypes), "(type (list u8))")
            ),
        ),
        (
            Item::Aliases,
            format!(
                r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m)) {})"#,
                times(
                    over(Item::Aliases),
                    r#"(alias core export $i "f" (core func))"#
                )
            ),
        ),
        (
            Item::Canonicals,
            format!(
                r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m)) (type $t (func))
                (alias core export $i "f" (core func $f)) {})"#,
                times(
                    over(Item::Canonicals),
                    "(func (type $t) (canon lift (core func $f)))"
                )
            ),
        ),
        (
            Item::ComponentExterns,
            format!(
                "(component {})",
                (0..over(Item::ComponentExterns))
                    .map(|at| format!(r#"(import "i{at}" (func))"#))
                    .collect::<String>()
            ),
        ),
        (
            Item::CustomBytes,
            format!(
                r#"(component (@custom "x" "{}"))"#,
                times(over(Item::CustomBytes), "x")
            ),
        ),
        (
            Item::Sections,
            format!(
                "(component {})",
                times(over(Item::Sections), r#"(@custom "x" "")"#)
            ),
        ),
    ]
}

/// Modules that have too much.
fn too_much_in_modules() -> Vec<(Item, String)> {
    vec![
        (
            Item::Types,
            module(&times(over(Item::Types), "(type (func))")),
        ),
        (
            Item::Imports,
            module(&times(
                over(Item::Imports),
                r#"(import "" "" (global i32))"#,
            )),
        ),
        (
            Item::Exports,
            module(&format!(
                "(func $f) {}",
                (0..over(Item::Exports))
                    .map(|at| format!(r#"(export "{at}" (func $f))"#))
                    .collect::<String>()
            )),
        ),
        (
            Item::Functions,
            module(&times(over(Item::Functions), "(func)")),
        ),
        (
            Item::Globals,
            module(&times(over(Item::Globals), "(global i32 (i32.const 0))")),
        ),
        (
            Item::Tables,
            module(&times(over(Item::Tables), "(table 0 funcref)")),
        ),
        (
            Item::TableElements,
            module(&format!("(table {} funcref)", over(Item::TableElements))),
        ),
        (
            Item::Memories,
            module(&times(over(Item::Memories), "(memory 0)")),
        ),
        (
            Item::MemoryPages,
            module(&format!("(memory {})", over(Item::MemoryPages))),
        ),
        (
            Item::ElementSegments,
            module(&times(over(Item::ElementSegments), "(elem func)")),
        ),
        (
            Item::Elements,
            module(&format!(
                "(func $f) (elem func {})",
                times(over(Item::Elements), " $f")
            )),
        ),
        (
            Item::DataSegments,
            module(&times(over(Item::DataSegments), "(data)")),
        ),
        (
            Item::ConstantBytes,
            module(&format!(
                "(global i32 (i32.const 0) {})",
                times(40, "(i32.const 0) i32.add")
            )),
        ),
        (
            Item::Values,
            module(&format!(
                "(type (func (param {})))",
                times(over(Item::Values), " i32")
            )),
        ),
    ]
}

/// Functions that have too much.
fn too_much_in_code() -> Vec<(Item, String)> {
    vec![
        (
            Item::BodyBytes,
            function(&times(over(Item::BodyBytes), " nop")),
        ),
        (
            Item::Locals,
            function(&format!("(local {})", times(over(Item::Locals), " i32"))),
        ),
        (
            Item::Nesting,
            function(&format!(
                "{}{}",
                times(over(Item::Nesting), "block "),
                times(over(Item::Nesting), "end ")
            )),
        ),
        (
            Item::Loops,
            function(&times(over(Item::Loops), "loop end ")),
        ),
        (
            Item::Targets,
            function(&format!(
                "(br_table {} (i32.const 0))",
                times(over(Item::Targets) + 1, " 0")
            )),
        ),
    ]
}

#[test]
fn more_of_anything_than_its_cap_is_refused_with_what_was_found() {
    let cases = [
        too_much_in_components(),
        too_much_in_modules(),
        too_much_in_code(),
    ];
    for (item, wat) in cases.concat() {
        let (what, most) = item.cap();
        let error = refused(&wat);
        let StructureError::TooMuch {
            what: told,
            found,
            most: cap,
            ..
        } = &error
        else {
            panic!("{item:?}: {error}")
        };
        assert_eq!((*told, *cap), (what, most), "{item:?}: {error}");
        assert!(*found > most && *found <= most * 8, "{error}");
    }
}

#[test]
fn what_the_validator_says_in_two_lines_is_told_in_one() {
    let told = refused(r#"(component (import "a:b/c:d" (func)))"#).to_string();
    assert!(told.contains("is not a valid extern name: "), "{told}");
    assert!(!told.contains(['\n', '\u{fffd}']), "{told}");
}

#[test]
fn instructions_that_move_many_values_count_as_many_steps() {
    let wide = |body: &str| {
        let results = " i32".repeat(200);
        wat::parse_str(module(&format!(
            "(type $t (func (result {results}))) (func $f (type $t) unreachable) {body}"
        )))
        .unwrap()
    };
    let steps = |body: &str| walk::walk(&wide(body)).unwrap().of(Item::Steps);
    let without = steps("");
    for (body, at_least) in [
        ("(func (call $f) unreachable)", 200),
        (
            "(func (i32.const 0) (call_indirect (type $t)) unreachable) (table 0 funcref)",
            200,
        ),
        ("(func (block (type $t) unreachable) unreachable)", 400),
        ("(func (block (type $t) (br 0)) unreachable)", 600),
        (
            "(func (block (type $t) (br_table 0 0 0 0 (i32.const 0))) unreachable)",
            1_200,
        ),
        ("(func (type $t) (return (call $f)))", 600),
        (
            "(func loop end loop end loop end loop end loop end loop end loop end loop end loop end)",
            45,
        ),
    ] {
        let more = steps(body) - without;
        assert!((at_least..at_least + 30).contains(&more), "{body}: {more}");
    }
}

#[test]
fn what_tools_do_not_need_is_not_valid() {
    for (proposal, wat) in PROPOSALS {
        let error = refused(wat);
        assert!(
            matches!(
                error,
                StructureError::Invalid { .. } | StructureError::Malformed { .. }
            ),
            "{proposal}: {error}"
        );
    }
}

#[test]
fn an_async_component_is_refused_with_what_to_change() {
    let error = refused("(component (core func (canon task.cancel)))").to_string();
    assert!(
        error.contains("async feature; tools are not async"),
        "{error}"
    );
    let other = refused(&function("(drop (i32.const 0)) (drop)")).to_string();
    assert!(!other.contains("async"), "{other}");
}

#[test]
fn what_tools_need_is_valid() {
    for wat in [
        "(func (param v128) (result v128) (i8x16.add (local.get 0) (local.get 0)))",
        "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(table 1 funcref) (func (result funcref) (table.get (i32.const 0)))",
        "(func $f (result i32 i32) (return_call $f))",
        "(memory 1) (memory 1)",
        "(import \"\" \"\" (global i32)) (global i32 (i32.add (global.get 0) (i32.const 1)))",
        "(func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))",
        "(func (param i32) (result i32) (i32.extend8_s (local.get 0)))",
        "(global (mut i32) (i32.const 0)) (export \"g\" (global 0))",
    ] {
        assert_eq!(
            check(&wat::parse_str(module(wat)).unwrap()),
            Ok(()),
            "{wat}"
        );
    }
}
