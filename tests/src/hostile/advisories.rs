//! Guests that try the attacks of advisories for the engine, each named by the advisory.
//!
//! Most need a feature of WebAssembly or an interface of WASI that a host has no use for: such a
//! guest must be refused before the compiler or the engine meets it, whatever version of the engine
//! that is. The rest runs, and must be bounded. docs/advisories.md says which advisory concerns
//! this host, and why.

use super::wasi::{does, for_ever};
use super::{CPU, Case, Guest, IMPORT, NOT_LOADABLE, TIME, TOO_LARGE, TRAPPED, ended, refused};

pub(super) fn cases() -> Vec<Case> {
    [
        collected(),
        exceptions(),
        threads(),
        asynchronous(),
        interfaces(),
        bounded(),
    ]
    .concat()
}

/// Makes a refused guest that contains and instantiates a module with these fields.
fn with_module(name: &'static str, does: &'static str, fields: &str) -> Case {
    let more = format!("  (core module $other {fields}) (core instance (instantiate $other))");
    refused(name, does, NOT_LOADABLE, Guest::new().fill("more", more))
}

/// Makes a refused guest with these definitions.
fn with(name: &'static str, does: &'static str, text: &str) -> Case {
    refused(name, does, NOT_LOADABLE, Guest::new().fill("more", text))
}

/// Returns guests with collected types, for an engine that is built without a collector.
fn collected() -> Vec<Case> {
    vec![
        with_module(
            "rustsec-2026-0570-struct",
            "Makes a collected structure, in an engine without a collector (GHSA-rc4p-x33f-vpr2).",
            "(type $s (struct (field (mut i32)))) (func $f (drop (struct.new $s (i32.const 1)))) (start $f)",
        ),
        with_module(
            "rustsec-2026-0570-i31",
            "Makes a number that is a reference, in an engine without a collector.",
            "(global (mut i31ref) (ref.i31 (i32.const 7))) (func $f (drop (ref.i31 (i32.const 1)))) (start $f)",
        ),
        with_module(
            "rustsec-2026-0570-external-references",
            "Fills and grows a table of the host's references, in an engine without a collector.",
            "(table $t 4 externref)
             (func $f (table.fill $t (i32.const 0) (ref.null extern) (i32.const 4))
               (drop (table.grow $t (ref.null extern) (i32.const 4))))
             (start $f)",
        ),
        with_module(
            "rustsec-2026-0570-global",
            "Has a variable for a reference of the host's, in an engine without a collector.",
            "(global $g (mut externref) (ref.null extern)) (func $f (global.set $g (ref.null extern))) (start $f)",
        ),
        with_module(
            "rustsec-2026-0570-typed-functions",
            "Calls a typed reference and tests what it is, in an engine without a collector.",
            "(type $t (func)) (func $g (type $t)) (elem declare func $g)
             (func $f (call_ref $t (ref.func $g)) (drop (ref.test (ref $t) (ref.func $g)))) (start $f)",
        ),
        with_module(
            "rustsec-2026-0570-subtypes",
            "Calls through a table with a type that has subtypes, which must be told apart while it runs.",
            "(type $a (sub (func))) (type $b (sub $a (func))) (func $g (type $b)) (table 1 funcref) (elem (i32.const 0) $g)
             (func $f (call_indirect (type $a) (i32.const 0))) (start $f)",
        ),
        with_module(
            "ghsa-43j2-gcp4-m22g-arrays",
            "Makes arrays until the collector's heap moves, and uses one that was made before.",
            "(type $a (array (mut i8)))
             (func $f (local $first (ref null $a))
               (local.set $first (array.new_default $a (i32.const 8)))
               (loop
                 (drop (array.new_default $a (i32.const 65536)))
                 (array.set $a (local.get $first) (i32.const 0) (i32.const 1))
                 (br 0)))
             (start $f)",
        ),
        with_module(
            "ghsa-wvgq-g5hf-6gm6-heap",
            "Makes an array of a size that is no multiple of a page.",
            "(type $a (array (mut i64))) (func $f (drop (array.new_default $a (i32.const 1234567)))) (start $f)",
        ),
    ]
}

