//! Guests that misuse handles. The world has no resources, but a component can make its own.

use super::{Case, Guest, NOT_LOADABLE, TRAPPED, ended, harmless, refused};

pub(super) fn cases() -> Vec<Case> {
    let trapped = |name, does, code: &str| ended(name, does, TRAPPED, with_resource().call(code));
    vec![
        trapped(
            "handles-without-end",
            "Makes handles and never drops one.",
            "(loop (drop (call $new (i32.const 7))) (br 0))",
        ),
        trapped("drop-twice", "Drops a handle twice.", "(call $twice (call $new (i32.const 7)))"),
        trapped(
            "use-after-drop",
            "Asks what a dropped handle stands for.",
            "(call $after-drop (call $new (i32.const 7)))",
        ),
        trapped(
            "handle-that-was-never-made",
            "Asks what a handle out of the air stands for.",
            "(drop (call $rep (i32.const 1000)))",
        ),
        trapped("handle-zero", "Drops the handle that never exists.", "(call $drop (i32.const 0))"),
        trapped(
            "handle-of-another-type",
            "Uses a handle of one type as one of another.",
            "(drop (call $other-rep (call $new (i32.const 7))))",
        ),
        harmless(
            "handles-made-and-dropped",
            "Makes and drops ten thousand handles, one at a time.",
            "ok",
            with_resource().call(
                "(local $left i32) (local.set $left (i32.const 10000))
                 (loop
                   (call $drop (call $new (local.get $left)))
                   (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                   (br_if 0 (local.get $left)))",
            ),
        ),
        ended(
            "loop-in-destructor",
            "Never comes back from the destruction of a handle.",
            super::CPU,
            with_destructor("(loop (br 0))").call("(call $drop (call $new (i32.const 7)))"),
        ),
        ended(
            "trap-in-destructor",
            "Fails in the destruction of a handle.",
            TRAPPED,
            with_destructor("unreachable").call("(call $drop (call $new (i32.const 7)))"),
        ),
        refused(
            "imported-resource",
            "Asks the host for a resource that it does not have.",
            NOT_LOADABLE,
            Guest::new().fill(
                "imports",
                r#"(import "bailiwick:tool/log@0.2.0" (instance (export "file" (type (sub resource)))))"#,
            ),
        ),
    ]
}

fn with_resource() -> Guest {
    with_destructor("")
}

fn with_destructor(code: &str) -> Guest {
    Guest::new()
        .fill("lowered", LOWERED.replace("CODE", code))
        .fill("main-imports", MAIN_IMPORTS)
        .fill("main", MAIN)
        .fill("main-with", MAIN_WITH)
}

const LOWERED: &str = r#"
  (core module $ends (func (export "end") (param i32) CODE))
  (core instance $ends (instantiate $ends))
  (type $thing (resource (rep i32) (dtor (core func $ends "end"))))
  (type $other (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core func $rep (canon resource.rep $thing))
  (core func $other-rep (canon resource.rep $other))
"#;

const MAIN_IMPORTS: &str = r#"
    (import "own" "new" (func $new (param i32) (result i32)))
    (import "own" "drop" (func $drop (param i32)))
    (import "own" "rep" (func $rep (param i32) (result i32)))
    (import "own" "other-rep" (func $other-rep (param i32) (result i32)))
"#;

const MAIN: &str = "
    (func $twice (param i32) (call $drop (local.get 0)) (call $drop (local.get 0)))
    (func $after-drop (param i32) (call $drop (local.get 0)) (drop (call $rep (local.get 0))))
";

const MAIN_WITH: &str = r#"
    (with "own" (instance
      (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))
      (export "other-rep" (func $other-rep))))
"#;
