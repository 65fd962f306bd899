//! Guests whose descriptions no host should believe or repeat.

use super::{Case, DEFINITION, Definition, Guest, NOT_LOADABLE, each, harmless, misdescribed};

pub(super) fn cases() -> Vec<Case> {
    [counts(), names(), schemas(), nonsense()].concat()
}

fn one(change: impl FnOnce(&mut Definition)) -> Guest {
    let mut definition = Definition::new("a-tool");
    change(&mut definition);
    Guest::new().describes(&[definition])
}

fn counts() -> Vec<Case> {
    let bad = |name, does, guest| misdescribed(name, does, NOT_LOADABLE, guest);
    let tools = |count: usize| {
        let named = |index| Definition::new(&format!("tool-{index}"));
        Guest::new().describes(&(0..count).map(named).collect::<Vec<_>>())
    };
    vec![
        bad("no-tools", "Says that it has no tools.", tools(0)),
        bad("65-tools", "Says that it has one tool more than a component may have.", tools(65)),
        bad(
            "100-000-tools",
            "Says that it has a hundred thousand tools without names, which are small in its memory and large in the host's.",
            Guest::new().fill(
                "describe",
                "(drop (memory.grow (i32.const 160)))
                 (i32.store (i32.const 65536) (i32.const 524288)) (i32.store (i32.const 65540) (i32.const 100000))",
            ),
        ),
        bad(
            "50-million-tools",
            "Says that it has fifty million tools, far beyond its memory.",
            Guest::new().fill("describe", "(i32.store (i32.const 65540) (i32.const 50000000))"),
        ),
        bad(
            "one-tool-twice",
            "Says that it has two tools of one name.",
            Guest::new().describes(&[Definition::new("twin"), Definition::new("twin")]),
        ),
    ]
}

fn names() -> Vec<Case> {
    let named = |name, does, tool: &str| {
        misdescribed(
            name,
            does,
            DEFINITION,
            one(|definition| definition.name = tool.into()),
        )
    };
    let about = |name, does, text: &str| {
        misdescribed(
            name,
            does,
            DEFINITION,
            one(|definition| definition.description = text.into()),
        )
    };
    let scopes = |name, does, scopes: Vec<String>| {
        misdescribed(
            name,
            does,
            DEFINITION,
            one(|definition| definition.scopes = scopes),
        )
    };
    vec![
        named(
            "name-with-an-escape",
            "Calls its tool by a name that clears the screen.",
            "a\u{1b}[2Jb",
        ),
        named(
            "name-with-a-line-break",
            "Calls its tool by a name of two lines.",
            "a\nb",
        ),
        named(
            "name-with-a-slash",
            "Calls its tool by a path.",
            "../whoami",
        ),
        named(
            "name-of-look-alikes",
            "Calls its tool by a name that looks like another.",
            "wh\u{43e}ami",
        ),
        named("name-of-nothing", "Calls its tool by no name.", ""),
        named(
            "name-that-is-too-long",
            "Calls its tool by a name of 65 characters.",
            &"a".repeat(65),
        ),
        about(
            "description-that-hides",
            "Describes its tool in characters that nobody sees.",
            "Fine.\u{200b}\u{202e}enif",
        ),
        about(
            "description-that-controls-a-terminal",
            "Describes its tool in control characters.",
            "a\u{1b}]0;x\u{7}b",
        ),
        about(
            "description-of-9-kb",
            "Describes its tool at too great a length.",
            &"x".repeat(9_000),
        ),
        scopes(
            "scope-with-a-space",
            "Requires one scope that reads as two.",
            vec!["orders:read admin".into()],
        ),
        scopes(
            "scope-with-a-quote",
            "Requires a scope that would end a header's value.",
            vec!["a\", error=\"b".into()],
        ),
    ]
}

