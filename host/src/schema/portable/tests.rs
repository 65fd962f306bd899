use serde_json::{Map, Value, json};

use super::{Dialect, Portable, PortableOutput};

fn input(schema: &Value) -> Value {
    Value::Object((*Portable::input(schema).members).clone())
}

fn output(schema: &Value, dialect: Dialect) -> Value {
    let forms = PortableOutput::of(schema);
    Value::Object((*forms.form(dialect).members).clone())
}

#[test]
fn an_input_schema_keeps_its_meaning_and_has_objects_where_clients_expect_them() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["any"],
        "properties": {
            "any": true, "none": false, "default": {"default": true, "const": false},
            "list": {"type": "array", "items": true, "prefixItems": [true]},
            "nested": {"type": "object", "properties": {"x": true}, "additionalProperties": true,
                       "unevaluatedProperties": false},
            "choice": {"anyOf": [true, {"not": false}], "enum": [true, false]},
        },
        "$defs": {"any": true},
    });
    let expected = json!({
        "type": "object", "additionalProperties": false, "required": ["any"],
        "properties": {
            "any": {}, "none": {"not": {}}, "default": {"default": true, "const": false},
            "list": {"type": "array", "items": {}, "prefixItems": [{}]},
            "nested": {"type": "object", "properties": {"x": {}}, "additionalProperties": true,
                       "unevaluatedProperties": false},
            "choice": {"anyOf": [{}, {"not": {"not": {}}}], "enum": [true, false]},
        },
        "$defs": {"any": {}},
    });
    assert_eq!(input(&schema), expected);
    let notes = Portable::input(&schema).notes;
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("/properties/any: ") && note.contains("`true`")),
        "{notes:?}"
    );
    assert_eq!(input(&expected), expected);
    assert!(Portable::input(&expected).notes.is_empty());
}

#[test]
fn an_output_schema_of_usual_form_is_the_same_for_all() {
    let usual = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "additionalProperties": false, "required": ["status"],
        "properties": {
            "status": {"enum": ["open", null], "description": "state"},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "maxItems": 9},
            "code": {"pattern": "^[A-Z]{3}$"}, "count": {"type": ["integer", "null"], "minimum": 0},
        },
        "$defs": {"item": {"oneOf": [{"type": "string"}, {"type": "number"}]}},
    });
    for dialect in [Dialect::Current, Dialect::Legacy] {
        assert_eq!(output(&usual, dialect), usual);
        assert!(PortableOutput::of(&usual).form(dialect).notes.is_empty());
    }
}

