//! Links the modules of a component into one.
//!
//! The tools of some languages link a program when it is loaded: `CPython` and `QuickJS` come as a
//! module with the memory and the table, and one for each library. So each call makes an instance
//! of each library, and writes every function of a library into the table that all share; for
//! `CPython` that took almost half of a fresh instance's time. Functions that one module writes
//! into its own table cost nothing until they are called.
//!
//! Invariant: the result is valid and has the imports, exports and functions of the component that
//! it was made from, and does the same. Nothing runs while the instances are made, and what stays
//! outside writes after all others, so they can be made at once. A component of another shape stays
//! as it is.

mod elements;
mod level;
mod members;
mod module;
mod used;
mod write;

use std::borrow::Cow;

use wasmparser::{Validator, WasmFeatures};

use level::ComponentLevel;
use members::Members;

/// Returns the component with its modules linked; `None` if there is nothing to link, or it has a
/// shape that no language's tool makes.
pub(super) fn linked(component: &[u8]) -> Option<Vec<u8>> {
    // What is not valid would become something that is.
    is_valid(component).then_some(())?;
    match link(component)? {
        Cow::Owned(linked) => is_valid(&linked).then_some(linked),
        Cow::Borrowed(_) => None,
    }
}

fn is_valid(component: &[u8]) -> bool {
    let features = WasmFeatures::default().difference(WasmFeatures::GC);
    let mut validator = Validator::new_with_features(features);
    validator.validate_all(component).is_ok()
}

