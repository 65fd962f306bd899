//! Generated components: valid or nearly so, of shapes that no compiler emits.

use std::panic::catch_unwind;

use arbitrary::Unstructured;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi};

use super::bench::Bench;
use super::material::{joined, parts, small};
use crate::campaign::{Campaign, bytes};

#[test]
fn generated_components_are_answered() {
    let bench = Bench::new();
    Campaign::new("components").run(|seed| {
        let random = bytes(seed, 4 << 10);
        // A case that the generator itself cannot make is not the loader's fault.
        let made = catch_unwind(|| {
            wasm_smith::Component::new(config(&random), &mut Unstructured::new(&random))
        });
        let Ok(Ok(component)) = made else {
            return "nothing made";
        };
        compiled(&bench, &component.to_bytes())
    });
}

#[test]
fn generated_modules_inside_a_component_are_answered() {
    let bench = Bench::new();
    let small = small();
    let (before, _, after) = parts(&small).unwrap();
    Campaign::new("modules").run(|seed| {
        let random = bytes(seed, 16 << 10);
        let made = wasm_smith::Module::new(config(&random), &mut Unstructured::new(&random[1..]));
        let Ok(module) = made else {
            return "nothing made";
        };
        let module = module.to_bytes();
        // The parts do not fit together, which is refused; alone in a component, the module is
        // compiled.
        bench.fate(&joined(before, &module, after));
        compiled(&bench, &joined(b"\0asm\x0d\0\x01\0", &module, b""))
    });
}

#[test]
fn generated_worlds_are_answered() {
    let bench = Bench::new();
    Campaign::new("worlds").run(|seed| {
        let random = bytes(seed, 4 << 10);
        let config = wit_smith::Config {
            async_: random[0].is_multiple_of(4),
            ..wit_smith::Config::default()
        };
        let made = catch_unwind(|| {
            let package = wit_smith::smith(&config, &mut Unstructured::new(&random[1..])).ok()?;
            world(&package)
        });
        let Ok(Some(component)) = made else {
            return "nothing made";
        };
        compiled(&bench, &component)
    });
}

/// Returns the fate of `bytes` before anything is compiled and, if only the world speaks against
/// them, the result of compiling.
fn compiled(bench: &Bench, bytes: &[u8]) -> &'static str {
    match bench.fate(bytes) {
        "not of the world" => bench
            .compile(bytes)
            .map_or("refused by the engine", |()| "loaded"),
        fate => fate,
    }
}

/// Returns a component of the first world in a package, with empty functions.
fn world(package: &[u8]) -> Option<Vec<u8>> {
    let decoded = wit_component::decode(package).ok()?;
    let resolve = decoded.resolve();
    let world = resolve.worlds.iter().map(|(id, _)| id).next_back()?;
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).ok()?;
    ComponentEncoder::default()
        .module(&module)
        .ok()?
        .encode()
        .ok()
}

/// Returns settings with which most cases pass the validator, and the others contain everything
/// else.
fn config(random: &[u8]) -> wasm_smith::Config {
    let wild = random.first().is_some_and(|byte| byte.is_multiple_of(8));
    wasm_smith::Config {
        threads_enabled: wild,
        gc_enabled: wild,
        exceptions_enabled: wild,
        memory64_enabled: wild,
        relaxed_simd_enabled: wild,
        wide_arithmetic_enabled: wild,
        custom_page_sizes_enabled: wild,
        max_memory32_bytes: 16 << 20,
        max_table_elements: 1_000,
        max_instructions: 2_000,
        max_memories: 3,
        max_tables: 3,
        ..wasm_smith::Config::default()
    }
}
