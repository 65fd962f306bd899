//! What an attacker tries at the login, each beside what is accepted.

use super::*;

#[tokio::test]
async fn nothing_is_sent_to_a_uri_that_the_client_did_not_register() {
    let scene = Scene::start().await;
    let other = json!({"redirect_uris": ["https://evil.example/cb"], "client_name": "Evil"});
    let other = id(&register(&scene.issuer, &other).await);
    for (name, value) in [
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", "http://127.0.0.1:49152/callback/.."),
        (
            "redirect_uri",
            "http://127.0.0.1.evil.example:49152/callback",
        ),
        ("redirect_uri", "http://localhost:49152/callback"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
        ("client_id", ""),
        ("client_id", "bailiwick"),
        ("client_id", &other),
    ] {
        // Even a request that is wrong otherwise.
        for changes in [
            &[(name, value)][..],
            &[(name, value), ("scope", "x y"), ("resource", "x")],
        ] {
            let reply = scene.page(changes).await;
            assert_eq!(reply.status, 400, "{changes:?}");
            assert_eq!(reply.header("location"), "", "{changes:?}");
            assert!(reply.text().contains("This login cannot go on"));
        }
    }
    let twin = [("redirect_uri", "http://127.0.0.1:50000/callback")];
    assert_eq!(scene.page(&twin).await.status, 200);
}

#[tokio::test]
async fn a_wrong_request_goes_back_to_the_client_with_state_and_issuer() {
    let scene = Scene::start().await;
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("resource", "http://127.0.0.1:2/mcp", "invalid_target"),
        ("resource", "http://127.0.0.1:1/mcp/", "invalid_target"),
    ] {
        let fields = sent_back(&scene.page(&[(name, value)]).await);
        assert_eq!(fields["error"], expected, "{name}={value}");
        assert_eq!(fields["state"], "a state");
        assert_eq!(fields["iss"], scene.issuer.url());
        assert!(!fields.contains_key("code"));
    }
    let twice = format!("{}&scope=orders:read", scene.request(&[]));
    let fields = sent_back(&client::fetch(&twice).await.unwrap());
    assert_eq!(fields["error"], "invalid_request");
    assert_eq!(scene.page(&[]).await.status, 200);
}

#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_verifier_and_resource() {
    let scene = Scene::start().await;
    let other = id(&register(&scene.issuer, &public()).await);
    let wrong = "another-verifier-of-forty-three-characters-or-more";
    for (name, value, expected) in [
        ("client_id", other.as_str(), "invalid_grant"),
        ("client_id", "nobody", "invalid_client"),
        (
            "redirect_uri",
            "http://127.0.0.1:50000/callback",
            "invalid_grant",
        ),
        ("redirect_uri", "", "invalid_request"),
        ("code_verifier", wrong, "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("resource", "http://127.0.0.1:2/mcp", "invalid_target"),
    ] {
        let code = scene.code(&[]).await;
        let reply = scene.token(&code, &[(name, value)]).await;
        assert_eq!(error(&reply).1, expected, "{name}={value}");
        // Who knew the code may not try again; a stranger without a client spoils nothing.
        let again = scene.token(&code, &[]).await.status;
        let spoiled = if expected == "invalid_client" {
            200
        } else {
            400
        };
        assert_eq!(again, spoiled, "{name}={value}");
    }
    let code = scene.code(&[]).await;
    assert_eq!(scene.token(&code, &[("resource", "")]).await.status, 200);
}

