//! Schemas and values that try to take more time, memory or stack than a call is worth.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;

/// Compiles and checks. Any answer will do, but it must come soon.
fn answer(schema: &Value, instance: &Value) -> Result<(), String> {
    let started = Instant::now();
    let schema = Schema::compile(&schema.to_string()).map_err(|error| error.to_string());
    let checked = schema.and_then(|schema| schema.check(instance));
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    checked
}

#[test]
fn another_way_to_write_a_reference_does_not_hide_a_loop() {
    for reference in ["#/%24defs/a", "#/$defs/%61", "%23/$defs/a", "#/$defs/a%"] {
        let schema = json!({
            "%24defs": {"a": true},
            "$defs": {"a": {"anyOf": [{"$ref": reference}]}, "%61": true, "a%": true},
            "$ref": "#/$defs/a",
        });
        assert!(
            answer(&schema, &json!({})).is_err_and(|error| error.contains("refers")),
            "{reference}"
        );
    }
    let nested = |keyword: &str, to: &str| json!({"$dynamicAnchor": "a", "items": {(keyword): to}});
    let deep: Value =
        serde_json::from_str(&format!("{}{}", "[".repeat(30), "]".repeat(30))).unwrap_or_default();
    let dynamic = answer(&nested("$dynamicRef", "#a"), &deep);
    assert!(dynamic.is_err_and(|error| error.contains("refers")));
    // This keyword means nothing in this dialect.
    drop(answer(&nested("$recursiveRef", "#"), &deep));
}

#[test]
fn a_value_that_is_too_deep_for_a_recursive_schema_is_refused_and_others_are_checked() {
    let tree = json!({"type": "object", "additionalProperties": false, "properties": {
        "n": {"type": "integer"}, "left": {"$ref": "#"}, "right": {"$ref": "#"}}});
    let nested = |depth: usize, leaf: Value| {
        (0..depth).fold(json!({"n": leaf}), |inside, _| json!({"left": inside}))
    };
    assert_eq!(answer(&tree, &nested(5, json!(1))), Ok(()));
    let wrong = answer(&tree, &nested(5, json!("x")));
    assert!(wrong.is_err_and(|error| error.contains("/left/left/left/left/left/n")));
    let deep = answer(&tree, &nested(60, json!(1)));
    assert!(deep.is_err_and(|error| error.contains("too deeply")));
}

#[test]
fn another_dialect_is_refused_wherever_it_stands() {
    for schema in [
        json!({"items": {"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://x/"}}),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "items": {"$schema": "x"}}),
        json!({"$schema": 7}),
    ] {
        assert!(
            answer(&schema, &json!([])).is_err_and(|error| error.contains("2020-12")),
            "{schema}"
        );
    }
    let named = json!({"properties": {"$schema": {"type": "string"}, "$ref": {}, "$id": {}, "pattern": {}}});
    assert_eq!(answer(&named, &json!({"$schema": "x"})), Ok(()));
}

#[test]
fn long_chains_of_references_do_not_use_up_the_stack() {
    let next = |at: usize| {
        (
            format!("d{at}"),
            json!({"$ref": format!("#/$defs/d{}", at + 1)}),
        )
    };
    let mut definitions: Map<String, Value> = (0..1_500).map(next).collect();
    definitions.insert("d1500".into(), json!({}));
    let schema = json!({"$defs": definitions, "$ref": "#/$defs/d0"});
    assert!(answer(&schema, &json!({})).is_err_and(|error| error.contains("too large")));
}

#[test]
fn expressions_take_no_longer_than_their_budget() {
    let text = "a".repeat(1 << 20);
    for pattern in [
        "(a*)*b",
        "(a|aa)+$b",
        "(x+x+)+y",
        "[a-z]{1,500}[a-z]{1,500}b",
        "(([a-z]{1,50}a){1,30}b){1,10}",
        "(a?){500}a{500}b",
        "(.*a){100}b",
        "\\p{L}{200}b",
        "(((((a{10}){10}){10}){10}){10}){10}",
        "(?=a)b",
        "(a)\\1",
        "(",
    ] {
        drop(answer(&json!({"pattern": pattern}), &json!(text)));
        drop(answer(
            &json!({"patternProperties": {(pattern): {}}}),
            &json!({(&text): 1}),
        ));
    }
    let many: Vec<Value> = (0..1_000)
        .map(|at| json!({"pattern": format!("(a|b)*{at}")}))
        .collect();
    drop(answer(&json!({"allOf": many}), &json!(text)));
    assert_eq!(
        answer(&json!({"pattern": "^[a-z]{1,64}$"}), &json!("orders")),
        Ok(())
    );
}

