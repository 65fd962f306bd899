//! Dynamic client registration (RFC 7591): anyone may register, since a client gets nothing that
//! its user did not press a button for.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::State;
use super::super::exchange::Refusal;
use super::clients::{Client, METHODS, Metadata};
use crate::clock::{fresh_id, now};
use crate::http::{Answer, Request};

/// The largest registration, in bytes.
const LARGEST: usize = 1 << 16;

/// Answers `POST /register`.
pub(super) fn register(state: &State, request: &Request) -> Answer {
    let registered = read(request).and_then(client);
    let client = match registered {
        Ok(client) => client,
        Err(refusal) => return refusal.answer(),
    };
    let answer = Answer::json(StatusCode::CREATED, &told(&client));
    let mut logins = state.logins.lock();
    logins.clients.put(client.id.clone(), client, now());
    answer.with("cache-control", "no-store")
}

fn read(request: &Request) -> Result<Metadata, Refusal> {
    let refusal = Refusal(
        "invalid_client_metadata",
        "a registration is one JSON object of at most 64 KiB",
    );
    if request.body.len() > LARGEST {
        return Err(refusal);
    }
    let value: Value = serde_json::from_slice(&request.body).map_err(|_| refusal)?;
    Metadata::read(value.as_object().ok_or(refusal)?)
}

/// Makes the client, with a secret unless it is a public one.
fn client(metadata: Metadata) -> Result<Client, Refusal> {
    let fresh = || fresh_id().map_err(|_| Refusal("server_error", "no randomness"));
    // RFC 7591 §2: a client that does not say authenticates with a secret.
    let secret = match metadata.method.as_deref() {
        Some("none") => None,
        _ => Some(fresh()?),
    };
    let name = metadata.name.as_deref().map(slug).unwrap_or_default();
    let name = if name.is_empty() { "client" } else { &name };
    Ok(Client {
        id: format!("{name}-{}", fresh()?),
        secret,
        metadata,
    })
}

/// Returns a name as the readable part of an identifier, since journals show the identifier.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(32).collect()
}

/// Returns what was registered (RFC 7591 §3.2.1), without members that have no value.
fn told(client: &Client) -> Value {
    let [_, basic, _] = METHODS;
    let metadata = &client.metadata;
    let mut told = json!({
        "client_id": client.id,
        "client_id_issued_at": now(),
        "redirect_uris": metadata.redirect_uris,
        "grant_types": metadata.grant_types(),
        "response_types": ["code"],
        "token_endpoint_auth_method": metadata.method.as_deref().unwrap_or(basic),
    });
    if let Some(members) = told.as_object_mut() {
        if let Some(name) = &metadata.name {
            members.insert("client_name".to_owned(), json!(name));
        }
        if let Some(secret) = &client.secret {
            members.insert("client_secret".to_owned(), json!(secret));
            members.insert("client_secret_expires_at".to_owned(), json!(0));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_readable_part_has_letters_digits_and_single_hyphens() {
        for (name, expected) in [
            ("Claude Code (bailiwick)", "claude-code-bailiwick"),
            ("  <b>É</b>", "b-b"),
            ("", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
        assert_eq!(slug(&"a".repeat(100)).len(), 32);
    }
}
