//! Keycloak's answers to what a host asks it, each request as the host writes it.

use anyhow::Result;
use bailiwick_dev::client::Reply;
use serde_json::{Map, Value, json};

use super::super::place::SECRET;
use super::EXAMPLE;
use super::kept::{at_example, in_the_past, unsigned};
use super::server::Keycloak;

/// The host as a client of the realm.
const HOST: (&str, &str) = ("bailiwick", SECRET);

/// A short text in place of each token, so that no signature is kept.
const MADE_UP: &str = "a.made-up.token";

/// Returns the answers by what was asked.
pub(super) async fn recorded(keycloak: &mut Keycloak) -> Result<Value> {
    let mut answers = Answers::default();
    exchanges(keycloak, &mut answers).await?;
    proofs(keycloak, &mut answers).await?;
    ends(keycloak, &mut answers).await?;
    let (origin, _) = keycloak.place()?;
    let recorded = json!({
        "provider": "Keycloak", "version": keycloak.version, "answers": answers.0,
    });
    at_example(&recorded, &[(origin, EXAMPLE)])
}

#[derive(Default)]
struct Answers(Map<String, Value>);

impl Answers {
    /// Keeps the answer to a request for a token.
    fn token(&mut self, what: &str, reply: &Reply) -> Result<()> {
        let mut body = reply.json()?;
        let mut kept = Map::new();
        if let Some(Value::String(token)) = body.get_mut("access_token") {
            kept.insert("issued".to_owned(), Value::Object(unsigned(token)?));
            MADE_UP.clone_into(token);
        }
        self.keep(what, reply, kept, body);
        Ok(())
    }

    /// Keeps the answer to a question about a token.
    fn about(&mut self, what: &str, reply: &Reply) -> Result<()> {
        let mut body = reply.json()?;
        if body.get("exp").is_some() {
            body = in_the_past(&body)?;
        }
        self.keep(what, reply, Map::new(), body);
        Ok(())
    }

    fn keep(&mut self, what: &str, reply: &Reply, mut kept: Map<String, Value>, body: Value) {
        let kind = reply.header("content-type");
        kept.insert("status".to_owned(), json!(reply.status.as_u16()));
        kept.insert("content_type".to_owned(), json!(kind));
        kept.insert("body".to_owned(), body);
        self.0.insert(what.to_owned(), Value::Object(kept));
    }
}

/// Asks for tokens of a user, such as the realm grants and such as it refuses.
async fn exchanges(keycloak: &Keycloak, answers: &mut Answers) -> Result<()> {
    let alice = keycloak.token("desk", "alice").await?;
    let at_hall = keycloak.token("hall", "alice").await?;
    for (what, token, audience, scope) in [
        ("an exchange for orders", &alice, "orders", "orders-api"),
        ("an exchange for billing", &alice, "billing", "billing-api"),
        (
            "a scope that the host's client lacks",
            &alice,
            "orders",
            "admin-api",
        ),
        (
            "an audience that no client has",
            &alice,
            "nowhere",
            "orders-api",
        ),
        (
            "an audience that the scope does not open",
            &alice,
            "billing",
            "orders-api",
        ),
        (
            "a token that does not name the host's client",
            &at_hall,
            "orders",
            "orders-api",
        ),
    ] {
        let form = exchange(token, audience, scope);
        answers.token(what, &keycloak.post("token", Some(HOST), &form).await?)?;
    }
    Ok(())
}

/// Asks for the host's own token, with its secret and with what is not its secret.
async fn proofs(keycloak: &Keycloak, answers: &mut Answers) -> Result<()> {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "reports-api"),
    ];
    for (what, client) in [
        ("the host's own token", HOST),
        ("a wrong secret", ("bailiwick", "another secret")),
        ("an unknown client", ("nobody", SECRET)),
    ] {
        answers.token(what, &keycloak.post("token", Some(client), &form).await?)?;
    }
    Ok(())
}

/// Asks about tokens before and after their end, and for others in their place.
async fn ends(keycloak: &mut Keycloak, answers: &mut Answers) -> Result<()> {
    let revoked = keycloak.token("desk", "bob").await?;
    let logged_out = keycloak.token("desk", "bob").await?;
    let about = keycloak
        .post("token/introspect", Some(HOST), &question(&revoked))
        .await?;
    answers.about("a question about an active token", &about)?;
    keycloak.revoke("desk", &revoked).await?;
    keycloak.log_out(&logged_out).await?;
    for (end, token) in [
        ("a revoked token", &revoked),
        ("a token of a session that ended", &logged_out),
    ] {
        let about = keycloak
            .post("token/introspect", Some(HOST), &question(token))
            .await?;
        answers.about(&format!("a question about {end}"), &about)?;
        let form = exchange(token, "orders", "orders-api");
        let reply = keycloak.post("token", Some(HOST), &form).await?;
        answers.token(&format!("an exchange of {end}"), &reply)?;
    }
    Ok(())
}

/// Returns the form of the dialect `keycloak`.
fn exchange<'f>(token: &'f str, audience: &'f str, scope: &'f str) -> [(&'f str, &'f str); 6] {
    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("audience", audience),
        ("scope", scope),
    ]
}

/// Returns the form of a question about a token.
fn question(token: &str) -> [(&str, &str); 2] {
    [("token", token), ("token_type_hint", "access_token")]
}
