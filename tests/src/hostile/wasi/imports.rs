//! The interfaces of WASI as text, for the gaps of a guest.

use super::super::each;

/// The imports of the component.
pub(super) const IMPORTS: &str = r#"
  (import "wasi:io/error@0.2.6" (instance $w-error
    (export "error" (type $error (sub resource)))
    (export "[method]error.to-debug-string" (func (param "self" (borrow $error)) (result string)))))
  (alias export $w-error "error" (type $io-error))
  (import "wasi:io/poll@0.2.6" (instance $w-poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $w-poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.6" (instance $w-streams
    (export "error" (type $error (eq $io-error)))
    (export "pollable" (type $ready (eq $pollable)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (type $bytes (result (list u8) (error $stream-error)))
    (type $count (result u64 (error $stream-error)))
    (type $done (result (error $stream-error)))
    (export "[method]input-stream.read" (func (param "self" (borrow $in)) (param "len" u64) (result $bytes)))
    (export "[method]input-stream.blocking-read" (func (param "self" (borrow $in)) (param "len" u64) (result $bytes)))
    (export "[method]input-stream.skip" (func (param "self" (borrow $in)) (param "len" u64) (result $count)))
    (export "[method]input-stream.blocking-skip" (func (param "self" (borrow $in)) (param "len" u64) (result $count)))
    (export "[method]input-stream.subscribe" (func (param "self" (borrow $in)) (result (own $ready))))
    (export "[method]output-stream.check-write" (func (param "self" (borrow $out)) (result $count)))
    (export "[method]output-stream.write" (func
      (param "self" (borrow $out)) (param "contents" (list u8)) (result $done)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $out)) (param "contents" (list u8)) (result $done)))
    (export "[method]output-stream.blocking-flush" (func (param "self" (borrow $out)) (result $done)))
    (export "[method]output-stream.subscribe" (func (param "self" (borrow $out)) (result (own $ready))))
    (export "[method]output-stream.write-zeroes" (func
      (param "self" (borrow $out)) (param "len" u64) (result $done)))
    (export "[method]output-stream.blocking-write-zeroes-and-flush" (func
      (param "self" (borrow $out)) (param "len" u64) (result $done)))
    (export "[method]output-stream.splice" (func
      (param "self" (borrow $out)) (param "src" (borrow $in)) (param "len" u64) (result $count)))
    (export "[method]output-stream.blocking-splice" (func
      (param "self" (borrow $out)) (param "src" (borrow $in)) (param "len" u64) (result $count)))))
  (alias export $w-streams "input-stream" (type $in))
  (alias export $w-streams "output-stream" (type $out))
  (import "wasi:cli/stdin@0.2.6" (instance $w-stdin
    (export "input-stream" (type $stream (eq $in)))
    (export "get-stdin" (func (result (own $stream))))))
  (import "wasi:cli/stdout@0.2.6" (instance $w-stdout
    (export "output-stream" (type $stream (eq $out)))
    (export "get-stdout" (func (result (own $stream))))))
  (import "wasi:cli/stderr@0.2.6" (instance $w-stderr
    (export "output-stream" (type $stream (eq $out)))
    (export "get-stderr" (func (result (own $stream))))))
  (import "wasi:cli/environment@0.2.6" (instance $w-environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:cli/exit@0.2.6" (instance $w-exit (export "exit" (func (param "status" (result))))))
  (import "wasi:cli/terminal-input@0.2.6" (instance $w-terminal-input (export "terminal-input" (type (sub resource)))))
  (alias export $w-terminal-input "terminal-input" (type $terminal))
  (import "wasi:cli/terminal-stdin@0.2.6" (instance $w-terminal-stdin
    (export "terminal-input" (type $stream (eq $terminal)))
    (export "get-terminal-stdin" (func (result (option (own $stream)))))))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $w-clock
    (export "pollable" (type $ready (eq $pollable)))
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $ready))))
    (export "subscribe-duration" (func (param "when" u64) (result (own $ready))))))
  (import "wasi:filesystem/types@0.2.6" (instance $w-files (export "descriptor" (type (sub resource)))))
  (alias export $w-files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.6" (instance $w-preopens
    (export "descriptor" (type $folder (eq $descriptor)))
    (export "get-directories" (func (result (list (tuple (own $folder) string)))))))
  (import "wasi:random/random@0.2.6" (instance $w-random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (import "wasi:random/insecure@0.2.6" (instance $w-insecure
    (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))))
"#;

/// Each function: the name in `$main`, the instance, the name in it, and its core type.
const FUNCTIONS: [Function; 29] = [
    (
        "debug-string",
        "$w-error",
        "[method]error.to-debug-string",
        "(param i32 i32)",
    ),
    (
        "ready",
        "$w-poll",
        "[method]pollable.ready",
        "(param i32) (result i32)",
    ),
    ("block", "$w-poll", "[method]pollable.block", "(param i32)"),
    ("poll", "$w-poll", "poll", "(param i32 i32 i32)"),
    (
        "read",
        "$w-streams",
        "[method]input-stream.read",
        "(param i32 i64 i32)",
    ),
    (
        "blocking-read",
        "$w-streams",
        "[method]input-stream.blocking-read",
        "(param i32 i64 i32)",
    ),
    (
        "skip",
        "$w-streams",
        "[method]input-stream.skip",
        "(param i32 i64 i32)",
    ),
    (
        "blocking-skip",
        "$w-streams",
        "[method]input-stream.blocking-skip",
        "(param i32 i64 i32)",
    ),
    (
        "in-ready",
        "$w-streams",
        "[method]input-stream.subscribe",
        "(param i32) (result i32)",
    ),
    (
        "check-write",
        "$w-streams",
        "[method]output-stream.check-write",
        "(param i32 i32)",
    ),
    (
        "write",
        "$w-streams",
        "[method]output-stream.write",
        "(param i32 i32 i32 i32)",
    ),
    (
        "blocking-write",
        "$w-streams",
        "[method]output-stream.blocking-write-and-flush",
        "(param i32 i32 i32 i32)",
    ),
    (
        "blocking-flush",
        "$w-streams",
        "[method]output-stream.blocking-flush",
        "(param i32 i32)",
    ),
    (
        "out-ready",
        "$w-streams",
        "[method]output-stream.subscribe",
        "(param i32) (result i32)",
    ),
    (
        "zeroes",
        "$w-streams",
        "[method]output-stream.write-zeroes",
        "(param i32 i64 i32)",
    ),
    (
        "blocking-zeroes",
        "$w-streams",
        "[method]output-stream.blocking-write-zeroes-and-flush",
        "(param i32 i64 i32)",
    ),
    (
        "splice",
        "$w-streams",
        "[method]output-stream.splice",
        "(param i32 i32 i64 i32)",
    ),
    (
        "blocking-splice",
        "$w-streams",
        "[method]output-stream.blocking-splice",
        "(param i32 i32 i64 i32)",
    ),
    ("stdin", "$w-stdin", "get-stdin", "(result i32)"),
    ("stdout", "$w-stdout", "get-stdout", "(result i32)"),
    ("stderr", "$w-stderr", "get-stderr", "(result i32)"),
    (
        "environment",
        "$w-environment",
        "get-environment",
        "(param i32)",
    ),
    (
        "arguments",
        "$w-environment",
        "get-arguments",
        "(param i32)",
    ),
    ("cwd", "$w-environment", "initial-cwd", "(param i32)"),
    ("exit", "$w-exit", "exit", "(param i32)"),
    (
        "terminal",
        "$w-terminal-stdin",
        "get-terminal-stdin",
        "(param i32)",
    ),
    ("preopens", "$w-preopens", "get-directories", "(param i32)"),
    ("random", "$w-random", "get-random-bytes", "(param i64 i32)"),
    (
        "insecure",
        "$w-insecure",
        "get-insecure-random-bytes",
        "(param i64 i32)",
    ),
];

/// The same for the clock, whose functions need no memory.
const CLOCK: [Function; 4] = [
    ("now", "$w-clock", "now", "(result i64)"),
    ("resolution", "$w-clock", "resolution", "(result i64)"),
    (
        "at",
        "$w-clock",
        "subscribe-instant",
        "(param i64) (result i32)",
    ),
    (
        "after",
        "$w-clock",
        "subscribe-duration",
        "(param i64) (result i32)",
    ),
];

/// The name of each kind of handle.
const HANDLES: [(&str, &str); 4] = [
    ("drop-error", "$io-error"),
    ("drop-pollable", "$pollable"),
    ("drop-in", "$in"),
    ("drop-out", "$out"),
];

type Function = (&'static str, &'static str, &'static str, &'static str);

fn functions() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().chain(&CLOCK)
}

/// Returns the functions, lowered.
pub(super) fn lowered() -> String {
    let lower = |(name, instance, function, _): &Function| {
        format!(
            "  (core func ${name} (canon lower (func {instance} \"{function}\") (memory $memory) (realloc $realloc)))\n"
        )
    };
    let drop = |(name, kind): (&str, &str)| {
        format!("  (core func ${name} (canon resource.drop {kind}))\n")
    };
    each(functions(), lower) + &each(HANDLES, drop)
}

/// Returns the imports of `$main`.
pub(super) fn main_imports() -> String {
    let import =
        |name: &str, of: &str| format!("    (import \"wasi\" \"{name}\" (func ${name} {of}))\n");
    each(functions(), |(name, _, _, of)| import(name, of))
        + &each(HANDLES, |(name, _)| import(name, "(param i32)"))
}

/// Returns the arguments that `$main` is instantiated with.
pub(super) fn main_with() -> String {
    let names = functions()
        .map(|(name, ..)| *name)
        .chain(HANDLES.map(|(name, _)| name));
    format!(
        "    (with \"wasi\" (instance {}))\n",
        each(names, |name| format!("(export \"{name}\" (func ${name}))"))
    )
}
