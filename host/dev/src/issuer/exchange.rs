//! The token endpoint: client credentials (RFC 6749, section 4.4) and token exchange (RFC 8693);
//! codes and refresh tokens are `login`'s.
//!
//! Trusts nothing of a request before the client has authenticated. An issued token names the
//! subject of the subject token, one audience, scopes that the subject may have there, and the
//! actor if there was an actor token. It never outlives the subject token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::State;
use super::directory::Client;
use super::login;
use super::mint::TokenSpec;
use crate::clock::now;
use crate::http::{Answer, Request};

pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The longest life of an issued token, in seconds.
const LIFETIME: u64 = 300;

/// One token exchange, as the issuer saw it. For tests: it holds the tokens themselves.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// The authenticated client.
    pub client_id: String,
    /// The fields of the form, in order, with the tokens.
    pub form: Vec<(String, String)>,
    /// The subject of the subject token, if it was good.
    pub subject: Option<String>,
    /// The subject of the actor token, if there was a good one.
    pub actor: Option<String>,
    /// The issued token, if any.
    pub issued: Option<String>,
    /// The OAuth error code, if refused.
    pub error: Option<&'static str>,
}

impl Exchange {
    /// Returns a field of the form.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A refusal of RFC 6749, section 5.2.
#[derive(Clone, Copy)]
pub(super) struct Refusal(pub(super) &'static str, pub(super) &'static str);

impl Refusal {
    pub(super) fn answer(self) -> Answer {
        let Self(error, description) = self;
        let body = json!({"error": error, "error_description": description});
        if error == "invalid_client" {
            return Answer::json(StatusCode::UNAUTHORIZED, &body).with("www-authenticate", "Basic");
        }
        Answer::json(StatusCode::BAD_REQUEST, &body)
    }
}

/// Answers `POST /token`.
pub(super) fn token(state: &State, request: &Request) -> Answer {
    let form = Form(request.form());
    grant(state, request, &form)
        .unwrap_or_else(Refusal::answer)
        .with("cache-control", "no-store")
}

fn grant(state: &State, request: &Request, form: &Form) -> Result<Answer, Refusal> {
    if let Ok(login::AUTHORIZATION_CODE | login::REFRESH_TOKEN) = form.required("grant_type") {
        return login::token(state, request, form);
    }
    let client = authenticate(state, request, form)?;
    match form.required("grant_type")? {
        CLIENT_CREDENTIALS => client_credentials(state, client, form),
        TOKEN_EXCHANGE => Ok(exchange(state, client, form)),
        _ => Err(Refusal("unsupported_grant_type", "not here")),
    }
}

/// Authenticates a client with a secret.
pub(super) fn authenticate<'s>(
    state: &'s State,
    request: &Request,
    form: &Form,
) -> Result<&'s Client, Refusal> {
    let refusal = Refusal("invalid_client", "unknown client or wrong secret");
    let (id, secret) = credentials(request, form)?.ok_or(refusal)?;
    state.directory.client(&id, &secret).ok_or(refusal)
}

