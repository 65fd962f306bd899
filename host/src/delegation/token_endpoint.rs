//! A token endpoint (RFC 6749 §3.2): a form goes out, a bounded, strictly read answer comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::DownstreamError;
use super::granted::{Granted, Malformed, refused};
use super::service::{ClientSettings, TOKEN_TIME};
use crate::egress::{Client, EgressError, Principal, Tls};
use crate::json;

/// The host as a client of one authorization server.
#[derive(Clone)]
pub(super) struct TokenEndpoint {
    client: Client,
    url: Uri,
    client_id: String,
    client_secret: SecretString,
}

impl TokenEndpoint {
    pub(super) fn new(settings: ClientSettings, tls: &Tls) -> Self {
        Self {
            client: Client::new(tls, settings.addresses),
            url: settings.token_endpoint,
            client_id: settings.client_id,
            client_secret: settings.client_secret,
        }
    }

    /// Sends one form for `principal`. `asked` are the scopes that it asks for.
    pub(super) async fn post(
        &self,
        form: &[(&str, &str)],
        asked: &[String],
        principal: Principal,
    ) -> Result<Granted, DownstreamError> {
        let request = Request::post(self.url.clone())
            .header(header::AUTHORIZATION, self.basic()?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(encode(form)))
            .map_err(|_| {
                DownstreamError::CredentialRefused("the request could not be built".into())
            })?;
        let sent = self
            .client
            .send_for(principal, request, TOKEN_TIME, MAX_ANSWER);
        let answer = sent.await.map_err(|error| unreachable(&error))?;
        let mut document = json::parse(&answer.body, MAX_DEPTH).ok();
        wipe_bytes(answer.body);
        let read = match answer.status {
            StatusCode::OK => Granted::read(document.as_ref()).map_err(DownstreamError::from),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Err(
                DownstreamError::Unavailable("the authorization server is not available".into()),
            ),
            _ => Err(refused(document.as_ref(), asked)),
        };
        document.iter_mut().for_each(wipe);
        read
    }

    /// RFC 6749 §2.3.1: both parts form-encoded, then Basic.
    fn basic(&self) -> Result<HeaderValue, DownstreamError> {
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!(
            "{}:{}",
            encode(&self.client_id),
            encode(self.client_secret.expose_secret())
        );
        let mut value =
            HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).map_err(|_| {
                DownstreamError::CredentialRefused(
                    "the client credentials cannot be encoded".into(),
                )
            })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The form, erased when it has been sent: it has the caller's token in it.
fn encode(form: &[(&str, &str)]) -> Bytes {
    // Room for every byte as `%XX`, so that no shorter copy is left behind.
    let room = form
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let text = form_urlencoded::Serializer::new(String::with_capacity(room))
        .extend_pairs(form)
        .finish();
    Bytes::from_owner(Zeroizing::new(text.into_bytes()))
}

/// Erases an answer that may have a token in it, unless somebody else still holds it.
fn wipe_bytes(answer: Bytes) {
    if let Ok(mut answer) = answer.try_into_mut() {
        answer.as_mut().zeroize();
    }
}

/// Erases the texts of a document that may have a token in it.
fn wipe(document: &mut Value) {
    match document {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn unreachable(error: &EgressError) -> DownstreamError {
    match error {
        EgressError::TimedOut => {
            DownstreamError::Unavailable("the authorization server did not answer in time".into())
        }
        EgressError::TooLarge(limit) => Malformed::TooLarge(*limit).into(),
        EgressError::Blocked(blocked) => {
            tracing::error!(cause = %blocked, "an authorization server's address must not be dialled");
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
        EgressError::Unreachable(_) | EgressError::Broken(_) => {
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
    }
}

const MAX_ANSWER: usize = 64 * 1024;
const MAX_DEPTH: usize = 8;
