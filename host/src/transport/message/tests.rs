#![expect(clippy::panic, reason = "tests")]

use serde_json::json;

use super::*;
use crate::dispatch::Wanted;
use crate::sandbox::CompletionOf;

#[test]
fn only_arguments_may_be_many_values() {
    let many = vec!["0"; 3_000].join(",");
    for (params, fits) in [
        (
            format!(r#"{{"name":"a","arguments":{{"list":[{many}]}}}}"#),
            true,
        ),
        (
            format!(r#"{{"name":"a","arguments":{{}},"_meta":{{"x":[{many}]}}}}"#),
            false,
        ),
        (
            format!(r#"{{"name":"a","arguments":{{}},"x":[{many}]}}"#),
            false,
        ),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let refused = Message::parse(body.as_bytes()).err();
        assert_eq!(refused.is_none(), fits, "{refused:?}");
    }
}

#[test]
fn a_body_is_one_request_or_it_is_refused() {
    for (body, code) in [
        ("[]", INVALID_REQUEST),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            INVALID_REQUEST,
        ),
        ("7", INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#,
            INVALID_REQUEST,
        ),
        (
            r#"{"jsonrpc":"2.0","id":"a\nb","method":"x"}"#,
            INVALID_REQUEST,
        ),
        (
            r#"{"jsonrpc":"2.0","id":9223372036854775813,"method":"x"}"#,
            INVALID_REQUEST,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#,
            INVALID_PARAMS,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":7}}"#,
            INVALID_PARAMS,
        ),
        ("{", PARSE_ERROR),
        (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, INVALID_REQUEST),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
            INVALID_REQUEST,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
            INVALID_REQUEST,
        ),
        (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, INVALID_REQUEST),
        (
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#,
            PARSE_ERROR,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
            INVALID_PARAMS,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#,
            INVALID_PARAMS,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}"#,
            INVALID_PARAMS,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            PARSE_ERROR,
        ),
    ] {
        assert_eq!(
            Message::parse(body.as_bytes()).err().map(|bad| bad.code),
            Some(code),
            "{body}"
        );
    }
}

