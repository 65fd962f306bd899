#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use super::*;
use crate::client;
use crate::issuer::TokenSpec;
use crate::workbench::services::file::FileText;

const FILE: &str = r#"
[[services.crm.answers]]
request = "GET /people/{actor.sub}"
json = { name = "{actor.sub}" }

[[services.crm.answers]]
request = "GET /notes/{}?full={}"
users = ["alice"]
text = "a note"

[[services.crm.answers]]
request = "POST /notes"
status = 201
"#;

fn ear(notes: &Notes) -> Ear {
    Ear {
        notes: notes.clone(),
        recorder: None,
    }
}

async fn crm(issuer: &Issuer, notes: &Notes) -> Fake {
    let file = FileText::parse(FILE, Path::new("services.toml"), PathBuf::new()).unwrap();
    let service = file.fakes.into_iter().next().unwrap();
    Fake::start(service, issuer, ear(notes), false)
        .await
        .unwrap()
}

async fn ask(fake: &Fake, line: &str, token: Option<&str>) -> (u16, String) {
    let (method, target) = line.split_once(' ').unwrap();
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    }
    let method: Method = method.parse().unwrap();
    let url = format!("{}{target}", fake.url);
    let reply = client::send(method, &url, headers, "").await.unwrap();
    (reply.status.as_u16(), reply.text())
}

fn token(issuer: &Issuer, user: &str, audience: &str, scope: &str) -> String {
    let spec = TokenSpec::of(user).audience(audience).scopes(&[scope]);
    issuer.token(&spec).unwrap()
}

#[tokio::test]
async fn it_answers_whom_the_file_names_and_says_what_the_file_lacks() {
    let issuer = Issuer::start().await.unwrap();
    let notes = Notes::default();
    let crm = crm(&issuer, &notes).await;
    for (user, line, status, body, note) in [
        ("a\"b", "GET /people/a%22b", 200, r#"{"name":"a\"b"}"#, ""),
        ("alice", "GET /notes/1?full=no", 200, "a note", ""),
        ("alice", "POST /notes", 201, "", ""),
        ("bob", "GET /notes/1", 403, "", "its answers are for alice"),
        (
            "bob",
            "GET /people/alice",
            404,
            "",
            "it has: GET /people/{actor.sub}, GET /notes",
        ),
        (
            "alice",
            "GET /notes/1?fat=1",
            404,
            "",
            "request = \"GET /notes/1?fat=1\"",
        ),
        (
            "alice",
            "DELETE /notes",
            404,
            "",
            "[[services.crm.answers]]",
        ),
    ] {
        let token = token(&issuer, user, "crm", "crm");
        let (got, text) = ask(&crm, line, Some(&token)).await;
        assert_eq!(got, status, "{user} {line}: {text}");
        assert!(status >= 400 || text == body, "{line}: {text}");
        let said = notes.take().join("\n");
        assert_eq!(said.is_empty(), note.is_empty(), "{line}: {said}");
        assert!(said.contains(note), "{line}: {said}");
    }
}

#[tokio::test]
async fn nobody_without_a_token_for_it_is_answered() {
    let issuer = Issuer::start().await.unwrap();
    let crm = crm(&issuer, &Notes::default()).await;
    for (audience, scope, status) in [("crm", "crm", 201), ("wiki", "crm", 401), ("crm", "x", 401)]
    {
        let token = token(&issuer, "alice", audience, scope);
        assert_eq!(ask(&crm, "POST /notes", Some(&token)).await.0, status);
    }
    assert_eq!(ask(&crm, "POST /notes", None).await.0, 401);
}

#[tokio::test]
async fn a_stand_in_says_the_lines_that_are_missing_until_they_are_there() {
    let issuer = Issuer::start().await.unwrap();
    let notes = Notes::default();
    let wiki = FakeService::unknown("crm");
    let fake = Fake::start(wiki, &issuer, ear(&notes), true).await.unwrap();
    let token = token(&issuer, "alice", "crm", "crm");
    let (status, _) = ask(&fake, "POST /notes", Some(&token)).await;
    assert_eq!(status, 501);
    let said = notes.take().join("\n");
    assert!(said.contains("no service crm"), "{said}");
    // The lines are as good as they look.
    let (_, lines) = said.split_once('\n').unwrap();
    let file = FileText::parse(lines, Path::new("services.toml"), PathBuf::new()).unwrap();
    fake.become_of(file.fakes.into_iter().next().unwrap());
    let answer = ask(&fake, "POST /notes", Some(&token)).await;
    assert_eq!(answer, (200, "{}".to_owned()));
}

#[test]
fn a_host_gets_a_service_that_it_can_reach() {
    let file = FileText::parse(FILE, Path::new("services.toml"), PathBuf::new()).unwrap();
    let allowed = file.fakes.first().unwrap().allowed();
    for template in ["GET /{**}?full={}", "GET /", "DELETE /{**}", "POST /{**}"] {
        assert!(allowed.iter().any(|own| own == template), "{allowed:?}");
    }
}

#[tokio::test]
async fn a_service_on_this_machine_answers_in_its_place_and_is_recorded() {
    let issuer = Issuer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recorded.toml");
    let bound = Bound::to(0).await.unwrap();
    let mut service = FakeService::unknown("crm");
    service.upstream = Some(format!("{}/v1", bound.url()).parse().unwrap());
    // It repeats the credential that it got.
    let _real = bound.serve(Arc::new(|request: Request| {
        Box::pin(async move {
            let said = request.header("authorization").unwrap_or_default();
            let body = json!({"path": request.path, "said": said});
            Answer::json(StatusCode::ACCEPTED, &body)
        })
    }));
    let ear = Ear {
        notes: Notes::default(),
        recorder: Some(Recorder::create(&file).unwrap()),
    };
    let fake = Fake::start(service, &issuer, ear, false).await.unwrap();
    let token = token(&issuer, "alice", "crm", "crm");
    let (status, text) = ask(&fake, "GET /people/7", Some(&token)).await;
    assert!(status == 202 && text.contains(&token), "{text}");
    let recorded = std::fs::read_to_string(&file).unwrap();
    for written in ["GET /people/7", "[\"alice\"]", "202", "/v1/people/7"] {
        assert!(recorded.contains(written), "{written}: {recorded}");
    }
    for part in token.split('.') {
        assert!(!recorded.contains(part), "{recorded}");
    }
}