fn exceptions() -> Vec<Case> {
    vec![
        with_module(
            "rustsec-2026-0325-tags",
            "Takes a tag of one type for a tag of another (GHSA-cfhf-m2cr-62wj).",
            "(type $a (func (param i32))) (type $b (func (param externref))) (tag $t (type $a))
             (func $f (throw $t (i32.const 1))) (start $f)",
        ),
        with_module(
            "rustsec-2026-0326-references-beyond-a-throw",
            "Keeps a reference over a call that throws (GHSA-hw8m-q44c-ggrf).",
            "(tag $t) (func $throws (throw $t))
             (func $f (param externref) (result externref)
               (block (try_table (catch_all 0) (call $throws))) (local.get 0))",
        ),
        with_module(
            "rustsec-2026-0315-calls-that-cost-nothing",
            "Calls typed references and catches what they throw, twice as often at each level (GHSA-m63x-6p34-q65x).",
            "(type $t (func)) (tag $e) (elem declare func $g)
             (func $g (type $t) (throw $e))
             (func $f (block (try_table (catch_all 0) (call_ref $t (ref.func $g))))
               (block (try_table (catch_all 0) (call_ref $t (ref.func $g)))))
             (start $f)",
        ),
    ]
}

/// Returns guests with shared memory, for an engine that is built without threads.
fn threads() -> Vec<Case> {
    let id = |name, does, fields| with_module(name, does, fields);
    vec![
        id(
            "ghsa-2674-w29h-wqvj-wait",
            "Waits for another thread, in an engine without threads.",
            "(memory 1 1 shared)
             (func $f (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))) (start $f)",
        ),
        id(
            "ghsa-2674-w29h-wqvj-notify",
            "Wakes another thread, in an engine without threads.",
            "(memory 1 1 shared) (func $f (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))) (start $f)",
        ),
        id(
            "ghsa-2674-w29h-wqvj-alone",
            "Wakes another thread through a memory that it shares with none.",
            "(memory 1) (func $f (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))) (start $f)",
        ),
        id(
            "ghsa-2674-w29h-wqvj-grow",
            "Grows a memory that threads could share, and adds to what is in it.",
            "(memory 1 4 shared)
             (func $f (drop (memory.grow (i32.const 1))) (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))) (start $f)",
        ),
    ]
}

fn asynchronous() -> Vec<Case> {
    vec![
        with(
            "ghsa-xrvr-8678-5wp8-cancel-a-stream",
            "Cancels the reading of a stream at the end that writes.",
            "  (type $s (stream u8)) (core func (canon stream.new $s)) (core func (canon stream.cancel-read $s))",
        ),
        with(
            "ghsa-xrvr-8678-5wp8-cancel-a-future",
            "Cancels the writing of a future at the end that reads.",
            "  (type $f (future u32)) (core func (canon future.new $f)) (core func (canon future.cancel-write $f))",
        ),
        with(
            "rustsec-2026-0268-large-stream",
            "Reads a stream of its own with a buffer of 4 GiB (GHSA-x84v-gj2h-g759).",
            "  (type $s (stream u8)) (core func (canon stream.read $s (memory $memory)))",
        ),
        refused(
            "rustsec-2026-0327-callback-with-too-many-results",
            "Has a callback with more results than its caller has room for (GHSA-32h6-97mm-8q3c).",
            NOT_LOADABLE,
            Guest::new()
                .fill(
                    "call-options",
                    " async (callback (core func $main \"callback\"))",
                )
                .main(
                    "(func (export \"callback\") (param i32 i32 i32) (result i32 i64 i64 i64 i64)
                       (i32.const 1) (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1))",
                ),
        ),
    ]
}

