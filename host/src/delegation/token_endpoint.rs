//! A token endpoint (RFC 6749 §3.2): a form goes out, a bounded, strictly read answer comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

use super::error::DownstreamError;
use super::granted::{Granted, Malformed, refused};
use super::service::{ClientSettings, TOKEN_TIME};
use crate::egress::{Client, EgressError, Tls};
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

    /// Sends one form. `asked` are the scopes that it asks for.
    pub(super) async fn post(&self, form: &[(&str, &str)], asked: &[String]) -> Result<Granted, DownstreamError> {
        let request = Request::post(self.url.clone())
            .header(header::AUTHORIZATION, self.basic()?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::from(encode(form)))
            .map_err(|_| DownstreamError::CredentialRefused("the request could not be built".into()))?;
        let answer = self.client.send(request, TOKEN_TIME, MAX_ANSWER).await.map_err(|error| unreachable(&error))?;
        let value = json::parse(&answer.body, MAX_DEPTH).ok();
        match answer.status {
            StatusCode::OK => Ok(Granted::read(value.as_ref())?),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(DownstreamError::Unavailable("the authorization server is not available".into()))
            }
            _ => Err(refused(value.as_ref(), asked)),
        }
    }

    /// RFC 6749 §2.3.1: both parts form-encoded, then Basic.
    fn basic(&self) -> Result<HeaderValue, DownstreamError> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&self.client_id), encode(self.client_secret.expose_secret()));
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
            .map_err(|_| DownstreamError::CredentialRefused("the client credentials cannot be encoded".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn encode(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn unreachable(error: &EgressError) -> DownstreamError {
    match error {
        EgressError::TimedOut => DownstreamError::Unavailable("the authorization server did not answer in time".into()),
        EgressError::TooLarge(limit) => Malformed::TooLarge(*limit).into(),
        EgressError::Blocked(blocked) => {
            tracing::error!(cause = %blocked, "an authorization server's address must not be dialled");
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
        EgressError::Unreachable(_) => {
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
    }
}

const MAX_ANSWER: usize = 64 * 1024;
const MAX_DEPTH: usize = 8;