#[test]
fn large_schemas_on_large_values_take_no_longer_than_their_budget() {
    let zeros = json!(vec![0; 90_000]);
    let strings: Vec<String> = (0..20_000).map(|at| format!("prefix-{at}")).collect();
    let failing: Vec<Value> = (0..1_000).map(|at| json!({"const": at + 1})).collect();
    for (schema, instance) in [
        (json!({"items": {"allOf": failing}}), &zeros),
        (json!({"items": {"anyOf": failing}}), &zeros),
        (json!({"items": {"oneOf": failing}}), &zeros),
        (
            json!({"items": {"enum": (1..9_000).collect::<Vec<_>>()}}),
            &zeros,
        ),
        (
            json!({"items": {"multipleOf": 1e-308}}),
            &json!(vec![1.5e300; 50_000]),
        ),
        (
            json!({"items": {"multipleOf": 0.1}}),
            &json!(vec![1e308; 50_000]),
        ),
        (
            json!({"uniqueItems": true, "items": {"uniqueItems": true}}),
            &json!(strings),
        ),
        (
            json!({"contains": {"const": 1}, "minContains": 1_000_000}),
            &zeros,
        ),
        (
            json!({"maxLength": u64::MAX, "minLength": u64::MAX}),
            &json!("x".repeat(1 << 20)),
        ),
    ] {
        drop(answer(&schema, instance));
    }
    let usual = json!({"items": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}});
    assert_eq!(
        answer(&usual, &json!(vec![json!({"id": 1}); 20_000])),
        Ok(())
    );
}

#[test]
fn a_refusal_is_short_however_much_is_wrong() {
    let schema = json!({"items": {"type": "string", "minLength": 2}});
    let refusal = answer(&schema, &json!(vec![json!(1); 5_000]))
        .err()
        .unwrap_or_default();
    assert!((1..1_000).contains(&refusal.len()), "{refusal}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_schema_says_it_is_compiled_and_evaluated_or_refused(schema in schemas(), instance in values()) {
        drop(answer(&schema, &instance));
        drop(Schema::compile_closed(&schema.to_string()));
    }
}

/// Returns values that a caller might send.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-c]{1,2}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Returns schemas, most of them valid.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        select(TYPES).prop_map(|name| json!({"type": name})),
        values().prop_map(|value| json!({"const": value})),
        prop::collection::vec(values(), 1..4).prop_map(|values| json!({"enum": values})),
        select(REFERENCES).prop_map(|target| json!({"$ref": target})),
        "[a-c(|)*+?{},0-9\\[\\]^$.]{0,12}".prop_map(|pattern| json!({"pattern": pattern})),
        any::<f64>().prop_map(|number| json!({"multipleOf": number})),
        any::<i64>().prop_map(|number| json!({"minimum": number, "maxLength": number})),
        select(FORMATS).prop_map(|format| json!({"format": format})),
    ];
    leaf.prop_recursive(6, 80, 4, |inner| {
        prop_oneof![
            (select(OF_ONE), inner.clone()).prop_map(|(keyword, schema)| json!({(keyword): schema})),
            (select(OF_MANY), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(keyword, schemas)| json!({(keyword): schemas})),
            (select(OF_NAMED), prop::collection::hash_map("[a-c]{1,2}", inner.clone(), 0..4)).prop_map(
                |(keyword, members)| json!({(keyword): Value::Object(members.into_iter().collect()), "$defs": {}})
            ),
            (inner.clone(), inner).prop_map(|(one, other)| json!({"$defs": {"a": one}, "allOf": [other]})),
        ]
    })
}

const TYPES: &[&str] = &[
    "null", "boolean", "integer", "number", "string", "array", "object", "nothing",
];
const REFERENCES: &[&str] = &[
    "#",
    "#/$defs/a",
    "#/%24defs/a",
    "#/allOf/0",
    "#a",
    "a",
    "",
    "#/$defs/~01",
    "#//",
];
const FORMATS: &[&str] = &[
    "email",
    "uri",
    "regex",
    "date-time",
    "idn-hostname",
    "uuid",
    "surprise",
];
const OF_ONE: &[&str] = &[
    "not",
    "items",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "if",
    "then",
    "else",
    "additionalItems",
    "contentSchema",
];
const OF_MANY: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
const OF_NAMED: &[&str] = &[
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
    "$defs",
];
