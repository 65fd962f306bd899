//! Guests with the wrong shape: other imports, other exports, other files.

use super::guest::IMPORTS;
use super::{Case, Expect, Guest, IMPORT, NOT_LOADABLE, Phase, Source, each, harmless, refused};

pub(super) fn cases() -> Vec<Case> {
    [wasi(), imports(), exports(), files()].concat()
}

fn importing(
    name: &'static str,
    does: &'static str,
    reasons: &'static [&'static str],
    import: &str,
) -> Case {
    refused(
        name,
        does,
        reasons,
        Guest::new().fill("imports", format!("  {import}\n")),
    )
}

fn wasi() -> Vec<Case> {
    let wants = |name, does, interface: &str| {
        importing(
            name,
            does,
            IMPORT,
            &format!("(import \"{interface}\" (instance))"),
        )
    };
    // A host that has these interfaces must leave them empty, so a guest that imports them still
    // only answers.
    let may_want = |name, does, interface: &str| Case {
        expect: Expect::Either(IMPORT),
        ..wants(name, does, interface)
    };
    vec![
        wants(
            "wants-sockets",
            "Asks for sockets.",
            "wasi:sockets/tcp@0.2.6",
        ),
        wants(
            "wants-names",
            "Asks to look up names.",
            "wasi:sockets/ip-name-lookup@0.2.6",
        ),
        wants(
            "wants-http",
            "Asks for HTTP.",
            "wasi:http/outgoing-handler@0.2.6",
        ),
        may_want(
            "wants-files",
            "Asks for files.",
            "wasi:filesystem/preopens@0.2.6",
        ),
        may_want(
            "wants-the-environment",
            "Asks for environment variables.",
            "wasi:cli/environment@0.2.6",
        ),
        may_want(
            "wants-a-terminal",
            "Asks for standard output.",
            "wasi:cli/stdout@0.2.6",
        ),
        may_want(
            "wants-an-exact-clock",
            "Asks for a clock with which to measure other calls.",
            "wasi:clocks/monotonic-clock@0.2.6",
        ),
        may_want(
            "wants-insecure-random",
            "Asks for random numbers that repeat.",
            "wasi:random/insecure-seed@0.2.6",
        ),
        wants(
            "wants-key-values",
            "Asks for a store that outlives the call.",
            "wasi:keyvalue/store@0.2.0",
        ),
        wants(
            "wants-threads",
            "Asks for threads.",
            "wasi:thread/spawn@0.1.0",
        ),
    ]
}

