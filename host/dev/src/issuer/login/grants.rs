//! Codes and refresh tokens at the token endpoint (RFC 6749 §4.1.3, §6).
//!
//! Trusts a client after it has authenticated, and a code after its verifier. Invariant: a code and
//! a refresh token are good once; who shows one again ends everything that came of it (OAuth 2.1
//! §4.1.3, §4.3.1).

use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::State;
use super::super::exchange::{Form, Refusal, credentials};
use super::super::mint::TokenSpec;
use super::authorize::Asked;
use super::documents;
use crate::clock::{fresh_id, now};
use crate::http::{Answer, Request};
use crate::jws::encode;

/// The grant type of a code.
pub(in super::super) const AUTHORIZATION_CODE: &str = "authorization_code";

/// The grant type of a renewal.
pub(in super::super) const REFRESH_TOKEN: &str = "refresh_token";

/// The life of an access token, in seconds.
const LIFETIME: i64 = 3600;

/// The most access tokens of a login that are remembered, to end them.
const REMEMBERED: usize = 16;

/// What a user gave to a client.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) sub: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
}

/// A code.
pub(super) enum Code {
    /// It has not been shown.
    Fresh(Box<(Asked, Grant)>),
    /// It bought this family.
    Used(String),
}

impl Code {
    pub(super) fn fresh(asked: Asked, grant: Grant) -> Self {
        Self::Fresh(Box::new((asked, grant)))
    }
}

/// The tokens that came of one login.
pub(super) struct Family {
    grant: Grant,
    /// The secret half of the one refresh token that is good.
    refresh: Option<String>,
    /// The newest access tokens.
    access: Vec<String>,
}

/// Returns true for what S256 can make (RFC 7636 §4.2).
pub(super) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(is_base64url)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

/// Answers a token request with one of these grant types.
pub(in super::super) fn token(
    state: &State,
    request: &Request,
    form: &Form,
) -> Result<Answer, Refusal> {
    let client = authenticate(state, request, form)?;
    if form.required("grant_type")? == AUTHORIZATION_CODE {
        code(state, &client, form)
    } else {
        refresh(state, &client, form)
    }
}

/// Returns the identifier of the client: one with its secret, or a public one.
fn authenticate(state: &State, request: &Request, form: &Form) -> Result<String, Refusal> {
    let (id, secret) = match credentials(request, form)? {
        Some((id, secret)) => (id, Some(secret)),
        None => (form.required("client_id")?.to_owned(), None),
    };
    let logins = state.logins.lock();
    let good = match logins.clients.get(&id, now()) {
        Some(client) => client.secret == secret,
        None => documents::is_url(&id) && secret.is_none(),
    };
    let refusal = Refusal("invalid_client", "unknown client or wrong secret");
    good.then_some(id).ok_or(refusal)
}

/// Exchanges a code for tokens.
fn code(state: &State, client: &str, form: &Form) -> Result<Answer, Refusal> {
    let shown = form.required("code")?.to_owned();
    let code = state.logins.lock().codes.take(&shown, now());
    let (asked, grant) = match code.ok_or(Refusal("invalid_grant", "no such code"))? {
        Code::Fresh(fresh) => *fresh,
        Code::Used(family) => {
            end(state, &family);
            return Err(Refusal("invalid_grant", "the code was used"));
        }
    };
    if grant.client_id != client {
        return Err(Refusal("invalid_grant", "the code of another client"));
    }
    if form.required("redirect_uri")? != asked.redirect_uri {
        return Err(Refusal("invalid_grant", "another redirect_uri"));
    }
    let verifier = form.required("code_verifier")?;
    if encode(Sha256::digest(verifier)) != asked.challenge || !is_verifier(verifier) {
        return Err(Refusal("invalid_grant", "a wrong code_verifier"));
    }
    is_same_resource(form, &grant)?;
    let scopes = grant.scopes.clone();
    let family = Family {
        grant,
        refresh: None,
        access: Vec::new(),
    };
    let id = fresh()?;
    let answer = issue(state, &id, family, &scopes, asked.client.metadata.refreshes)?;
    let mut logins = state.logins.lock();
    logins.codes.put(shown, Code::Used(id), now());
    Ok(answer)
}

