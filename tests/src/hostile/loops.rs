//! Guests that never end, in every place where a guest runs.

use super::{CPU, Case, Guest, NOT_LOADABLE, TIME, each, ended, misdescribed, refused};

pub(super) fn cases() -> Vec<Case> {
    [plain(), calls(), bulk(), boundary(), unasked()].concat()
}

fn plain() -> Vec<Case> {
    vec![
        ended("loop-in-call", "Branches to itself without calling anything.", CPU, Guest::new().call(FOREVER)),
        ended(
            "loop-through-a-table-of-branches",
            "Goes round through nested blocks and br_table, so that no branch is the obvious one.",
            CPU,
            Guest::new().main("(global $turn (mut i32) (i32.const 0))").call(
                "(loop $again (block $a (block $b (block $c
                   (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
                   (br_table $a $b $c (i32.rem_u (global.get $turn) (i32.const 3))))))
                   (br $again))",
            ),
        ),
        ended(
            "loop-that-asks-for-no-memory",
            "Grows memory by nothing, for ever.",
            CPU,
            Guest::new().call("(loop (drop (memory.grow (i32.const 0))) (br 0))"),
        ),
        ended(
            "loop-that-divides",
            "Computes square roots and divisions, the slowest instructions, for ever.",
            CPU,
            Guest::new()
                .main("(global $x (mut f64) (f64.const 2))")
                .call("(loop (global.set $x (f64.sqrt (f64.div (global.get $x) (f64.const 0.3)))) (br 0))"),
        ),
    ]
}

fn calls() -> Vec<Case> {
    let tree = each(1..64, |level| {
        let below = level - 1;
        format!("(func $f{level} (call $f{below}) (call $f{below}))\n")
    });
    vec![
        ended(
            "loop-without-a-loop",
            "Calls itself at the tail, which takes no stack and no branch.",
            CPU,
            Guest::new()
                .main("(func $forever (return_call $forever))")
                .call("(call $forever)"),
        ),
        ended(
            "loop-of-two",
            "Two functions call each other at the tail through a table.",
            CPU,
            Guest::new()
                .main(
                    "(type $t (func)) (table funcref (elem $ping $pong))
                     (func $ping (type $t) (return_call_indirect (type $t) (i32.const 1)))
                     (func $pong (type $t) (return_call_indirect (type $t) (i32.const 0)))",
                )
                .call("(call $ping)"),
        ),
        ended(
            "calls-that-double",
            "Sixty-four levels of functions that each call the next one twice: no loop, 2^63 calls.",
            CPU,
            Guest::new()
                .main(format!("(func $f0)\n{tree}"))
                .call("(call $f63)"),
        ),
    ]
}

fn bulk() -> Vec<Case> {
    let table = "(table $t 20000 funcref) (elem $e func 0 0 0 0)";
    let bulk = |name, does, code: &str| ended(name, does, CPU, Guest::new().main(table).call(code));
    let memory = |name, does, code: &str| {
        let grown = format!("(drop (memory.grow (i32.const 192)))\n(loop {code} (br 0))");
        ended(name, does, CPU, Guest::new().call(grown))
    };
    vec![
        memory(
            "fill-all-memory-for-ever",
            "Fills 12 MiB with one instruction, again and again.",
            "(memory.fill (i32.const 524288) (i32.const 7) (i32.const 12582912))",
        ),
        memory(
            "copy-all-memory-for-ever",
            "Copies 12 MiB onto itself with one instruction, again and again.",
            "(memory.copy (i32.const 524289) (i32.const 524288) (i32.const 12582911))",
        ),
        bulk(
            "fill-a-table-for-ever",
            "Fills a table of 20,000 with one instruction, again and again.",
            "(loop (table.fill $t (i32.const 0) (ref.func $describe) (i32.const 20000)) (br 0))",
        ),
        bulk(
            "copy-a-table-for-ever",
            "Moves a table of 20,000 by one with one instruction, again and again.",
            "(loop (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 19999)) (br 0))",
        ),
        bulk(
            "init-a-table-for-ever",
            "Initializes table elements again and again.",
            "(loop (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 4)) (br 0))",
        ),
        bulk(
            "grow-a-table-by-nothing-for-ever",
            "Grows a table by nothing, for ever.",
            "(loop (drop (table.grow $t (ref.null func) (i32.const 0))) (br 0))",
        ),
    ]
}

/// Returns guests that loop where the host itself calls them.
fn boundary() -> Vec<Case> {
    vec![
        ended(
            "loop-in-realloc",
            "Never hands out the memory that the host asks for to pass the arguments.",
            CPU,
            Guest::new().fill("realloc", FOREVER),
        ),
        ended(
            "loop-in-realloc-for-a-result",
            "Lets the host pass the arguments, then never hands out memory for a host function's result.",
            CPU,
            Guest::with_host_functions()
                .fill(
                    "realloc",
                    "(if (i32.load (i32.const 8)) (then (loop (br 0))))",
                )
                .call("(i32.store (i32.const 8) (i32.const 1)) (call $get (i32.const 4096))"),
        ),
        ended(
            "loop-after-call",
            "Answers, and then never lets the host go: it loops in the function that cleans up.",
            CPU,
            Guest::new().fill("after-call", FOREVER),
        ),
        ended(
            "wait-for-next-year",
            "Asks the clock until it is next year.",
            TIME,
            Guest::with_host_functions()
                .call("(loop (br_if 0 (i64.lt_u (call $now) (i64.const 99999999999999))))"),
        ),
    ]
}

/// Returns guests that loop before they are called.
fn unasked() -> Vec<Case> {
    let start = "(func $begin (loop (br 0))) (start $begin)";
    vec![
        misdescribed(
            "loop-in-start",
            "Never finishes being instantiated.",
            NOT_LOADABLE,
            Guest::new().main(start),
        ),
        misdescribed(
            "loop-in-start-of-another-instance",
            "A second module, that nothing refers to, never finishes being instantiated.",
            NOT_LOADABLE,
            Guest::new().fill(
                "more",
                format!("  (core module $other {start})\n  (core instance (instantiate $other))"),
            ),
        ),
        misdescribed(
            "loop-in-describe",
            "Never says what its tools are.",
            NOT_LOADABLE,
            Guest::new().fill("describe", FOREVER),
        ),
        misdescribed(
            "loop-after-describe",
            "Says what its tools are, and then never lets the host go.",
            NOT_LOADABLE,
            Guest::new().fill("after-describe", FOREVER),
        ),
        refused(
            "start-without-end-by-recursion",
            "Runs through an endless chain of tail calls while it is instantiated.",
            NOT_LOADABLE,
            Guest::new().main("(func $begin (return_call $begin)) (start $begin)"),
        ),
    ]
}

const FOREVER: &str = "(loop (br 0))";
