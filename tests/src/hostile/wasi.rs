//! Guests that run in the WASI tier and turn its functions against the host.

mod imports;
mod waiting;

use super::{Case, Guest, NOT_LOADABLE, TIME, TOO_LARGE, TRAPPED, ended, harmless, misdescribed};
pub(super) use waiting::hoarders;

pub(super) fn cases() -> Vec<Case> {
    [
        output(),
        input(),
        waiting::cases(),
        handles(),
        rest(),
        out_of_turn(),
    ]
    .concat()
}

/// Returns the good guest with all of WASI at hand, each function under the name that `imports`
/// gives it.
pub(super) fn guest() -> Guest {
    Guest::new()
        .fill("imports", imports::IMPORTS)
        .fill("lowered", imports::lowered())
        .fill("main-imports", imports::main_imports())
        .fill("main-with", imports::main_with())
}

/// Makes a guest that does this, with an allocator that hands out one place again and again.
pub(super) fn does(code: &str) -> Guest {
    guest()
        .fill("realloc", "(return (i32.const 393216))")
        .call(code)
}

/// Makes a guest that does this for ever.
pub(super) fn for_ever(before: &str, code: &str) -> Guest {
    does(&format!(
        "(local $h i32) (local $i i32) {before} (loop {code} (br 0))"
    ))
}

/// Checks that this is zero.
fn zero(code: &str) -> String {
    format!("(if {code} (then unreachable))")
}

fn output() -> Vec<Case> {
    let flood = |name, does, code: &str| {
        ended(
            name,
            does,
            TIME,
            for_ever("(local.set $h (call $stdout))", code),
        )
    };
    vec![
        flood(
            "wasi-empty-writes-for-ever",
            "Writes nothing to standard output, for ever.",
            "(call $write (local.get $h) (i32.const 1024) (i32.const 0) (i32.const 4096))",
        ),
        flood(
            "wasi-large-writes-for-ever",
            "Writes 128 KiB at once to standard output, for ever.",
            "(call $write (local.get $h) (i32.const 262144) (i32.const 131072) (i32.const 4096))",
        ),
        flood(
            "wasi-one-line-for-ever",
            "Writes a line that never ends, byte by byte.",
            "(call $write (local.get $h) (i32.const 1024) (i32.const 1) (i32.const 4096))",
        ),
        flood(
            "wasi-flushes-for-ever",
            "Waits for standard output to be flushed, for ever.",
            "(call $blocking-flush (local.get $h) (i32.const 4096))",
        ),
        flood(
            "wasi-blocking-writes-for-ever",
            "Writes and waits, for ever.",
            "(call $blocking-write (local.get $h) (i32.const 1024) (i32.const 2) (i32.const 4096))",
        ),
        flood(
            "wasi-zeroes-for-ever",
            "Writes as many zeroes at once as it may, for ever.",
            "(call $zeroes (local.get $h) (i64.const 65536) (i32.const 4096))",
        ),
        ended(
            "wasi-write-of-12-mib",
            "Writes 12 MiB at once to standard error.",
            TOO_LARGE,
            does(
                "(drop (memory.grow (i32.const 200)))
                  (call $write (call $stderr) (i32.const 524288) (i32.const 12582912) (i32.const 4096))",
            ),
        ),
        ended(
            "wasi-zeroes-without-end",
            "Writes 2^64-1 zeroes, which take no memory of its own.",
            TRAPPED,
            does("(call $zeroes (call $stdout) (i64.const -1) (i32.const 4096))"),
        ),
        ended(
            "wasi-blocking-zeroes-without-end",
            "As before, and waits.",
            TRAPPED,
            does("(call $blocking-zeroes (call $stdout) (i64.const -1) (i32.const 4096))"),
        ),
        ended(
            "wasi-blocking-write-too-large",
            "Writes one byte more than may be written with waiting.",
            TRAPPED,
            does("(call $blocking-write (call $stdout) (i32.const 262144) (i32.const 4097) (i32.const 4096))"),
        ),
        ended(
            "wasi-write-from-beyond-memory",
            "Writes what lies beyond its memory.",
            TRAPPED,
            does("(call $write (call $stdout) (i32.const -2) (i32.const 2) (i32.const 4096))"),
        ),
    ]
}

