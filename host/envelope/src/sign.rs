//! Signing: from claims to an envelope that anyone with the public key can check.
//!
//! The signature covers a fixed prefix and the RFC 8785 form of the envelope without the signature
//! itself. The prefix keeps these signatures apart from everything else that a key may ever sign.
//! Everything that can fail does so when an envelope is sealed. Its claims are then fixed, so it
//! has the same bytes and the same signature whenever they are made.
//!
//! Invariant: a [`SealedEnvelope`] has claims that passed every check. A [`SignedEnvelope`] also
//! has a signature of them; only [`Claims::sign`], [`SealedEnvelope::signed`] and
//! [`verify`](crate::verify()) make one.

use std::fmt;
use std::sync::{Arc, OnceLock};

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

/// An envelope whose claims are checked and fixed. It is signed when its signature is first asked
/// for, which cannot fail.
pub struct SealedEnvelope {
    claims: Arc<Claims>,
    key: Arc<SigningKey>,
    signed: OnceLock<SignedEnvelope>,
}

/// An envelope with a good signature.
pub struct SignedEnvelope {
    claims: Arc<Claims>,
    kid: String,
    signature: String,
    json: String,
}

impl Claims {
    /// Seals these claims, to be signed with this key. Refuses a lifetime that is empty or longer
    /// than [`MAX_LIFETIME`], and claims that no envelope may have.
    pub fn seal(self, key: &Arc<SigningKey>) -> Result<SealedEnvelope, EnvelopeError> {
        check(&self)?;
        // Few are too large, and few are ever read: only those that may be are written now.
        if self.most_bytes() > MAX_JSON_BYTES {
            text(&self, key.kid())?;
        }
        Ok(SealedEnvelope {
            claims: Arc::new(self),
            key: Arc::clone(key),
            signed: OnceLock::new(),
        })
    }

    /// Signs these claims at once. Refuses what [`Claims::seal`] refuses.
    pub fn sign(self, key: &SigningKey) -> Result<SignedEnvelope, EnvelopeError> {
        check(&self)?;
        let text = text(&self, key.kid())?;
        Ok(text.sign(Arc::new(self), key))
    }
}

/// The text of an envelope without its signature, and the place in it where `meta` ends.
struct Unsigned {
    text: String,
    end_of_meta: usize,
}

/// Writes the text of an envelope with these claims.
fn text(claims: &Claims, kid: &str) -> Result<Unsigned, EnvelopeError> {
    let begin = Begin::new(claims, kid);
    let mut text = serde_json::to_string(&begin).map_err(EnvelopeError::Malformed)?;
    // Two objects end here, `meta` and the whole. The signature comes into the first, and the
    // session into the second.
    text.truncate(text.len().saturating_sub("}}".len()));
    let end_of_meta = text.len();
    let session = serde_json::to_string(&claims.session).map_err(EnvelopeError::Malformed)?;
    text.extend(["},\"session\":", session.as_str(), "}"]);
    if text.len() + SIGNATURE_BYTES > MAX_JSON_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    Ok(Unsigned { text, end_of_meta })
}

impl Unsigned {
    /// Signs it with the key that it names.
    fn sign(&self, claims: Arc<Claims>, key: &SigningKey) -> SignedEnvelope {
        let signed = [SIGNATURE_CONTEXT, self.text.as_bytes()].concat();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&signed));
        let (before, after) = self.text.split_at(self.end_of_meta);
        let json = [before, SIGNATURE_BEGIN, &signature, SIGNATURE_END, after].concat();
        SignedEnvelope {
            claims,
            kid: key.kid().to_owned(),
            signature,
            json,
        }
    }
}

impl SealedEnvelope {
    /// Returns the claims in the envelope.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Returns the envelope with its signature, which is made at the first call.
    pub fn signed(&self) -> &SignedEnvelope {
        self.signed.get_or_init(|| self.sign())
    }

    #[expect(
        clippy::expect_used,
        reason = "the size was checked, and texts, lists and integers have a JSON form"
    )]
    fn sign(&self) -> SignedEnvelope {
        let text = text(&self.claims, self.key.kid());
        let text = text.expect("what was sealed can be written");
        text.sign(Arc::clone(&self.claims), &self.key)
    }

    /// Returns true if its signature was asked for.
    pub fn is_signed(&self) -> bool {
        self.signed.get().is_some()
    }

    /// Returns the part of the envelope that concerns one service.
    pub fn narrow(&self, service: &str) -> Result<Narrowed<'_>, NotAllowed> {
        Narrowed::new(self.claims(), service)
    }
}

impl fmt::Debug for SealedEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedEnvelope")
            .field("call", &self.claims().call.id)
            .field("kid", &self.key.kid())
            .finish_non_exhaustive()
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
    /// Wraps a document whose signature was just verified.
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
            actor: Arc::new(actor),
            agent: Arc::new(agent),
            session,
            authorization: Arc::new(authorization),
            delegation: Arc::new(delegation),
            call,
            created_at,
            expires_at,
        };
        let signature = meta.signature.ok_or(EnvelopeError::Signature)?;
        Ok(Self {
            claims: Arc::new(claims),
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
/// Invariant: serde writes checked claims in the RFC 8785 form. Here, in [`Begin`] and in
/// everything inside, fields are in the order of their JSON names, numbers are exact integers, and
/// names that are data are ASCII. [`verify`](crate::verify()) does not rely on this, so a signature
/// over anything else would not verify.
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

/// An envelope up to the end of `meta`: its members in the order in which they are signed.
#[derive(Serialize)]
struct Begin<'c> {
    actor: &'c Actor,
    agent: &'c Agent,
    authorization: &'c Authorization,
    call: &'c CallBinding,
    delegation: &'c Delegation,
    meta: UnsignedMeta<'c>,
}

#[derive(Serialize)]
struct UnsignedMeta<'c> {
    created_at: u64,
    expires_at: u64,
    kid: &'c str,
}

impl<'c> Begin<'c> {
    fn new(claims: &'c Claims, kid: &'c str) -> Self {
        Self {
            actor: &claims.actor,
            agent: &claims.agent,
            authorization: &claims.authorization,
            call: &claims.call,
            delegation: &claims.delegation,
            meta: UnsignedMeta {
                created_at: claims.created_at,
                expires_at: claims.expires_at,
                kid,
            },
        }
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

/// The last member of `meta`: its text, and the length of that with a signature, base64url.
const SIGNATURE_BEGIN: &str = ",\"signature\":\"";
const SIGNATURE_END: &str = "\"";
const SIGNATURE_BYTES: usize = SIGNATURE_BEGIN.len() + 86 + SIGNATURE_END.len();
