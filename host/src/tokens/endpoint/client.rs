//! The host as a client of one authorization server: its identity and its proof of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::error::EndpointError;
use crate::egress::AddressPolicy;

/// The host as a client of an authorization server.
#[derive(Clone)]
pub struct ClientSettings {
    /// The token endpoint.
    pub token_endpoint: Uri,
    /// Private addresses that the endpoint may have.
    pub addresses: AddressPolicy,
    /// The client identifier.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

impl ClientSettings {
    /// Returns the value of `Authorization` that authenticates the client (RFC 6749 §2.3.1): both
    /// parts form-encoded, then Basic.
    pub(super) fn basic(&self) -> Result<HeaderValue, EndpointError> {
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let secret = Zeroizing::new(encode(self.client_secret.expose_secret()));
        let pair = Zeroizing::new(format!("{}:{}", encode(&self.client_id), *secret));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::try_from(basic.as_str()).map_err(|_| EndpointError::Client)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_and_secret_are_form_encoded_before_they_are_joined() {
        let client = ClientSettings {
            token_endpoint: Uri::from_static("https://idp.example/token"),
            addresses: AddressPolicy::new(Vec::new()),
            client_id: "https://mcp.example/host".into(),
            client_secret: SecretString::from("a:b c%".to_owned()),
        };
        let expected = STANDARD.encode("https%3A%2F%2Fmcp.example%2Fhost:a%3Ab+c%25");
        let value = client.basic();
        assert!(
            value.as_ref().is_ok_and(|value| value.is_sensitive()
                && value.as_bytes() == format!("Basic {expected}").as_bytes()),
            "{value:?}"
        );
    }
}
