//! The reasons for refusals: one variant per reason, each with a stable kebab-case code.

use thiserror::Error;

/// The reasons for not signing or not accepting an envelope.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// The text is larger than any envelope can be.
    #[error("the envelope is larger than {} bytes", crate::MAX_JSON_BYTES)]
    TooLarge,
    /// The text is not JSON of the envelope's shape.
    #[error("expected the JSON of an envelope")]
    Malformed(#[source] serde_json::Error),
    /// A member occurs twice in one object (RFC 8259 leaves open which one counts).
    #[error("the member `{0}` occurs twice")]
    DuplicateMember(String),
    /// A member is unknown, or is optional and null or empty.
    #[error("the member `{0}` is unknown, null or empty")]
    UnknownMember(String),
    /// A claim is empty, too long, or has characters or a value that it must not have.
    #[error("the claim `{0}` has a value that it must not have")]
    Claim(&'static str),
    /// No key has this identifier.
    #[error("the envelope is signed with an unknown key: `{0}`")]
    UnknownKey(String),
    /// The signature is not that of these claims by that key.
    #[error("the signature is wrong")]
    Signature,
    /// The envelope has expired.
    #[error("the envelope has expired")]
    Expired,
    /// The envelope was made more than a minute in the future.
    #[error("the envelope is not valid yet")]
    NotYetValid,
    /// The envelope ends before it begins, or is valid for longer than five minutes.
    #[error(
        "the envelope's lifetime is not between 1 and {} seconds",
        crate::MAX_LIFETIME
    )]
    Lifetime,
}

impl EnvelopeError {
    /// Returns the stable code of this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Malformed(_) => "malformed",
            Self::DuplicateMember(_) => "duplicate-member",
            Self::UnknownMember(_) => "unknown-member",
            Self::Claim(_) => "claim",
            Self::UnknownKey(_) => "unknown-key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Lifetime => "lifetime",
        }
    }
}

/// The reasons for not minting or not accepting a transaction token.
#[derive(Debug, Error)]
pub enum TransactionError {
    /// The token is larger than any such token can be.
    #[error("the transaction token is larger than it may be")]
    TooLarge,
    /// The text is not a compact JWS with the members of a transaction token.
    #[error("the transaction token is malformed")]
    Malformed,
    /// A member occurs twice in one object.
    #[error("the member `{0}` occurs twice")]
    DuplicateMember(String),
    /// The header has a member other than `typ`, `alg` and `kid`.
    #[error("the header has a member that is not accepted: `{0}`")]
    Header(String),
    /// The token is of another kind.
    #[error("the token's type is not {}", crate::TOKEN_TYPE)]
    Type,
    /// The algorithm is not the key's.
    #[error("the token's algorithm is not EdDSA")]
    Algorithm,
    /// No key has this identifier.
    #[error("the token is signed with an unknown key: `{0}`")]
    UnknownKey(String),
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// The token is meant for another trust domain.
    #[error("the token is for another trust domain")]
    Audience,
    /// The token is narrowed to another service.
    #[error("the token is for another service")]
    Service,
    /// The token has expired, or the envelope for it has.
    #[error("expired")]
    Expired,
    /// The token was made more than a minute in the future.
    #[error("not valid yet")]
    NotYetValid,
    /// The token ends before it begins, or is valid for longer than a minute.
    #[error(
        "the token's lifetime is not between 1 and {} seconds",
        crate::MAX_TOKEN_LIFETIME
    )]
    Lifetime,
    /// A claim or an input is empty, too long, or has characters or a value that it must not have.
    #[error("the claim `{0}` has a value that it must not have")]
    Claim(&'static str),
}

impl TransactionError {
    /// Returns the stable code of this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::DuplicateMember(_) => "duplicate-member",
            Self::Header(_) => "header",
            Self::Type => "type",
            Self::Algorithm => "algorithm",
            Self::UnknownKey(_) => "unknown-key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Service => "service",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Lifetime => "lifetime",
            Self::Claim(_) => "claim",
        }
    }
}

/// The envelope does not allow this service.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the envelope does not allow the service `{service}`")]
pub struct NotAllowed {
    /// The requested service.
    pub service: String,
}

/// The reasons for not accepting a key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The text is not a PKCS#8 PEM document with an Ed25519 key (RFC 8410).
    #[error("expected an Ed25519 private key in PKCS#8 PEM form")]
    Pem,
    /// A member of the JSON Web Key is missing or wrong for an Ed25519 public key (RFC 8037).
    #[error("expected an Ed25519 public key: the member `{0}` is missing or wrong")]
    Jwk(&'static str),
    /// A set of public keys has a private one.
    #[error("a public key set contains a private key")]
    Private,
    /// The bytes are no point that can check a signature.
    #[error("the public key is not a usable point")]
    Point,
    /// The key identifier is not the key's thumbprint (RFC 7638).
    #[error("the key identifier is not the key's thumbprint")]
    Thumbprint,
    /// The document is not a JSON Web Key Set, or has too many keys or a key twice.
    #[error("expected a set of at most 64 different keys")]
    Set,
}
