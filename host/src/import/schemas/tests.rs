use serde_json::{Value, json};

use super::{ApiReferences, ApiSchemas, LeftOut, SchemaSide};

fn written(root: &Value, schema: &Value, side: SchemaSide) -> Result<Value, LeftOut> {
    let mut schemas = ApiSchemas::new(ApiReferences::new(root), side, true);
    let written = schemas.written(schema)?;
    Ok(json!([written, schemas.definitions]))
}

#[test]
fn keywords_of_openapi_become_those_of_json_schema() {
    for (schema, expected) in [
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["string", "null"]}),
        ),
        (
            json!({"type": "string", "enum": ["a"], "nullable": true}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            json!({"allOf": [{"type": "object"}], "nullable": true}),
            json!({"anyOf": [{"allOf": [{"type": "object"}]}, {"type": "null"}]}),
        ),
        (
            json!({"minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false}),
            json!({"exclusiveMinimum": 1, "maximum": 9}),
        ),
        (
            json!({"exclusiveMinimum": 1}),
            json!({"exclusiveMinimum": 1}),
        ),
        (
            json!({"oneOf": [{"type": "null"}, true]}),
            json!({"anyOf": [{"type": "null"}, true]}),
        ),
        (
            json!({"type": "file", "required": true, "items": [], "maxLength": -1, "enum": []}),
            json!({}),
        ),
        (
            json!({"example": "s3cret", "examples": [1], "default": 2, "x-a": 3, "xml": {},
                "discriminator": {"propertyName": "a"}, "$id": "https://a", "$schema": "b",
                "title": "T", "description": " D\u{202e} ", "format": "int64"}),
            json!({"title": "T", "description": "D", "format": "int64"}),
        ),
        (
            json!({"pattern": "^[a-z]+$"}),
            json!({"pattern": "^[a-z]+$"}),
        ),
        (json!({"pattern": "^(?!a)"}), json!({})),
        (
            json!({"additionalProperties": {"type": "integer"}}),
            json!({"additionalProperties": {"type": "integer"}}),
        ),
    ] {
        let found = written(&json!({}), &schema, SchemaSide::Request);
        assert_eq!(found, Ok(json!([expected, {}])), "{schema}");
    }
    let malformed = written(
        &json!({}),
        &json!({"not": {"items": {"not": {}}}, "allOf": [7]}),
        SchemaSide::Request,
    );
    assert_eq!(malformed, Err(LeftOut::Malformed("schema")));
}

#[test]
fn references_become_definitions_with_names_of_their_own() {
    let root = json!({"components": {
        "schemas": {
            "Tree": {"properties": {"next": {"$ref": "#/components/schemas/Tree"}}},
            "A b": {"type": "string"},
        },
        "other": {"Tree": {"type": "integer"}},
    }});
    let schema = json!({"properties": {
        "a": {"$ref": "#/components/schemas/Tree"},
        "b": {"$ref": "#/components/schemas/A%20b"},
        "c": {"$ref": "#/components/other/Tree", "description": "Another."},
    }});
    let expected = json!([
        {"properties": {
            "a": {"$ref": "#/$defs/Tree"},
            "b": {"$ref": "#/$defs/A_20b"},
            "c": {"$ref": "#/$defs/Tree_3", "description": "Another."},
        }},
        {
            "Tree": {"properties": {"next": {"$ref": "#/$defs/Tree"}}},
            "A_20b": {"type": "string"},
            "Tree_3": {"type": "integer"},
        },
    ]);
    assert_eq!(written(&root, &schema, SchemaSide::Request), Ok(expected));
    let outside = json!({"items": {"$ref": "https://evil.example/schema"}});
    assert!(matches!(
        written(&root, &outside, SchemaSide::Request),
        Err(LeftOut::Reference(_))
    ));
}

#[test]
fn each_side_has_its_own_members() {
    let root = json!({"components": {"schemas": {"Id": {"type": "string", "readOnly": true}}}});
    let schema = json!({
        "required": ["id", "made", "name", "key"],
        "properties": {
            "id": {"$ref": "#/components/schemas/Id"},
            "made": {"type": "string", "readOnly": true},
            "name": {"type": "string"},
            "key": {"type": "string", "writeOnly": true},
        },
    });
    let names = |side| {
        let written = written(&root, &schema, side).unwrap_or_default();
        let names = written.pointer("/0/required").cloned();
        names.unwrap_or_default()
    };
    assert_eq!(names(SchemaSide::Request), json!(["name", "key"]));
    assert_eq!(names(SchemaSide::Answer), json!(["id", "made", "name"]));
}

#[test]
fn members_that_are_left_out_are_nowhere() {
    let root = json!({"a": {"properties": {"token": {}, "b": {}}, "required": ["token"]}});
    let schema = json!({"properties": {"a": {"$ref": "#/a"}, "token": {}}});
    let mut schemas = ApiSchemas::new(ApiReferences::new(&root), SchemaSide::Request, true);
    schemas.leave_out(&["token".to_owned()].into());
    let expected = json!({"properties": {"a": {"$ref": "#/$defs/a"}}});
    assert_eq!(schemas.written(&schema), Ok(expected));
    let definition = json!({"properties": {"b": {}}, "required": []});
    assert_eq!(schemas.definitions.get("a"), Some(&definition));
}

#[test]
fn a_schema_that_grows_without_end_is_left_out() {
    let many: Vec<Value> = (0..30_000).map(|number| json!({"const": number})).collect();
    let found = written(&json!({}), &json!({"anyOf": many}), SchemaSide::Request);
    assert!(matches!(found, Err(LeftOut::Definition(_))));
}
