//! Dialects on the wire: one server or two, and what comes back.

use proptest::prelude::*;
use url::form_urlencoded;

use super::*;
use crate::delegation::issued::Expected;
use crate::reason::DownstreamReason::{ConsentRequired, CredentialRefused, ScopeDenied};
use crate::tokens::{Granted, KeyRing, KeySettings};

pub(super) fn answer(status: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Returns the fields of a request's form.
pub(super) fn form(request: &str) -> Vec<(String, String)> {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

/// Returns the settings of an exchange at two servers, the second of which is at `then`.
fn chain(scene: &Scene, then: &ScriptedServer) -> ExchangeSettings {
    ExchangeSettings {
        dialect: ExchangeDialect::named("identity_chaining").expect("a dialect"),
        parameters: vec![("authorization_server".into(), "https://b.example".into())],
        then: Some(ClientSettings::new(
            then.url.parse().expect("a URL"),
            loopback(),
            "host-at-b".into(),
            ClientProof::SecretPost(SecretString::from("secret-at-b".to_owned())),
        )),
        issued: IssuedSettings {
            client: "host-at-b".into(),
            ..scene.settings().issued
        },
        ..scene.settings()
    }
}

#[tokio::test]
async fn a_chain_shows_the_callers_token_to_the_first_server_and_the_grant_to_the_second() {
    let (scene, then) = (Scene::new().await, ScriptedServer::start(PATH).await);
    let alice = Who::named("alice");
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let grant = |token: &str, kind: &str, issued: &str| {
        let body = json!({"access_token": token, "token_type": kind, "issued_token_type": issued});
        answer("200 OK", &body)
    };
    let respelled = format!("{}A", subject("alice"));
    let mut claims = issued_claims("alice");
    claims["client_id"] = json!("host-at-b");
    let token = signed(1, &claims);
    then.answer(answer(
        "200 OK",
        &json!({"access_token": token, "token_type": "Bearer"}),
    ));
    for (name, first, used) in [
        ("a grant", grant("e30.e30.Z3JhbnQ", "N_A", jwt), true),
        (
            "a bearer token",
            grant("e30.e30.Z3JhbnQ", "Bearer", jwt),
            false,
        ),
        (
            "another kind",
            grant("e30.e30.Z3JhbnQ", "N_A", ACCESS_TOKEN),
            false,
        ),
        (
            "the caller's token",
            grant(&subject("alice"), "N_A", jwt),
            false,
        ),
        (
            "the caller's token, signed anew",
            grant(&respelled, "N_A", jwt),
            false,
        ),
        (
            "no grant",
            answer("400 Bad Request", &json!({"error": "invalid_target"})),
            false,
        ),
    ] {
        scene.endpoint.answer(first);
        let before = then.requests().len();
        let obtained = alice.obtain(&scene.exchange(chain(&scene, &then))).await;
        let told = obtained
            .as_ref()
            .map(|own| own.token.expose_secret() == token);
        assert_eq!(told.ok(), used.then_some(true), "{name}");
        let second = then.requests();
        assert_eq!(second.len() - before, usize::from(used), "{name}");
        assert!(
            second
                .iter()
                .all(|request| !request.contains(&subject("alice"))),
            "{name}"
        );
    }
    let fields = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let pair = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        pairs.iter().map(pair).collect()
    };
    let first = scene.endpoint.requests();
    let expected = fields(&[
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", &subject("alice")),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", jwt),
        ("audience", "https://b.example"),
        ("scope", "orders:read"),
    ]);
    assert_eq!(first.first().map(|request| form(request)), Some(expected));
    let expected = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", "e30.e30.Z3JhbnQ"),
        ("scope", "orders:read"),
        ("client_id", "host-at-b"),
        ("client_secret", "secret-at-b"),
    ]);
    let second = then.requests();
    assert_eq!(second.first().map(|request| form(request)), Some(expected));
    // What the second server issues is verified as ever.
    scene.endpoint.answer(grant("e30.e30.Z3JhbnQ", "N_A", jwt));
    let mut claims = issued_claims("bob");
    claims["client_id"] = json!("host-at-b");
    let body = json!({"access_token": signed(1, &claims), "token_type": "Bearer"});
    then.answer(answer("200 OK", &body));
    let refused = alice.obtain(&scene.exchange(chain(&scene, &then))).await;
    let refused = refused.map(drop).map_err(|error| error.reason());
    assert_eq!(refused, Err(CredentialRefused), "bob's token");
}

