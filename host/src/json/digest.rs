//! Digests of JSON values, by which two of them are compared as JSON.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::numbers;
use crate::seams::hex;

/// Returns `sha256:` and the digest of the value's RFC 8785 form, or of its plain text if it has
/// none. Integers that the form would round, such as the bounds of 64 bits, are added as they are:
/// two values that differ only in such an integer have different digests.
pub fn digest(value: &Value) -> String {
    let mut canonical =
        serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes());
    for integer in numbers::wide_integers(value) {
        canonical.push(b'\n');
        canonical.extend(integer.into_bytes());
    }
    format!("sha256:{}", hex(&Sha256::digest(canonical)))
}
