//! The host's messages, and the handshake.

use http::Method;
use hyper::body::Bytes;

use super::*;

fn read(arguments: &'static [u8]) -> Result<RemoteArguments, RemoteError> {
    RemoteArguments::read(Bytes::from_static(arguments))
}

/// Returns a message's body as JSON, and the values of these headers.
fn told(message: &RemoteMessage) -> (Value, Vec<(String, String)>) {
    let headers = message.headers.iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| name.starts_with("mcp-"))
        .collect();
    headers.sort();
    (
        serde_json::from_slice(&message.body).unwrap_or_default(),
        headers,
    )
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_request_without_a_handshake_says_everything_by_itself() {
    let mut conversation = RemoteConversation::new(RemoteRevision::V2026_07_28);
    assert!(conversation.initialize().is_none() && conversation.end().is_none());
    let arguments = read(br#"{"n": 1e2}"#).unwrap();
    let call = conversation.call("søk", &arguments, &[]).unwrap();
    let text = String::from_utf8(call.body.to_vec()).unwrap();
    assert!(text.ends_with(r#","arguments":{"n": 1e2}}}"#), "{text}");
    let (body, headers) = told(&call);
    assert_eq!(body.pointer("/params/name"), Some(&json!("søk")));
    let meta = body.pointer("/params/_meta").unwrap();
    let named = meta.get("io.modelcontextprotocol/protocolVersion");
    assert_eq!(named, Some(&json!("2026-07-28")));
    let can = meta.get("io.modelcontextprotocol/clientCapabilities");
    assert_eq!(can, Some(&json!({})));
    assert_eq!(
        headers,
        [
            header("mcp-method", "tools/call"),
            header("mcp-name", "=?base64?c8O4aw==?="),
            header("mcp-protocol-version", "2026-07-28"),
        ]
    );
    let (body, headers) = told(&conversation.list(Some("p2")));
    assert_eq!(body.get("id"), Some(&json!(2)));
    assert_eq!(body.pointer("/params/cursor"), Some(&json!("p2")));
    assert!(headers.contains(&header("mcp-method", "tools/list")));
}

#[test]
fn a_handshake_opens_a_session_that_its_conversation_alone_has() {
    let agreed = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
    for session in [None, Some("s-1")] {
        let mut conversation = RemoteConversation::new(RemoteRevision::V2025_11_25);
        let (body, headers) = told(&conversation.initialize().unwrap());
        assert_eq!(
            body.pointer("/params/protocolVersion"),
            Some(&json!("2025-11-25"))
        );
        assert_eq!(body.pointer("/params/capabilities"), Some(&json!({})));
        assert!(headers.is_empty(), "{headers:?}");
        let given = session.map(|id| ("mcp-session-id", id));
        let given = given
            .into_iter()
            .map(|(name, id)| (name.parse().unwrap(), HeaderValue::from_static(id)));
        let ready = conversation.initialized(&given.collect(), &result(&agreed));
        let mut expected = vec![header("mcp-protocol-version", "2025-11-25")];
        expected.extend(session.map(|id| header("mcp-session-id", id)));
        let (body, headers) = told(&ready.unwrap());
        assert_eq!(
            body,
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
        );
        assert_eq!(headers, expected);
        let (_, headers) = told(&conversation.call("a", &read(b"{}").unwrap(), &[]).unwrap());
        assert_eq!(headers, expected);
        let end = conversation.end();
        assert_eq!(
            end.as_ref().map(|end| end.method.clone()),
            session.map(|_| Method::DELETE)
        );
    }
}

#[test]
fn a_handshake_that_is_not_as_agreed_ends_the_conversation() {
    let revision = |name: Value| result(&json!({"protocolVersion": name}));
    let long = "x".repeat(5_000);
    let refused = RemoteAnswer::Error {
        code: -32602,
        message: String::new(),
    };
    for (answer, sessions, good) in [
        (revision(json!("2025-11-25")), &["a"][..], true),
        (revision(json!("2025-06-18")), &[], false),
        (revision(json!("1999-01-01")), &[], false),
        (revision(json!(7)), &[], false),
        (result(&json!({})), &[], false),
        (refused, &[], false),
        (RemoteAnswer::Status(401), &[], false),
        (revision(json!("2025-11-25")), &["a", "b"], false),
        (revision(json!("2025-11-25")), &[""], false),
        (revision(json!("2025-11-25")), &["a b"], false),
        (revision(json!("2025-11-25")), &[&long], false),
    ] {
        let mut conversation = RemoteConversation::new(RemoteRevision::V2025_11_25);
        let _first = conversation.initialize();
        let mut headers = HeaderMap::new();
        for session in sessions {
            headers.append("mcp-session-id", HeaderValue::from_str(session).unwrap());
        }
        let ready = conversation.initialized(&headers, &answer);
        assert_eq!(ready.is_ok(), good, "{answer:?} {sessions:?}");
    }
}

#[test]
fn arguments_are_one_object_or_there_is_no_call() {
    for (arguments, good) in [
        (&b"{}"[..], true),
        (br#" {"a": [1]} "#, true),
        (b"", false),
        (b"null", false),
        (b"[]", false),
        (b"{} {}", false),
        (br#"{"a":1},"name":"other""#, false),
        (br#"{"a":1,"a":2}"#, false),
    ] {
        assert_eq!(read(arguments).is_ok(), good, "{arguments:?}");
    }
}