#[tokio::test]
async fn a_code_that_is_shown_again_ends_what_came_of_it() {
    let scene = Scene::start().await;
    let code = scene.code(&[]).await;
    let answer = tokens(&scene.token(&code, &[]).await);
    let untouched = scene.tokens(&[]).await;
    assert!(scene.is_active(&answer["access_token"]).await);
    let again = scene.token(&code, &[]).await;
    assert_eq!(error(&again), (400, "invalid_grant".to_owned()));
    assert!(!scene.is_active(&answer["access_token"]).await);
    for (tokens, status) in [(answer, 400), (untouched, 200)] {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(scene.refresh(refresh, &[]).await.status, status);
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_replay_ends_the_login() {
    let scene = Scene::start().await;
    let text = |answer: &Value| answer["refresh_token"].as_str().unwrap().to_owned();
    let first = scene.tokens(&[]).await;
    let second = tokens(&scene.refresh(&text(&first), &[]).await);
    let third = tokens(&scene.refresh(&text(&second), &[]).await);
    assert!(first["access_token"] != second["access_token"] && text(&second) != text(&third));
    assert!(scene.is_active(&third["access_token"]).await);
    let replay = scene.refresh(&text(&first), &[]).await;
    assert_eq!(error(&replay), (400, "invalid_grant".to_owned()));
    let ended = scene.refresh(&text(&third), &[]).await;
    assert_eq!(error(&ended), (400, "invalid_grant".to_owned()));
    for answer in [first, second, third] {
        assert!(!scene.is_active(&answer["access_token"]).await);
    }
}

#[tokio::test]
async fn a_refresh_token_is_bound_to_client_scopes_and_resource() {
    let scene = Scene::start().await;
    let other = id(&register(&scene.issuer, &public()).await);
    let answer = scene.tokens(&[("scope", "orders:read billing:read")]).await;
    let refresh = answer["refresh_token"].as_str().unwrap();
    for (name, value, expected) in [
        ("client_id", other.as_str(), "invalid_grant"),
        ("client_id", "nobody", "invalid_client"),
        ("scope", "orders:read never:heard", "invalid_scope"),
        ("resource", "http://127.0.0.1:2/mcp", "invalid_target"),
        ("refresh_token", "nothing", "invalid_grant"),
        ("refresh_token", "no.thing", "invalid_grant"),
    ] {
        let reply = scene.refresh(refresh, &[(name, value)]).await;
        assert_eq!(error(&reply).1, expected, "{name}={value}");
    }
    let narrower = [("scope", "orders:read"), ("resource", RESOURCE)];
    let renewed = tokens(&scene.refresh(refresh, &narrower).await);
    assert_eq!(renewed["scope"], "orders:read");
    // The next may ask for what was granted, again.
    let renewed = renewed["refresh_token"].as_str().unwrap();
    let renewed = tokens(&scene.refresh(renewed, &[]).await);
    assert_eq!(renewed["scope"], "orders:read billing:read");
}

#[tokio::test]
async fn a_page_is_good_once_and_only_from_the_issuers_own_form() {
    let scene = Scene::start().await;
    let own = scene.issuer.url().to_owned();
    let host = own.strip_prefix("http://").unwrap().to_owned();
    for (name, evil, good) in [
        ("origin", "https://evil.example", own.as_str()),
        ("origin", "null", &own),
        ("sec-fetch-site", "cross-site", "same-origin"),
        ("sec-fetch-site", "same-site", "same-origin"),
        ("host", "evil.example", &host),
    ] {
        let id = hidden(&scene.page(&[]).await);
        let form = [("request", id.as_str()), ("user", "alice")];
        let refused = scene.press(&form, &[(name, evil)]).await;
        assert!(refused.status.is_client_error(), "{name}: {evil}");
        assert_eq!(refused.header("location"), "", "{name}: {evil}");
        sent_back(&scene.press(&form, &[(name, good)]).await);
        // The same page once more.
        let again = scene.press(&form, &[(name, good)]).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (400, ""));
    }
    for form in [
        [("request", "made-up"), ("user", "alice")],
        [
            ("request", &hidden(&scene.page(&[]).await)),
            ("user", "mallory"),
        ],
        [("request", &hidden(&scene.page(&[]).await)), ("user", "")],
    ] {
        let reply = scene.press(&form, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (400, ""));
    }
}

#[tokio::test]
async fn no_form_grants_what_the_client_did_not_ask_for() {
    let scene = Scene::start().await;
    // `code` ticks every scope there is.
    for (asked, granted) in [("orders:read", "orders:read"), ("never:heard", "")] {
        let answer = scene.tokens(&[("scope", asked)]).await;
        assert_eq!(answer["scope"], granted);
    }
}

#[tokio::test]
async fn pages_show_strangers_text_as_text_and_cannot_be_framed() {
    let scene = Scene::start().await;
    let mut metadata = public();
    metadata["client_name"] = json!("<script>alert('x')</script> & \"co\"");
    let client = id(&register(&scene.issuer, &metadata).await);
    let page = scene
        .page(&[("client_id", &client), ("scope", "<b>")])
        .await;
    let text = page.text();
    let shown = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;co&quot;";
    assert!(text.contains(shown) && text.contains("&lt;b&gt;"), "{text}");
    assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    for (name, shown) in [
        ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
        (" ", "client-"),
    ] {
        metadata["client_name"] = json!(name);
        let client = id(&register(&scene.issuer, &metadata).await);
        let page = scene.page(&[("client_id", &client)]).await.text();
        assert!(page.contains(&format!("<bdi>{shown}")), "{page}");
    }
    let refusal = scene.page(&[("client_id", "<i>")]).await;
    assert!(refusal.text().contains("&lt;i&gt;") && !refusal.text().contains("<i>"));
    let index = client::fetch(&format!("{}/", scene.issuer.url())).await;
    for (page, forms) in [
        (&page, "'self' http://127.0.0.1:49152"),
        (&refusal, "'none'"),
        (&index.unwrap(), "'none'"),
    ] {
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action {forms}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        assert_eq!(page.header("content-security-policy"), policy);
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_registration_is_small_and_means_what_it_says() {
    let scene = Scene::start().await;
    let with = |name: &str, value: Value| {
        let mut metadata = public();
        metadata[name] = value;
        metadata.to_string()
    };
    let uris = |count| vec![CALLBACK; count];
    let padded = |size: usize| {
        let bare = with("x", json!("")).len();
        with("x", json!("a".repeat(size - bare)))
    };
    for (what, body, expected) in [
        ("as it is", public().to_string(), ""),
        (
            "no URI",
            with("redirect_uris", json!([])),
            "invalid_redirect_uri",
        ),
        ("most URIs", with("redirect_uris", json!(uris(16))), ""),
        (
            "too many URIs",
            with("redirect_uris", json!(uris(17))),
            "invalid_redirect_uri",
        ),
        (
            "http",
            with("redirect_uris", json!(["http://a.example"])),
            "invalid_redirect_uri",
        ),
        (
            "script",
            with("redirect_uris", json!(["javascript:x"])),
            "invalid_redirect_uri",
        ),
        (
            "no texts",
            with("redirect_uris", json!([1])),
            "invalid_client_metadata",
        ),
        (
            "grants",
            with("grant_types", json!(["password"])),
            "invalid_client_metadata",
        ),
        (
            "responses",
            with("response_types", json!(["token"])),
            "invalid_client_metadata",
        ),
        (
            "method",
            with("token_endpoint_auth_method", json!("tls")),
            "invalid_client_metadata",
        ),
        (
            "longest name",
            with("client_name", json!("a".repeat(100))),
            "",
        ),
        (
            "long name",
            with("client_name", json!("a".repeat(101))),
            "invalid_client_metadata",
        ),
        (
            "control",
            with("client_name", json!("a\nb")),
            "invalid_client_metadata",
        ),
        ("a list", "[]".to_owned(), "invalid_client_metadata"),
        ("no JSON", "{".to_owned(), "invalid_client_metadata"),
        ("largest", padded(1 << 16), ""),
        (
            "too large",
            padded((1 << 16) + 1),
            "invalid_client_metadata",
        ),
    ] {
        let reply = registration(&scene.issuer, body).await;
        if expected.is_empty() {
            assert_eq!(reply.status, 201, "{what}: {}", reply.text());
        } else {
            assert_eq!(error(&reply), (400, expected.to_owned()), "{what}");
        }
    }
}
