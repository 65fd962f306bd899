//! Which definitions are accepted.
#![expect(clippy::indexing_slicing, reason = "tests")]

use std::error::Error as _;

use serde_json::json;

use super::*;
use crate::sandbox::{RawArgument, RawDefinition, RawPrompt, RawResource};

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

type ResourceChange = fn(&mut RawResource);
type PromptChange = fn(&mut RawPrompt);

fn resource(uri: &str, change: impl FnOnce(&mut RawResource)) -> Result<String, String> {
    let mut raw = RawResource {
        uri: uri.into(),
        name: "terms".into(),
        ..RawResource::default()
    };
    change(&mut raw);
    let checked = Definition::check_resource(raw, ("orders", true), &ComponentGrant::default());
    let input = checked.map(|checked| checked.input.value().to_string());
    input.map_err(|error| format!("{error}: {:?}", error.source().map(ToString::to_string)))
}

#[test]
fn a_resource_has_a_uri_of_its_component_and_variables_that_name_no_identity() {
    let accepted = resource("orders://orders/{order_id}", |_| {});
    assert!(accepted.is_ok_and(|input| input.contains(r#""required":["order_id"]"#)));
    for (uri, why) in [
        ("orders://users/{user_id}", "allow_parameters"),
        ("billing://terms", "begins with orders:// or ui://orders/"),
        ("https://orders/terms", "begins with orders://"),
        ("orders://terms?of=7", "without `?`"),
    ] {
        let refused = resource(uri, |_| {});
        assert!(
            refused.as_ref().is_err_and(|error| error.contains(why)),
            "{refused:?}"
        );
    }
    let changes: [(ResourceChange, &str); 5] = [
        (|raw| raw.name = " ".into(), "the name of resource"),
        (|raw| raw.name = "a\u{202e}b".into(), "the name of resource"),
        (
            |raw| raw.description = Some("a\u{200b}b".into()),
            "the description of",
        ),
        (
            |raw| raw.mime_type = Some("text".into()),
            "the media type of",
        ),
        (|raw| raw.scopes = vec!["a b".into()], "the scope"),
    ];
    for (change, why) in changes {
        let refused = resource("orders://terms", change);
        assert!(
            refused.as_ref().is_err_and(|error| error.contains(why)),
            "{refused:?}"
        );
    }
}

fn prompt(change: impl FnOnce(&mut RawPrompt)) -> Result<Definition<PromptFace>, String> {
    let argument = |name: &str, required| RawArgument {
        name: name.into(),
        required,
        ..RawArgument::default()
    };
    let mut raw = RawPrompt {
        name: "review".into(),
        description: "Reviews.".into(),
        arguments: vec![argument("city", true), argument("style", false)],
        ..RawPrompt::default()
    };
    change(&mut raw);
    Definition::check_prompt(raw, true, &ComponentGrant::default())
        .map_err(|error| error.to_string())
}

#[test]
fn the_arguments_of_a_prompt_are_texts_of_different_names() {
    let accepted = prompt(|_| {});
    for (arguments, good) in [
        (json!({"city": "Ulm"}), true),
        (json!({"city": "Ulm", "style": "short"}), true),
        (json!({"style": "short"}), false),
        (json!({"city": 7}), false),
        (json!({"city": "Ulm", "more": "x"}), false),
    ] {
        let fits = accepted
            .as_ref()
            .map(|prompt| prompt.input.check(&arguments).is_ok());
        assert_eq!(fits, Ok(good), "{arguments}");
    }
    let changes: [(PromptChange, &str); 5] = [
        (|raw| raw.name = "a b".into(), "the prompt name"),
        (
            |raw| raw.arguments[1].name = "city".into(),
            "two of the name city",
        ),
        (
            |raw| raw.arguments[1].name = "user_id".into(),
            "allow_parameters",
        ),
        (
            |raw| raw.arguments[1].description = Some("a\u{202e}".into()),
            "argument's description",
        ),
        (
            |raw| raw.arguments = vec![RawArgument::default(); 33],
            "there are 33",
        ),
    ];
    for (change, why) in changes {
        let refused = prompt(change).map(|prompt| prompt.name.clone());
        assert!(
            refused.as_ref().is_err_and(|error| error.contains(why)),
            "{refused:?}"
        );
    }
}

#[test]
fn a_completion_is_of_one_argument_and_knows_the_others() {
    let prompt = prompt(|_| {});
    for (arguments, good) in [
        (
            json!({"argument": "city", "value": "U", "context": {}}),
            true,
        ),
        (
            json!({"argument": "city", "value": "", "context": {"style": "x"}}),
            true,
        ),
        (
            json!({"argument": "more", "value": "U", "context": {}}),
            false,
        ),
        (
            json!({"argument": "city", "value": "U", "context": {"user": "x"}}),
            false,
        ),
        (
            json!({"argument": "city", "value": "x".repeat(1025), "context": {}}),
            false,
        ),
    ] {
        let fits = prompt.as_ref().map(|prompt| {
            let completion = prompt.face.completion.as_ref();
            completion.is_some_and(|completion| completion.check(&arguments).is_ok())
        });
        assert_eq!(fits, Ok(good), "{arguments}");
    }
}