/// Returns true for a verifier of RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte| is_base64url(byte) || b".~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Renews tokens.
fn refresh(state: &State, client: &str, form: &Form) -> Result<Answer, Refusal> {
    let refusal = Refusal("invalid_grant", "no such refresh token");
    let shown = form.required("refresh_token")?;
    let (id, secret) = shown.split_once('.').ok_or(refusal)?;
    let mut logins = state.logins.lock();
    let family = logins.families.get(id, now()).ok_or(refusal)?;
    if family.grant.client_id != client {
        return Err(Refusal("invalid_grant", "the token of another client"));
    }
    if family.refresh.as_deref() != Some(secret) {
        drop(logins);
        end(state, id);
        return Err(Refusal("invalid_grant", "the refresh token was used"));
    }
    let family = logins.families.take(id, now()).ok_or(refusal)?;
    drop(logins);
    match narrowed(form, &family.grant) {
        Ok(scopes) => issue(state, id, family, &scopes, true),
        Err(refusal) => {
            let mut logins = state.logins.lock();
            logins.families.put(id.to_owned(), family, now());
            Err(refusal)
        }
    }
}

/// Returns the scopes that a renewal asks for, which are some of those that were granted.
fn narrowed(form: &Form, grant: &Grant) -> Result<Vec<String>, Refusal> {
    is_same_resource(form, grant)?;
    let asked = form.scopes()?;
    if asked.is_empty() {
        return Ok(grant.scopes.clone());
    }
    if asked.iter().any(|scope| !grant.scopes.contains(scope)) {
        return Err(Refusal("invalid_scope", "a scope that was not granted"));
    }
    Ok(asked)
}

fn is_same_resource(form: &Form, grant: &Grant) -> Result<(), Refusal> {
    match form.get("resource")? {
        Some(resource) if resource != grant.resource => {
            Err(Refusal("invalid_target", "another resource"))
        }
        _ => Ok(()),
    }
}

/// Makes tokens of a family, and keeps it.
fn issue(
    state: &State,
    id: &str,
    mut family: Family,
    scopes: &[String],
    refreshes: bool,
) -> Result<Answer, Refusal> {
    let grant = &family.grant;
    let mut spec = TokenSpec::of(&grant.sub)
        .client(&grant.client_id)
        .audience(&grant.resource)
        .claim("scope", scopes.join(" "))
        .lifetime(LIFETIME);
    if let Some(tenant) = state
        .directory
        .user(&grant.sub)
        .and_then(|user| user.tenant.as_deref())
    {
        spec = spec.tenant(tenant);
    }
    let token = state
        .mint(&spec)
        .map_err(|_| Refusal("server_error", "no key"))?;
    let mut body = Map::from_iter([
        ("access_token".to_owned(), json!(token)),
        ("token_type".to_owned(), json!("Bearer")),
        ("expires_in".to_owned(), json!(LIFETIME)),
        ("scope".to_owned(), json!(scopes.join(" "))),
    ]);
    family.access.insert(0, token);
    family.access.truncate(REMEMBERED);
    if refreshes {
        let secret = fresh()?;
        body.insert("refresh_token".to_owned(), json!(format!("{id}.{secret}")));
        family.refresh = Some(secret);
    }
    let mut logins = state.logins.lock();
    logins.families.put(id.to_owned(), family, now());
    Ok(Answer::json(StatusCode::OK, &Value::Object(body)))
}

/// Ends the tokens of a login: they cannot be renewed, and introspection calls them inactive.
fn end(state: &State, family: &str) {
    let family = state.logins.lock().families.take(family, now());
    let access = family.into_iter().flat_map(|family| family.access);
    state.lock().revoked.extend(access);
}

fn fresh() -> Result<String, Refusal> {
    fresh_id().map_err(|_| Refusal("server_error", "no randomness"))
}