/// Returns guests with interfaces that have had a fault, and that a tool never gets.
fn interfaces() -> Vec<Case> {
    let import = |name, does, interface: &str| {
        refused(
            name,
            does,
            IMPORT,
            Guest::new().fill(
                "imports",
                format!("  (import \"{interface}\" (instance))\n"),
            ),
        )
    };
    vec![
        import(
            "ghsa-f8mm-ggr3-89wh-http-bodies",
            "Asks for HTTP, through which empty writes could fill the host's memory.",
            "wasi:http/outgoing-handler@0.2.6",
        ),
        import(
            "ghsa-w4qr-p94g-mjhv-http-timeouts",
            "Asks for HTTP, where a timeout of nothing could end the host.",
            "wasi:http/types@0.2.6",
        ),
        import(
            "rustsec-2026-0324-times-before-the-epoch",
            "Asks for the files of version 0.3, whose times could end the host (GHSA-mr2v-56j5-cmfc).",
            "wasi:filesystem/types@0.3.0",
        ),
        import(
            "rustsec-2026-0321-the-first-wasi",
            "Asks for the first version of WASI by the name of its module (GHSA-j366-h8gg-77pm).",
            "wasi:snapshot-preview1/wasi-unstable@0.1.0",
        ),
    ]
}

/// Returns the guests that run, and are bounded.
fn bounded() -> Vec<Case> {
    vec![
        ended(
            "ghsa-5m8g-xhq4-4h93-empty-writes",
            "Writes nothing to both outputs, for ever, each of which the host could remember.",
            TIME,
            for_ever(
                "(local.set $h (call $stdout)) (local.set $i (call $stderr))",
                "(call $write (local.get $h) (i32.const 1024) (i32.const 0) (i32.const 4096))
                 (call $write (local.get $i) (i32.const 1024) (i32.const 0) (i32.const 4096))",
            ),
        ),
        ended(
            "rustsec-2026-0322-input-that-is-not-there",
            "Reads as much as it can of an input that is not there, for ever (GHSA-gqmc-89g8-p25r).",
            TIME,
            for_ever("(local.set $h (call $stdin))", "(call $read (local.get $h) (i64.const -1) (i32.const 4096))"),
        ),
        ended(
            "rustsec-2026-0321-many-waits-in-one",
            "Waits for hundreds of things in each of many calls of the host, which cost it more than the guest.",
            TIME,
            for_ever(
                "(local.set $h (call $out-ready (call $stdout)))
                 (loop
                   (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))) (local.get $h))
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (br_if 0 (i32.lt_u (local.get $i) (i32.const 200))))",
                "(call $poll (i32.const 65536) (i32.const 200) (i32.const 4096))",
            ),
        ),
        ended(
            "rustsec-2026-0316-records-of-nothing",
            "Passes a hundred and eighty thousand records of nothing, which are larger in the host's memory (GHSA-jqpg-j7w6-42pr).",
            TOO_LARGE,
            Guest::with_host_functions().call(
                "(drop (memory.grow (i32.const 200)))
                 (call $send-all (i32.const 524288) (i32.const 180000) (i32.const 4096))",
            ),
        ),
        ended(
            "rustsec-2026-0223-bulk-operations-for-ever",
            "Fills and copies memory and tables in the largest pieces, while time runs out (GHSA-2hw9-mc66-jc2q).",
            CPU,
            Guest::new().main(TABLES).call(
                "(drop (memory.grow (i32.const 150)))
                 (loop
                   (memory.fill (i32.const 524288) (i32.const 1) (i32.const 9000000))
                   (memory.copy (i32.const 524288) (i32.const 524289) (i32.const 9000000))
                   (table.fill $t (i32.const 0) (ref.null func) (i32.const 1000))
                   (table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 1000))
                   (br 0))",
            ),
        ),
        ended(
            "rustsec-2026-0223-bulk-operation-that-fails-halfway",
            "Initializes a table beyond its end, after pieces that fit.",
            TRAPPED,
            Guest::new().main(TABLES).call(
                "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
                 (drop (table.grow $t (ref.null func) (i32.const 1000)))
                 (table.init $t $e (i32.const 1999) (i32.const 0) (i32.const 2))",
            ),
        ),
        ended(
            "rustsec-2026-0314-a-file-that-was-never-opened",
            "Writes through a handle that no folder gave it: there is none whose times it could set (GHSA-j2g9-4prp-pf6h).",
            TRAPPED,
            does("(call $write (i32.const 5) (i32.const 1024) (i32.const 2) (i32.const 4096))"),
        ),
    ]
}

const TABLES: &str =
    "(table $t 1000 funcref) (table $u 1000 funcref) (elem $e func $one $one) (func $one)";
