//! Guests that use parts of WebAssembly that a host should have turned off, and some that it should
//! not.

use super::{Case, Guest, NOT_LOADABLE, harmless, refused};

pub(super) fn cases() -> Vec<Case> {
    [core(), component(), ordinary()].concat()
}

fn core() -> Vec<Case> {
    let module = |name, does, fields: &str| {
        let more = format!("  (core module $other {fields})");
        refused(name, does, NOT_LOADABLE, Guest::new().fill("more", more))
    };
    vec![
        module(
            "memory64",
            "Has a memory with 64-bit addresses.",
            "(memory i64 1)",
        ),
        module(
            "memory64-of-16-eib",
            "Has a 64-bit memory of all there can be.",
            "(memory i64 0x1000000000000)",
        ),
        module(
            "table64",
            "Has a table with 64-bit addresses.",
            "(table i64 1 funcref)",
        ),
        module(
            "shared-memory",
            "Has a memory that threads could share, and with it a clock.",
            "(memory 1 1 shared)",
        ),
        module(
            "atomics",
            "Waits for another thread.",
            "(memory 1 1 shared)
             (func (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))",
        ),
        module(
            "small-pages",
            "Has a memory whose pages are single bytes.",
            "(memory 1 (pagesize 1))",
        ),
        module(
            "garbage-collection",
            "Has structures for a garbage collector.",
            "(type (struct (field i32))) (func (drop (struct.new 0 (i32.const 1))))",
        ),
        module(
            "arrays",
            "Has an array of 2^31 for a garbage collector.",
            "(type $a (array i8)) (func (drop (array.new_default $a (i32.const 0x7fffffff))))",
        ),
        module(
            "external-references",
            "Passes references of the host's around.",
            "(table 4 externref) (func (param externref) (result externref) (local.get 0))",
        ),
        module(
            "exceptions",
            "Throws an exception.",
            "(tag $t) (func (throw $t))",
        ),
        module(
            "relaxed-simd",
            "Computes what differs from processor to processor.",
            "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
        ),
        module(
            "wide-arithmetic",
            "Multiplies to 128 bits.",
            "(func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 1)))",
        ),
        module(
            "stack-switching",
            "Has a continuation.",
            "(type $f (func)) (type $c (cont $f)) (func $g) (elem declare func $g) (func (drop (cont.new $c (ref.func $g))))",
        ),
    ]
}

fn component() -> Vec<Case> {
    let more =
        |name, does, text: &str| refused(name, does, NOT_LOADABLE, Guest::new().fill("more", text));
    vec![
        refused(
            "async-tool",
            "Has a tool that may give way and never come back.",
            NOT_LOADABLE,
            Guest::new()
                .fill(
                    "call-options",
                    " async (callback (core func $main \"callback\"))",
                )
                .main(
                    "(func (export \"callback\") (param i32 i32 i32) (result i32) (i32.const 1))",
                ),
        ),
        more(
            "task-return",
            "Returns from a task.",
            "  (core func (canon task.return (result u32)))",
        ),
        more(
            "futures",
            "Makes a future.",
            "  (type $f (future u32)) (core func (canon future.new $f))",
        ),
        more(
            "streams",
            "Makes a stream.",
            "  (type $s (stream u8)) (core func (canon stream.new $s))",
        ),
        more(
            "waitable-sets",
            "Waits for several things.",
            "  (core func (canon waitable-set.new))",
        ),
        more(
            "back-pressure",
            "Refuses to be called.",
            "  (core func (canon backpressure.inc))",
        ),
        more(
            "threads",
            "Starts a thread.",
            "  (core type $f (shared (func (param i32)))) (core func (canon thread.spawn-ref $f))",
        ),
        more(
            "error-contexts",
            "Makes an error context.",
            "  (core func (canon error-context.new (memory $memory)))",
        ),
    ]
}

/// Returns guests with features that real tools use.
fn ordinary() -> Vec<Case> {
    let fine = |name, does, guest| harmless(name, does, "ok", guest);
    vec![
        fine(
            "simd",
            "Computes with vectors, as compilers do.",
            Guest::new()
                .call("(drop (i32x4.extract_lane 0 (i32x4.add (v128.const i64x2 1 2) (v128.const i64x2 3 4))))"),
        ),
        fine(
            "tail-calls",
            "Calls at the tail a hundred thousand times.",
            Guest::new()
                .main(
                    "(func $down (param i32)
                       (if (local.get 0) (then (return_call $down (i32.sub (local.get 0) (i32.const 1))))))",
                )
                .call("(call $down (i32.const 100000))"),
        ),
        fine(
            "two-memories",
            "Has a memory of its own beside the one that it shares.",
            Guest::new().main("(memory $own 1)").call("(i32.store $own (i32.const 0) (i32.const 1))"),
        ),
    ]
}