fn input() -> Vec<Case> {
    let fine = |name, does, code: &str| harmless(name, does, "ok", self::does(code));
    // A result that is an error is 1, and `closed` the variant's second case.
    let closed = format!(
        "{} {}",
        zero("(i32.ne (i32.load8_u (i32.const 4096)) (i32.const 1))"),
        zero("(i32.ne (i32.load8_u offset=4 (i32.const 4096)) (i32.const 1))")
    );
    vec![
        fine(
            "wasi-read-without-end",
            "Reads 2^64-1 bytes of standard input, which is at its end.",
            &format!("(call $read (call $stdin) (i64.const -1) (i32.const 4096)) {closed}"),
        ),
        fine(
            "wasi-blocking-read-without-end",
            "Waits for 2^64-1 bytes of standard input, which is at its end.",
            &format!(
                "(call $blocking-read (call $stdin) (i64.const -1) (i32.const 4096)) {closed}"
            ),
        ),
        fine(
            "wasi-blocking-skip-without-end",
            "Passes over 2^64-1 bytes of standard input, waiting and not.",
            "(call $skip (call $stdin) (i64.const -1) (i32.const 4096))
             (call $blocking-skip (call $stdin) (i64.const -1) (i32.const 4096))",
        ),
        fine(
            "wasi-splice-without-end",
            "Has the host copy 2^64-1 bytes of standard input to standard output.",
            "(call $splice (call $stdout) (call $stdin) (i64.const -1) (i32.const 4096))",
        ),
        ended(
            "wasi-reads-for-ever",
            "Waits for standard input, for ever.",
            TIME,
            for_ever(
                "(local.set $h (call $stdin))",
                "(call $blocking-read (local.get $h) (i64.const 1) (i32.const 4096))",
            ),
        ),
        ended(
            "wasi-splices-for-ever",
            "Has the host copy standard input to standard output, for ever.",
            TIME,
            for_ever(
                "(local.set $h (call $stdin)) (local.set $i (call $stdout))",
                "(call $blocking-splice (local.get $i) (local.get $h) (i64.const -1) (i32.const 4096))",
            ),
        ),
    ]
}

fn handles() -> Vec<Case> {
    let trapped = |name, does, code: &str| {
        ended(
            name,
            does,
            TRAPPED,
            self::does(&format!("(local $h i32) {code}")),
        )
    };
    let made = "(local.set $h (call $after (i64.const 1000)))";
    vec![
        trapped(
            "wasi-pollable-dropped-twice",
            "Drops a pollable twice.",
            &format!(
                "{made} (call $drop-pollable (local.get $h)) (call $drop-pollable (local.get $h))"
            ),
        ),
        trapped(
            "wasi-pollable-used-after-drop",
            "Waits for a pollable that it has dropped.",
            &format!("{made} (call $drop-pollable (local.get $h)) (call $block (local.get $h))"),
        ),
        trapped(
            "wasi-stream-as-pollable",
            "Waits for a stream as if it were a pollable.",
            "(call $block (call $stdout))",
        ),
        trapped(
            "wasi-output-as-input",
            "Reads from standard output.",
            "(call $read (call $stdout) (i64.const 1) (i32.const 4096))",
        ),
        trapped(
            "wasi-stream-used-after-drop",
            "Writes to standard output after it has let go of it.",
            "(local.set $h (call $stdout)) (call $drop-out (local.get $h))
             (call $write (local.get $h) (i32.const 1024) (i32.const 2) (i32.const 4096))",
        ),
        trapped(
            "wasi-stream-dropped-before-its-pollable",
            "Lets go of a stream while it still holds what waits for it.",
            "(local.set $h (call $stdout)) (drop (call $out-ready (local.get $h))) (call $drop-out (local.get $h))",
        ),
        trapped(
            "wasi-error-that-never-was",
            "Asks what an error says that never was.",
            "(call $debug-string (i32.const 3) (i32.const 4096))",
        ),
        trapped(
            "wasi-error-dropped",
            "Drops an error that never was.",
            "(call $drop-error (i32.const 3))",
        ),
        ended(
            "wasi-streams-without-end",
            "Asks for standard output again and again, and never lets go.",
            TRAPPED,
            for_ever("", "(drop (call $stdout))"),
        ),
        ended(
            "wasi-streams-made-and-dropped",
            "Asks for standard input again and again, and lets go, for ever.",
            TIME,
            for_ever("", "(call $drop-in (call $stdin))"),
        ),
    ]
}

