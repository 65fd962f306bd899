//! Guests that break a rule of WebAssembly.

use super::{Case, Guest, TRAPPED, ended};

pub(super) fn cases() -> Vec<Case> {
    let case =
        |name, does, code: &str| ended(name, does, TRAPPED, Guest::new().main(TABLE).call(code));
    vec![
        case("unreachable", "Stops where it may not be.", "unreachable"),
        case(
            "divide-by-zero",
            "Divides by zero.",
            "(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))",
        ),
        case(
            "divide-beyond-the-largest",
            "Divides the smallest number by -1.",
            "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        ),
        case(
            "convert-nan",
            "Converts a NaN to an integer.",
            "(drop (i32.trunc_f64_s (f64.const nan)))",
        ),
        case(
            "load-beyond-memory",
            "Reads beyond the end of its memory.",
            "(drop (i32.load (i32.const 524285)))",
        ),
        case(
            "store-far-beyond-memory",
            "Writes 4 GiB further on.",
            "(i64.store offset=4294967288 (i32.const -1) (i64.const 1))",
        ),
        case(
            "fill-beyond-memory",
            "Fills more than it has.",
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))",
        ),
        case(
            "call-nothing",
            "Calls an empty element of a table.",
            "(call_indirect $t (i32.const 1))",
        ),
        case(
            "call-beyond-the-table",
            "Calls an element beyond the table.",
            "(call_indirect $t (i32.const -1))",
        ),
        case(
            "call-another-type",
            "Calls a function as if it were of another type.",
            "(drop (call_indirect $t (param i64) (result i64) (i64.const 1) (i32.const 0)))",
        ),
    ]
}

const TABLE: &str = "(table $t 2 funcref) (elem (table $t) (i32.const 0) func $f) (func $f)";
