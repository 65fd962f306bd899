//! What a token endpoint can do wrong on the wire, and what comes of it: no token, a reason for the
//! tool, and for the operator a line with status and cause.

use serde_json::Map;

use super::*;
use crate::reason::DownstreamReason::{CredentialRefused, Unavailable};

/// Each answer has a `name`. The rest changes a good one: `status`, `headers`, `body`, members that
/// are `set` or left out (`without`), `claims` of the issued token, or everything (`raw`). If it is
/// `refused`, that is the tool's reason, and the log or the error says what is `told`.
const ANSWERS: &str = include_str!("../../../../vectors/token-endpoint.json");

/// Returns an answer with this status line, body, and headers before its length.
fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// Returns a good answer's body.
fn good() -> String {
    whole(&Map::new())
}

/// Returns the body of a good answer with the changes of `case`.
fn whole(case: &Map<String, Value>) -> String {
    let changes = |name| case.get(name).and_then(Value::as_object).cloned();
    let mut claims = issued_claims("alice");
    claims
        .as_object_mut()
        .into_iter()
        .for_each(|claims| claims.extend(changes("claims").unwrap_or_default()));
    let mut members = Map::from_iter([
        ("access_token".to_owned(), json!(signed(1, &claims))),
        ("token_type".to_owned(), json!("Bearer")),
        ("expires_in".to_owned(), json!(300)),
        ("issued_token_type".to_owned(), json!(ACCESS_TOKEN)),
        ("scope".to_owned(), json!("orders:read")),
    ]);
    members.extend(changes("set").unwrap_or_default());
    members.retain(|name, _| text(case, "without") != Some(name));
    let padding = case.get("padding").and_then(Value::as_u64).unwrap_or(0);
    (0..padding).map(|_| ' ').collect::<String>() + &Value::Object(members).to_string()
}

fn text<'c>(case: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    case.get(name).and_then(Value::as_str)
}

/// Puts what a test makes into the places of a text that name it.
fn filled(template: &str, case: &Map<String, Value>) -> String {
    let good = whole(case);
    let length = good.len();
    template
        .replace("LENGTH16", &format!("{length:x}"))
        .replace("LENGTH10", &length.to_string())
        .replace("GOOD", &good)
        .replace("ISSUED", &issued("alice"))
        .replace("SUBJECT", &subject("alice"))
        .replace("STRANGER", &signed(2, &issued_claims("alice")))
        .replace("LONG", &"a".repeat(16 * 1024 + 1))
}

/// Returns the bytes of an answer.
fn bytes(case: &Map<String, Value>) -> Vec<u8> {
    if let Some(raw) = text(case, "raw") {
        return filled(raw, case).into_bytes();
    }
    let body = filled(text(case, "body").unwrap_or("GOOD"), case);
    let status = text(case, "status").unwrap_or("200 OK");
    let headers = text(case, "headers").unwrap_or_default();
    if case.contains_key("latin") {
        let body: Vec<u8> = body.chars().filter_map(|c| u8::try_from(c).ok()).collect();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        return [head.into_bytes(), body].concat();
    }
    answer(status, headers, &body)
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for those who ask with --nocapture"
)]
async fn no_misbehaviour_of_a_token_endpoint_gets_a_token_used_and_the_log_names_each() {
    let scene = Scene::new().await;
    let log = Log::listen();
    let alice = Who::named("alice");
    let cases: Vec<Map<String, Value>> = serde_json::from_str(ANSWERS).expect("a list of answers");
    let secrets = [
        issued("alice"),
        subject("alice"),
        SECRET.to_owned(),
        "their-own-words".to_owned(),
    ];
    let (mut used, mut refused) = (0, 0);
    let lies = cases.iter().filter(|case| case.contains_key("refused"));
    let tried = lies.count();
    for case in &cases {
        let name = text(case, "name").expect("a name");
        scene.endpoint.answer(bytes(case));
        let asked = scene.endpoint.requests().len();
        // A client of its own, so that no earlier answer pauses it.
        let obtained = alice.obtain(&scene.exchange(scene.settings())).await;
        let requests = scene.endpoint.requests().len() - asked;
        assert_eq!(requests, 1, "{name}: one request, and no other instead");
        let heard = log.heard();
        let error = obtained.as_ref().err().map(ToString::to_string);
        let said = format!("{heard}{}", error.unwrap_or_default());
        for secret in &secrets {
            let secret = secret.rsplit('.').next().unwrap_or(secret);
            assert!(!said.contains(secret), "{name}: {said}");
        }
        let reason = match &obtained {
            Ok(own) => {
                assert_eq!(own.token.expose_secret(), issued("alice"), "{name}");
                assert_eq!(heard, "", "{name}");
                used += 1;
                None
            }
            Err(error) => {
                refused += 1;
                Some(error.reason().as_str())
            }
        };
        assert_eq!(reason, text(case, "refused"), "{name}: {said}");
        let told = text(case, "told").unwrap_or_default();
        assert!(said.contains(told), "{name}: {told:?} is not said: {said}");
        let status = text(case, "status").and_then(|status| status.split(' ').next());
        if let Some(status) = status.filter(|_| reason.is_some()) {
            assert!(said.contains(&format!("status={status}")), "{name}: {said}");
        }
    }
    println!(
        "lies of a token endpoint: {refused} refused of {tried} tried, and {used} good answers used"
    );
    assert!(
        used >= 16 && refused >= 110,
        "{used} used, {refused} refused"
    );
}

