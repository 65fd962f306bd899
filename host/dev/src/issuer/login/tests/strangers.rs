//! What a page of a stranger tries in the browser of a user, without being looked at.

use super::*;

#[tokio::test]
async fn a_page_of_a_stranger_registers_nothing_and_gets_no_token() {
    let scene = Scene::start().await;
    let host = crate::issuer::Client::host();
    let known = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &host.id)
        .append_pair("client_secret", &host.secret)
        .append_pair("grant_type", "client_credentials")
        .append_pair("token", "x")
        .finish();
    let minting = "user=alice".to_owned();
    let (local, own) = ("http://localhost:6274", scene.issuer.url());
    // The name of the second was made to point here, so its answers are its own.
    let strangers = ["https://evil.example", "http://evil.example:6281", "null"];
    for (path, body, pages) in [
        ("/register", public().to_string(), &[local, own][..]),
        ("/token", known.clone(), &[local, own]),
        ("/introspect", known, &[]),
        ("/mint", minting, &[]),
    ] {
        let url = format!("{}{path}", scene.issuer.url());
        let send = async |origin: Option<&str>| {
            let origin = origin.map(|origin| (http::header::ORIGIN, origin.parse().unwrap()));
            let headers = origin.into_iter().collect();
            let reply = client::send(Method::POST, &url, headers, body.clone()).await;
            reply.unwrap().status.is_success()
        };
        assert!(send(None).await, "{path}: a program");
        for page in pages {
            assert!(send(Some(page)).await, "{path}: {page}");
        }
        for stranger in strangers {
            assert!(!send(Some(stranger)).await, "{path}: {stranger}");
        }
    }
}

#[tokio::test]
async fn what_no_one_looks_at_is_no_login() {
    let scene = Scene::start().await;
    let ask = async |headers: &[(&'static str, &str)]| {
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let request = scene.request(&[]);
        let reply = client::send(Method::GET, &request, headers.collect(), "").await;
        reply.unwrap()
    };
    let first = hidden(&ask(&[]).await);
    let (mode, to, purpose) = ("sec-fetch-mode", "sec-fetch-dest", "sec-purpose");
    for headers in [
        &[(mode, "no-cors"), (to, "image")][..],
        &[
            (mode, "cors"),
            (to, "empty"),
            ("sec-fetch-site", "same-site"),
        ],
        &[(mode, "navigate"), (to, "iframe")],
        &[(mode, "navigate"), (to, "document"), (purpose, "prefetch")],
    ] {
        // More often than there are places.
        for _ in 0..300 {
            assert_eq!(ask(headers).await.status, 400, "{headers:?}");
        }
    }
    let person = [
        ("sec-fetch-site", "cross-site"),
        (mode, "navigate"),
        (to, "document"),
    ];
    // Programs that are no browsers say how they fetch, but not for what.
    for headers in [&person[..], &[(mode, "cors")]] {
        assert_eq!(ask(headers).await.status, 200, "{headers:?}");
    }
    let form = [("request", first.as_str()), ("user", "alice")];
    sent_back(&scene.press(&form, &[]).await);
}
