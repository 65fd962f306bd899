//! A token endpoint (RFC 6749 §3.2): a form goes out, a bounded, strictly read answer comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::error::DownstreamError;
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

/// A successful answer (RFC 6749 §5.1, RFC 8693 §2.2.1).
pub(super) struct Granted {
    pub(super) access_token: SecretString,
    pub(super) issued_token_type: Option<String>,
    /// Seconds.
    pub(super) expires_in: Option<u64>,
    pub(super) scope: Option<Vec<String>>,
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
            StatusCode::OK => granted(value.as_ref()).ok_or_else(malformed),
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

fn granted(value: Option<&Value>) -> Option<Granted> {
    let value = value?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if !text("token_type")?.eq_ignore_ascii_case("bearer") || value.get("error").is_some() {
        return None;
    }
    let expires_in = match value.get("expires_in") {
        None => None,
        Some(seconds) => Some(seconds.as_u64()?),
    };
    let token = text("access_token").filter(|token| is_header_text(token))?;
    Some(Granted {
        access_token: SecretString::from(token.to_owned()),
        issued_token_type: text("issued_token_type").map(String::from),
        expires_in,
        scope: text("scope").map(|scope| scope.split(' ').filter(|part| !part.is_empty()).map(String::from).collect()),
    })
}

fn is_header_text(token: &str) -> bool {
    !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn malformed() -> DownstreamError {
    DownstreamError::CredentialRefused("the authorization server's answer is not a bearer token".into())
}

fn unreachable(error: &EgressError) -> DownstreamError {
    match error {
        EgressError::TimedOut => DownstreamError::Unavailable("the authorization server did not answer in time".into()),
        EgressError::TooLarge(_) => malformed(),
        EgressError::Blocked(blocked) => {
            tracing::error!(cause = %blocked, "an authorization server's address must not be dialled");
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
        EgressError::Unreachable(_) => {
            DownstreamError::Unavailable("the authorization server cannot be reached".into())
        }
    }
}

/// RFC 6749 §5.2 codes, and those that vendors add. Texts of the server go no further.
fn refused(value: Option<&Value>, asked: &[String]) -> DownstreamError {
    match value.and_then(|value| value.get("error")).and_then(Value::as_str) {
        Some("consent_required" | "interaction_required" | "login_required") => {
            DownstreamError::ConsentRequired("the authorization server wants the user's consent first".into())
        }
        Some("invalid_scope") => DownstreamError::ScopeDenied(asked.to_vec()),
        Some(
            code @ ("invalid_request"
            | "invalid_client"
            | "invalid_grant"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "invalid_target"
            | "access_denied"
            | "actor_unauthorized"),
        ) => DownstreamError::CredentialRefused(format!("the authorization server answered {code}")),
        _ => DownstreamError::CredentialRefused("the authorization server refused".into()),
    }
}

const MAX_ANSWER: usize = 64 * 1024;
const MAX_TOKEN: usize = 16 * 1024;
const MAX_DEPTH: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_bearer_token_in_a_whole_answer_is_accepted() {
        let good = json!({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 60, "scope": "a b"});
        assert!(granted(Some(&good)).is_some_and(|granted| granted.expires_in == Some(60)));
        for (member, value) in [
            ("token_type", json!("N_A")),
            ("token_type", json!("DPoP")),
            ("token_type", json!(null)),
            ("access_token", json!("")),
            ("access_token", json!("a\r\nb")),
            ("access_token", json!(7)),
            ("expires_in", json!("60")),
            ("expires_in", json!(-1)),
            ("error", json!("x")),
        ] {
            let mut bad = good.clone();
            bad.as_object_mut().map(|members| members.insert(member.into(), value.clone()));
            assert!(granted(Some(&bad)).is_none(), "{member} = {value}");
        }
        assert!(granted(None).is_none());
    }

    #[test]
    fn a_refusal_says_a_known_code_and_never_the_servers_text() {
        let asked = vec!["a".to_owned()];
        let refusal = |value: Value| refused(Some(&value), &asked);
        assert_eq!(refusal(json!({"error": "invalid_scope"})), DownstreamError::ScopeDenied(asked.clone()));
        assert!(matches!(refusal(json!({"error": "consent_required"})), DownstreamError::ConsentRequired(_)));
        let odd = refusal(json!({"error": "secret-text", "error_description": "secret-text"}));
        assert!(!odd.to_string().contains("secret-text"));
    }
}