#[test]
fn a_number_is_judged_as_it_is_written_in_the_arguments_and_nowhere_else() {
    let call = |params: &str| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{params}}}"#
        );
        Message::parse(body.as_bytes())
            .ok()
            .and_then(|message| match message.asks {
                Asks::Target(call) => Some(call.request.inexact),
                Asks::Listen(_) | Asks::Other(_) | Asks::Reply(_) => None,
            })
    };
    let wide = Some(Some("9007199254740993".to_owned()));
    assert_eq!(
        call(r#"{"name":"a","arguments":{"amount":9007199254740993}}"#),
        wide
    );
    assert_eq!(
        call(r#"{"name":"a","\u0061rguments":{"amount":[9007199254740993]}}"#),
        wide
    );
    for params in [
        r#"{"name":"a","arguments":{"amount":1}}"#,
        r#"{"name":"a","arguments":{},"_meta":{"progressToken":9007199254740993}}"#,
        r#"{"name":"a"}"#,
    ] {
        assert_eq!(call(params), Some(None), "{params}");
    }
}

#[test]
fn null_is_absent_where_it_means_nothing_and_whole_numbers_are_integers() {
    for (message, arguments) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null,"_meta":null}}"#,
            "{}",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","error":null,"params":{"name":"a","arguments":{"a":null}}}"#,
            r#"{"a":null}"#,
        ),
        (
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":{\"n\":[5.0,1e2,-0.0,0.5,\"5.0\"]}}}",
            r#"{"n":[5,100,0,0.5,"5.0"]}"#,
        ),
    ] {
        let asked = Message::parse(message.as_bytes()).map(|message| match message.asks {
            Asks::Target(call) => call.request.arguments.to_string(),
            Asks::Listen(_) | Asks::Other(_) | Asks::Reply(_) => String::new(),
        });
        assert_eq!(asked.as_deref(), Ok(arguments), "{message}");
    }
    let list = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}"#;
    assert!(Message::parse(list).is_ok());
    for nothing in [
        r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":null}}"#,
        r#"{"jsonrpc":null,"id":1,"method":"tools/list"}"#,
    ] {
        assert!(Message::parse(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn a_batch_is_refused_by_name() {
    let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    let refused = Message::parse(batch).err().map(|bad| bad.message);
    assert!(refused.is_some_and(|text| text.contains("batches") && text.contains("2025-03-26")));
}

#[test]
fn the_integers_of_mcp_may_be_written_as_whole_numbers() {
    let body = br#"{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":5e0}}}"#;
    let read = Message::parse(body).map(|message| match message.asks {
        Asks::Target(call) => (message.id, call.progress_token()),
        Asks::Listen(_) | Asks::Other(_) | Asks::Reply(_) => (message.id, None),
    });
    assert_eq!(read, Ok((json!(1), Some(json!(5)))));
    let body = br#"{"jsonrpc":"2.0","id":2.0,"method":"ping"}"#;
    let sent = Message::parse(body).map(|message| match message.asks {
        Asks::Other(sent) => String::from_utf8_lossy(&sent).contains(r#""id":2,"#),
        Asks::Target(_) | Asks::Listen(_) | Asks::Reply(_) => false,
    });
    assert_eq!(sent, Ok(true));
}

#[test]
fn a_token_for_progress_is_as_short_as_an_id() {
    for (token, counts) in [
        (json!("a".repeat(MAX_ID)), true),
        (json!("a".repeat(MAX_ID + 1)), false),
        (json!(-7), true),
        (json!(1.5), false),
        (json!(["a"]), false),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "a", "_meta": {"progressToken": token}}});
        let message = Message::parse(body.to_string().as_bytes()).map(|message| message.asks);
        let Ok(Asks::Target(call)) = message else {
            unreachable!("a call")
        };
        assert_eq!(call.progress_token(), counts.then_some(token));
    }
}

#[test]
fn a_notification_is_never_a_call() {
    let body = br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#;
    assert!(Message::parse(body).is_ok_and(|message| matches!(message.asks, Asks::Other(_))));
}

#[test]
fn only_a_valid_traceparent_names_a_trace() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (header, valid) in [
        (format!("00-{id}-00f067aa0ba902b7-01"), true),
        (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
        (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
        (format!("ff-{id}-00f067aa0ba902b7-01"), false),
        (
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            false,
        ),
        (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
        (format!("00-{id}-0000000000000000-01"), false),
        ("garbage".to_owned(), false),
    ] {
        assert_eq!(trace_id_of(&header).is_some(), valid, "{header}");
    }
}

#[test]
fn a_target_is_asked_for_by_its_method_and_its_own_parameters() {
    let cursor = Cursor::first("a://{x}").write();
    let prompt = json!({"type": "ref/prompt", "name": "p"});
    let family = json!({"type": "ref/resource", "uri": "a://{x}"});
    let argument = json!({"name": "x", "value": "v"});
    let whole = json!({"argument": "x", "value": "v", "context": {"y": "z"}});
    let alone = json!({"argument": "x", "value": "v", "context": {}});
    let context = json!({"arguments": {"y": "z"}});
    for (method, params, wanted, arguments) in [
        (
            "resources/read",
            json!({"uri": "a://x"}),
            Wanted::Resource("a://x".into()),
            json!({}),
        ),
        (
            "resources/list",
            json!({"cursor": cursor}),
            Wanted::Members("a://{x}".into()),
            json!({}),
        ),
        (
            "prompts/get",
            json!({"name": "p"}),
            Wanted::Prompt("p".into()),
            json!({}),
        ),
        (
            "prompts/get",
            json!({"name": "p", "arguments": {"a": "b"}}),
            Wanted::Prompt("p".into()),
            json!({"a": "b"}),
        ),
        (
            "completion/complete",
            json!({"ref": prompt, "argument": argument, "context": context}),
            Wanted::Completion(CompletionOf::Prompt, "p".into()),
            whole,
        ),
        (
            "completion/complete",
            json!({"ref": family, "argument": argument, "context": null}),
            Wanted::Completion(CompletionOf::Family, "a://{x}".into()),
            alone,
        ),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let parsed = Message::parse(body.to_string().as_bytes());
        let Ok(Message {
            asks: Asks::Target(call),
            ..
        }) = parsed
        else {
            panic!("{body}");
        };
        assert_eq!((call.method, &call.request.wanted), (method, &wanted));
        assert_eq!(call.request.arguments, arguments, "{body}");
    }
    for (method, params) in [
        ("resources/read", json!({})),
        ("resources/read", json!({"uri": 7})),
        ("resources/list", json!({"cursor": "made up"})),
        ("resources/list", json!({"cursor": 7})),
        ("prompts/get", json!({})),
        ("prompts/get", json!({"name": "p", "arguments": []})),
        ("completion/complete", json!({"argument": argument})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "uri": "p"}, "argument": argument}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/tool", "name": "p"}, "argument": argument}),
        ),
        (
            "completion/complete",
            json!({"ref": prompt, "argument": {"name": "x"}}),
        ),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let refused = Message::parse(body.to_string().as_bytes()).err();
        assert_eq!(
            refused.map(|refused| refused.code),
            Some(INVALID_PARAMS),
            "{body}"
        );
    }
}

#[test]
fn an_answer_to_a_request_has_an_id_and_a_result_or_an_error_and_nothing_else() {
    for (body, expected) in [
        (
            r#"{"jsonrpc":"2.0","id":"a","result":{"n":1}}"#,
            Some(Some(json!({"n": 1}))),
        ),
        (
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":1}}"#,
            Some(None),
        ),
        (
            r#"{"jsonrpc":"2.0","id":"a","error":null,"result":{}}"#,
            Some(Some(json!({}))),
        ),
        (r#"{"jsonrpc":"2.0","id":"a","result":null}"#, None),
        (r#"{"jsonrpc":"2.0","id":"a","result":{},"error":{}}"#, None),
        (
            r#"{"jsonrpc":"2.0","id":"a","method":"x","result":{}}"#,
            None,
        ),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, None),
        (r#"{"jsonrpc":"2.0","result":{}}"#, None),
        (r#"{"jsonrpc":"1.0","id":"a","result":{}}"#, None),
        (r#"{"jsonrpc":"2.0","id":"a"}"#, None),
    ] {
        let found = match Message::parse(body.as_bytes()).map(|message| message.asks) {
            Ok(Asks::Reply(answer)) => Some(answer),
            Ok(_) | Err(_) => None,
        };
        assert_eq!(found, expected, "{body}");
    }
}