/// Links a component, after those that it contains.
fn link(component: &[u8]) -> Option<Cow<'_, [u8]>> {
    let level = ComponentLevel::of(component, link)?;
    if level.numbered {
        return (!level.changed).then_some(Cow::Borrowed(component));
    }
    let members = if level.starts {
        Members::default()
    } else {
        Members::of(&level)?
    };
    if level.changed || members.list.len() > 1 {
        return write::write(&level, &members).map(Cow::Owned);
    }
    Some(Cow::Borrowed(component))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use wasmparser::{Parser, Payload};
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    use super::super::testing::{IN_MEMORY, MODULE, encoded, modules, run};
    use super::linked;

    /// Returns a program and its library, which share a memory and a table; with these parts
    /// beside.
    fn program(beside: &str, library: &str) -> Vec<u8> {
        let text = PROGRAM.replace("BESIDE", beside);
        wat::parse_str(text.replace("LIBRARY", library)).unwrap()
    }

    /// Runs the program once; returns its answer.
    fn answer(component: &[u8]) -> u32 {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, component).unwrap();
        let mut linker = Linker::<()>::new(&engine);
        let mut root = linker.root();
        root.func_wrap("times", |_, ()| Ok((3_u32,))).unwrap();
        let count = |_: wasmtime::StoreContextMut<'_, ()>, (text,): (String,)| {
            Ok((u32::try_from(text.len())?,))
        };
        root.func_wrap("count", count).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run");
        run.unwrap().call(&mut store, ()).unwrap().0
    }

    /// Returns the number of modules that write into tables.
    fn written(component: &[u8]) -> usize {
        let payloads = Parser::new(0).parse_all(component);
        let elements = |payload: &Result<Payload<'_>, _>| matches!(payload, Ok(Payload::ElementSection(section)) if section.count() > 0);
        payloads.filter(elements).count()
    }

    #[test]
    fn a_program_and_its_library_become_one_module_that_does_the_same() {
        let apart = program("", "");
        let one = linked(&apart).unwrap();
        assert_eq!((modules(&apart), modules(&one)), (2, 1));
        assert_eq!((answer(&apart), answer(&one)), (15, 15));
    }

    #[test]
    fn what_uses_the_memory_stays_beside_and_gives_up_the_functions_of_others() {
        for (more, tables) in [("", 1), ("(elem (i32.const 5) func $count)", 2)] {
            let apart = program(&FILLING.replace("MORE", more), "");
            let one = linked(&apart).unwrap();
            assert_eq!((modules(&apart), modules(&one)), (3, 2));
            // The last module writes another function over one of the library.
            assert_eq!((answer(&apart), answer(&one)), (19, 19));
            assert_eq!((written(&apart), written(&one)), (2, tables));
        }
    }

    #[test]
    fn a_component_with_detours_is_linked_as_well() {
        let usual = encoded(&MODULE.replace("ALLOCATE", IN_MEMORY));
        let one = linked(&usual).unwrap();
        assert_eq!((modules(&usual), modules(&one)), (3, 2));
        assert_eq!((run(&usual), run(&one)), ("hohoho".into(), "hohoho".into()));
    }

    #[test]
    fn a_component_within_another_is_linked_as_well() {
        let program = PROGRAM.replacen("(component", "(component $inner", 1);
        let program = program.replace("BESIDE", "").replace("LIBRARY", "");
        let inner = wat::parse_str(NESTED.replace("PROGRAM", &program)).unwrap();
        let one = linked(&inner).unwrap();
        assert_eq!((modules(&inner), modules(&one)), (2, 1));
        assert_eq!((answer(&inner), answer(&one)), (15, 15));
    }

    /// Runs a component; returns its answer, if it has one, and the numbers that it logged.
    fn done(component: &[u8]) -> (Option<u32>, Vec<u32>) {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, component).unwrap();
        let mut linker = Linker::<Vec<u32>>::new(&engine);
        let mut root = linker.root();
        root.func_wrap("count", |_, (_,): (String,)| Ok((3_u32,)))
            .unwrap();
        let log = |mut store: wasmtime::StoreContextMut<'_, Vec<u32>>, (number,): (u32,)| {
            store.data_mut().push(number);
            Ok(())
        };
        root.func_wrap("log", log).unwrap();
        let mut store = Store::new(&engine, Vec::new());
        let made = linker.instantiate(&mut store, &component);
        let answer = made.ok().and_then(|instance| {
            let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run");
            let answer = run.unwrap().call(&mut store, ());
            answer.ok().map(|(answer,)| answer)
        });
        (answer, store.into_data())
    }

    #[test]
    fn a_component_does_linked_what_it_did_or_stays_as_it_is() {
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        for (name, text, links) in CASES {
            let apart = wat::parse_str(text).unwrap();
            let one = linked(&apart);
            if let Some(one) = &one {
                assert_eq!(done(&apart), done(one), "{name}");
            }
            found.push((name, one.is_some()));
            expected.push((name, links));
        }
        assert_eq!(found, expected, "which are linked");
    }

    #[test]
    fn what_has_another_shape_stays_as_it_is() {
        for (what, component) in [
            ("a start", program("", "(start $begin) (func $begin)")),
            ("a tag", program("", "(tag)")),
            ("a module's function in a type", program(RESOURCE, "")),
            ("one module", wat::parse_str(ALONE).unwrap()),
            ("none", wat::parse_str("(component)").unwrap()),
            ("no component", wat::parse_str("(module)").unwrap()),
            ("nothing", b"#!/bin/sh".to_vec()),
        ] {
            assert!(linked(&component).is_none(), "{what}");
        }
    }

    /// Components that do something else if they are linked carelessly, and whether they are
    /// linked.
    const CASES: [(&str, &str, bool); 24] = [
        ("cycle", include_str!("linked/cases/cycle.wat"), false),
        (
            "data-between",
            include_str!("linked/cases/data-between.wat"),
            false,
        ),
        (
            "elem-index",
            include_str!("linked/cases/elem-index.wat"),
            false,
        ),
        (
            "elem-kept",
            include_str!("linked/cases/elem-kept.wat"),
            false,
        ),
        (
            "elem-taken",
            include_str!("linked/cases/elem-taken.wat"),
            false,
        ),
        ("extconst", include_str!("linked/cases/extconst.wat"), true),
        ("extsub", include_str!("linked/cases/extsub.wat"), false),
        (
            "i64global",
            include_str!("linked/cases/i64global.wat"),
            false,
        ),
        (
            "invalid-types",
            include_str!("linked/cases/invalid-types.wat"),
            false,
        ),
        (
            "liftbefore",
            include_str!("linked/cases/liftbefore.wat"),
            false,
        ),
        (
            "mixedelem",
            include_str!("linked/cases/mixedelem.wat"),
            false,
        ),
        (
            "mutshared",
            include_str!("linked/cases/mutshared.wat"),
            true,
        ),
        ("nested", include_str!("linked/cases/nested.wat"), true),
        (
            "nested-start",
            include_str!("linked/cases/nested-start.wat"),
            false,
        ),
        (
            "oobelem-trap",
            include_str!("linked/cases/oobelem-trap.wat"),
            true,
        ),
        ("rec", include_str!("linked/cases/rec.wat"), false),
        (
            "reexported-table",
            include_str!("linked/cases/reexported-table.wat"),
            true,
        ),
        ("res", include_str!("linked/cases/res.wat"), true),
        (
            "simd-tail",
            include_str!("linked/cases/simd-tail.wat"),
            true,
        ),
        (
            "start-between",
            include_str!("linked/cases/start-between.wat"),
            false,
        ),
        (
            "start-order",
            include_str!("linked/cases/start-order.wat"),
            false,
        ),
        (
            "start-trap",
            include_str!("linked/cases/start-trap.wat"),
            false,
        ),
        (
            "trap-before-nested",
            include_str!("linked/cases/trap-before-nested.wat"),
            false,
        ),
        ("typed", include_str!("linked/cases/typed.wat"), true),
    ];

    const PROGRAM: &str = r#"(component
        (import "times" (func $times (result u32)))
        (import "count" (func $count (param "text" string) (result u32)))
        (core module $main
            (memory (export "memory") 1)
            (table (export "table") 8 funcref)
            (global (export "base") i32 (i32.const 2)))
        (core module $library
            (import "env" "memory" (memory 1))
            (import "env" "table" (table 2 funcref))
            (import "env" "base" (global $base i32))
            (import "host" "times" (func $times (result i32)))
            (type $plain (func (result i32)))
            (global $next i32 (i32.add (global.get $base) (i32.const 1)))
            (elem (global.get $base) func $seven $times)
            (data (i32.const 8) "\05")
            (func $seven (result i32) (i32.const 7))
            (func (export "eleven") (result i32) (i32.const 11))
            (func (export "drop") (param i32))
            (func (export "run") (result i32)
                (i32.add
                    (i32.add
                        (call_indirect (type $plain) (global.get $base))
                        (call_indirect (type $plain) (global.get $next)))
                    (i32.load8_u (i32.const 8))))
            LIBRARY)
        (core instance $main (instantiate $main))
        (core func $times' (canon lower (func $times)))
        (core instance $host (export "times" (func $times')))
        (alias core export $main "memory" (core memory $memory))
        (alias core export $main "table" (core table $table))
        (alias core export $main "base" (core global $base))
        (core instance $env
            (export "memory" (memory $memory))
            (export "table" (table $table))
            (export "base" (global $base)))
        (core instance $library
            (instantiate $library (with "env" (instance $env)) (with "host" (instance $host))))
        BESIDE
        (func (export "run") (result u32) (canon lift (core func $library "run"))))"#;

    /// A module with a function that uses the memory, and functions of others for their table.
    const FILLING: &str = r#"
        (core func $count' (canon lower (func $count) (memory $memory)))
        (core instance $actual (export "count" (func $count')))
        (core module $filling
            (import "actual" "count" (func $count (param i32 i32) (result i32)))
            (import "library" "eleven" (func $eleven (result i32)))
            (import "main" "table" (table 2 funcref))
            (elem (i32.const 2) func $eleven)
            MORE)
        (core instance
            (instantiate $filling
                (with "actual" (instance $actual))
                (with "library" (instance $library))
                (with "main" (instance $main))))"#;

    const RESOURCE: &str = r#"
        (alias core export $library "drop" (core func $drop))
        (type (resource (rep i32) (dtor (func $drop))))"#;

    const NESTED: &str = r#"(component
        (import "times" (func $times (result u32)))
        (import "count" (func $count (param "text" string) (result u32)))
        PROGRAM
        (instance $inner
            (instantiate $inner (with "times" (func $times)) (with "count" (func $count))))
        (export "run" (func $inner "run")))"#;

    const ALONE: &str = r#"(component
        (core module $alone (func (export "run")))
        (core instance (instantiate $alone)))"#;
}
