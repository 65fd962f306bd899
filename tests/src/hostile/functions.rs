//! Guests that turn the host's own functions against it.

use super::stack::{REENTRANT, TIE};
use super::{
    Case, Guest, NOT_LOADABLE, TIME, TOO_LARGE, TRAPPED, each, ended, harmless, misdescribed,
};

pub(super) fn cases() -> Vec<Case> {
    [floods(), sizes(), nonsense(), allocation(), out_of_turn()].concat()
}

fn host(code: &str) -> Guest {
    Guest::with_host_functions().call(code)
}

/// Makes a guest whose allocator always hands out the same place, so that memory lasts.
fn thrifty(code: &str) -> Guest {
    host(code).fill("realloc", "(if (i32.gt_u (local.get $size) (i32.const 16384)) (then unreachable)) (if (i32.load (i32.const 8)) (then (return (i32.const 393216))))")
}

fn floods() -> Vec<Case> {
    let flood = |name, does, code: &str| {
        ended(
            name,
            does,
            TIME,
            thrifty(&format!(
                "(i32.store (i32.const 8) (i32.const 1)) (loop {code} (br 0))"
            )),
        )
    };
    vec![
        flood(
            "log-for-ever",
            "Writes log lines for ever.",
            "(call $write (i32.const 0) (i32.const 1024) (i32.const 2))",
        ),
        flood(
            "log-large-lines-for-ever",
            "Writes lines of 110 KB for ever.",
            "(call $write (i32.const 3) (i32.const 409600) (i32.const 110000))",
        ),
        flood(
            "progress-for-ever",
            "Reports progress for ever.",
            "(call $report (f64.const 1) (i32.const 1) (f64.const 2) (i32.const 1) (i32.const 1024) (i32.const 2))",
        ),
        flood("clock-for-ever", "Asks for the time for ever.", "(drop (call $now))"),
        flood("random-for-ever", "Takes random bytes for ever.", "(call $bytes (i32.const 4096) (i32.const 4096))"),
        flood("settings-for-ever", "Asks for its settings for ever.", "(call $get (i32.const 4096))"),
        flood(
            "downstream-for-ever",
            "Asks a service that it may not ask, for ever.",
            "(call $send (i32.const 1024) (i32.const 2) (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))",
        ),
        harmless(
            "10-000-host-calls",
            "Asks for the time ten thousand times, which is quick enough.",
            "ok",
            thrifty(
                "(local $left i32) (local.set $left (i32.const 10000))
                 (loop (drop (call $now)) (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                   (br_if 0 (local.get $left)))",
            ),
        ),
    ]
}

/// Returns a request whose fields are these: service, method, path, query, headers, body.
fn request(fields: &str) -> String {
    let operands = each(fields.split(' '), |field| format!("(i32.const {field}) "));
    format!("(drop (memory.grow (i32.const 200)))\n(call $send {operands} (i32.const 4096))")
}

fn sizes() -> Vec<Case> {
    let too_large = |name, does, code: &str| ended(name, does, TOO_LARGE, host(code));
    let grow = "(drop (memory.grow (i32.const 200)))";
    vec![
        too_large(
            "log-of-12-mib",
            "Writes one log line of 12 MiB.",
            &format!("{grow} (call $write (i32.const 0) (i32.const 524288) (i32.const 12582912))"),
        ),
        too_large(
            "body-of-12-mib",
            "Sends a body of 12 MiB.",
            &request("1024 2 1024 2 0 0 0 0 0 0 524288 12582912"),
        ),
        too_large(
            "700-000-headers",
            "Sends seven hundred thousand headers without name or value, 16 bytes each in its memory.",
            &request("1024 2 1024 2 0 0 0 0 524288 700000 0 0"),
        ),
        too_large(
            "700-000-segments",
            "Sends a path of seven hundred thousand empty segments.",
            &request("1024 2 1024 2 524288 700000 0 0 0 0 0 0"),
        ),
        too_large(
            "segments-that-share-one-text",
            "Sends a path of a thousand segments that all point at the same 400 KB.",
            &format!(
                "(local $at i32) (local.set $at (i32.const 65536))
                 (loop
                   (i32.store (local.get $at) (i32.const 0))
                   (i32.store offset=4 (local.get $at) (i32.const 100000))
                   (i32.store offset=8 (local.get $at) (i32.const 400000))
                   (local.set $at (i32.add (local.get $at) (i32.const 12)))
                   (br_if 0 (i32.lt_u (local.get $at) (i32.const 77536))))
                 (memory.fill (i32.const 100000) (i32.const 32) (i32.const 400000))
                 {}",
                request("1024 2 1024 2 65536 1000 0 0 0 0 0 0")
            ),
        ),
        too_large(
            "200-000-requests-at-once",
            "Sends two hundred thousand empty requests at once.",
            &format!(
                "{grow} (call $send-all (i32.const 524288) (i32.const 200000) (i32.const 4096))"
            ),
        ),
        ended(
            "40-000-requests-at-once-for-ever",
            "Sends as many empty requests at once as fit through, again and again.",
            &[
                "cpu-exceeded",
                "timed-out",
                "memory-exceeded",
                "trapped",
                "output-too-large",
            ],
            host(&format!(
                "{grow} (loop (call $send-all (i32.const 524288) (i32.const 40000) (i32.const 4096)) (br 0))"
            )),
        ),
        ended(
            "random-of-4-gib",
            "Asks for 2^32-1 random bytes at once.",
            TRAPPED,
            host("(call $bytes (i32.const -1) (i32.const 4096))"),
        ),
        ended(
            "random-a-little-too-much",
            "Asks for one random byte more than there are at once.",
            TRAPPED,
            host("(call $bytes (i32.const 4097) (i32.const 4096))"),
        ),
    ]
}

fn nonsense() -> Vec<Case> {
    let trapped = |name, does, code: &str| ended(name, does, TRAPPED, host(code));
    vec![
        trapped("log-from-beyond-memory", "Writes a log line that lies beyond its memory.", "(call $write (i32.const 0) (i32.const -2) (i32.const 2))"),
        trapped("log-that-wraps-around", "Writes a log line of 4 GiB.", "(call $write (i32.const 0) (i32.const 1024) (i32.const -1))"),
        trapped("log-at-no-level", "Writes a log line at a level that does not exist.", "(call $write (i32.const 4) (i32.const 1024) (i32.const 2))"),
        trapped(
            "log-that-is-not-utf-8",
            "Writes a log line that is no text.",
            "(i32.store (i32.const 1024) (i32.const -1)) (call $write (i32.const 0) (i32.const 1024) (i32.const 2))",
        ),
        harmless(
            "log-that-forges-a-line",
            "Writes a log line that goes on as if it were the host's own, panicking.",
            "ok",
            host("(call $write (i32.const 0) (i32.const 98304) (i32.const 44))").main("(data (i32.const 98304) \"x\\0athread 'main' \\1b[2Jpanic\\0d\\0aINFO bailiwick: hi\")"),
        ),
        trapped(
            "progress-with-neither",
            "Reports progress with an option that is neither there nor not.",
            "(call $report (f64.const 1) (i32.const 2) (f64.const 2) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
        harmless(
            "progress-that-is-no-number",
            "Reports progress of NaN, infinity and less than nothing.",
            "ok",
            host(
                "(call $report (f64.const nan) (i32.const 0) (f64.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
                 (call $report (f64.const inf) (i32.const 1) (f64.const nan) (i32.const 0) (i32.const 0) (i32.const 0))
                 (call $report (f64.const -1) (i32.const 1) (f64.const -inf) (i32.const 0) (i32.const 0) (i32.const 0))",
            ),
        ),
        trapped("result-to-nowhere", "Wants a host function's result beyond its memory.", "(call $get (i32.const -8))"),
        trapped("result-to-an-odd-address", "Wants a host function's result at an odd address.", "(call $get (i32.const 4097))"),
        trapped(
            "request-from-nowhere",
            "Sends a list of requests that lies beyond its memory.",
            "(call $send-all (i32.const -48) (i32.const 2) (i32.const 4096))",
        ),
        trapped(
            "request-at-an-odd-address",
            "Sends a list of requests at an odd address.",
            "(call $send-all (i32.const 65537) (i32.const 1) (i32.const 4096))",
        ),
        trapped(
            "segment-that-is-none",
            "Sends a path with a segment of a kind that does not exist.",
            "(i32.store (i32.const 65536) (i32.const 5))
             (call $send (i32.const 1024) (i32.const 2) (i32.const 1024) (i32.const 2) (i32.const 65536) (i32.const 1)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))",
        ),
    ]
}

/// Returns guests that answer badly when the host asks for room in their memory.
fn allocation() -> Vec<Case> {
    let case =
        |name, does, code: &str| ended(name, does, TRAPPED, Guest::new().fill("realloc", code));
    vec![
        case(
            "realloc-beyond-memory",
            "Hands out memory that it does not have.",
            "(return (i32.const -16))",
        ),
        case(
            "realloc-at-the-edge",
            "Hands out memory that ends beyond its end.",
            "(return (i32.const 524280))",
        ),
        case(
            "realloc-at-an-odd-address",
            "Hands out memory at an odd address.",
            "(return (i32.const 262145))",
        ),
        case(
            "realloc-that-traps",
            "Fails when the host asks for memory.",
            "unreachable",
        ),
        harmless(
            "realloc-of-one-place",
            "Hands out the same memory again and again, so that the host's arguments overwrite each other and it.",
            "ok",
            Guest::new().fill("realloc", "(return (i32.const 262144))"),
        ),
        harmless(
            "realloc-over-its-own-answer",
            "Hands out memory over its own texts, which only it can suffer from.",
            "",
            Guest::new().fill("realloc", "(return (i32.const 8192))"),
        ),
    ]
}

/// Returns guests that call host functions during `describe` or before it.
fn out_of_turn() -> Vec<Case> {
    let describing = |name, does, code: &str| {
        misdescribed(
            name,
            does,
            NOT_LOADABLE,
            Guest::with_host_functions().fill("describe", code),
        )
    };
    let send = "(call $send (i32.const 1024) (i32.const 2) (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))";
    let start = |code: &str| {
        Guest::with_host_functions().main(format!("(func $begin {code}) (start $begin)"))
    };
    vec![
        describing(
            "downstream-in-describe",
            "Asks a service while nobody has called it.",
            send,
        ),
        describing(
            "downstream-of-many-in-describe",
            "Asks services, none of them, while nobody has called it.",
            "(call $send-all (i32.const 65536) (i32.const 0) (i32.const 4096))",
        ),
        describing(
            "progress-in-describe",
            "Reports progress while nobody has called it.",
            "(call $report (f64.const 1) (i32.const 0) (f64.const 2) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
        describing(
            "settings-in-describe",
            "Asks for its settings while nobody has called it.",
            "(call $get (i32.const 4096))",
        ),
        describing(
            "log-for-ever-in-describe",
            "Writes log lines for ever while nobody has called it.",
            "(loop (call $write (i32.const 0) (i32.const 1024) (i32.const 2)) (br 0))",
        ),
        harmless(
            "clock-in-describe",
            "Asks for the time and for random bytes while nobody has called it, as it may.",
            "ok",
            Guest::with_host_functions().fill(
                "describe",
                "(drop (call $now)) (call $bytes (i32.const 16) (i32.const 4096))",
            ),
        ),
        misdescribed(
            "downstream-in-start",
            "Asks a service while it is instantiated.",
            NOT_LOADABLE,
            start(send),
        ),
        harmless(
            "log-in-start",
            "Writes a log line while it is instantiated, as it may.",
            "ok",
            start("(call $write (i32.const 3) (i32.const 1024) (i32.const 2))"),
        ),
        ended(
            "log-in-the-function-that-cleans-up",
            "Calls a host function after it has answered, where the component model forbids it.",
            TRAPPED,
            Guest::with_host_functions().fill(
                "after-call",
                "(call $write (i32.const 0) (i32.const 1024) (i32.const 2))",
            ),
        ),
        ended(
            "clock-in-realloc",
            "Calls a host function while the host passes the arguments, where the component model forbids it.",
            TRAPPED,
            Guest::with_host_functions()
                .fill("memory", REENTRANT)
                .fill(
                    "realloc",
                    "(if (i32.load (i32.const 8)) (then (call_indirect (i32.const 0))))",
                )
                .main("(func (export \"again\") (drop (call $now))) (data (i32.const 8) (i32 1))")
                .fill("more", TIE),
        ),
    ]
}