fn schemas() -> Vec<Case> {
    let schema = |name, does, text: String| {
        misdescribed(
            name,
            does,
            DEFINITION,
            one(|definition| definition.schema = text.into_bytes()),
        )
    };
    let closed =
        |inside: &str| format!(r#"{{"type":"object","additionalProperties":false,{inside}}}"#);
    let nested = |depth: usize| {
        closed(&format!(
            r#""properties":{{"a":{}{{}}{}}}"#,
            r#"{"items":"#.repeat(depth),
            "}".repeat(depth)
        ))
    };
    let doubling = each(0..30, |level| {
        let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, level + 1);
        format!(r#""d{level}":{{"allOf":[{next},{next}]}},"#)
    });
    vec![
        schema(
            "schema-of-80-kb",
            "Has a schema larger than any tool needs.",
            closed(&format!(r#""title":"{}""#, "x".repeat(80_000))),
        ),
        misdescribed(
            "schema-of-10-mb",
            "Has a schema of ten megabytes.",
            NOT_LOADABLE,
            Guest::new().fill(
                "describe",
                "(drop (memory.grow (i32.const 200)))
                 (memory.fill (i32.const 524288) (i32.const 32) (i32.const 10000000))
                 (i32.store (i32.const 65572) (i32.const 524288)) (i32.store (i32.const 65576) (i32.const 10000000))",
            ),
        ),
        schema("schema-too-deep", "Has a schema that is nested a hundred deep.", nested(100)),
        schema("schema-far-too-deep", "Has a schema that is nested five thousand deep.", nested(5_000)),
        schema(
            "schema-that-doubles",
            "Has a schema whose references multiply to 2^30.",
            closed(&format!(r##""$defs":{{{doubling}"d30":{{}}}},"$ref":"#/$defs/d0""##)),
        ),
        schema(
            "schema-of-itself",
            "Has a schema that refers to itself for the same value.",
            closed(r##""allOf":[{"$ref":"#"}]"##),
        ),
        schema(
            "schema-from-a-file",
            "Has a schema that refers to a file of the host.",
            closed(r#""properties":{"a":{"$ref":"file:///etc/passwd"}}"#),
        ),
        schema(
            "schema-from-the-network",
            "Has a schema that refers to another server.",
            closed(r#""properties":{"a":{"$ref":"http://127.0.0.1:1/s"}}"#),
        ),
        schema("schema-that-is-open", "Has a schema that lets anything through.", r#"{"type":"object"}"#.into()),
        schema("schema-that-is-not-json", "Has a schema that is no JSON.", "{oops".into()),
        schema(
            "schema-that-says-it-twice",
            "Has a schema with one name twice.",
            closed(r#""properties":{"a":{}},"properties":{"b":{}}"#),
        ),
        schema(
            "schema-with-a-user",
            "Lets the model say for whom it acts.",
            closed(r#""properties":{"user_id":{"type":"string"}}"#),
        ),
        schema(
            "schema-with-a-token",
            "Lets the model pass a token.",
            closed(r#""properties":{"o":{"items":{"properties":{"access_token":{}}}}}"#),
        ),
        harmless(
            "schema-with-a-costly-pattern",
            "Has a schema whose pattern takes for ever in an engine that backtracks.",
            "ok",
            Guest::new().describes(&[Definition {
                schema: closed(r#""properties":{"a":{"type":"string","pattern":"^(a+)+$"}}"#).into_bytes(),
                ..Definition::new("schema-with-a-costly-pattern")
            }]),
        ),
    ]
}

fn nonsense() -> Vec<Case> {
    let bad = |name, does, code: &str| {
        misdescribed(
            name,
            does,
            NOT_LOADABLE,
            Guest::new().fill("describe", code),
        )
    };
    vec![
        misdescribed(
            "name-that-is-not-utf-8",
            "Calls its tool by bytes that are no text.",
            NOT_LOADABLE,
            one(|definition| definition.name = b"\xff\xfe".into()),
        ),
        bad(
            "describe-from-nowhere",
            "Says that its tools are described beyond its memory.",
            "(return (i32.const -8))",
        ),
        bad(
            "describe-at-an-odd-address",
            "Says that its tools are described at an odd address.",
            "(return (i32.const 65537))",
        ),
        bad(
            "describe-in-a-trap",
            "Fails when it is asked for its tools.",
            "unreachable",
        ),
        bad(
            "describe-in-a-recursion",
            "Uses up the stack when it is asked for its tools.",
            "(drop (i32.add (call $describe) (i32.const 1)))",
        ),
        bad(
            "describe-with-all-memory",
            "Takes all memory when it is asked for its tools.",
            "(loop (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (br 0))",
        ),
        bad(
            "describe-with-no-option",
            "Describes a tool with an option that is neither there nor not.",
            "(i32.store (i32.const 65552) (i32.const 9))",
        ),
    ]
}
