//! Good components made bad: cut, with a bit flipped, with pieces moved about.

use std::time::{Duration, Instant};

use super::super::structure::check;
use super::bench::{Bench, PASSES, fate};
use super::material::{examples, joined, parts, small};
use crate::campaign::{Campaign, bytes, worked};

#[test]
fn a_small_component_loads_and_every_truncation_of_it_is_refused() {
    let small = small();
    assert_eq!(Bench::new().fate(&small), "loaded");
    let whole: Vec<usize> = (0..small.len())
        .filter(|end| fate(&small[..*end]) == PASSES)
        .collect();
    // Custom sections at the end may be missing.
    assert!(whole.iter().all(|end| small[*end] == 0), "cut at {whole:?}");
    assert!(whole.len() <= 2, "cut at {whole:?}");
}

#[test]
fn bit_flips_of_a_small_component_are_answered_soon_and_a_sample_of_what_passes_is_loaded() {
    let mut changed = small();
    let (mut passed, mut slowest) = (Vec::new(), Duration::ZERO);
    Campaign::new("small flips").through(u64::try_from(changed.len() * 8).unwrap(), |bit| {
        let bit = usize::try_from(bit).unwrap();
        changed[bit / 8] ^= 1 << (bit % 8);
        let before = worked();
        let fate = fate(&changed);
        slowest = slowest.max(worked().saturating_sub(before));
        if fate == PASSES {
            passed.push(bit);
        }
        changed[bit / 8] ^= 1 << (bit % 8);
        fate
    });
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
    let bench = Bench::new();
    let mut loaded = 0;
    for bit in passed.iter().step_by(passed.len() / 100 + 1) {
        changed[bit / 8] ^= 1 << (bit % 8);
        loaded += u32::from(bench.fate(&changed) == "loaded");
        changed[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(loaded > 0, "a flip in a name or a text is harmless");
}

#[test]
fn checking_is_linear_in_the_size() {
    let best = |what: &dyn Fn()| {
        let once = || {
            let started = Instant::now();
            what();
            started.elapsed()
        };
        std::iter::repeat_with(once)
            .take(5)
            .min()
            .unwrap_or_default()
    };
    for component in [vec![small()], examples()].concat() {
        let kib = u32::try_from(component.len() / 1024).unwrap();
        let check = best(&|| assert_eq!(check(&component), Ok(()))) / kib;
        let validate = best(&|| drop(wasmparser::validate(&component))) / kib;
        println!("{kib} KiB: {check:?} for each, of it {validate:?} in the validator");
        assert!(check < Duration::from_millis(20), "{check:?}");
    }
}

#[test]
fn flipped_bits_of_the_example_tools_are_answered() {
    let bench = Bench::new();
    for example in examples().into_iter().take(1) {
        let mut changed = example.clone();
        let mut passed = 0;
        Campaign::new("flips").through(u64::try_from(example.len() * 8).unwrap(), |bit| {
            let bit = usize::try_from(bit).unwrap();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut fate = fate(&changed);
            if fate == PASSES {
                passed += 1;
                if passed <= 20 {
                    fate = bench.fate(&changed);
                }
            }
            changed[bit / 8] ^= 1 << (bit % 8);
            fate
        });
        assert_eq!(changed, example);
    }
}

#[test]
fn components_with_pieces_moved_about_are_answered() {
    let bench = Bench::new();
    let seeds = [vec![small()], examples()].concat();
    Campaign::new("scrambled").run(|seed| {
        let random = bytes(seed, 256);
        let component = &seeds[usize::from(random[0]) % seeds.len()];
        bench.fate(&scrambled(component, &random[1..]))
    });
}

#[test]
fn mutations_of_core_modules_inside_a_component_are_answered() {
    let bench = Bench::new();
    let seeds = [vec![small()], examples()].concat();
    Campaign::new("mutated").run(|seed| {
        let component = &seeds[usize::try_from(seed).unwrap() % seeds.len()];
        let (before, module, after) = parts(component).unwrap();
        let mut mutate = wasm_mutate::WasmMutate::default();
        mutate.seed(seed).fuel(1_000);
        match mutate.run(module).map(|mut mutants| mutants.next()) {
            Ok(Some(Ok(mutant))) => bench.fate(&joined(before, &mutant, after)),
            _ => "no mutant",
        }
    });
}

/// Returns `component` with up to four pieces removed, doubled, moved, or overwritten.
fn scrambled(component: &[u8], random: &[u8]) -> Vec<u8> {
    let mut all = component.to_vec();
    for choice in random.chunks_exact(8).take(1 + usize::from(random[0] % 4)) {
        let place = |at: usize, most: usize| {
            usize::from(u16::from_be_bytes([choice[at], choice[at + 1]])) * most / 65_536
        };
        let (from, to) = (place(1, all.len()), place(3, all.len()));
        let end = (from + 1 + usize::from(choice[5] % 64)).min(all.len());
        let piece = all[from..end].to_vec();
        match choice[0] % 4 {
            0 => drop(all.drain(from..end)),
            1 => drop(all.splice(to..to, piece)),
            2 => all[from] = choice[6],
            _ => {
                let room = (to + piece.len()).min(all.len());
                all[to..room].copy_from_slice(&piece[..room - to]);
            }
        }
    }
    all
}