/// Returns the identifier and the secret by `client_secret_basic` or `client_secret_post`, never
/// both (RFC 6749, section 2.3); `None` if there is no secret.
pub(super) fn credentials(
    request: &Request,
    form: &Form,
) -> Result<Option<(String, String)>, Refusal> {
    let refusal = Refusal("invalid_client", "a credential that cannot be read");
    match (request.header("authorization"), form.get("client_secret")?) {
        (Some(header), None) => basic(header).ok_or(refusal).map(Some),
        (None, Some(secret)) => Ok(Some((
            form.required("client_id")?.to_owned(),
            secret.to_owned(),
        ))),
        (Some(_), Some(_)) => Err(Refusal("invalid_request", "two credentials")),
        (None, None) => Ok(None),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let text = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| {
        url::form_urlencoded::parse(text.as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

/// Issues a token for the named audience, else for the one where the client may have the requested
/// scopes. With neither audience nor scope the token is valid at this issuer alone, as an actor
/// token.
fn client_credentials(state: &State, client: &Client, form: &Form) -> Result<Answer, Refusal> {
    let mut spec = TokenSpec::of(&client.id)
        .client(&client.id)
        .audience(&state.url);
    let asked = form.scopes()?;
    let audience = match form.target()? {
        None if !asked.is_empty() => {
            let found = state.directory.audience_of(client, &asked);
            let refusal = Refusal("invalid_scope", "a scope that the client may not have");
            Some(found.ok_or(refusal)?)
        }
        named => named.map(str::to_owned),
    };
    if let Some(audience) = audience {
        let scopes = narrow(state, &client.id, &audience, &asked)?;
        spec = spec.audience(&audience).claim("scope", scopes.join(" "));
    }
    let token = state
        .mint(&spec)
        .map_err(|_| Refusal("server_error", "no key"))?;
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": 600});
    let misbehaviour = state.lock().misbehaviour;
    let delay = misbehaviour.map(super::Misbehaviour::client_delay);
    Ok(Answer::json(StatusCode::OK, &body).after(delay.unwrap_or_default()))
}

/// Exchanges a token (RFC 8693), and logs the exchange, whatever its result.
fn exchange(state: &State, client: &Client, form: &Form) -> Answer {
    let mut seen = Exchange {
        client_id: client.id.clone(),
        form: form.0.clone(),
        ..Exchange::default()
    };
    let answer = issue(state, client, form, &mut seen).unwrap_or_else(|refusal| {
        seen.error = Some(refusal.0);
        refusal.answer()
    });
    state.lock().exchanges.push(seen);
    answer
}

fn issue(
    state: &State,
    client: &Client,
    form: &Form,
    seen: &mut Exchange,
) -> Result<Answer, Refusal> {
    if !client.exchanges {
        return Err(Refusal("unauthorized_client", "may not exchange tokens"));
    }
    let misbehaviour = state.lock().misbehaviour;
    let subject_token = form.required("subject_token")?;
    let subject = Party::from_token(state, form, "subject_token")?
        .ok_or(Refusal("invalid_request", "no subject_token"))?;
    seen.subject = Some(subject.sub.clone());
    let actor = Party::from_token(state, form, "actor_token")?;
    seen.actor = actor.as_ref().map(|actor| actor.sub.clone());
    let audience = form
        .target()?
        .ok_or(Refusal("invalid_target", "no audience"))?;
    let scopes = narrow(state, &subject.sub, audience, &form.scopes()?)?;
    if let Some(answer) = misbehaviour.and_then(super::Misbehaviour::instead) {
        return Ok(answer);
    }

    let mut spec = issued(state, client, &subject, actor.as_ref())
        .audience(audience)
        .claim("scope", scopes.join(" "));
    if let Some(misbehaviour) = misbehaviour {
        spec = misbehaviour.spoil(spec, &scopes);
    }
    let token = state
        .mint(&spec)
        .map_err(|_| Refusal("server_error", "no key"))?;
    seen.issued = Some(token.clone());
    let mut body = Map::from_iter([
        ("access_token".to_owned(), json!(token)),
        ("issued_token_type".to_owned(), json!(ACCESS_TOKEN)),
        ("token_type".to_owned(), json!("Bearer")),
        ("expires_in".to_owned(), json!(subject.remaining())),
        ("scope".to_owned(), json!(scopes.join(" "))),
    ]);
    let mut delay = std::time::Duration::ZERO;
    if let Some(misbehaviour) = misbehaviour {
        misbehaviour.distort(&mut body, subject_token);
        delay = misbehaviour.delay();
    }
    Ok(Answer::json(StatusCode::OK, &Value::Object(body)).after(delay))
}

/// Prepares the issued token, without audience and scope.
fn issued(state: &State, client: &Client, subject: &Party, actor: Option<&Party>) -> TokenSpec {
    let mut spec = TokenSpec::of(&subject.sub)
        .client(&client.id)
        .claim("exp", now().saturating_add(LIFETIME).min(subject.exp));
    if let Some(tenant) = subject.claims.get("tenant") {
        spec = spec.claim("tenant", tenant.clone());
    }
    if let Some(actor) = actor {
        let mut act = json!({"sub": actor.sub, "iss": state.url});
        if let (Some(prior), Some(members)) = (subject.claims.get("act"), act.as_object_mut()) {
            members.insert("act".to_owned(), prior.clone());
        }
        spec = spec.claim("act", act);
    }
    spec
}

/// A party of an exchange, by a token of this issuer.
struct Party {
    sub: String,
    exp: u64,
    claims: Map<String, Value>,
}

impl Party {
    /// Reads `name` and `name_type`; `None` if both are absent.
    fn from_token(state: &State, form: &Form, name: &str) -> Result<Option<Self>, Refusal> {
        let kind = form.get(&format!("{name}_type"))?;
        let (token, kind) = match (form.get(name)?, kind) {
            (None, None) => return Ok(None),
            (Some(token), Some(kind)) => (token, kind),
            _ => {
                return Err(Refusal(
                    "invalid_request",
                    "a token without its type, or a type alone",
                ));
            }
        };
        if kind != ACCESS_TOKEN && kind != JWT {
            return Err(Refusal("invalid_request", "unsupported token type"));
        }
        Self::verify(state, token)
            .map(Some)
            .ok_or(Refusal("invalid_request", "a token that is not good"))
    }

    fn verify(state: &State, token: &str) -> Option<Self> {
        let claims = state.meaning(token)?;
        Some(Self {
            sub: claims.get("sub")?.as_str()?.to_owned(),
            exp: claims.get("exp")?.as_u64()?,
            claims,
        })
    }

    fn remaining(&self) -> u64 {
        self.exp.saturating_sub(now()).min(LIFETIME)
    }
}

/// Returns the requested scopes, or without a request all that the subject may have; never more.
fn narrow(
    state: &State,
    sub: &str,
    audience: &str,
    asked: &[String],
) -> Result<Vec<String>, Refusal> {
    let allowed = state.directory.allowance(sub, audience).ok_or(Refusal(
        "invalid_target",
        "an audience that is not for this subject",
    ))?;
    if asked.is_empty() {
        return Ok(allowed);
    }
    if asked.iter().any(|scope| !allowed.contains(scope)) {
        return Err(Refusal(
            "invalid_scope",
            "a scope that the subject may not have",
        ));
    }
    Ok(asked.to_vec())
}

/// The fields of a token request. A repeated field is an error (RFC 6749, section 3.2).
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(field, _)| field == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Refusal("invalid_request", "a field twice")),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)?
            .ok_or(Refusal("invalid_request", "a field is missing"))
    }

    /// Returns one `audience` or one `resource`.
    fn target(&self) -> Result<Option<&str>, Refusal> {
        match (self.get("audience")?, self.get("resource")?) {
            (Some(_), Some(_)) => Err(Refusal("invalid_target", "one target at a time")),
            (audience, resource) => Ok(audience.or(resource)),
        }
    }

    pub(super) fn scopes(&self) -> Result<Vec<String>, Refusal> {
        let text = self.get("scope")?.unwrap_or_default();
        Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
    }
}
