//! The metadata of the authorization server (RFC 8414 §2), which clients also look for as that of
//! an `OpenID` provider. ID tokens are not issued.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::State;
use super::super::exchange::{CLIENT_CREDENTIALS, TOKEN_EXCHANGE};
use super::clients::METHODS;
use super::{AUTHORIZATION_CODE, REFRESH_TOKEN};

/// The path of RFC 8414 §3.
pub(super) const RFC8414: &str = "/.well-known/oauth-authorization-server";

/// The path of `OpenID` Connect Discovery 1.0 §4.
pub(super) const OPENID: &str = "/.well-known/openid-configuration";

/// Returns the metadata.
pub(super) fn of(state: &State) -> Value {
    let at = |path: &str| format!("{}{path}", state.url);
    let scopes: BTreeSet<String> = state.logins.resources().into_values().flatten().collect();
    json!({
        "issuer": state.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "registration_endpoint": at("/register"),
        "introspection_endpoint": at("/introspect"),
        "jwks_uri": at("/jwks"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported":
            [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
        "token_endpoint_auth_methods_supported": METHODS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}