fn imports() -> Vec<Case> {
    let import = |name, does, reasons, text: &str| importing(name, does, reasons, text);
    vec![
        import(
            "wants-secrets",
            "Asks for an interface of the world that does not exist.",
            IMPORT,
            r#"(import "bailiwick:tool/secrets@0.2.0" (instance))"#,
        ),
        import(
            "wants-another-version",
            "Asks for a version that the host does not have.",
            NOT_LOADABLE,
            r#"(import "bailiwick:tool/log@0.3.0" (instance))"#,
        ),
        import(
            "wants-no-version",
            "Asks for an interface without a version.",
            IMPORT,
            r#"(import "bailiwick:tool/log" (instance))"#,
        ),
        import(
            "wants-a-look-alike",
            "Asks for an interface whose name only begins like one of the world.",
            IMPORT,
            r#"(import "bailiwick:tool/log-all@0.2.0" (instance))"#,
        ),
        import(
            "wants-a-function",
            "Asks for a function outside any interface.",
            IMPORT,
            r#"(import "open" (func (param "path" string) (result u32)))"#,
        ),
        import(
            "wants-a-module",
            "Asks for a module of the host's.",
            IMPORT,
            r#"(import "libc" (core module))"#,
        ),
        import(
            "wants-a-component",
            "Asks for a component of the host's.",
            IMPORT,
            r#"(import "tools" (component))"#,
        ),
        import(
            "wants-a-type",
            "Asks for a type, which links silently.",
            IMPORT,
            r#"(import "credential" (type (sub resource)))"#,
        ),
        import(
            "wants-a-value",
            "Asks for a value when it is instantiated.",
            IMPORT,
            r#"(import "value" (value string))"#,
        ),
        import(
            "wants-a-url",
            "Asks for what lies at a URL.",
            IMPORT,
            r#"(import "url=<https://evil.example/a.wasm>" (instance))"#,
        ),
        import(
            "wants-more-of-an-interface",
            "Asks for a function that the interface does not have.",
            NOT_LOADABLE,
            r#"(import "bailiwick:tool/log@0.2.0" (instance (export "read" (func (result string)))))"#,
        ),
        import(
            "wants-a-function-with-a-user",
            "Asks for a host function with one more argument: for whom.",
            NOT_LOADABLE,
            r#"(import "bailiwick:tool/settings@0.2.0" (instance (export "get" (func (param "user" string) (result string)))))"#,
        ),
        import(
            "wants-another-result",
            "Asks for a host function with another result.",
            NOT_LOADABLE,
            r#"(import "bailiwick:tool/clock@0.2.0" (instance (export "now" (func (result string)))))"#,
        ),
        import(
            "wants-more-random",
            "Asks for a host function with a wider argument.",
            NOT_LOADABLE,
            r#"(import "bailiwick:tool/random@0.2.0" (instance (export "bytes" (func (param "len" u64) (result (list u8))))))"#,
        ),
        import(
            "wants-one-interface-twice",
            "Asks for one interface under two versions.",
            NOT_LOADABLE,
            &format!(r#"{IMPORTS} (import "bailiwick:tool/log@0.2.0" (instance))"#),
        ),
    ]
}

fn exports() -> Vec<Case> {
    let exporting = |name, does, reasons, text: &str| {
        refused(
            name,
            does,
            reasons,
            Guest::new().fill("exports", format!("  {text}\n")),
        )
    };
    let instance = |inside: &str| {
        format!(r#"(instance $x {inside}) (export "bailiwick:tool/tools@0.2.0" (instance $x))"#)
    };
    let both = r#"(export "describe" (func $describe)) (export "call" (func $call))"#;
    let usual = r#"(export "bailiwick:tool/tools@0.2.0" (instance $tools))"#;
    let many = each(0..10_000, |index| {
        format!("  (export \"e{index}\" (func $describe))\n")
    });
    vec![
        exporting("exports-nothing", "Offers nothing.", NOT_LOADABLE, ""),
        exporting(
            "exports-no-call",
            "Describes tools that cannot be called.",
            NOT_LOADABLE,
            &instance(r#"(export "describe" (func $describe))"#),
        ),
        exporting(
            "exports-no-describe",
            "Has tools that it does not describe.",
            NOT_LOADABLE,
            &instance(r#"(export "call" (func $call))"#),
        ),
        exporting(
            "exports-functions-in-exchange",
            "Offers each function under the other's name.",
            NOT_LOADABLE,
            &instance(r#"(export "describe" (func $call)) (export "call" (func $describe))"#),
        ),
        exporting(
            "exports-a-function",
            "Offers a function in the place of the interface.",
            NOT_LOADABLE,
            r#"(export "bailiwick:tool/tools@0.2.0" (func $call))"#,
        ),
        exporting(
            "exports-another-version",
            "Offers a version that the host does not know.",
            NOT_LOADABLE,
            r#"(export "bailiwick:tool/tools@0.3.0" (instance $tools))"#,
        ),
        exporting(
            "exports-the-last-version",
            "Offers the version before, with records that no longer fit.",
            NOT_LOADABLE,
            r#"(export "bailiwick:tool/tools@0.1.0" (instance $tools))"#,
        ),
        exporting(
            "exports-one-name-twice",
            "Offers the interface twice.",
            NOT_LOADABLE,
            &[usual, usual].concat(),
        ),
        harmless(
            "exports-more-than-asked",
            "Offers another interface beside, which nobody asks for.",
            "ok",
            Guest::new().fill(
                "exports",
                format!("  {usual} (instance $y {both}) (export \"a:b/c@1.0.0\" (instance $y))\n"),
            ),
        ),
        Case {
            name: "exports-10-000-functions",
            does: "Offers ten thousand functions that nobody asks for.",
            at: Phase::Load,
            expect: Expect::Either(NOT_LOADABLE),
            source: Source::Text(
                Guest::new()
                    .fill("exports", format!("  {usual}\n{many}"))
                    .text("exports-10-000-functions"),
            ),
        },
        Case {
            name: "call-with-other-arguments",
            does: "Offers a call with other arguments.",
            at: Phase::Load,
            expect: Expect::Refused(NOT_LOADABLE),
            source: Source::Text(Guest::new().text("call-with-other-arguments").replace(
                r#"(func $call (param "tool" string) (param "context" $context)"#,
                r#"(func $call (param "context" $context) (param "tool" string)"#,
            )),
        },
    ]
}

fn files() -> Vec<Case> {
    let file = |name, does, bytes: &[u8]| Case {
        name,
        does,
        at: Phase::Load,
        expect: Expect::Refused(NOT_LOADABLE),
        source: Source::Bytes(bytes.to_vec()),
    };
    let good = wat::parse_str(Guest::new().text("cut")).unwrap_or_default();
    vec![
        file("empty-file", "Is empty.", b""),
        file(
            "only-a-header",
            "Is a component's header and nothing else.",
            b"\0asm\x0d\0\x01\0",
        ),
        file("core-module", "Is a core module.", b"\0asm\x01\0\0\0"),
        file(
            "version-of-tomorrow",
            "Is a component of a version that does not exist.",
            b"\0asm\x0e\0\x01\0",
        ),
        file(
            "cut-in-half",
            "Is the first half of a good component.",
            good.get(..good.len() / 2).unwrap_or_default(),
        ),
        file(
            "cut-at-the-end",
            "Is a good component without its last byte.",
            good.get(..good.len().saturating_sub(1)).unwrap_or_default(),
        ),
        file(
            "good-with-something-behind",
            "Is a good component with something behind it.",
            &[&good[..], b"\0\xff\xff\xff\xff\x0f"].concat(),
        ),
        file(
            "two-in-one",
            "Is two good components one after the other.",
            &[&good[..], &good[..]].concat(),
        ),
        file(
            "section-of-4-gib",
            "Is a component with a section that says it is 4 GiB long.",
            b"\0asm\x0d\0\x01\0\x01\xff\xff\xff\xff\x0f",
        ),
        file(
            "text-format",
            "Is the text of a component, which a lenient host would translate.",
            b"(component)",
        ),
        file(
            "machine-code",
            "Is machine code for this machine, which must never be run.",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0wasmtime",
        ),
        file(
            "compressed",
            "Is compressed, and could become very large.",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
        ),
        file("script", "Is a script.", b"#!/bin/sh\nrm -rf /\n"),
    ]
}
