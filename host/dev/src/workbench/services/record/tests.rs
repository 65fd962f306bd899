#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use http::{Method, StatusCode};
use serde_json::json;

use super::*;
use crate::workbench::services::file::FileText;

const CANARIES: [&str; 3] = [
    "canary-key-0123456789",
    "canary-session",
    "eyJhbGciOiJFUzI1",
];

fn request(line: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    let jwt = format!("Bearer {}.e30.c2ln", CANARIES[2]);
    headers.insert("authorization", jwt.parse().unwrap());
    headers.insert("x-api-key", CANARIES[0].parse().unwrap());
    headers.insert("cookie", format!("a={}", CANARIES[1]).parse().unwrap());
    Request {
        method: method.parse::<Method>().unwrap(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: hyper::body::Bytes::new(),
    }
}

fn recorded(answers: &[(&str, Option<&str>, Answer)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recorded.toml");
    let recorder = Recorder::create(&file).unwrap();
    let service = FakeService::unknown("crm");
    for (line, user, answer) in answers {
        recorder
            .add(&service, &request(line), *user, answer)
            .unwrap();
    }
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::read_to_string(&file).unwrap()
}

#[test]
fn what_is_recorded_is_a_file_of_services_with_the_same_answers() {
    let order = |status| Answer::json(StatusCode::OK, &json!({"id": 1, "status": status}));
    let null = Answer::json(StatusCode::NOT_FOUND, &json!({"a": null}));
    let text = recorded(&[
        ("GET /orders/A%201?full=1", Some("alice"), order("old")),
        ("GET /orders/A%201?full=1", Some("alice"), order("new")),
        ("GET /orders/A%201?full=1", Some("bob"), order("new")),
        ("GET /orders/A%201?full=1", Some("carol"), null),
        ("DELETE /x", None, Answer::default()),
        (
            "GET /moved",
            None,
            Answer {
                status: StatusCode::FOUND,
                ..Answer::default()
            },
        ),
    ]);
    let read = FileText::parse(&text, Path::new("recorded.toml"), PathBuf::new()).unwrap();
    let answers = &read.fakes.first().unwrap().answers;
    let mut said: Vec<_> = answers
        .iter()
        .map(|answer| {
            let users = answer.users.as_deref().map(<[String]>::len);
            (
                answer.asked.to_string(),
                users,
                answer.status.as_u16(),
                &*answer.body,
            )
        })
        .collect();
    said.sort();
    let order = "GET /orders/A 1?full=1".to_owned();
    assert_eq!(
        said,
        [
            ("DELETE /x".to_owned(), None, 200, ""),
            (order.clone(), Some(1), 404, r#"{"a":null}"#),
            (order, Some(2), 200, r#"{"id":1,"status":"new"}"#),
        ]
    );
    assert!(
        text.contains("left out: 1 requests") && !text.contains("old"),
        "{text}"
    );
}

#[test]
fn no_credential_of_a_request_is_written_wherever_it_shows() {
    let all = CANARIES.join(" and ");
    let jwt = format!("{}.e30.c2ln", CANARIES[2]);
    let text = recorded(&[
        (
            &format!("GET /of/{}?key={}", CANARIES[0], CANARIES[1]),
            Some("alice"),
            Answer::json(
                StatusCode::OK,
                &json!({"said": [jwt, all], (CANARIES[0]): 1}),
            ),
        ),
        (
            "GET /plain",
            Some("alice"),
            Answer::new(StatusCode::OK, "text/plain", jwt.clone()),
        ),
        (
            "GET /other",
            None,
            Answer::json(StatusCode::OK, &json!("eyJhIjox.eyJiIjoy.c2ln")),
        ),
    ]);
    for canary in CANARIES.iter().take(2).chain(&[&*jwt, "eyJhIjox", "c2ln"]) {
        assert!(!text.contains(canary), "{canary}: {text}");
    }
    assert!(text.contains("GET /of/left-out?key=left-out"), "{text}");
    assert!(!recorded(&[]).contains("services"));
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services.toml");
    fs::write(&file, "mine").unwrap();
    let error = Recorder::create(&file).err().unwrap().to_string();
    assert!(error.contains("must be a new file"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
