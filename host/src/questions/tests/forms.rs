//! Forms: what they may ask for, and how.

use super::*;

#[test]
fn a_form_has_the_primitives_of_mcp_and_nothing_else() {
    let choices = json!([{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]);
    for (field, accepted) in [
        (json!({"type": "string"}), true),
        (
            json!({"type": "string", "minLength": 1, "maxLength": 9, "format": "email", "default": "a@b"}),
            true,
        ),
        (json!({"type": "string", "format": "password"}), false),
        (json!({"type": "string", "pattern": "^(a+)+$"}), false),
        (
            json!({"type": "integer", "minimum": 0, "maximum": 5, "default": 3, "title": "T", "description": "D"}),
            true,
        ),
        (json!({"type": "number", "default": 1.5}), true),
        (json!({"type": "number", "default": "1.5"}), false),
        (
            json!({"type": "integer", "maximum": 5, "default": 6}),
            false,
        ),
        (json!({"type": "boolean", "default": true}), true),
        (json!({"type": "boolean", "enum": [true]}), false),
        // SEP-1330: choices with and without titles, of one or of several.
        (
            json!({"type": "string", "enum": ["a", "b"], "default": "a"}),
            true,
        ),
        (
            json!({"type": "string", "enum": ["a", "b"], "default": "c"}),
            false,
        ),
        (
            json!({"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]}),
            true,
        ),
        (json!({"type": "string", "enum": ["a", 1]}), false),
        (
            json!({"type": "string", "oneOf": choices, "default": "b"}),
            true,
        ),
        (json!({"type": "string", "oneOf": [{"const": "a"}]}), false),
        (
            json!({"type": "array", "items": {"type": "string", "enum": ["a"]}, "minItems": 1, "default": ["a"]}),
            true,
        ),
        (
            json!({"type": "array", "items": {"anyOf": choices}, "maxItems": 1}),
            true,
        ),
        (json!({"type": "array", "items": {"type": "string"}}), false),
        (json!({"type": "array", "items": {"type": "object"}}), false),
        (json!({"type": "object", "properties": {}}), false),
        (json!({"type": ["string", "null"]}), false),
        (json!({"$ref": "#/properties/other"}), false),
        (
            json!({"type": "string", "description": "a\u{202e}b"}),
            false,
        ),
        (json!(true), false),
    ] {
        let asked = ask(
            form(&json!({"field": field}), &["field"]),
            &QuestionRule::default(),
        );
        assert_eq!(asked.is_ok(), accepted, "{field}: {asked:?}");
    }
}

#[test]
fn a_form_never_asks_for_an_identity_or_a_secret() {
    for name in [
        "password",
        "Password",
        "db_password",
        "githubToken",
        "api-key",
        "apiKey",
        "secret",
        "client_secret",
        "token",
        "access_token",
        "PIN",
        "otp",
        "credit_card",
        "cvv",
        "user_id",
        "tenant",
        "privateKey",
        "recovery_code",
        "openai_api_key",
        "githubApiKey",
        "my_credit_card_number",
        "passwords",
        "tokens",
        "password2",
        "pass_word",
    ] {
        let asked = ask(
            form(&json!({name: {"type": "string"}}), &[]),
            &QuestionRule::default(),
        );
        assert!(
            asked.as_ref().is_err_and(|why| why.contains("secret")),
            "{name}: {asked:?}"
        );
    }
    for (title, accepted) in [("Your password", false), ("Your room", true)] {
        let field = json!({"value": {"type": "string", "title": title}});
        let asked = ask(form(&field, &[]), &QuestionRule::default());
        assert_eq!(asked.is_ok(), accepted, "{title}: {asked:?}");
    }
    for name in [
        "username",
        "tokens_to_buy",
        "email",
        "pinned",
        "secretary",
        "colour",
    ] {
        let asked = ask(
            form(&json!({name: {"type": "string"}}), &[name]),
            &QuestionRule::default(),
        );
        assert!(asked.is_ok(), "{name}: {asked:?}");
    }
}

#[test]
fn a_form_is_flat_and_names_what_it_requires() {
    for (schema, accepted) in [
        (json!({"type": "object", "properties": {}}), true),
        (
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
            true,
        ),
        (
            json!({"type": "object", "properties": {}, "required": ["a"]}),
            false,
        ),
        (json!({"type": "object"}), false),
        (json!({"properties": {}}), false),
        (json!({"type": "array", "properties": {}}), false),
        (
            json!({"type": "object", "properties": {}, "allOf": []}),
            false,
        ),
        (
            json!({"type": "object", "properties": {}, "$defs": {}}),
            false,
        ),
        (json!([]), false),
    ] {
        let raw = RawQuestion::Form("Please".into(), schema.to_string());
        assert_eq!(
            ask(raw, &QuestionRule::default()).is_ok(),
            accepted,
            "{schema}"
        );
    }
    let many: Map<_, _> = (0..33)
        .map(|n| (format!("f{n}"), json!({"type": "boolean"})))
        .collect();
    assert!(ask(form(&Value::Object(many), &[]), &QuestionRule::default()).is_err());
    let request = ask(
        form(&json!({"a": {"type": "boolean"}}), &["a"]),
        &QuestionRule::default(),
    );
    assert_eq!(
        request.unwrap().request(),
        json!({"method": "elicitation/create", "params": {"mode": "form", "message": "Please",
            "requestedSchema": {"type": "object", "properties": {"a": {"type": "boolean"}},
                "required": ["a"]}}})
    );
}
