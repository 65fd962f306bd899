//! Which definitions are accepted.

use serde_json::json;

use super::*;

fn checked(change: impl FnOnce(&mut RawDefinition)) -> Result<Definition, String> {
    let mut raw = RawDefinition {
        name: "find".into(),
        description: "Finds.".into(),
        input_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
        ..RawDefinition::default()
    };
    change(&mut raw);
    Definition::check(raw, &ComponentGrant::default()).map_err(|error| error.to_string())
}

fn with_parameter(name: &str) -> String {
    format!(
        r#"{{"type":"object","additionalProperties":false,"properties":{{"a":{{"type":"array","items":{{"type":"object","properties":{{"{name}":{{}}}}}}}}}}}}"#
    )
}

#[test]
fn a_parameter_that_names_an_identity_is_refused_wherever_it_hides() {
    for name in [
        "user_id",
        "userId",
        "USER-ID",
        "sub",
        "tenant_id",
        "on_behalf_of",
        "access_token",
        "Authorization",
    ] {
        let refused = checked(|raw| raw.input_schema = with_parameter(name));
        assert!(
            refused.is_err_and(|error| error.contains("allow_parameters")),
            "{name}"
        );
    }
    for name in ["order_id", "subtotal", "usage", "tokens_left", "assignee"] {
        assert!(
            checked(|raw| raw.input_schema = with_parameter(name)).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn the_operator_can_allow_a_parameter_by_name() {
    let raw = RawDefinition {
        name: "find".into(),
        description: "Finds.".into(),
        input_schema: with_parameter("user_id"),
        ..RawDefinition::default()
    };
    let grant = ComponentGrant {
        allow_parameters: vec!["user_id".into()],
        ..ComponentGrant::default()
    };
    assert!(Definition::check(raw, &grant).is_ok());
}

#[test]
fn text_that_could_deceive_is_refused() {
    let long = "a".repeat(MAX_TEXT + 1);
    for (text, why) in [
        ("", "it is empty"),
        (" ", "it is empty"),
        (long.as_str(), "longer than 8192 bytes"),
        ("a\u{1b}[2Jb", "U+001B, a control character"),
        ("a\u{202e}b", "U+202E, which changes the direction of text"),
        ("a\u{200b}b", "U+200B, which cannot be seen"),
        ("a\u{0}b", "U+0000, a control character"),
        ("a\u{e0041}b", "U+E0041, a tag, which hides a letter"),
    ] {
        let told = checked(|raw| raw.description = text.into())
            .err()
            .unwrap_or_default();
        assert!(
            told.contains("the description of tool find") && told.contains(why),
            "{text:?}: {told}"
        );
        let told = checked(|raw| raw.title = Some(text.into()))
            .err()
            .unwrap_or_default();
        assert!(
            told.contains("the title of tool find") && told.contains(why),
            "{text:?}: {told}"
        );
    }
    let told = checked(|raw| raw.meta = Some(r#"{"note":"a\u202eb"}"#.into()))
        .err()
        .unwrap_or_default();
    assert!(told.contains("U+202E"), "{told}");
    for name in ["", "a b", "a/b", "ä", "a\n"] {
        assert!(checked(|raw| raw.name = name.into()).is_err(), "{name:?}");
    }
    assert!(checked(|raw| raw.scopes = vec!["a b".into()]).is_err());
}

#[test]
fn people_read_descriptions_in_their_own_languages() {
    for text in [
        "سفارش\u{200c}ها را می\u{200c}یابد",
        "\u{200f}מוצא הזמנות",
        "Finds families 👨\u{200d}👩\u{200d}👧",
    ] {
        assert!(
            checked(|raw| raw.description = text.into()).is_ok(),
            "{text}"
        );
        let schema = json!({"type": "object", "additionalProperties": false,
            "properties": {"order": {"description": text, "enum": [text]}}});
        assert!(
            checked(|raw| raw.input_schema = schema.to_string()).is_ok(),
            "{text}"
        );
    }
    for name in ["ord\u{200c}er", "order ", "سفارش\u{200c}ها"] {
        let refused = checked(|raw| raw.input_schema = with_parameter(name));
        assert!(
            refused.is_err_and(|error| error.contains("input schema")),
            "{name:?}"
        );
    }
}
