//! Tokens, whoever they are for: how one is verified, and how the host obtains one.
//!
//! Trusts nothing in a token before its signature is verified, and nothing in an authorization
//! server's answer before it is read strictly. Knows no caller, no service and no call.
//!
//! Invariant: [`Claims`] exist only for a token that the issuer's key verified, with the one
//! algorithm of that key.

mod claims;
mod endpoint;
mod granted;
mod keys;
mod plain;
mod unverified;

pub use claims::{Claims, TimeRule};
pub use endpoint::ClientSettings;
pub(crate) use endpoint::TokenEndpoint;
pub(crate) use granted::Granted;
pub(crate) use keys::SetVersion;
pub use keys::{Algorithm, Key, KeyError, KeyFile, KeyRing, KeySource, left_out};
pub use unverified::{TokenError, TypeRule, Unverified};