#[tokio::test]
async fn a_claims_challenge_reaches_the_tool_whole_and_the_log_not_at_all() {
    let scene = Scene::new().await;
    let log = Log::listen();
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let body =
        json!({"error": "interaction_required", "suberror": "basic_action", "claims": claims});
    scene.endpoint.answer(answer("400 Bad Request", &body));
    let settings = ExchangeSettings {
        dialect: ExchangeDialect::named("entra_obo").expect("a dialect"),
        ..scene.settings()
    };
    let error = Who::named("alice").obtain(&scene.exchange(settings)).await;
    let error = error.map(drop).expect_err("no token");
    assert_eq!(error.reason(), ConsentRequired);
    let DownstreamError::ConsentRequired(hint) = error else {
        return;
    };
    assert!(hint.ends_with(&format!("; claims={claims}")), "{hint}");
    let heard = log.heard();
    assert!(
        heard.contains("a claims challenge") && !heard.contains("acrs"),
        "{heard}"
    );
}

#[tokio::test]
async fn a_grant_that_comes_back_is_no_token_even_where_the_host_cannot_read_it() {
    let (scene, then) = (Scene::new().await, ScriptedServer::start(PATH).await);
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let grant = json!({
        "access_token": "e30.e30.Z3JhbnQ", "token_type": "N_A", "issued_token_type": jwt
    });
    scene.endpoint.answer(answer("200 OK", &grant));
    for (token, expected) in [
        ("opaque-of-alice", Ok(())),
        ("e30.e30.Z3JhbnQ", Err(CredentialRefused)),
        ("e30.e30.Z3JhbnR", Err(CredentialRefused)),
    ] {
        let body = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "orders:read"
        });
        then.answer(answer("200 OK", &body));
        let mut settings = chain(&scene, &then);
        settings.issued.opaque = true;
        let obtained = Who::named("alice").obtain(&scene.exchange(settings)).await;
        let told = obtained.map(drop).map_err(|error| error.reason());
        assert_eq!(told, expected, "{token}");
    }
}

#[tokio::test]
async fn a_claims_challenge_that_repeats_the_callers_token_reaches_no_tool() {
    let scene = Scene::new().await;
    for (value, reaches) in [("c1".to_owned(), true), (subject("alice"), false)] {
        let claims = json!({"access_token": {"acrs": {"value": value}}}).to_string();
        let body = json!({"error": "interaction_required", "claims": claims});
        scene.endpoint.answer(answer("400 Bad Request", &body));
        let exchange = scene.exchange(scene.settings());
        let error = Who::named("alice").obtain(&exchange).await;
        let error = error.map(drop).expect_err("no token");
        assert_eq!(error.reason(), ConsentRequired);
        let hint = match error {
            DownstreamError::ConsentRequired(hint) => hint,
            other => other.to_string(),
        };
        assert_eq!(hint.contains(&value), reaches, "{hint}");
    }
}

