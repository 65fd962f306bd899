//! The names of token types (RFC 8693 §3).

/// An OAuth access token.
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// A JWT, which may be an access token.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
