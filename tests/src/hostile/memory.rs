//! Guests that take more room than they get: memories, tables, instances.

use super::{
    Case, Expect, Guest, MEMORY, NOT_LOADABLE, Phase, Source, TRAPPED, each, ended, harmless,
    refused,
};

pub(super) fn cases() -> Vec<Case> {
    [growing(), declared(), tables(), instances()].concat()
}

fn growing() -> Vec<Case> {
    let until_refused = |code: &str| {
        format!(
            "(loop
               (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
               {code}
               (br 0))"
        )
    };
    vec![
        harmless(
            "grow-to-the-end-and-cope",
            "Asks for 4 GiB at once, is told no, and answers all the same.",
            "ok",
            Guest::new().call("(drop (memory.grow (i32.const 65528)))"),
        ),
        ended(
            "grow-to-the-end-and-insist",
            "Asks for 4 GiB at once and fails when it does not get it.",
            MEMORY,
            Guest::new().call("(if (i32.eq (memory.grow (i32.const 65528)) (i32.const -1)) (then unreachable))"),
        ),
        ended(
            "grow-by-pages",
            "Takes page after page until there is none.",
            MEMORY,
            Guest::new().call(until_refused("")),
        ),
        ended(
            "grow-by-pages-and-touch-each",
            "Takes page after page and writes to each of them, so that the host must back it.",
            MEMORY,
            Guest::new().call(until_refused(
                "(i32.store (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536)) (i32.const -1))",
            )),
        ),
        ended(
            "grow-in-realloc",
            "Takes a page whenever the host asks for a few bytes, and lets the host ask for ever.",
            &["memory-exceeded", "cpu-exceeded"],
            Guest::with_host_functions()
                .fill("realloc", "(if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))")
                .call("(loop (call $get (i32.const 4096)) (br 0))"),
        ),
        ended(
            "ask-for-memory-that-is-never-given",
            "Asks for 4 GiB again and again, and does not mind the answer.",
            &["cpu-exceeded", "memory-exceeded"],
            Guest::new().call("(loop (drop (memory.grow (i32.const 65528))) (br 0))"),
        ),
    ]
}

