//! The reasons for not accepting a token.

/// The reasons for not accepting a JWT.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three base64url parts of acceptable size.
    #[error("the token is not a compact JWS; for opaque tokens, an issuer needs `opaque = true`")]
    Form,
    /// Header or payload is not acceptable JSON.
    #[error("the token's {0} is not acceptable JSON")]
    Json(&'static str),
    /// A header parameter has the wrong type, or must be understood and is not.
    #[error("the token's header has an unacceptable `{0}`")]
    Header(&'static str),
    /// The algorithm is not the one pinned to the key.
    #[error("the token's algorithm is not the one of its key")]
    Algorithm,
    /// The signature does not verify.
    #[error("the token's signature does not verify")]
    Signature,
    /// The `typ` header does not name this issuer's type of access tokens.
    #[error("the token's `typ` is not the configured token_type")]
    Type,
    /// The issuer may not use this algorithm.
    #[error("the token's algorithm {0} is not among this issuer's `algorithms`")]
    NotAmong(&'static str),
    /// It has a claim that only ID tokens have.
    #[error("the token has `{0}`, which is of ID tokens; an access token is needed")]
    IdToken(&'static str),
    /// A claim says that it is of another kind.
    #[error("the token's claim `{0}` says that it is no access token")]
    Kind(&'static str),
    /// The issuer says that it is not active.
    #[error("the issuer says that the token is not active: expired, revoked, or not its own")]
    Inactive,
    /// The issuer's answer about it contradicts it.
    #[error("the issuer's answer about the token names another `{0}` than the token")]
    Contradicted(&'static str),
    /// The issuer's answer does not say that it is a bearer access token.
    #[error(
        "the issuer's answer does not say that the token is a bearer access token: expected \
         `token_type` Bearer, `typ` Bearer or at+jwt, or `token_use` access"
    )]
    NotBearer,
    /// Its client is none of those that the operator allows.
    #[error("the token's client is not among this issuer's `clients`")]
    Client,
    /// A required claim is missing, or has the wrong JSON type or form.
    #[error("the token's claim `{0}` is missing or malformed")]
    Claim(String),
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// The time from `iat`, or from now, to `exp` is longer than this issuer's tokens may be valid.
    #[error("the token is valid for longer than max_token_lifetime")]
    TooLong,
    /// `iat` is too long ago.
    #[error("the token was issued longer ago than max_token_age")]
    TooOld,
    /// `aud` does not name the expected audience, or names others that it must not.
    #[error("the token is for another audience")]
    Audience,
    /// `iss` does not name the expected issuer.
    #[error("the token is from another issuer")]
    Issuer,
    /// It expires later than the token that bounds it.
    #[error("the token outlives the one that it was issued for")]
    Outlives,
    /// It names another subject than the expected one.
    #[error("the token names another subject")]
    Subject,
    /// The token is bound (`cnf`) to a key whose possession this host cannot check, or to another
    /// certificate than that of the connection on which it would be sent.
    #[error("the token is sender-constrained, which is not supported")]
    Bound,
}
