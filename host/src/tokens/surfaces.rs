//! What an issuer publishes and answers, read from any bytes.
#![expect(
    clippy::expect_used,
    reason = "a second reader that fails has found something"
)]

use serde_json::Value;

pub use super::endpoint::introspection_surface as introspection;
pub use super::keys::surfaces::{key_set, metadata};

/// Reads what the host has accepted with a reader of its own.
pub(super) fn again(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("what the strict reader takes, any reader takes")
}