fn declared() -> Vec<Case> {
    let memory = |text: &str| Guest::new().fill("memory", format!("    {text}"));
    let others = |count: usize, pages: usize| {
        let module = format!("  (core module $other (memory {pages}))\n");
        Guest::new().fill(
            "more",
            module + &"  (core instance (instantiate $other))\n".repeat(count),
        )
    };
    vec![
        refused(
            "begin-with-4-gib",
            "Declares a memory of 4 GiB.",
            NOT_LOADABLE,
            memory(r#"(memory (export "memory") 65536)"#),
        ),
        refused(
            "begin-with-a-page-too-many",
            "Declares a memory that is one page larger than the limit of 16 MiB.",
            NOT_LOADABLE,
            memory(r#"(memory (export "memory") 257)"#),
        ),
        refused(
            "begin-with-three-that-do-not-fit",
            "Declares three memories that each fit and together do not.",
            NOT_LOADABLE,
            others(2, 130),
        ),
        refused(
            "begin-with-100-memories",
            "Declares 100 memories of no size.",
            NOT_LOADABLE,
            others(100, 0),
        ),
        refused(
            "begin-with-100-memories-in-one-module",
            "Declares 100 memories in one module.",
            NOT_LOADABLE,
            Guest::new().main("(memory 0) ".repeat(99)),
        ),
        refused(
            "begin-with-more-than-at-most",
            "Declares a memory with a smaller maximum than minimum.",
            NOT_LOADABLE,
            memory(r#"(memory (export "memory") 8 7)"#),
        ),
        refused(
            "data-outside-memory",
            "Wants data written beyond the end of its memory.",
            NOT_LOADABLE,
            Guest::new().main("(data (i32.const 524287) \"ab\")"),
        ),
        refused(
            "data-before-memory",
            "Wants data written at the address -1.",
            NOT_LOADABLE,
            Guest::new().main("(data (i32.const -1) \"a\")"),
        ),
        refused(
            "more-data-than-memory",
            "Brings a data segment of 17 MiB and the memory for it.",
            NOT_LOADABLE,
            memory(r#"(memory (export "memory") 300)"#).main(format!(
                "(data (i32.const 524288) \"{}\")",
                "x".repeat(17 << 20)
            )),
        ),
    ]
}

fn tables() -> Vec<Case> {
    let table = |size: &str| Guest::new().main(format!("(table {size} funcref)"));
    vec![
        ended(
            "grow-a-table-to-the-end",
            "Asks for a table of 2^31 and fails when it does not get it.",
            MEMORY,
            table("1").call(
                "(if (i32.eq (table.grow 0 (ref.null func) (i32.const 0x7fffffff)) (i32.const -1)) (then unreachable))",
            ),
        ),
        ended(
            "grow-a-table-by-steps",
            "Adds a thousand elements at a time until there are no more.",
            MEMORY,
            table("1").call(
                "(loop
                   (if (i32.eq (table.grow 0 (ref.null func) (i32.const 1000)) (i32.const -1)) (then unreachable))
                   (br 0))",
            ),
        ),
        ended(
            "elements-beyond-a-table",
            "Initializes more elements than there are.",
            TRAPPED,
            Guest::new()
                .main("(table 10 funcref) (elem $e func 0 0)")
                .call("(table.init 0 $e (i32.const 9) (i32.const 0) (i32.const 2))"),
        ),
        refused(
            "begin-with-a-table-of-10-million",
            "Declares a table of ten million elements.",
            NOT_LOADABLE,
            table("10000000"),
        ),
        refused("begin-with-a-full-table", "Declares a table of 2^32-1 elements.", NOT_LOADABLE, table("4294967295")),
        refused(
            "begin-with-100-tables",
            "Declares 100 tables.",
            NOT_LOADABLE,
            table("1").main("(table 1 funcref) ".repeat(100)),
        ),
        refused(
            "begin-with-10-000-tables",
            "Declares ten thousand tables.",
            NOT_LOADABLE,
            table("1").main("(table 1 funcref) ".repeat(10_000)),
        ),
    ]
}

fn instances() -> Vec<Case> {
    let many = |count: usize| {
        let more = "  (core module $other)\n".to_owned()
            + &"  (core instance (instantiate $other))\n".repeat(count);
        Guest::new().fill("more", more)
    };
    vec![
        refused(
            "65-instances",
            "Consists of more core instances than any real component.",
            NOT_LOADABLE,
            many(65),
        ),
        refused(
            "10-000-instances",
            "Consists of ten thousand core instances.",
            NOT_LOADABLE,
            many(10_000),
        ),
        refused(
            "1-100-modules",
            "Contains 1,100 modules.",
            NOT_LOADABLE,
            Guest::new().fill("more", "  (core module)\n".repeat(1_100)),
        ),
        nested(
            "nested",
            "Contains a component in a component, 20 deep.",
            20,
            Expect::Either(NOT_LOADABLE),
        ),
        nested(
            "nested-too-deeply",
            "As before, 200 deep.",
            200,
            Expect::Refused(NOT_LOADABLE),
        ),
        nested(
            "nested-far-too-deeply",
            "As before, 100,000 deep: an engine that goes through it takes minutes and all memory.",
            100_000,
            Expect::Refused(NOT_LOADABLE),
        ),
        refused(
            "instances-that-double",
            "Contains components that each instantiate the next one twice: a few lines, 2^40 instances.",
            NOT_LOADABLE,
            Guest::new().fill("more", doubling(40)),
        ),
    ]
}

/// Returns components that each contain two of the one before. The levels are few, because an
/// engine may expand all of them in its own process before it counts.
fn doubling(levels: usize) -> String {
    let inner = each(1..=levels, |level| {
        let below = level - 1;
        format!(
            "  (component $c{level} (alias outer 1 $c{below} (component $below))\n    \
             (instance (instantiate $below)) (instance (instantiate $below)))\n"
        )
    });
    format!(
        "  (component $c0 (core module $m) (core instance (instantiate $m)))\n{inner}  \
         (instance (instantiate $c{levels}))\n"
    )
}

/// Returns the good guest with components around one another behind it, written as bytes: the text
/// format has a limit of its own.
fn nested(name: &'static str, does: &'static str, depth: usize, expect: Expect) -> Case {
    let (mut sizes, mut size) = (Vec::new(), HEADER.len());
    for _ in 0..depth {
        sizes.push(size);
        size += HEADER.len() + 1 + leb(size).len();
    }
    let mut bytes = wat::parse_str(Guest::new().text(name)).unwrap_or_default();
    for size in sizes.into_iter().rev() {
        bytes.push(COMPONENT_SECTION);
        bytes.extend(leb(size));
        bytes.extend(HEADER);
    }
    Case {
        name,
        does,
        at: Phase::Load,
        expect,
        source: Source::Bytes(bytes),
    }
}

/// Encodes a number in unsigned LEB128: 7 bits a byte, the lowest first.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.extend(u8::try_from(number % 128 + 128));
        number /= 128;
    }
    bytes.extend(u8::try_from(number));
    bytes
}

const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const COMPONENT_SECTION: u8 = 4;
