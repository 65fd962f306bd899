//! What a component gets of a server's answer to the call.

use super::*;

#[tokio::test]
async fn the_component_gets_the_one_answer_to_its_call_or_an_error() {
    let good = rpc(2, &found());
    let asks = r#"{"jsonrpc":"2.0","id":2,"method":"elicitation/create","params":{}}"#;
    let notice = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let fails = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no","data":1}}"#;
    let pending = rpc(
        2,
        &json!({"resultType": "input_required", "inputRequests": {}}),
    );
    let done = json!({"result": found()});
    let failed = json!({"error": {"code": -32602, "message": "no"}});
    for (said, expected) in [
        (
            says(200, &[JSON], good.clone()),
            Some((200, done.to_string())),
        ),
        (events([good.as_str()]), Some((200, done.to_string()))),
        (
            events([notice, good.as_str()]),
            Some((200, done.to_string())),
        ),
        (
            says(200, &[JSON], fails.into()),
            Some((200, failed.to_string())),
        ),
        (
            says(404, &[JSON], fails.into()),
            Some((404, failed.to_string())),
        ),
        (says(404, &[JSON], "{}".into()), Some((404, String::new()))),
        (
            says(500, &[("content-type", "text/html")], "<p>".into()),
            Some((500, String::new())),
        ),
        (
            says(401, &[("www-authenticate", "Bearer")], String::new()),
            Some((401, String::new())),
        ),
        (
            says(307, &[("location", "/x")], String::new()),
            Some((307, String::new())),
        ),
        (
            says(200, &[("content-type", "text/html")], "<p>".into()),
            None,
        ),
        (says(202, &[], String::new()), None),
        (says(200, &[JSON], rpc(3, &found())), None),
        (events([good.as_str(), good.as_str()]), None),
        (events([good.as_str(), asks]), None),
        (events([notice]), None),
        (says(200, &[JSON], asks.into()), None),
        (says(200, &[JSON], pending), None),
        (says(200, &[JSON], "{".into()), None),
        (
            says(200, &[JSON], format!("{}{good}", " ".repeat(SHORT))),
            Some((200, done.to_string())),
        ),
        (
            says(200, &[JSON], format!("{}{asks}", " ".repeat(SHORT))),
            None,
        ),
    ] {
        let shown = format!("{said:?}").chars().take(300).collect::<String>();
        let (service, _) = service("2026-07-28", 300);
        let mut server = Scripted::new([list(1, &json!([search()])), said]);
        let answer = call(&service, "alice", &mut server).await;
        assert!(server.was_called());
        // The record has a status only if the call was answered.
        let status = expected.as_ref().map(|(status, _)| *status);
        assert_eq!(server.answered, status, "{shown}");
        match (answer, expected) {
            (Ok(answer), Some((status, body))) => {
                assert_eq!(answer.status, status, "{shown}");
                assert_eq!(String::from_utf8(answer.body).unwrap(), body, "{shown}");
                assert!(answer.headers.is_empty(), "{shown}");
            }
            (answer, expected) => assert_eq!(answer.is_ok(), expected.is_some(), "{shown}"),
        }
    }
}
