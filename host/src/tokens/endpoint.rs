//! A token endpoint (RFC 6749 §3.2): a form goes out, a bounded, strictly read answer comes back.

mod client;
mod error;
mod granted;
mod introspection;

use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::{Zeroize as _, Zeroizing};

use crate::egress::{Client, EgressError, Party, Sent, Tls, shown};
use crate::json;
use granted::refused;

pub use client::ClientSettings;
pub use error::{EndpointError, MalformedAnswer};
pub(crate) use granted::Granted;
#[cfg(any(test, fuzzing))]
pub use introspection::surface as introspection_surface;

/// The token endpoint of one authorization server, where the host is a client.
#[derive(Clone)]
pub(crate) struct TokenEndpoint {
    http: Client,
    client: ClientSettings,
}

/// A request for a token.
pub(crate) struct TokenRequest<'r> {
    /// The fields of the form.
    pub(crate) form: &'r [(&'r str, &'r str)],
    /// The scopes that it requests.
    pub(crate) scopes: &'r [String],
    /// The principal for whom it is.
    pub(crate) party: Party,
    /// Follows the request, if someone must know whether it may have left.
    pub(crate) sent: Option<&'r Sent>,
}

impl TokenEndpoint {
    pub(crate) fn new(client: ClientSettings, tls: &Tls) -> Self {
        Self {
            http: Client::new(tls, client.addresses.clone()),
            client,
        }
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Fails if the answer holds no bearer token.
    pub(crate) async fn post(&self, asking: TokenRequest<'_>) -> Result<Granted, EndpointError> {
        let granted = self.ask(asking).await;
        if let Err(error) = &granted {
            tracing::warn!(
                endpoint = self.shown(),
                cause = %error,
                "a token endpoint issued no token, so the request that needs it is not sent"
            );
        }
        granted
    }

    /// Returns the address as messages show it. Errors do not name it, because tools see them.
    pub(crate) fn shown(&self) -> String {
        shown(&self.client.token_endpoint)
    }

    async fn ask(&self, asking: TokenRequest<'_>) -> Result<Granted, EndpointError> {
        let mut request = self.request(asking.form)?;
        if let Some(sent) = asking.sent {
            sent.follow(&mut request);
        }
        let party = asking.party;
        let sent = self.http.send_for(party, request, TOKEN_TIME, MAX_ANSWER);
        let answer = sent.await.map_err(|error| self.unanswered(&error))?;
        let mut document = json::parse(&answer.body, MAX_DEPTH).ok();
        // A token may be in both copies: the bytes, and the document that was read from them.
        wipe_bytes(answer.body);
        let read = match answer.status {
            StatusCode::OK => Granted::read(document.as_ref()).map_err(EndpointError::from),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(EndpointError::Unavailable)
            }
            status => Err(refused(document.as_ref(), asking.scopes, status)),
        };
        document.iter_mut().for_each(wipe);
        read
    }

    /// Logs the causes of a failure that the error does not name, and returns the error.
    fn unanswered(&self, error: &EgressError) -> EndpointError {
        let (endpoint, cause) = (self.shown(), error.with_causes());
        if matches!(error, EgressError::Blocked(_)) {
            let what = "an authorization server's address must not be dialled";
            tracing::error!(endpoint, cause, "{what}");
        } else {
            tracing::warn!(endpoint, cause, "an authorization server gave no answer");
        }
        match error {
            EgressError::TimedOut => EndpointError::TimedOut,
            EgressError::TooLarge(limit) => MalformedAnswer::TooLarge(*limit).into(),
            EgressError::Unreadable(_) => MalformedAnswer::Http.into(),
            EgressError::Blocked(_) | EgressError::Unreachable(_) | EgressError::Broken(_) => {
                EndpointError::Unreachable
            }
        }
    }

    fn request(&self, form: &[(&str, &str)]) -> Result<Request<Full<Bytes>>, EndpointError> {
        Request::post(self.client.token_endpoint.clone())
            .header(header::AUTHORIZATION, self.client.basic()?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(encode(form)))
            .map_err(|_| EndpointError::Request)
    }
}

/// Encodes the form into bytes that are erased once sent, because the form holds the caller's
/// token.
fn encode(form: &[(&str, &str)]) -> Bytes {
    // Room for every byte as `%XX`, so that growing leaves no shorter copy behind.
    let room = form
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
        .sum();
    let text = form_urlencoded::Serializer::new(String::with_capacity(room))
        .extend_pairs(form)
        .finish();
    Bytes::from_owner(Zeroizing::new(text.into_bytes()))
}

/// Erases an answer that may hold a token, unless another part still refers to it.
fn wipe_bytes(answer: Bytes) {
    if let Ok(mut answer) = answer.try_into_mut() {
        answer.as_mut().zeroize();
    }
}

/// Erases the texts of a document that may hold a token.
fn wipe(document: &mut Value) {
    match document {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The time that an authorization server may take.
const TOKEN_TIME: Duration = Duration::from_secs(5);
const MAX_ANSWER: usize = 64 * 1024;
const MAX_DEPTH: usize = 8;
