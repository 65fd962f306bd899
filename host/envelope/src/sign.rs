//! Signing: from claims to an envelope that anyone with the public key can check.
//!
//! The signature covers a fixed prefix and the RFC 8785 form of the envelope without the signature
//! itself. The prefix keeps these signatures apart from everything else that a key may ever sign.
//! Invariant: a [`SignedEnvelope`] has claims that passed every check, and a signature of them;
//! only [`Claims::sign`] and [`verify`](crate::verify()) make one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::claims::{Actor, Agent, Authorization, CallBinding, Claims, Session};
use crate::delegation::Delegation;
use crate::error::{EnvelopeError, NotAllowed};
use crate::keys::SigningKey;
use crate::transaction::Narrowed;
use crate::verify::MAX_JSON_BYTES;

/// The prefix of every signed text.
pub const SIGNATURE_CONTEXT: &[u8] = b"bailiwick-envelope-v1\0";

/// The longest lifetime of an envelope, in seconds.
pub const MAX_LIFETIME: u64 = 300;

/// An envelope with a good signature.
pub struct SignedEnvelope {
    claims: Claims,
    kid: String,
    signature: String,
    json: String,
}

impl Claims {
    /// Signs these claims. Refuses a lifetime that is empty or longer than [`MAX_LIFETIME`], and
    /// claims that no envelope may have.
    pub fn sign(self, key: &SigningKey) -> Result<SignedEnvelope, EnvelopeError> {
        check(&self)?;
        let mut document = Document::new(self, key.kid());
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&document.signed_bytes()?));
        document.meta.signature = Some(signature);
        SignedEnvelope::new(document)
    }
}

/// Refuses claims that no envelope may have.
pub(crate) fn check(claims: &Claims) -> Result<(), EnvelopeError> {
    if let Some(name) = claims.first_fault() {
        return Err(EnvelopeError::Claim(name));
    }
    match claims.expires_at.checked_sub(claims.created_at) {
        Some(1..=MAX_LIFETIME) => Ok(()),
        _ => Err(EnvelopeError::Lifetime),
    }
}

impl SignedEnvelope {
    /// Wraps a document whose signature was just made or just verified.
    pub(crate) fn new(document: Document) -> Result<Self, EnvelopeError> {
        let json = serde_json::to_string(&document).map_err(EnvelopeError::Malformed)?;
        if json.len() > MAX_JSON_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        let Document {
            actor,
            agent,
            authorization,
            call,
            delegation,
            meta,
            session,
        } = document;
        let (created_at, expires_at) = (meta.created_at, meta.expires_at);
        let claims = Claims {
            actor,
            agent,
            session,
            authorization,
            delegation,
            call,
            created_at,
            expires_at,
        };
        let signature = meta.signature.ok_or(EnvelopeError::Signature)?;
        Ok(Self {
            claims,
            kid: meta.kid,
            signature,
            json,
        })
    }

    /// Returns the claims in the envelope.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Returns the identifier of the key that signed it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the signature, base64url.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Returns the envelope as compact JSON with its signature.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the part of the envelope that concerns one service.
    pub fn narrow(&self, service: &str) -> Result<Narrowed<'_>, NotAllowed> {
        Narrowed::new(&self.claims, service)
    }
}

impl fmt::Debug for SignedEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedEnvelope")
            .field("call", &self.claims.call.id)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The JSON shape of an envelope.
///
/// Invariant: serde writes checked claims in the RFC 8785 form. Here and in everything inside,
/// fields are in the order of their JSON names, numbers are exact integers, and names that are data
/// are ASCII. [`verify`](crate::verify()) does not rely on this, so a signature over anything else
/// would not verify.
#[derive(Serialize, Deserialize)]
pub(crate) struct Document {
    actor: Actor,
    agent: Agent,
    authorization: Authorization,
    call: CallBinding,
    delegation: Delegation,
    pub(crate) meta: Meta,
    session: Session,
}

impl Document {
    fn new(claims: Claims, kid: &str) -> Self {
        let Claims {
            actor,
            agent,
            session,
            authorization,
            delegation,
            call,
            created_at,
            expires_at,
        } = claims;
        let meta = Meta {
            created_at,
            expires_at,
            kid: kid.to_owned(),
            signature: None,
        };
        Self {
            actor,
            agent,
            authorization,
            call,
            delegation,
            meta,
            session,
        }
    }

    /// Returns the bytes that the signature covers; `meta.signature` must not be there yet.
    fn signed_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        let mut bytes = SIGNATURE_CONTEXT.to_vec();
        serde_json::to_writer(&mut bytes, self).map_err(EnvelopeError::Malformed)?;
        Ok(bytes)
    }
}

/// The time and the key of an envelope's signature.
#[derive(Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
}
