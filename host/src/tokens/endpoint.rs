//! A token endpoint (RFC 6749 §3.2): a form goes out, a bounded, strictly read answer comes back.

mod answer;
mod assertion;
mod client;
mod error;
mod granted;
mod introspection;
mod pause;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, header};
use http_body_util::Full;
use hyper::body::Bytes;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::{Zeroize as _, Zeroizing};

use crate::egress::{Client, EgressError, Party, Sent, Tls, shown};
use crate::seams::Clock;
use answer::EndpointAnswer;
use pause::ProofDigest;

pub use assertion::{
    AssertionAudience, AssertionFile, AssertionKey, AssertionKeyName, AssertionKind,
};
pub use client::{ClientProof, ClientSettings};
pub use error::{EndpointError, MalformedAnswer};
pub(crate) use granted::Granted;
#[cfg(any(test, fuzzing))]
pub use introspection::surface as introspection_surface;

/// The token endpoint of one authorization server, where the host is a client.
#[derive(Clone)]
pub(crate) struct TokenEndpoint {
    http: Client,
    client: ClientSettings,
    clock: Arc<dyn Clock>,
}

/// A request for a token.
pub(crate) struct TokenRequest<'r> {
    /// The fields of the form.
    pub(crate) form: &'r [(&'r str, &'r str)],
    /// The `token_type` that must come back, in any case.
    pub(crate) token_type: &'r str,
    /// The scopes that it requests.
    pub(crate) scopes: &'r [String],
    /// The principal for whom it is.
    pub(crate) party: Party,
    /// Follows the request, if someone must know whether it may have left.
    pub(crate) sent: Option<&'r Sent>,
}

/// What the log tells of an answer beside its cause.
#[derive(Default)]
struct SeenAnswer {
    status: Option<u16>,
    /// The seconds of a pause that began.
    pause: Option<u64>,
}

impl TokenEndpoint {
    pub(crate) fn new(client: ClientSettings, tls: &Tls, clock: &Arc<dyn Clock>) -> Self {
        Self {
            http: Client::new(&tls.of(&client.tls), client.addresses.clone()),
            client,
            clock: Arc::clone(clock),
        }
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Fails if the answer holds no bearer token, or if it is too early to ask.
    pub(crate) async fn post(&self, asking: TokenRequest<'_>) -> Result<Granted, EndpointError> {
        let mut seen = SeenAnswer::default();
        let granted = self.ask(asking, &mut seen).await;
        if let Err(error) = granted.as_ref()
            && !error.is_pause()
        {
            tracing::warn!(
                endpoint = self.shown(),
                status = seen.status,
                pause = seen.pause,
                cause = %error,
                "a token endpoint issued no token, so the request that needs it is not sent"
            );
        }
        granted
    }

    async fn ask(
        &self,
        asking: TokenRequest<'_>,
        seen: &mut SeenAnswer,
    ) -> Result<Granted, EndpointError> {
        let (mut request, proof) = self.request(asking.form).await?;
        if let Some(sent) = asking.sent {
            sent.follow(&mut request);
        }
        let sending = self
            .http
            .send_for(asking.party, request, TOKEN_TIME, MAX_ANSWER);
        let reply = sending.await.map_err(|error| self.unanswered(&error))?;
        let answer = EndpointAnswer::new(reply, proof);
        let granted = answer.granted(asking.scopes, asking.token_type);
        *seen = SeenAnswer {
            status: Some(answer.status.as_u16()),
            pause: self.note(&answer, &granted),
        };
        granted
    }

    /// Returns the address as messages show it. Errors do not name it, because tools see them.
    pub(crate) fn shown(&self) -> String {
        shown(&self.client.token_endpoint)
    }

    /// Notes what an answer, which was `read`, says about asking again. Returns the seconds of the
    /// pause that begins, if one begins.
    fn note<T>(&self, answer: &EndpointAnswer, read: &Result<T, EndpointError>) -> Option<u64> {
        self.client.pauses.answered(
            (answer.status, &answer.headers),
            answer.standing(read),
            &answer.proof,
            self.clock.now_ms(),
        )
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
            EgressError::TimedOut(_) => EndpointError::TimedOut,
            EgressError::TooLarge(limit) => MalformedAnswer::TooLarge(*limit).into(),
            EgressError::Unreadable(_) => MalformedAnswer::Http.into(),
            EgressError::Coded(_) => MalformedAnswer::Coded.into(),
            EgressError::Blocked(_) | EgressError::Unreachable(_) | EgressError::Broken(_) => {
                EndpointError::Unreachable
            }
        }
    }

    /// Returns a request with this form and the host's proof of its identity, unless it is too
    /// early for one.
    async fn request(
        &self,
        form: &[(&str, &str)],
    ) -> Result<(Request<Full<Bytes>>, ProofDigest), EndpointError> {
        let shown = self.client.show(self.clock.now()).await?;
        self.client
            .pauses
            .allow(&shown.digest, self.clock.now_ms())?;
        let proof = shown
            .fields
            .iter()
            .map(|(name, value)| (*name, value.expose_secret()));
        let form: Vec<_> = form.iter().copied().chain(proof).collect();
        let mut request = Request::post(self.client.token_endpoint.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(encode(&form)))
            .map_err(|_| EndpointError::Request)?;
        if let Some(authorization) = shown.authorization {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, authorization);
        }
        Ok((request, shown.digest))
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
