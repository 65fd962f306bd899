//! Searches the sources for code that reads JSON without [`super::member`].

use std::fs;
use std::path::{Path, PathBuf};

/// Files, and folders, that may read a [`serde_json::Value`] by hand, each with the reason.
const OWN_READING: &[(&str, &str)] = &[
    ("json/member.rs", "it is the helper"),
    ("transport/answer.rs", "a message that it has just built"),
    ("transport/calls.rs", "a message that it has just built"),
    (
        "transport/headers.rs",
        "a schema that its metaschema accepts, and arguments that it accepts",
    ),
    (
        "transport/revision.rs",
        "a revision of another type is none, which its own revision refuses",
    ),
    (
        "transport/message.rs",
        "`jsonrpc` and `method` are required: another type is refused as absence is",
    ),
    (
        "transport/message/targets.rs",
        "`name`, `uri` and `cursor` are required there: another type is refused as absence is",
    ),
    (
        "transport/lines/head.rs",
        "a revision of another type is none, which its own revision refuses",
    ),
    (
        "answers/explain/claimed.rs",
        "a claim that is no number is shown as no time",
    ),
    (
        "pages/",
        "records that this host wrote, which it only shows; another type is shown as absent",
    ),
    ("schema/cost.rs", "a schema that its metaschema accepts"),
    ("json/numbers.rs", "every number of a value, whatever it is"),
    ("schema/portable.rs", "a schema that its metaschema accepts"),
    ("schema/portable/", "a schema that its metaschema accepts"),
    (
        "transport/described.rs",
        "blocks that the sandbox has built",
    ),
    (
        "schema/parameters.rs",
        "a schema that its metaschema accepts; it only looks for names",
    ),
    (
        "schema.rs",
        "walks any value; the metaschema judges the types",
    ),
    (
        "questions.rs",
        "a question of another type is refused, as one without the member is",
    ),
    (
        "questions/",
        "another type is refused or not declared, and an answer is asked for again, as without the \
         member",
    ),
    ("sandbox/answer/content.rs", "blocks that it has just built"),
    ("sandbox/answer/judge.rs", "values that it has just built"),
    (
        "sandbox/view.rs",
        "a capability of another type is none, as its absence is",
    ),
    (
        "dispatch/definition/facets.rs",
        "an icon without a text as its `src` is refused",
    ),
    (
        "dispatch/target.rs",
        "the arguments of a completion, which its schema accepts",
    ),
    (
        "app/denials/records.rs",
        "the journal's own records: a denial that is not one is none, and stays in effect by the list",
    ),
    ("conditions.rs", "an object that it has just built"),
    (
        "tokens/endpoint/assertion.rs",
        "an object that it has just built",
    ),
    (
        "import/",
        "an API description or a remote tool's definition: what is of another type is left out with \
         its reason, or as if it were absent, and the host's rules judge what is made of it",
    ),
    (
        "scaffold/pins.rs",
        "no part of the host: the test of the files that it writes",
    ),
    ("campaign.rs", "no part of the host: it damages texts"),
    ("surfaces/", "no part of the host: it damages texts"),
    ("identity/surfaces.rs", SECOND_READER),
    ("remote/surface.rs", SECOND_READER),
    ("tokens/keys/surfaces.rs", SECOND_READER),
    ("transport/surface.rs", SECOND_READER),
];

const SECOND_READER: &str = "no part of the host: a second reader shares nothing with the first";

#[test]
fn json_from_outside_is_read_as_its_type_or_refused() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<(String, String)> = Vec::new();
    for path in rust_files(&sources) {
        let name = path
            .strip_prefix(&sources)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.extend(by_hand(&text).map(|line| (name.clone(), line.to_owned())));
    }
    let covers = |place: &str, name: &str| {
        if place.ends_with('/') {
            name.starts_with(place)
        } else {
            name == place
        }
    };
    let wrong: Vec<_> = found
        .iter()
        .filter(|(name, _)| !OWN_READING.iter().any(|(place, _)| covers(place, name)))
        .collect();
    assert!(
        wrong.is_empty(),
        "read these with json::member, or give the reason in OWN_READING: {wrong:#?}"
    );
    for (place, _) in OWN_READING {
        assert!(
            found.iter().any(|(name, _)| covers(place, name)),
            "{place} does not read by hand any more: take it off"
        );
    }
}

#[test]
fn each_way_to_read_by_hand_is_found() {
    for code in [
        r"let text = |name: &str| value.get(name).and_then(Value::as_str);",
        r#"value.get("error").and_then(serde_json::Value::as_str)"#,
        r#"params.pointer("/_meta/traceparent")"#,
        r"seconds.as_u64()",
        r#"set.get("keys").and_then(|keys| keys.as_array())"#,
        r#"if let Some(Value::String(scope)) = answer.get("scope") {"#,
        r#"answer.get("scope").is_some_and(Value::is_string)"#,
        r#"answer.get("scope")?.as_str()"#,
        r#"answer["scope"].as_str()"#,
    ] {
        assert_eq!(by_hand(code).count(), 1, "{code}");
    }
    for code in [
        r#"member::text(answer, "scope")?"#,
        r"reason.as_str()",
        r#"headers.get("accept").map(HeaderValue::as_bytes)"#,
        r"// value.get(name).and_then(Value::as_str)",
        "#[cfg(test)]\nmod tests {\n    value.as_u64();\n}",
    ] {
        assert_eq!(by_hand(code).count(), 0, "{code}");
    }
}

/// Returns the lines of shipped code that convert a value to a type by themselves.
fn by_hand(source: &str) -> impl Iterator<Item = &str> {
    let shipped = source
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let code = shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.filter(|line| {
        let text_of_member =
            line.contains(".as_str()") && (line.contains(".get(\"") || line.contains("[\""));
        let matched = line.contains("Some(Value::") && line.contains(".get(");
        text_of_member || matched || CONVERSIONS.iter().any(|conversion| names(line, conversion))
    })
}

/// Returns whether `line` has `text`, and not only as the end of a longer name.
fn names(line: &str, text: &str) -> bool {
    let longer = |at: usize| {
        line.get(..at)
            .is_some_and(|before| before.ends_with(char::is_alphanumeric))
    };
    line.match_indices(text)
        .any(|(at, _)| text.starts_with('.') || !longer(at))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let test = |path: &PathBuf| {
        path.file_stem()
            .is_some_and(|stem| FOR_TESTS.iter().any(|name| stem == *name))
    };
    let shipped = entries.filter(|path| !test(path));
    let nested = shipped.flat_map(|path| {
        if path.is_dir() {
            rust_files(&path)
        } else {
            vec![path]
        }
    });
    nested
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

const CONVERSIONS: &[&str] = &[
    "Value::as_",
    "Value::is_",
    ".pointer(",
    ".as_array()",
    ".as_object()",
    ".as_object_mut()",
    ".as_u64()",
    ".as_i64()",
    ".as_f64()",
    ".as_bool()",
];

/// Modules that are compiled for tests only.
const FOR_TESTS: &[&str] = &[
    "tests",
    "testing",
    "attacks",
    "reading",
    "campaigns",
    "vectors",
];
