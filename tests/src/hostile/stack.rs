//! Guests that use up the stack.

use super::{Case, Guest, TRAPPED, each, ended};

pub(super) fn cases() -> Vec<Case> {
    let trapped = |name, does, guest| ended(name, does, TRAPPED, guest);
    vec![
        trapped(
            "recursion",
            "Calls itself until there is no stack.",
            Guest::new()
                .main("(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))")
                .call("(drop (call $f (i32.const 0)))"),
        ),
        trapped(
            "recursion-of-three",
            "Three functions call each other until there is no stack.",
            Guest::new()
                .main(
                    "(func $a (result i64) (i64.add (call $b) (i64.const 1)))
                     (func $b (result i64) (i64.add (call $c) (i64.const 1)))
                     (func $c (result i64) (i64.add (call $a) (i64.const 1)))",
                )
                .call("(drop (call $a))"),
        ),
        trapped(
            "recursion-through-a-table",
            "Calls itself through a table until there is no stack.",
            Guest::new()
                .main(
                    "(type $t (func (result i32))) (table funcref (elem $f))
                     (func $f (type $t) (i32.add (call_indirect (type $t) (i32.const 0)) (i32.const 1)))",
                )
                .call("(drop (call $f))"),
        ),
        trapped(
            "recursion-with-large-frames",
            "Calls itself with two thousand values that each frame must keep.",
            Guest::new().main(large_frame()).call("(drop (call $f (i32.const 0)))"),
        ),
        trapped(
            "recursion-with-a-host-call-at-the-bottom",
            "Calls a host function at every depth, so that one happens where the stack ends.",
            Guest::with_host_functions()
                .main("(func $f (result i32) (drop (call $now)) (i32.add (call $f) (i32.const 1)))")
                .call("(drop (call $f))"),
        ),
        trapped(
            "recursion-with-a-large-host-call-at-the-bottom",
            "As before, with a host function that allocates and calls back for memory.",
            Guest::with_host_functions()
                .fill("realloc", "(return (i32.const 262144))")
                .main("(func $f (result i32) (call $get (i32.const 4096)) (i32.add (call $f) (i32.const 1)))")
                .call("(drop (call $f))"),
        ),
        trapped(
            "recursion-in-realloc",
            "Uses up the stack when the host asks it for memory.",
            Guest::new().fill(
                "realloc",
                "(drop (call $take (local.get $old) (local.get $old-size) (local.get $align) (local.get $size)))",
            ),
        ),
        trapped(
            "recursion-after-call",
            "Answers, and uses up the stack in the function that cleans up.",
            Guest::new().fill("after-call", "(call $after-call (local.get 0)) (drop (i32.load (i32.const 0)))"),
        ),
        trapped(
            "host-call-within-a-host-call",
            "Calls a host function from within the allocation for another one's result.",
            Guest::with_host_functions()
                .main("(func (export \"again\") (call $get (i32.const 4096)))")
                .fill("memory", REENTRANT)
                .fill("realloc", "(if (i32.load (i32.const 8)) (then (call_indirect (i32.const 0))))")
                .fill("more", TIE)
                .call("(i32.store (i32.const 8) (i32.const 1)) (call $get (i32.const 4096))"),
        ),
    ]
}

/// Returns a function that calls itself between making two thousand values and using them.
fn large_frame() -> String {
    let (count, declared) = (2_000, " i32".repeat(2_000));
    let set = each(1..=count, |local| {
        format!(
            "(local.set {local} (i32.load (i32.add (local.get 0) (i32.const {}))))\n",
            local * 4
        )
    });
    let used = each(1..=count, |local| {
        format!("(i32.xor (local.get {local}))\n")
    });
    format!(
        "(func $f (param i32) (result i32) (local{declared})
           {set} (local.set 0 (call $f (local.get 0))) (local.get 0) {used})"
    )
}

/// The heap has a table, into which `$tie` puts a function of `$main` at the end.
pub(super) const REENTRANT: &str =
    r#"    (memory (export "memory") 8) (table (export "table") 1 funcref)"#;

pub(super) const TIE: &str = r#"
  (core module $tie
    (import "heap" "table" (table 1 funcref))
    (import "main" "again" (func $again))
    (elem (i32.const 0) $again))
  (core instance (instantiate $tie (with "heap" (instance $heap)) (with "main" (instance $main))))
"#;
