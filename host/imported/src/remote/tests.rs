#![expect(clippy::unwrap_used, reason = "tests")]

use bailiwick_sdk::bindings::types::{Content, Output, ResourceBody};
use bailiwick_sdk::{Error, Part};

use super::RemoteCall;

fn tool(structured: bool) -> RemoteCall {
    let text = format!(r#"{{"service":"tracker","tool":"find","structured":{structured}}}"#);
    serde_json::from_str(&text).unwrap()
}

/// Returns the output for a result.
fn output(structured: bool, result: &str) -> Result<Output, Error> {
    let body = format!(r#"{{"result":{result}}}"#);
    tool(structured).output(200, body.as_bytes())
}

/// Returns an item as one line; what passes is in it, and nothing else is there to pass.
fn line(content: &Content) -> String {
    match content {
        Content::Text(text) => format!("text {} {:?}", text.text, text.meta),
        Content::Image(media) => {
            format!(
                "image {:?} {} {:?}",
                media.data, media.mime_type, media.meta
            )
        }
        Content::Audio(media) => {
            format!(
                "audio {:?} {} {:?}",
                media.data, media.mime_type, media.meta
            )
        }
        Content::ResourceLink(link) => format!(
            "link {} {} {:?} {:?} {:?}",
            link.uri, link.name, link.description, link.mime_type, link.meta
        ),
        Content::EmbeddedResource(resource) => {
            let body = match &resource.body {
                ResourceBody::Text(text) => text.clone(),
                ResourceBody::Blob(bytes) => format!("{bytes:?}"),
            };
            let (uri, mime_type) = (&resource.uri, &resource.mime_type);
            format!("resource {uri} {mime_type:?} {body} {:?}", resource.meta)
        }
    }
}

#[test]
fn a_call_names_the_remote_tool_and_has_the_arguments_as_they_are() {
    let input = r#"{"n": 1.50,"big":12345678901234567890123}"#;
    let request = tool(false).request(input);
    assert_eq!(
        (request.service.as_str(), request.method.as_str()),
        ("tracker", "tools/call")
    );
    assert_eq!(request.path, [Part::Text("find".to_owned())]);
    assert_eq!(request.body, input.as_bytes());
    assert!(request.query.is_empty() && request.headers.is_empty());
}

#[test]
fn each_kind_of_content_passes_without_its_meta() {
    for (item, expected) in [
        (r#"{"type":"text","text":"a\u0000b"}"#, "text a\0b None"),
        (
            r#"{"type":"text","text":"a","_meta":{"x":1},"annotations":{"priority":1}}"#,
            "text a None",
        ),
        (
            r#"{"type":"image","data":"AQI=","mimeType":"image/png","_meta":{}}"#,
            "image [1, 2] image/png None",
        ),
        (
            r#"{"type":"audio","data":"","mimeType":"audio/wav"}"#,
            "audio [] audio/wav None",
        ),
        (
            r#"{"type":"resource_link","uri":"file:///etc/passwd","name":"n","title":"t","size":1}"#,
            "link file:///etc/passwd n None None None",
        ),
        (
            r#"{"type":"resource_link","uri":"a:b","name":"n","description":"d","mimeType":"a/b"}"#,
            r#"link a:b n Some("d") Some("a/b") None"#,
        ),
        (
            r#"{"type":"resource","resource":{"uri":"a:b","text":"t","_meta":{"x":1}}}"#,
            "resource a:b None t None",
        ),
        (
            r#"{"type":"resource","resource":{"uri":"a:b","mimeType":"a/b","blob":"AQ=="}}"#,
            r#"resource a:b Some("a/b") [1] None"#,
        ),
    ] {
        let output = output(
            false,
            &format!(r#"{{"content":[{item}],"_meta":{{"x":1}}}}"#),
        )
        .unwrap();
        let lines: Vec<_> = output.content.iter().map(line).collect();
        assert_eq!(lines, [expected], "{item}");
        assert_eq!(output.meta, None);
    }
}

#[test]
fn content_that_is_not_understood_fails_the_call_and_is_not_repeated() {
    for item in [
        r#"{"type":"s3cret"}"#,
        r#"{"type":"text","data":"s3cret"}"#,
        r#"{"type":"image","data":"s3cret!","mimeType":"image/png"}"#,
        r#"{"type":"image","data":"AQI="}"#,
        r#"{"type":"resource_link","uri":"s3cret:a"}"#,
        r#"{"type":"resource"}"#,
        r#"{"type":"resource","resource":{"uri":"a:b"}}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","text":"s3cret","blob":"AQ=="}}"#,
    ] {
        let good = r#"{"type":"text","text":"a"}"#;
        let refused = output(false, &format!(r#"{{"content":[{good},{item}]}}"#)).unwrap_err();
        let said = refused.message();
        assert!(
            said.contains("item 2") && !said.contains("s3cret"),
            "{item}: {said}"
        );
    }
    for shape in [
        r#"{"content":"a"}"#,
        r#"{"isError":"no"}"#,
        "[]",
        r#"{"content":[1]}"#,
    ] {
        assert!(
            matches!(output(false, shape), Err(Error::Failed(_))),
            "{shape}"
        );
    }
}

#[test]
fn structured_content_passes_only_if_it_was_described() {
    let text = r#""content":[{"type":"text","text":"a"}],"#;
    for (described, content, structured, lines) in [
        (true, text, Some(r#"{"n": 1.50}"#), &["text a None"][..]),
        (true, "", Some(r#"{"n": 1.50}"#), &[]),
        (false, text, None, &["text a None"]),
        (false, "", None, &[r#"text {"n": 1.50} None"#]),
    ] {
        let result = format!(r#"{{{content}"structuredContent":{{"n": 1.50}}}}"#);
        let output = output(described, &result).unwrap();
        assert_eq!(
            output.structured.as_deref(),
            structured,
            "{described} {content}"
        );
        assert_eq!(output.content.iter().map(line).collect::<Vec<_>>(), lines);
    }
    for (result, expected) in [
        (r#"{"content":[],"isError":true}"#, true),
        (r#"{"content":[],"isError":false}"#, false),
        (r#"{"content":[],"isError":null}"#, false),
        (r#"{"resultType":"complete"}"#, false),
    ] {
        let output = output(false, result).unwrap();
        assert_eq!(
            (output.is_error, output.structured),
            (expected, None),
            "{result}"
        );
    }
}

#[test]
fn an_error_of_the_server_is_told_by_its_code_and_its_first_words() {
    let error = |code: &str, message: &str| {
        let body =
            format!(r#"{{"error":{{"code":{code},"message":"{message}","data":"s3cret"}}}}"#);
        tool(false).output(200, body.as_bytes()).unwrap_err()
    };
    let told = "the remote server answered with error ";
    assert_eq!(
        error("-32602", "no such board"),
        Error::InvalidInput(format!("{told}-32602: no such board"))
    );
    assert_eq!(
        error("7", r"a\u001b[31m\nb"),
        Error::Failed(format!("{told}7: a [31m b"))
    );
    let long = error("7", &"é".repeat(10_000));
    assert_eq!(
        long.message().chars().count(),
        told.len() + "7: ".len() + 500
    );
}

#[test]
fn a_status_without_an_answer_is_named() {
    for (status, expected) in [
        (202, "the service gave no result (HTTP 202)"),
        (401, "the service refused the request (HTTP 401)"),
        (403, "the service does not allow this (HTTP 403)"),
        (404, "the service has no such thing (HTTP 404)"),
        (500, "the service failed (HTTP 500)"),
        (503, "the service cannot answer now (HTTP 503)"),
    ] {
        let refused = tool(false).output(status, b"").unwrap_err();
        assert_eq!(refused.message(), expected);
    }
}