/// Returns the exchanges of two services, which share what their endpoint says.
fn two_services(scene: &Scene) -> [Exchange; 2] {
    let mut settings = [scene.settings(), scene.settings()];
    ClientSettings::share_pauses(settings.iter_mut().map(|settings| &mut settings.client));
    settings.map(|settings| scene.exchange(settings))
}

#[tokio::test]
async fn whoever_asks_an_endpoint_waits_as_long_as_it_asks_to_be_left_alone() {
    let scene = Scene::new().await;
    let log = Log::listen();
    let (alice, bob) = (Who::named("alice"), Who::named("bob"));
    for (line, after) in [
        ("429 Too Many Requests", 30),
        ("503 Service Unavailable", 20),
    ] {
        let [orders, billing] = two_services(&scene);
        let asked = scene.endpoint.requests().len();
        let busy = answer(line, &format!("Retry-After: {after}\r\n"), "");
        scene.endpoint.answer(busy);
        let first = alice.obtain(&orders).await.err();
        assert_eq!(first.map(|error| error.reason()), Some(Unavailable));
        assert!(log.heard().contains(&format!("pause={after}")));
        scene.endpoint.answer(answer("200 OK", "", &good()));
        for _ in 0..5 {
            for (who, exchange) in [(&alice, &orders), (&bob, &billing)] {
                let error = who.obtain(exchange).await.err();
                let error = error.map(|error| error.to_string()).unwrap_or_default();
                assert!(error.contains("asked for fewer requests"), "{error}");
            }
        }
        assert_eq!(scene.endpoint.requests().len(), asked + 1);
        assert_eq!(log.heard(), "", "one line, not one for each call");
        scene.clock.forward(after * 1000);
        assert!(alice.obtain(&billing).await.is_ok());
        scene.clock.back(after * 1000);
    }
}

#[tokio::test]
async fn a_refused_client_does_not_lock_its_account_and_a_changed_secret_ends_the_pause() {
    let scene = Scene::new().await;
    let alice = Who::named("alice");
    for refusal in [
        answer("401 Unauthorized", "", r#"{"error":"invalid_client"}"#),
        answer("400 Bad Request", "", r#"{"error":"invalid_client"}"#),
        answer("200 OK", "", r#"{"error":"invalid_client"}"#),
        answer("401 Unauthorized", "", "<h1>Unauthorized</h1>"),
    ] {
        let [orders, billing] = two_services(&scene);
        let asked = scene.endpoint.requests().len();
        scene.endpoint.answer(refusal);
        for exchange in [&orders, &billing, &orders, &billing] {
            let error = alice.obtain(exchange).await.err();
            assert_eq!(error.map(|error| error.reason()), Some(CredentialRefused));
        }
        assert_eq!(scene.endpoint.requests().len(), asked + 1);
        scene.endpoint.answer(answer("200 OK", "", &good()));
        assert!(alice.obtain(&orders).await.is_err(), "the pause lasts");
        // A changed secret file is a new configuration.
        let [renewed, _] = two_services(&scene);
        assert!(alice.obtain(&renewed).await.is_ok());
        scene.clock.forward(30_000);
        assert!(alice.obtain(&orders).await.is_ok(), "the pause is over");
        assert!(alice.obtain(&billing).await.is_ok());
        scene.clock.back(30_000);
    }
}

#[tokio::test]
async fn two_wrong_secrets_of_one_client_that_take_turns_go_out_once_in_each_pause() {
    let scene = Scene::new().await;
    let alice = Who::named("alice");
    let another = ClientProof::SecretBasic(SecretString::from("another-secret".to_owned()));
    let mut settings = [scene.settings(), scene.settings()];
    settings[1].client.proof = another;
    ClientSettings::share_pauses(settings.iter_mut().map(|settings| &mut settings.client));
    let exchanges = settings.map(|settings| scene.exchange(settings));
    let refusal = answer("401 Unauthorized", "", r#"{"error":"invalid_client"}"#);
    scene.endpoint.answer(refusal);
    for asked in [2, 4, 4] {
        for _ in 0..20 {
            for exchange in &exchanges {
                let error = alice.obtain(exchange).await.err();
                assert_eq!(error.map(|error| error.reason()), Some(CredentialRefused));
            }
        }
        assert_eq!(scene.endpoint.requests().len(), asked);
        // The first pause lasts half a minute, and the second a minute.
        scene.clock.forward(30_000);
    }
}

#[tokio::test]
async fn a_refusal_that_is_about_one_user_stops_no_other() {
    let scene = Scene::new().await;
    let alice = Who::named("alice");
    for refusal in [
        answer("400 Bad Request", "", r#"{"error":"invalid_grant"}"#),
        answer("401 Unauthorized", "", r#"{"error":"no_linked_account"}"#),
        answer("403 Forbidden", "", ""),
    ] {
        let exchange = scene.exchange(scene.settings());
        let asked = scene.endpoint.requests().len();
        scene.endpoint.answer(refusal);
        for _ in 0..3 {
            assert!(alice.obtain(&exchange).await.is_err());
        }
        assert_eq!(scene.endpoint.requests().len(), asked + 3);
    }
}
