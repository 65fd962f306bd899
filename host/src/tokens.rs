//! Tokens, whoever they are for: how one is verified, and how the host obtains one.
//!
//! Trusts nothing in a token before its signature is verified, and nothing in an authorization
//! server's answer before it is read strictly. Knows no caller, no service and no call.
//!
//! Invariant: [`Claims`] exist only for a token that the issuer's key verified, with the one
//! algorithm of that key.

mod claims;
mod client_credentials;
mod endpoint;
mod error;
mod keys;
mod plain;
mod renewal;
mod unverified;

pub use claims::{Claims, TimeRule};
pub(crate) use client_credentials::{Asking, ClientCredentials};
pub use endpoint::{ClientSettings, EndpointError, Malformed};
pub(crate) use endpoint::{Granted, TokenEndpoint};
pub use error::TokenError;
pub(crate) use keys::SetVersion;
pub use keys::{Algorithm, Key, KeyError, KeyFile, KeyRing, KeySource, left_out};
pub(crate) use renewal::may_be_renewed;
pub use unverified::{TypeRule, Unverified};
