//! The names of token types (RFC 8693 §3).

/// An OAuth access token.
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// A JWT, which may be an access token.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The types of token that no caller shows the host.
pub(crate) const OF_OTHER_TOKENS: [&str; 4] = [
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:refresh_token",
    "urn:ietf:params:oauth:token-type:saml1",
    "urn:ietf:params:oauth:token-type:saml2",
];
