//! Clients whose identifier is the URL of a document about them.

use std::sync::Arc;

use http::StatusCode;

use super::*;
use crate::http::{Answer, Bound, Request, Server};

/// Publishes documents at `/PATH`, made with the URL of the site.
async fn publish(
    answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
) -> (String, Server) {
    let bound = Bound::to(0).await.unwrap();
    let url = bound.url();
    let site = url.clone();
    let server = bound.serve(Arc::new(move |request: Request| {
        let answer = answer(&request.path, &format!("{site}{}", request.path));
        Box::pin(async move { answer })
    }));
    (url, server)
}

#[tokio::test]
async fn a_document_is_a_registration_if_it_is_about_its_own_url() {
    let scene = Scene::start().await;
    let (site, _server) = publish(|path, id| {
        let mut document = public();
        document["client_id"] = json!(id);
        match path {
            "/another.json" => document["client_id"] = json!("https://app.example/client.json"),
            "/secret.json" => document["client_secret"] = json!("x"),
            "/method.json" => document["token_endpoint_auth_method"] = json!("client_secret_post"),
            "/uris.json" => document["redirect_uris"] = json!(["javascript:x"]),
            "/large.json" => document["x"] = json!("a".repeat(1 << 14)),
            "/moved.json" => {
                return Answer {
                    status: StatusCode::FOUND,
                    ..Answer::default()
                }
                .with("location", "/client.json");
            }
            "/page.json" => return Answer::new(StatusCode::OK, "text/html", "<p>"),
            _ => {}
        }
        Answer::json(StatusCode::OK, &document)
    })
    .await;
    for (path, status) in [
        ("another.json", 400),
        ("secret.json", 400),
        ("method.json", 400),
        ("uris.json", 400),
        ("large.json", 400),
        ("moved.json", 400),
        ("page.json", 400),
        ("client.json?x", 400),
        ("a/../client.json", 400),
        ("", 400),
        ("client.json", 200),
    ] {
        let id = format!("{site}/{path}");
        let reply = scene.page(&[("client_id", &id)]).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert_eq!(reply.header("location"), "", "{path}");
    }
    let foreign = [
        ("client_id", &*format!("{site}/client.json")),
        ("redirect_uri", "https://evil.example/cb"),
    ];
    assert_eq!(scene.page(&foreign).await.status, 400);

    let scene = Scene {
        client: format!("{site}/client.json"),
        ..scene
    };
    let answer = scene.tokens(&[]).await;
    let claims = unverified_claims(answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["client_id"], scene.client.as_str());
    let refresh = answer["refresh_token"].as_str().unwrap();
    let secret = [("client_secret", "made up")];
    assert_eq!(scene.refresh(refresh, &secret).await.status, 401);
    assert_eq!(scene.refresh(refresh, &[]).await.status, 200);
}
