//! Guests that ask for an identity out of turn, or without end.

use super::stack::{REENTRANT, TIE};
use super::{Case, Guest, NOT_LOADABLE, TIME, TRAPPED, ended, harmless, misdescribed};

pub(super) fn cases() -> Vec<Case> {
    [floods(), out_of_turn(), nonsense()].concat()
}

/// The functions of `identity`: the name of a case that asks in `describe`, and the call.
const QUESTIONS: [(&str, &str); 8] = [
    ("actor-in-describe", "(call $actor (i32.const 4096))"),
    ("login-in-describe", "(call $login (i32.const 4096))"),
    ("agent-in-describe", "(call $agent (i32.const 4096))"),
    ("session-in-describe", "(call $session (i32.const 4096))"),
    ("scopes-in-describe", "(call $scopes (i32.const 4096))"),
    ("services-in-describe", "(call $services (i32.const 4096))"),
    ("binding-in-describe", "(call $binding (i32.const 4096))"),
    ("envelope-in-describe", "(call $envelope (i32.const 4096))"),
];

/// Makes a guest whose allocator always hands out the same place, so that memory lasts.
fn thrifty(code: &str) -> Guest {
    Guest::with_host_functions().call(code).fill(
        "realloc",
        "(if (i32.gt_u (local.get $size) (i32.const 16384)) (then unreachable))
         (if (i32.load (i32.const 8)) (then (return (i32.const 393216))))",
    )
}

fn floods() -> Vec<Case> {
    let flood = |name, does, code: &str| {
        let code = format!("(i32.store (i32.const 8) (i32.const 1)) (loop {code} (br 0))");
        ended(name, does, TIME, thrifty(&code))
    };
    let everything: String = QUESTIONS.iter().map(|(_, code)| *code).collect();
    vec![
        flood(
            "actor-for-ever",
            "Asks who called it for ever.",
            "(call $actor (i32.const 4096))",
        ),
        flood(
            "envelope-for-ever",
            "Asks for the signed envelope for ever.",
            "(call $envelope (i32.const 4096))",
        ),
        flood(
            "everything-about-the-caller-for-ever",
            "Asks every question about its caller for ever.",
            &everything,
        ),
        ended(
            "envelopes-that-fill-the-memory",
            "Asks for the signed envelope again and again and keeps each.",
            // On a slow machine the processor time is used up first.
            &["memory-exceeded", "trapped", "cpu-exceeded"],
            Guest::with_host_functions().call("(loop (call $envelope (i32.const 4096)) (br 0))"),
        ),
        harmless(
            "everything-about-the-caller",
            "Asks every question about its caller a hundred times, as it may.",
            "ok",
            thrifty(&format!(
                "(local $left i32)
                 (i32.store (i32.const 8) (i32.const 1)) (local.set $left (i32.const 100))
                 (loop {everything} (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                   (br_if 0 (local.get $left)))"
            )),
        ),
    ]
}

/// Returns guests that ask in `describe`, before it, and where the component model forbids every
/// host function.
fn out_of_turn() -> Vec<Case> {
    let describing = |(name, code): &(&'static str, &str)| {
        misdescribed(
            name,
            "Asks for whom it runs while no one has called it.",
            NOT_LOADABLE,
            Guest::with_host_functions().fill("describe", *code),
        )
    };
    let mut cases: Vec<Case> = QUESTIONS.iter().map(describing).collect();
    cases.extend([
        misdescribed(
            "actor-in-start",
            "Asks for whom it runs while it is instantiated.",
            NOT_LOADABLE,
            Guest::with_host_functions()
                .main("(func $begin (call $actor (i32.const 4096))) (start $begin)"),
        ),
        ended(
            "actor-in-the-function-that-cleans-up",
            "Asks who called it after it has answered, where the component model forbids it.",
            TRAPPED,
            Guest::with_host_functions().fill("after-call", "(call $actor (i32.const 4096))"),
        ),
        ended(
            "actor-in-realloc",
            "Asks who called it while the host passes the arguments, where the component model forbids it.",
            TRAPPED,
            Guest::with_host_functions()
                .fill("memory", REENTRANT)
                .fill(
                    "realloc",
                    "(if (i32.load (i32.const 8)) (then (call_indirect (i32.const 0))))",
                )
                .main(
                    "(func (export \"again\") (call $actor (i32.const 4096)))
                     (data (i32.const 8) (i32 1))",
                )
                .fill("more", TIE),
        ),
    ]);
    cases
}

fn nonsense() -> Vec<Case> {
    let trapped = |name, does, code: &str| {
        ended(name, does, TRAPPED, Guest::with_host_functions().call(code))
    };
    vec![
        trapped(
            "actor-to-nowhere",
            "Wants to know who called it beyond its memory.",
            "(call $actor (i32.const -8))",
        ),
        trapped(
            "envelope-to-an-odd-address",
            "Wants the signed envelope at an odd address.",
            "(call $envelope (i32.const 4097))",
        ),
        ended(
            "envelope-into-memory-that-it-does-not-have",
            "Takes the arguments, then hands out memory beyond its end for the signed envelope.",
            TRAPPED,
            Guest::with_host_functions()
                .call("(i32.store (i32.const 8) (i32.const 1)) (call $envelope (i32.const 4096))")
                .fill(
                    "realloc",
                    "(if (i32.load (i32.const 8)) (then (return (i32.const -16))))",
                ),
        ),
    ]
}
