//! Only what was promised leaves.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::json;

use super::*;
use crate::json::MetaRule;
use crate::questions::QuestionRule;
use crate::schema::Schema;

const FORM: &str = r#"{"type":"object","properties":{"sure":{"type":"boolean"}}}"#;

fn judged(returned: Result<wit::tools::Outcome, wit::Error>, max_bytes: usize) -> Option<Ending> {
    let schema = Schema::compile(r#"{"type":"object","required":["n"]}"#).ok()?;
    let tool = Export {
        name: "t",
        meta: &MetaRule::default(),
        questions: &QuestionRule::default(),
        function: ExportFunction::Tool {
            output: Some(&schema),
        },
    };
    Some(Returned::Tool(returned).judge(&tool, max_bytes))
}

fn output(structured: Option<&str>, text: &str, is_error: bool) -> wit::Output {
    let content = vec![wit::Content::Text(wit::TextContent {
        text: text.into(),
        meta: None,
    })];
    wit::Output {
        content,
        structured: structured.map(String::from),
        is_error,
        meta: None,
    }
}

#[test]
fn only_what_a_tool_promised_leaves() {
    let complete = |structured, text, is_error| {
        Ok(wit::tools::Outcome::Complete(output(
            structured, text, is_error,
        )))
    };
    let nothing = wit::InputRequest {
        questions: Vec::new(),
        state: None,
    };
    let form = wit::Question::Form(("Sure?".into(), FORM.into()));
    let question = wit::InputRequest {
        questions: vec![("sure".into(), form)],
        state: None,
    };
    let image = wit::Content::Image(wit::MediaContent {
        data: vec![1],
        mime_type: "a\nb".into(),
        meta: None,
    });
    let odd = wit::Output {
        content: vec![image],
        ..output(Some(r#"{"n":1}"#), "", false)
    };
    for (returned, reason) in [
        (complete(Some(r#"{"n":1}"#), "fine", false), None),
        (
            complete(Some(r#"{"m":1}"#), "", false),
            Some(EndReason::InvalidOutput),
        ),
        (
            complete(Some(r#"{"n":1,"n":2}"#), "", false),
            Some(EndReason::InvalidOutput),
        ),
        (
            complete(Some("not json"), "", false),
            Some(EndReason::InvalidOutput),
        ),
        (complete(None, "", false), Some(EndReason::InvalidOutput)),
        (
            Ok(wit::tools::Outcome::Complete(odd)),
            Some(EndReason::InvalidOutput),
        ),
        (complete(None, "no", true), Some(EndReason::ToolError)),
        (
            complete(Some(r#"{"n":1}"#), &"x".repeat(5000), false),
            Some(EndReason::OutputTooLarge),
        ),
        (
            Err(wit::Error::Failed("x".repeat(5000))),
            Some(EndReason::OutputTooLarge),
        ),
        (
            Err(wit::Error::NotFound("x".into())),
            Some(EndReason::ToolError),
        ),
        (
            Ok(wit::tools::Outcome::InputRequired(question)),
            Some(EndReason::InputUnsupported),
        ),
        (
            Ok(wit::tools::Outcome::InputRequired(nothing)),
            Some(EndReason::QuestionRefused),
        ),
    ] {
        let ended = judged(returned, 4096);
        assert_eq!(
            ended.as_ref().map(|ended| ended.reason),
            Some(reason),
            "{ended:?}"
        );
        let is_result = |ended: Ending| match ended.answer {
            Answer::Tool(result) => !result.is_error,
            _ => false,
        };
        assert_eq!(ended.is_some_and(is_result), reason.is_none());
    }
}

#[test]
fn a_tool_speaks_neither_for_the_host_nor_to_the_terminal() {
    let meta = Some(r#"{"io.bailiwick/reason":"done","mine":1}"#.to_owned());
    let said = wit::Output {
        meta,
        ..output(Some(r#"{"n":1}"#), "a\u{1b}[31mb", false)
    };
    let answer = judged(Ok(wit::tools::Outcome::Complete(said)), 4096).map(|ended| ended.answer);
    let Some(Answer::Tool(result)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(result.meta.keys().collect::<Vec<_>>(), ["mine"]);
    assert_eq!(
        result.content,
        [json!({"type": "text", "text": "a\u{fffd}[31mb"})]
    );
}

/// Judges what a call of the function returned.
fn judged_as(function: ExportFunction<'_>, returned: Returned) -> (Option<EndReason>, Answer) {
    judged_within(4096, function, returned)
}

fn judged_within(
    max_bytes: usize,
    function: ExportFunction<'_>,
    returned: Returned,
) -> (Option<EndReason>, Answer) {
    let export = Export {
        name: "orders://orders/{id}",
        meta: &MetaRule::default(),
        questions: &QuestionRule::default(),
        function,
    };
    let ended = returned.judge(&export, max_bytes);
    (ended.reason, ended.answer)
}

fn embedded(uri: &str, text: &str) -> wit::EmbeddedResource {
    wit::EmbeddedResource {
        uri: uri.into(),
        mime_type: None,
        body: wit::ResourceBody::Text(text.into()),
        meta: Some(r#"{"io.bailiwick/reason":"x","mine":1}"#.into()),
    }
}

#[test]
fn a_resource_speaks_for_its_own_component_alone() {
    let namespace = Namespace::of("orders");
    let read = || ExportFunction::Read {
        uri: "orders://orders/7",
        namespace: &namespace,
        mime_type: Some("text/plain"),
    };
    for (uri, good) in [
        ("orders://orders/7", true),
        ("orders://orders/7/lines", true),
        ("ui://orders/table.html", true),
        ("billing://orders/7", false),
        ("ui://billing/table.html", false),
        ("https://evil.example/7", false),
        ("orders://a\u{202e}b", false),
        ("orders://a b", false),
        ("", false),
    ] {
        let contents = vec![embedded("orders://orders/7", "x"), embedded(uri, "a\u{7}b")];
        let returned = Returned::Read(Ok(wit::resources::Outcome::Complete(contents)));
        let (reason, answer) = judged_as(read(), returned);
        assert_eq!(reason, (!good).then_some(EndReason::InvalidOutput), "{uri}");
        if let Answer::Contents(contents) = answer {
            let expected = json!({
                "uri": uri,
                "mimeType": "text/plain",
                "text": "a\u{fffd}b",
                "_meta": {"mine": 1},
            });
            assert_eq!(contents[1], expected);
        }
    }
    let large = vec![embedded("orders://orders/7", &"x".repeat(5000))];
    let returned = Returned::Read(Ok(wit::resources::Outcome::Complete(large)));
    assert_eq!(
        judged_as(read(), returned).0,
        Some(EndReason::OutputTooLarge)
    );
}

#[test]
fn a_member_is_one_of_its_family_and_a_page_is_bounded() {
    let namespace = Namespace::of("orders");
    let family = Pattern::parse("orders://orders/{id}", &namespace);
    let Ok(family) = family else {
        panic!("{family:?}");
    };
    let item = |uri: &str| wit::resources::Item {
        uri: uri.into(),
        name: "a\u{1b}b".into(),
        title: None,
        description: None,
        size: Some(u64::MAX),
        meta: None,
    };
    let page = |items, next: Option<&str>| {
        let next = next.map(String::from);
        Returned::Members(Ok(wit::resources::Page { items, next }))
    };
    let long = "x".repeat(1025);
    for (returned, reason) in [
        (page(vec![item("orders://orders/7")], Some("next")), None),
        (page(Vec::new(), None), None),
        (
            page(vec![item("orders://terms")], None),
            Some(EndReason::InvalidOutput),
        ),
        (
            page(vec![item("billing://orders/7")], None),
            Some(EndReason::InvalidOutput),
        ),
        (
            page(Vec::new(), Some(&long)),
            Some(EndReason::InvalidOutput),
        ),
        (
            page(vec![item("orders://orders/7"); 100], None),
            Some(EndReason::OutputTooLarge),
        ),
    ] {
        let members = ExportFunction::Members {
            family: &family,
            mime_type: None,
        };
        let (found, answer) = judged_as(members, returned);
        assert_eq!(found, reason, "{answer:?}");
        if let Answer::Members { items, .. } = answer {
            let expected = json!({"uri": "orders://orders/7", "name": "a\u{fffd}b"});
            assert!(items.iter().all(|item| *item == expected), "{items:?}");
        }
    }
}

#[test]
fn a_prompt_has_plain_messages_and_suggestions_are_few_and_short() {
    let message = |text: &str| wit::prompts::Message {
        role: wit::prompts::Role::Assistant,
        content: wit::Content::Text(wit::TextContent {
            text: text.into(),
            meta: None,
        }),
    };
    let prompt = wit::prompts::Prompt {
        description: Some("a\u{1b}b".into()),
        messages: vec![message("c\u{1b}d")],
        meta: None,
    };
    let returned = Returned::Prompt(Ok(wit::prompts::Outcome::Complete(prompt)));
    let (_, answer) = judged_as(ExportFunction::Prompt, returned);
    let expected = Answer::Prompt {
        description: Some("a\u{fffd}b".into()),
        messages: vec![PromptMessage {
            role: "assistant",
            content: json!({"type": "text", "text": "c\u{fffd}d"}),
        }],
        meta: serde_json::Map::new(),
    };
    assert_eq!(answer, expected);
    let complete = || ExportFunction::Complete {
        of: crate::sandbox::CompletionOf::Prompt,
        argument: "city",
        value: "U",
    };
    let suggestions = |values: Vec<String>| {
        let total = Some(u64::MAX);
        let more = false;
        Returned::Suggestions(Ok(wit::completion::Suggestions {
            values,
            total,
            more,
        }))
    };
    let many = vec!["Ulm".to_owned(); 101];
    let (_, answer) = judged_as(complete(), suggestions(many[..50].to_vec()));
    assert!(matches!(
        answer,
        Answer::Suggestions {
            more: false,
            total: None,
            ..
        }
    ));
    let (reason, _) = judged_as(complete(), suggestions(vec!["x".repeat(1025)]));
    assert_eq!(reason, Some(EndReason::InvalidOutput));
    let (_, answer) = judged_within(1 << 20, complete(), suggestions(many));
    let Answer::Suggestions { values, more, .. } = answer else {
        panic!("{answer:?}");
    };
    assert!(values.len() == 100 && more);
}

#[test]
fn an_answer_of_another_export_is_none() {
    let suggestions = wit::completion::Suggestions {
        values: Vec::new(),
        total: None,
        more: false,
    };
    let returned = Returned::Suggestions(Ok(suggestions));
    let (reason, _) = judged_as(ExportFunction::Prompt, returned);
    assert_eq!(reason, Some(EndReason::InvalidOutput));
}
