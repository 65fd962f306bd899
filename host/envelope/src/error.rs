//! Why something was refused. One variant per reason, each with a stable kebab-case code.

use thiserror::Error;

/// Why an envelope is not signed or not accepted.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// Larger than any envelope can be.
    #[error("the envelope is larger than {} bytes", crate::MAX_JSON_BYTES)]
    TooLarge,
    /// Not JSON of the envelope's shape.
    #[error("the envelope does not have the shape of one")]
    Malformed(#[source] serde_json::Error),
    /// A member occurs twice in one object (RFC 8259 leaves open which one counts).
    #[error("the member `{0}` occurs twice")]
    DuplicateMember(String),
    /// A member that an envelope does not have, or an optional one that is null or empty.
    #[error("the member `{0}` does not belong there")]
    UnknownMember(String),
    /// A claim is empty, too long, or has characters or a value that it must not have.
    #[error("the claim `{0}` has a value that it must not have")]
    Claim(&'static str),
    /// No such key.
    #[error("the envelope is signed with a key that is not known: `{0}`")]
    UnknownKey(String),
    /// The signature is not that of these claims by that key.
    #[error("the signature is wrong")]
    Signature,
    /// Expired.
    #[error("the envelope has expired")]
    Expired,
    /// Made more than a minute in the future.
    #[error("the envelope is not valid yet")]
    NotYetValid,
    /// Ends before it begins, or is valid for longer than five minutes.
    #[error(
        "the envelope's lifetime is not between 1 and {} seconds",
        crate::MAX_LIFETIME
    )]
    Lifetime,
}

impl EnvelopeError {
    /// The stable code of this reason.
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

/// Why a transaction token is not minted or not accepted.
#[derive(Debug, Error)]
pub enum TransactionError {
    /// Larger than any such token can be.
    #[error("the transaction token is larger than it may be")]
    TooLarge,
    /// Not a compact JWS with the members of a transaction token.
    #[error("the transaction token is malformed")]
    Malformed,
    /// A member occurs twice in one object.
    #[error("the member `{0}` occurs twice")]
    DuplicateMember(String),
    /// The header has a member other than `typ`, `alg` and `kid`.
    #[error("the header has a member that is not accepted: `{0}`")]
    Header(String),
    /// Another kind of token.
    #[error("the token's type is not {}", crate::TOKEN_TYPE)]
    Type,
    /// Another algorithm than the key's.
    #[error("the token's algorithm is not EdDSA")]
    Algorithm,
    /// No such key.
    #[error("the token is signed with a key that is not known: `{0}`")]
    UnknownKey(String),
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// Meant for another trust domain.
    #[error("the token is for another trust domain")]
    Audience,
    /// Narrowed to another service.
    #[error("the token is for another service")]
    Service,
    /// Expired; or the envelope that it should be minted from has.
    #[error("expired")]
    Expired,
    /// Made more than a minute in the future.
    #[error("not valid yet")]
    NotYetValid,
    /// Ends before it begins, or is valid for longer than a minute.
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
    /// The stable code of this reason.
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
    /// The service that was asked for.
    pub service: String,
}

/// Why a key is not accepted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not a PKCS#8 PEM document with an Ed25519 key (RFC 8410).
    #[error("not an Ed25519 private key in PKCS#8 PEM form")]
    Pem,
    /// A JSON Web Key without the members of an Ed25519 public key (RFC 8037), or with others'
    /// values.
    #[error("not an Ed25519 public key: member `{0}`")]
    Jwk(&'static str),
    /// A private key in a set of public ones.
    #[error("a public key set contains a private key")]
    Private,
    /// Not a point that a signature can be checked with.
    #[error("the public key is not a usable point")]
    Point,
    /// The key identifier is not the key's thumbprint (RFC 7638).
    #[error("the key identifier is not the key's thumbprint")]
    Thumbprint,
    /// Not a JSON Web Key Set, or one with too many keys or a key twice.
    #[error("not a set of at most 64 different keys")]
    Set,
}
