use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Result<Value, &'static str> {
    parse(text.as_bytes(), 16, 1_000).map_err(|error| error.kind)
}

#[test]
fn a_document_is_read_as_json_would_have_it() {
    for (text, expected) in [
        (
            "openapi: 3.0.3\npaths: {}",
            json!({"openapi": "3.0.3", "paths": {}}),
        ),
        ("---\na: 1\n...\n", json!({"a": 1})),
        (
            "200: ok\n1.10: a\nno: b\n~: c",
            json!({"200": "ok", "1.10": "a", "no": "b", "~": "c"}),
        ),
        ("[1, -2, +3, 007, 0x1F, 0o17]", json!([1, -2, 3, 7, 31, 15])),
        (
            "[3.5, 1.10, .5, 5., 1e3, -1E-1]",
            json!([3.5, 1.1, 0.5, 5.0, 1000.0, -0.1]),
        ),
        (
            "[true, False, null, ~, '', ]",
            json!([true, false, null, null, ""]),
        ),
        (
            "[no, yes, on, off, y, tRue]",
            json!(["no", "yes", "on", "off", "y", "tRue"]),
        ),
        ("['1', \"true\", !!str 1.10]", json!(["1", "true", "1.10"])),
        (
            "[1.2.3, 1_000, 0b1, 0x, '.', 1e, 2026-07-28]",
            json!(["1.2.3", "1_000", "0b1", "0x", ".", "1e", "2026-07-28"]),
        ),
        (
            "a: |\n  one\n  two\nb: >-\n  one\n  two",
            json!({"a": "one\ntwo\n", "b": "one two"}),
        ),
        (
            "a: &x {b: 1}\nc: *x\nd: [*x]",
            json!({"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]}),
        ),
        ("a: &x 1\nb: &x 2\nc: *x", json!({"a": 1, "b": 2, "c": 2})),
        ("a:\nb: # nothing\n", json!({"a": null, "b": null})),
        ("'<<': a", json!({"<<": "a"})),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_hostile_or_has_two_meanings_is_refused() {
    let level = |level: usize| {
        let below = level.checked_sub(1);
        let item = below.map_or("x, ".to_owned(), |below| format!("*a{below}, "));
        format!("a{level}: &a{level} [{}]\n", item.repeat(10))
    };
    let bomb: Vec<_> = (0..9).map(level).collect();
    let bomb = bomb.concat();
    let texts = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), "*a, ".repeat(500));
    let deep = "[".repeat(100_000);
    let steps: Vec<_> = (0..40).map(|level| " ".repeat(level)).collect();
    let steps = steps.join("- \n");
    let stairs = format!(
        "a: &a {}1{}\nb: {}*a{}",
        "[".repeat(9),
        "]".repeat(9),
        "[".repeat(9),
        "]".repeat(9)
    );
    let many = format!("a: [{}]", "1, ".repeat(2_000));
    for (text, kind) in [
        (bomb.as_str(), ALIASES),
        (&texts, ALIASES),
        (&deep, SYNTAX),
        (&steps, TOO_DEEP),
        (&stairs, TOO_DEEP),
        (&many, TOO_MANY),
        ("", EMPTY),
        ("# nothing", EMPTY),
        ("a: 1\na: 2", DUPLICATE),
        ("{a: 1, 'a': 2}", DUPLICATE),
        ("a: &a [*a]", CIRCLE),
        ("a: *none", SYNTAX),
        ("a: [1", SYNTAX),
        ("a: &a {b: 1}\nc:\n  <<: *a", MERGED),
        ("a: 1\n---\na: 2", SEVERAL),
        ("a: .nan", NO_NUMBER),
        ("a: -.Inf", NO_NUMBER),
        ("a: 1e999", NO_NUMBER),
        ("a: 0xFFFFFFFFFFFFFFFFF", NO_NUMBER),
        ("? [1]\n: 2", KEY),
        ("a: &a b\n*a : 2", KEY),
        ("!!int a: 2", KEY),
        ("a: !!binary aGk=", TAG),
        ("a: !!python/object:os.system x", TAG),
        ("a: !own {}", TAG),
    ] {
        assert_eq!(read(text), Err(kind), "{text:.60}");
    }
    let error = parse(b"a: b\n  \xff", 16, 16).map_err(|error| (error.line, error.column));
    assert_eq!(error, Err((2, 3)));
}