#[test]
fn an_output_schema_that_is_not_an_object_is_wrapped_for_older_clients() {
    let list = json!({"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"$ref": "#/items"}}});
    assert_eq!(output(&list, Dialect::Current), list);
    assert_eq!(
        output(&list, Dialect::Legacy),
        json!({"type": "object", "required": ["result"], "properties": {"result": {
            "type": "array", "items": {"$ref": "#/properties/result/$defs/a"},
            "$defs": {"a": {"$ref": "#/properties/result/items"}}}}})
    );
    for (schema, is_wrapped) in [
        (json!(true), true),
        (json!({}), true),
        (json!({"type": ["object", "null"]}), true),
        (json!({"anyOf": [{"type": "object"}]}), true),
        (json!({"type": "object"}), false),
    ] {
        assert_eq!(
            PortableOutput::of(&schema).is_wrapped,
            is_wrapped,
            "{schema}"
        );
    }
}

#[test]
fn what_clients_read_in_different_ways_is_left_out_and_named() {
    let pair = json!([{"type": "string"}, {"type": "number"}]);
    for (schema, current, legacy) in [
        (json!({"format": "uuid"}), json!({}), json!({})),
        (json!({"pattern": r"^\d$"}), json!({}), json!({})),
        (json!({"enum": []}), json!({}), json!({})),
        (
            json!({"id": "x", "nullable": true, "x-mine": 1}),
            json!({}),
            json!({}),
        ),
        (json!({"maximum": u64::MAX}), json!({}), json!({})),
        (json!({"multipleOf": 0.1}), json!({}), json!({})),
        (
            json!({"contains": {}, "minContains": 0}),
            json!({}),
            json!({}),
        ),
        (
            json!({"patternProperties": {"^a": {}}, "additionalProperties": false}),
            json!({}),
            json!({}),
        ),
        (
            json!({"prefixItems": pair, "items": false}),
            json!({"prefixItems": pair, "items": {"not": {}}}),
            json!({}),
        ),
        (
            json!({"properties": {"a": {}}, "unevaluatedProperties": false}),
            json!({"properties": {"a": {}}, "unevaluatedProperties": false}),
            json!({"properties": {"a": {}}}),
        ),
    ] {
        let within = |form: &Value| json!({"type": "object", "properties": {"a": form}});
        assert_eq!(
            output(&within(&schema), Dialect::Current),
            within(&current),
            "{schema}"
        );
        assert_eq!(
            output(&within(&schema), Dialect::Legacy),
            within(&legacy),
            "{schema}"
        );
    }
}

#[test]
fn a_schema_never_becomes_stricter_by_what_is_left_out_of_it() {
    let weak = json!({"pattern": r"^\d$"});
    for (schema, expected) in [
        (json!({"not": weak}), json!({})),
        (json!({"if": weak, "then": {"minLength": 1}}), json!({})),
        (
            json!({"if": {"minLength": 2}, "then": weak, "else": {"maxLength": 1}}),
            json!({"if": {"minLength": 2}, "then": {}, "else": {"maxLength": 1}}),
        ),
        (
            json!({"oneOf": [weak, {"type": "string"}]}),
            json!({"anyOf": [{}, {"type": "string"}]}),
        ),
        (
            json!({"not": {"$ref": "#/$defs/weak"}, "$defs": {"weak": weak}}),
            json!({"$defs": {"weak": {}}}),
        ),
        (
            json!({"not": {"$ref": "#/$defs/firm"}, "$defs": {"firm": {"type": "null"}}}),
            json!({"not": {"$ref": "#/$defs/firm"}, "$defs": {"firm": {"type": "null"}}}),
        ),
        (
            json!({"allOf": [{"patternProperties": {"^a": {}}}], "unevaluatedProperties": false}),
            json!({"allOf": [{}]}),
        ),
    ] {
        assert_eq!(output(&schema, Dialect::Current), expected, "{schema}");
    }
}

#[test]
fn a_reference_to_what_clients_do_not_get_costs_the_schema_and_nothing_else() {
    for schema in [
        json!({"type": "object", "properties": {"a": {"$ref": "#/x-defs/a"}}, "x-defs": {"a": {}}}),
        json!({"type": "object", "$ref": "#/default", "default": {"nullable": true}}),
        json!({"type": "object", "$ref": "#/$defs/__proto__", "$defs": {"__proto__": {}}}),
        json!({"type": "object", "$ref": "#/$defs/a#b", "$defs": {"a#b": {}}}),
        json!({"type": "object", "properties": {"default": {"$ref": "#/patternProperties/a"}},
               "patternProperties": {"a": {}}}),
    ] {
        let forms = PortableOutput::of(&schema);
        for dialect in [Dialect::Current, Dialect::Legacy] {
            assert_eq!(
                output(&schema, dialect),
                json!({"type": "object"}),
                "{schema}"
            );
            assert!(
                forms
                    .form(dialect)
                    .notes
                    .iter()
                    .any(|note| note.contains("`$defs`"))
            );
        }
    }
    let named = json!({"type": "object", "$ref": "#/properties/__proto__",
                       "properties": {"__proto__": {}}});
    let wrapped = json!({"type": "object", "properties": {"result": {}}, "required": ["result"]});
    assert_eq!(output(&named, Dialect::Current), json!({"type": "object"}));
    assert_eq!(output(&named, Dialect::Legacy), wrapped);
    let array = json!({"type": "array", "$ref": "#/x", "x": {}});
    assert_eq!(output(&array, Dialect::Current), json!({}));
    assert_eq!(
        output(&array, Dialect::Legacy),
        json!({"type": "object", "properties": {"result": {}}, "required": ["result"]})
    );
}

#[test]
fn a_schema_takes_time_and_notes_by_its_size_however_it_is_nested() {
    let nested = |inside: Value| json!({"if": inside, "then": {}, "else": {}});
    let conditions = (0..30).fold(json!({}), |inside, _| nested(inside));
    let odd = (0..30).fold(json!({"format": "x", "pattern": r"\d"}), |inside, _| {
        nested(inside)
    });
    assert_eq!(output(&conditions, Dialect::Current), conditions);
    assert_ne!(output(&odd, Dialect::Current), odd);

    let name = "n".repeat(32_000);
    let of = |member: Value| {
        let members: Map<String, Value> = (0..2_000)
            .map(|at| (format!("a{at}"), member.clone()))
            .collect();
        json!({"type": "object", "properties": {name.as_str(): {"properties": members}}})
    };
    let output = PortableOutput::of(&of(json!({"format": "x"})));
    for notes in [
        Portable::input(&of(json!(true))).notes,
        output.current.notes,
        output.legacy.notes,
    ] {
        let bytes: usize = notes.iter().map(String::len).sum();
        assert!((1..20_000).contains(&bytes), "{bytes}");
        assert!(notes.last().is_some_and(|note| note == "and others"));
    }
}

#[test]
fn a_property_with_the_name_of_a_class_costs_older_clients_nothing() {
    let property = json!({"type": "string"});
    let schema = |more: Value| {
        let mut all = json!({
            "type": "object", "additionalProperties": false, "required": ["constructor"],
            "properties": {"constructor": property, "a": {}},
        });
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
        all
    };
    let plain = schema(json!({}));
    let form = |schema: &Value, dialect| {
        Value::Object((*Portable::input(schema).input_for(dialect)).clone())
    };
    assert_eq!(form(&plain, Dialect::Current), plain);
    let legacy = form(&plain, Dialect::Legacy);
    assert_eq!(legacy.get("properties"), Some(&json!({"a": {}})));
    let pattern = json!({"^constructor$": property});
    assert_eq!(legacy.get("patternProperties"), Some(&pattern));
    for (value, is_valid) in [
        (json!({"constructor": "x"}), true),
        (json!({"constructor": 1}), false),
        (json!({"constructor": "x", "b": 1}), false),
        (json!({"a": 1}), false),
    ] {
        assert_eq!(jsonschema::is_valid(&plain, &value), is_valid, "{value}");
        assert_eq!(jsonschema::is_valid(&legacy, &value), is_valid, "{value}");
    }
    for beyond in [
        json!({"$defs": {"a": {"$ref": "#/properties/constructor"}}}),
        json!({"patternProperties": {"^constructor$": {"minLength": 1}}}),
    ] {
        let legacy = form(&schema(beyond), Dialect::Legacy);
        assert_eq!(legacy, json!({"type": "object"}));
    }
    let others = json!({"type": "object", "properties": {"a": {}}});
    assert_eq!(form(&others, Dialect::Legacy), others);
    let dropped: Value = serde_json::from_str(r#"{"properties": {"__proto__": {"minimum": 1}}}"#)
        .unwrap_or_default();
    let patterns = json!({"properties": {}, "patternProperties": {"^__proto__$": {"minimum": 1}}});
    assert_eq!(form(&dropped, Dialect::Legacy), patterns);

    let forms = PortableOutput::of(&plain);
    assert!(forms.is_wrapped && !PortableOutput::of(&others).is_wrapped);
    let legacy = output(&plain, Dialect::Legacy);
    assert_eq!(legacy.get("required"), Some(&json!(["result"])));
    let inside = legacy.pointer("/properties/result/properties/constructor");
    assert!(inside.is_some(), "{legacy}");
    let required = json!({"type": "object", "required": ["constructor"]});
    assert!(PortableOutput::of(&required).is_wrapped);
    assert!(
        forms
            .legacy
            .notes
            .iter()
            .any(|note| note.contains("`constructor`"))
    );
}

/// TypeScript clients of all revisions find these members in every object.
#[test]
fn a_member_that_every_object_of_javascript_has_is_not_checked_by_clients() {
    let string = json!({"type": "string"});
    for (schema, current, legacy) in [
        (
            json!({"properties": {"toString": string, "a": string}}),
            json!({"properties": {"toString": {}, "a": string}}),
            None,
        ),
        (
            json!({"properties": {"valueOf": {}, "a": string}, "required": ["a"]}),
            json!({"properties": {"valueOf": {}, "a": string}, "required": ["a"]}),
            None,
        ),
        (json!({"required": ["valueOf"]}), json!({}), None),
        (
            json!({"required": ["a", "valueOf"]}),
            json!({"required": ["a"]}),
            None,
        ),
        (json!({"not": {"required": ["valueOf"]}}), json!({}), None),
        (
            json!({"dependentRequired": {"toString": ["b"]}}),
            json!({}),
            None,
        ),
        (
            json!({"dependentRequired": {"b": ["toString"]}}),
            json!({"dependentRequired": {"b": ["toString"]}}),
            Some(json!({})),
        ),
        (json!({"const": {"a": [{"valueOf": 1}]}}), json!({}), None),
        (json!({"enum": [{"constructor": 1}]}), json!({}), None),
        (
            json!({"enum": ["constructor"]}),
            json!({"enum": ["constructor"]}),
            None,
        ),
        (
            json!({"properties": {"hasOwnProperty": string}, "unevaluatedProperties": false}),
            json!({"properties": {"hasOwnProperty": {}}}),
            None,
        ),
        (
            json!({"properties": {"hasOwnProperty": string}, "additionalProperties": false}),
            json!({"properties": {"hasOwnProperty": {}}, "additionalProperties": false}),
            None,
        ),
    ] {
        let inside = |form: Value| form.pointer("/properties/a").cloned();
        let nested = json!({"type": "object", "properties": {"a": schema}});
        assert_eq!(
            inside(output(&nested, Dialect::Current)),
            Some(current.clone()),
            "{schema}"
        );
        let found = inside(output(&nested, Dialect::Legacy));
        assert_eq!(found, Some(legacy.unwrap_or(current)), "{schema}");
    }
    let text = r#"{"type": "object", "properties": {"a": {
        "properties": {"__proto__": {}}, "additionalProperties": false}}}"#;
    let nested: Value = serde_json::from_str(text).unwrap_or_default();
    let inside = output(&nested, Dialect::Current);
    assert!(
        inside
            .pointer("/properties/a/additionalProperties")
            .is_none(),
        "{inside}"
    );
}
