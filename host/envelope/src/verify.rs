//! Verification: from any text to an envelope that is known to be genuine.
//!
//! Decode fully, then check the signature, then the claims, then the time. The signature is checked
//! over the canonical form of the document as it arrived, not over a repaired copy.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize as _;
use serde_json::Value;

use crate::error::EnvelopeError;
use crate::json::{self, Unread};
use crate::keys::PublicKeys;
use crate::sign::{Document, SIGNATURE_CONTEXT, SignedEnvelope, check};

/// The longest envelope that is made or read, in bytes.
pub const MAX_JSON_BYTES: usize = 64 * 1024;

/// The furthest that the beginning of a validity may lie in the future, in seconds.
pub const MAX_SKEW: u64 = 60;

/// Verifies an envelope with the host's public keys at the time `now` (seconds since 1970-01-01
/// UTC).
///
/// The signature proves that the host said this about one call. It does not make the party that
/// shows the envelope the actor.
pub fn verify(json: &str, keys: &PublicKeys, now: u64) -> Result<SignedEnvelope, EnvelopeError> {
    let (shown, document) = decode(json)?;
    verify_signature(shown, &document, keys)?;
    let envelope = SignedEnvelope::new(document)?;
    check(envelope.claims())?;
    if now >= envelope.claims().expires_at {
        return Err(EnvelopeError::Expired);
    }
    if envelope.claims().created_at > now.saturating_add(MAX_SKEW) {
        return Err(EnvelopeError::NotYetValid);
    }
    Ok(envelope)
}

fn decode(json: &str) -> Result<(Value, Document), EnvelopeError> {
    if json.len() > MAX_JSON_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    let shown = json::parse(json.as_bytes()).map_err(|unread| match unread {
        Unread::Duplicate(name) => EnvelopeError::DuplicateMember(name),
        Unread::Syntax(error) => EnvelopeError::Malformed(error),
    })?;
    let document = Document::deserialize(&shown).map_err(EnvelopeError::Malformed)?;
    let known = serde_json::to_value(&document).map_err(EnvelopeError::Malformed)?;
    match json::first_difference(&shown, &known) {
        Some(path) => Err(EnvelopeError::UnknownMember(path)),
        None => Ok((shown, document)),
    }
}

fn verify_signature(
    mut shown: Value,
    document: &Document,
    keys: &PublicKeys,
) -> Result<(), EnvelopeError> {
    let meta = &document.meta;
    let key = keys
        .get(&meta.kid)
        .ok_or_else(|| EnvelopeError::UnknownKey(meta.kid.clone()))?;
    let signature = meta.signature.as_deref().ok_or(EnvelopeError::Signature)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| EnvelopeError::Signature)?;
    if let Some(meta) = shown.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("signature");
    }
    if key.verify(&signed_bytes(&shown)?, &signature) {
        Ok(())
    } else {
        Err(EnvelopeError::Signature)
    }
}

/// Returns the bytes that the signature of a JSON document covers, whatever the order of its
/// members. The document must be without `meta.signature`.
fn signed_bytes(unsigned: &Value) -> Result<Vec<u8>, EnvelopeError> {
    let canonical = serde_json_canonicalizer::to_vec(unsigned).map_err(EnvelopeError::Malformed)?;
    Ok([SIGNATURE_CONTEXT, &canonical].concat())
}
