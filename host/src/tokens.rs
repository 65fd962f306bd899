//! Tokens of callers and of the host: their verification, and how the host obtains its own or, as a
//! [`LocalIssuer`], signs them.
//!
//! Trusts nothing in a token before its signature is verified, and nothing in an authorization
//! server's answer before it is read strictly. Knows no caller, no service and no call.
//!
//! Invariant: [`Claims`] on which anything is decided leave this module only by
//! [`Expectations::verify`], from a token that met every expectation, and by
//! [`Expectations::answered`], from an issuer's answer that met the same ones.

mod claims;
mod client_credentials;
pub(crate) mod client_id;
mod date;
mod endpoint;
mod error;
mod introspection;
mod keys;
mod local_issuer;
mod names;
mod plain;
mod renewal;
mod signing;
#[cfg(any(test, fuzzing))]
pub(crate) mod surfaces;
#[cfg(test)]
pub(crate) mod testing;
mod types;
mod unverified;
mod verifier;

pub use claims::{Claims, TimeRule};
pub(crate) use client_credentials::{Asking, ClientCredentials};
pub(crate) use date::http_date;
pub use endpoint::{
    AssertionAudience, AssertionFile, AssertionKey, AssertionKeyName, AssertionKind, ClientProof,
    ClientSettings, EndpointError, MalformedAnswer,
};
pub(crate) use endpoint::{Granted, TokenEndpoint, TokenRequest};
pub use error::TokenError;
pub(crate) use introspection::{AskedAbout, TokenDigest, TokenStanding};
pub use introspection::{Introspection, IntrospectionError};
pub use keys::{Algorithm, KeyError, KeyFile, KeyRing, KeySettings, KeySource, left_out};
pub(crate) use keys::{SetVersion, certificate_endpoint};
pub use local_issuer::{LocalIssuer, LocalIssuerError};
pub(crate) use names::{ACCESS_TOKEN, JWT, OF_OTHER_TOKENS};
pub(crate) use renewal::may_be_renewed;
pub use signing::SigningKeyError;
pub(crate) use signing::SigningPair;
pub use types::TypeRule;
pub use unverified::Unverified;
pub use verifier::{Audience, Expectations, Subject, Verified, VerifyError};
