//! Guests that wait: for nothing, for ever, or for very many things at once.

use super::super::{Case, TIME, TRAPPED, ended, harmless};
use super::{does, for_ever, zero};

/// Returns the code that fills a list at 65536 with copies of a handle.
fn copies(count: u32) -> String {
    format!(
        "(local.set $i (i32.const 0))
         (loop
           (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))) (local.get $h))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if 0 (i32.lt_u (local.get $i) (i32.const {count}))))"
    )
}

const READY: &str = "(local.set $h (call $out-ready (call $stdout)))";
const LOCALS: &str = "(local $h i32) (local $i i32)";

/// The code that waits for a list of that many handles at 65536.
fn poll(count: u32) -> String {
    format!("(call $poll (i32.const 65536) (i32.const {count}) (i32.const 4096))")
}

fn waits(name: &'static str, does: &'static str, code: &str) -> Case {
    ended(name, does, TIME, super::does(code))
}

pub(super) fn cases() -> Vec<Case> {
    [alone(), lists()].concat()
}

/// Guests that wait for one thing, or make many.
fn alone() -> Vec<Case> {
    vec![
        waits(
            "wasi-wait-for-ever",
            "Waits 2^64-1 nanoseconds.",
            "(call $block (call $after (i64.const -1)))",
        ),
        waits(
            "wasi-wait-until-the-end",
            "Waits until the last instant.",
            "(call $block (call $at (i64.const -1)))",
        ),
        ended(
            "wasi-pollables-without-end",
            "Asks for the next instant again and again, and never lets go.",
            TRAPPED,
            for_ever("", "(drop (call $after (i64.const 0)))"),
        ),
        ended(
            "wasi-pollables-made-and-dropped",
            "Asks for the next instant again and again, and lets go, for ever.",
            TIME,
            for_ever("", "(call $drop-pollable (call $after (i64.const 1)))"),
        ),
        ended(
            "wasi-waits-for-the-past-for-ever",
            "Waits for what has been, for ever.",
            TIME,
            for_ever(
                "",
                "(local.set $h (call $at (i64.const 0))) (call $block (local.get $h)) (call $drop-pollable (local.get $h))",
            ),
        ),
        ended(
            "wasi-asks-whether-it-is-ready-for-ever",
            "Asks for ever whether standard output is ready.",
            TIME,
            for_ever(READY, "(drop (call $ready (local.get $h)))"),
        ),
    ]
}

/// Guests that wait for lists of things.
fn lists() -> Vec<Case> {
    vec![
        waits(
            "wasi-poll-of-one-that-never-comes-many-times",
            "Waits for two hundred copies of something that never comes.",
            &format!(
                "{LOCALS} (local.set $h (call $after (i64.const -1))) {} {}",
                copies(200),
                poll(200)
            ),
        ),
        harmless(
            "wasi-poll-of-copies",
            "Asks for two hundred copies of what is ready.",
            "ok",
            does(&format!(
                "{LOCALS} {READY} {} {} {}",
                copies(200),
                poll(200),
                zero("(i32.ne (i32.load offset=4 (i32.const 4096)) (i32.const 200))")
            )),
        ),
        ended(
            "wasi-poll-of-300-000-copies",
            "Asks for three hundred thousand copies of one thing, each of which the host would have to remember.",
            TRAPPED,
            does(&format!(
                "{LOCALS} (drop (memory.grow (i32.const 100))) {READY} {} {}",
                copies(300_000),
                poll(300_000)
            )),
        ),
        ended(
            "wasi-polls-for-ever",
            "Asks for two hundred copies of what is ready, for ever.",
            TIME,
            for_ever(&format!("{READY} {}", copies(200)), &poll(200)),
        ),
        ended(
            "wasi-poll-of-nothing",
            "Waits for nothing at all.",
            TRAPPED,
            does(&poll(0)),
        ),
        ended(
            "wasi-poll-from-beyond-memory",
            "Waits for a list that lies beyond its memory.",
            TRAPPED,
            does("(call $poll (i32.const -16) (i32.const 8) (i32.const 4096))"),
        ),
        ended(
            "wasi-poll-of-what-was-never-made",
            "Waits for handles out of the air.",
            TRAPPED,
            does(&format!(
                "{LOCALS} (local.set $h (i32.const 77)) {} {}",
                copies(8),
                poll(8)
            )),
        ),
    ]
}

/// Returns guests that wait while they, or the host for them, hold much.
pub(in super::super) fn hoarders() -> Vec<Case> {
    let waits = |name, does, code: &str| {
        ended(
            name,
            does,
            TIME,
            super::does(&format!("(local $h i32) (local $i i32) {code}")),
        )
    };
    let never = "(local.set $h (call $after (i64.const -1)))";
    let poll = |count: u32| {
        format!(
            "(drop (memory.grow (i32.const 100))) {never} {} (call $poll (i32.const 65536) (i32.const {count}) (i32.const 4096))",
            copies(count)
        )
    };
    vec![
        waits(
            "hoards-memory",
            "Takes all memory that it may, writes to all of it, and waits.",
            &format!(
                "(drop (memory.grow (i32.const 248))) (memory.fill (i32.const 524288) (i32.const 1) (i32.const 16252928)) {never} (call $block (local.get $h))"
            ),
        ),
        waits("hoards-waits", "Waits for as many copies of what never comes as it may.", &poll(200)),
        ended(
            "hoards-too-many-waits",
            "Waits for more copies of what never comes than it may.",
            TRAPPED,
            does(&format!("(local $h i32) (local $i i32) {}", poll(300_000))),
        ),
        waits(
            "hoards-output",
            "Writes 7 MiB at once, again and again.",
            "(drop (memory.grow (i32.const 130))) (local.set $h (call $stdout))
             (loop (call $write (local.get $h) (i32.const 524288) (i32.const 7340032) (i32.const 4096)) (br 0))",
        ),
    ]
}