fn rest() -> Vec<Case> {
    let list_is_empty = zero("(i32.load offset=4 (i32.const 4096))");
    let none = zero("(i32.load8_u (i32.const 4096))");
    vec![
        harmless(
            "wasi-an-empty-world",
            "Looks for variables, arguments, folders, a terminal, and finds none.",
            "ok",
            does(&format!(
                "(call $environment (i32.const 4096)) {list_is_empty} (call $arguments (i32.const 4096)) {list_is_empty}
                 (call $preopens (i32.const 4096)) {list_is_empty} (call $cwd (i32.const 4096)) {none}
                 (call $terminal (i32.const 4096)) {none}"
            )),
        ),
        harmless(
            "wasi-a-coarse-clock",
            "Looks for a clock that is finer than a millisecond.",
            "ok",
            does(&format!(
                "{} {}",
                zero("(i64.ne (call $resolution) (i64.const 1000000))"),
                zero("(i32.wrap_i64 (i64.rem_u (call $now) (i64.const 1000000)))")
            )),
        ),
        ended("wasi-clock-for-ever", "Asks for the time for ever.", TIME, for_ever("", "(drop (call $now))")),
        ended(
            "wasi-random-for-ever",
            "Takes random bytes for ever.",
            TIME,
            for_ever("", "(call $random (i64.const 4096) (i32.const 4096))"),
        ),
        ended(
            "wasi-random-without-end",
            "Asks for 2^64-1 random bytes at once.",
            TRAPPED,
            does("(call $random (i64.const -1) (i32.const 4096))"),
        ),
        ended(
            "wasi-random-a-little-too-much",
            "Asks for one random byte more than there are at once.",
            TRAPPED,
            does("(call $insecure (i64.const 4097) (i32.const 4096))"),
        ),
        ended("wasi-exit", "Ends itself, well.", EXITED, does("(call $exit (i32.const 0))")),
        ended(
            "wasi-exit-with-failure",
            "Ends itself, and says that it failed.",
            EXITED,
            does("(call $exit (i32.const 1))"),
        ),
    ]
}

/// Returns guests that call WASI during `describe`, and where the component model forbids calls.
fn out_of_turn() -> Vec<Case> {
    let write = "(call $write (call $stdout) (i32.const 1024) (i32.const 2) (i32.const 4096))";
    vec![
        misdescribed(
            "wasi-wait-in-describe",
            "Waits for ever while nobody has called it.",
            NOT_LOADABLE,
            guest().fill("describe", "(call $block (call $after (i64.const -1)))"),
        ),
        misdescribed(
            "wasi-exit-in-describe",
            "Ends itself while nobody has called it.",
            NOT_LOADABLE,
            guest().fill("describe", "(call $exit (i32.const 0))"),
        ),
        harmless(
            "wasi-write-in-describe",
            "Writes a line while nobody has called it, as it may.",
            "ok",
            guest().fill("describe", write),
        ),
        ended(
            "wasi-write-after-the-answer",
            "Writes a line after it has answered, where the component model forbids it.",
            TRAPPED,
            guest().fill("after-call", write),
        ),
    ]
}

const EXITED: &[&str] = &["trapped"];