#[tokio::test]
async fn a_token_that_the_host_cannot_read_is_used_only_as_the_answer_says_and_the_operator_allows()
{
    let scene = Scene::new().await;
    let vault = "http://auth0.com/oauth/token-type/federated-connection-access-token";
    let body = json!({
        "access_token": "opaque-of-alice", "token_type": "Bearer", "expires_in": 300,
        "issued_token_type": vault, "scope": "orders:read"
    });
    for (what, opaque, change, expected) in [
        ("good", true, None, Ok(NOW + 300)),
        ("not allowed", false, None, Err(CredentialRefused)),
        (
            "wider",
            true,
            Some(("scope", json!("orders:read mail"))),
            Err(CredentialRefused),
        ),
        (
            "narrower",
            true,
            Some(("scope", json!(""))),
            Err(ScopeDenied),
        ),
        (
            "of another type",
            true,
            Some(("issued_token_type", json!(ACCESS_TOKEN))),
            Err(CredentialRefused),
        ),
        (
            "longer than the caller's",
            true,
            Some(("expires_in", json!(601))),
            Err(CredentialRefused),
        ),
        (
            "as long as the caller's",
            true,
            Some(("expires_in", json!("600"))),
            Ok(NOW + 600),
        ),
        (
            "no lifetime",
            true,
            Some(("expires_in", Value::Null)),
            Err(CredentialRefused),
        ),
        (
            "details",
            true,
            Some(("authorization_details", json!([]))),
            Err(CredentialRefused),
        ),
        (
            "the caller's",
            true,
            Some(("access_token", json!(subject("alice")))),
            Err(CredentialRefused),
        ),
    ] {
        let mut body = body.clone();
        if let Some((name, value)) = change {
            body[name] = value;
        }
        body.as_object_mut()
            .into_iter()
            .for_each(|members| members.retain(|_, value| !value.is_null()));
        scene.endpoint.answer(answer("200 OK", &body));
        let settings = ExchangeSettings {
            dialect: ExchangeDialect::named("auth0_token_vault").expect("a dialect"),
            parameters: vec![("connection".into(), "google".into())],
            issued: IssuedSettings {
                opaque,
                ..scene.settings().issued
            },
            ..scene.settings()
        };
        let obtained = Who::named("alice").obtain(&scene.exchange(settings)).await;
        let told = obtained
            .map(|own| own.expires_at)
            .map_err(|error| error.reason());
        assert_eq!(told, expected, "{what}");
    }
}

/// Any set of these scopes.
fn scopes() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4)
        .prop_map(|scopes| scopes.into_iter().map(String::from).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_was_asked_and_comes_back_no_scope_is_used_that_the_operator_did_not_name(
        asked in scopes(),
        spelled in scopes(),
        in_token in prop::option::of(scopes()),
        in_scp in prop::option::of(scopes()),
        in_answer in prop::option::of(scopes()),
        opaque: bool,
        alone: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let used = runtime.block_on(async {
            let scene = Scene::new().await;
            let mut settings = scene.settings();
            settings.scopes.clone_from(&asked);
            settings.issued.scopes.clone_from(&spelled);
            settings.issued.opaque = opaque;
            let keys = KeySettings {
                issuer: ISSUER.into(),
                source: settings.issued.keys.clone(),
                algorithms: Algorithm::ALL.to_vec(),
            };
            let tls = Tls::new(RootCertStore::empty()).expect("TLS");
            let clock: Arc<dyn Clock> = scene.clock.clone();
            let mut claims = issued_claims("alice");
            for (name, scopes) in [("scope", &in_token), ("scp", &in_scp)] {
                claims.as_object_mut().map(|claims| claims.remove(name));
                if let Some(scopes) = scopes {
                    claims[name] = json!(scopes.join(" "));
                }
            }
            let granted = Granted {
                access_token: signed(1, &claims).into(),
                issued_token_type: Some(ACCESS_TOKEN.into()),
                expires_in: Some(300),
                scope: in_answer.clone(),
                details: false,
            };
            let alice = Who::named("alice");
            let asker = alice.asker(if alone { Acting::UserAlone } else { Acting::HostForUser });
            let expected = Expected {
                exchange: &settings,
                keys: &KeyRing::new(keys, &tls, Arc::clone(&clock)),
                asker: &asker,
                certificate: None,
                clock: clock.as_ref(),
            };
            expected.verify(&granted).await.is_ok()
        });
        if used {
            let token = in_token.iter().chain(&in_scp).flatten().filter(|_| !opaque);
            for scope in token {
                prop_assert!(spelled.contains(scope), "{scope} of the token");
            }
            for scope in in_answer.iter().flatten() {
                prop_assert!(spelled.contains(scope) || asked.contains(scope), "{scope}");
            }
            let told = in_answer.is_some() || (!opaque && (in_token.is_some() || in_scp.is_some()));
            prop_assert!(!alone || told, "a restricted user's token states its scopes");
        }
    }
}
