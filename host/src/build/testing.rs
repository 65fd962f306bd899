//! Components for the tests, and how they run.

#![expect(clippy::unwrap_used, reason = "tests")]

use wasmparser::{Parser, Payload};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Returns the usual encoding of a module of the world below.
pub(super) fn encoded(module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", WORLD).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().validate(true);
    encoder.module(&module).unwrap().encode().unwrap()
}

/// Runs the component once; returns its answer.
pub(super) fn run(component: &[u8]) -> String {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, component).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    let mut texts = linker.instance("a:b/texts").unwrap();
    let say = |_: wasmtime::StoreContextMut<'_, ()>, (text, times): (String, u32)| {
        Ok((text.repeat(usize::try_from(times)?),))
    };
    texts.func_wrap("say", say).unwrap();
    texts.func_wrap("times", |_, ()| Ok((3_u32,))).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let interface = instance.get_export_index(&mut store, None, "a:b/run");
    let run = instance.get_export_index(&mut store, interface.as_ref(), "run");
    let run = instance.get_typed_func::<(&str,), (String,)>(&mut store, run.unwrap());
    run.unwrap().call(&mut store, ("ho",)).unwrap().0
}

/// Returns the number of modules in a component.
pub(super) fn modules(component: &[u8]) -> usize {
    let payloads = Parser::new(0).parse_all(component);
    payloads
        .filter(|payload| matches!(payload, Ok(Payload::ModuleSection { .. })))
        .count()
}

const WORLD: &str = "package a:b;
    interface texts { say: func(text: string, times: u32) -> string; times: func() -> u32; }
    interface run { run: func(text: string) -> string; }
    world w { import texts; export run; }";

pub(super) const MODULE: &str = r#"(module
    (import "a:b/texts" "say" (func $say (param i32 i32 i32 i32)))
    (import "a:b/texts" "times" (func $times (result i32)))
    (memory (export "memory") 1)
    (global $stack (mut i32) (i32.const 8))
    (data (i32.const 8) "\00\04\00\00")
    (func (export "a:b/run#run") (param i32 i32) (result i32)
        (call $say (local.get 0) (local.get 1) (call $times) (i32.const 16))
        (i32.const 16))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) ALLOCATE))"#;

/// The next free address lies in the memory.
pub(super) const IN_MEMORY: &str = "(local $at i32) (local.set $at (i32.load (i32.const 8)))
    (i32.store (i32.const 8) (i32.add (local.get $at) (local.get 3))) (local.get $at)";
