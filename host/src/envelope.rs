//! The Execution Identity Envelope of one call, signed, and what is derived from it.
//!
//! Trusts the caller and the permit, which are proofs. Hands on [`Sealed`], without which no call
//! is recorded, run or delegated.
//!
//! Invariant: a [`Sealed`] is built only from a caller, a permit and a call id, and is never
//! valid longer than the caller's token.

mod keys;

use std::sync::Arc;

use bailiwick_envelope::{
    Authorization, CallBinding, CallKind, Claims, Delegation, EnvelopeError, Minting, Session,
    SignedEnvelope, SigningKey, TransactionError, TransactionToken,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::dispatch::Permit;
use crate::identity::{Caller, SessionBasis};
use crate::reason::Reason;
use crate::seams::{Clock, Random, hex, random_hex};

pub use keys::{
    HostKeys, JournalKeys, KeyFolderError, MacKey, SigningKeys, make_key, read_key, read_mac_key,
};

/// The identifier of one call, unique and unpredictable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallId(String);

impl CallId {
    /// 128 random bits.
    pub fn new(random: &dyn Random) -> Self {
        Self(random_hex::<16>(random))
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The signed envelope of one call.
#[derive(Clone)]
pub struct Sealed {
    envelope: Arc<SignedEnvelope>,
    alias: Arc<str>,
    authority_until: u64,
}

impl Sealed {
    /// The signed envelope.
    pub fn envelope(&self) -> &SignedEnvelope {
        &self.envelope
    }

    /// The same, for those who keep it.
    pub fn shared(&self) -> Arc<SignedEnvelope> {
        Arc::clone(&self.envelope)
    }

    /// The alias of the actor's issuer.
    pub fn issuer_alias(&self) -> &str {
        &self.alias
    }

    /// When the caller's own token expires, seconds since 1970-01-01 UTC. Nothing that is obtained
    /// for this call may be valid longer.
    pub fn authority_until(&self) -> u64 {
        self.authority_until
    }
}

/// How envelopes and transaction tokens are made.
#[derive(Debug, Clone)]
pub struct SignerSettings {
    /// The audience of transaction tokens.
    pub trust_domain: String,
    /// This host, as `iss` and `req_wl`: the canonical URI of the MCP resource.
    pub issuer: String,
    /// Longest validity of an envelope, seconds.
    pub lifetime: u64,
}

/// Signs envelopes and transaction tokens. Holds their keys; hands out only signed values.
pub struct Signer {
    settings: SignerSettings,
    envelope: SigningKey,
    transaction: SigningKey,
    mac: MacKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Why a call could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The caller's token ends now.
    #[error("the caller's token has expired")]
    Expired,
    /// The arguments have no canonical form (RFC 8785).
    #[error("the arguments cannot be canonicalized")]
    Arguments(#[source] serde_json::Error),
    /// The envelope could not be signed.
    #[error("the envelope cannot be signed")]
    Sign(#[from] EnvelopeError),
}

impl SealError {
    /// The code for the journal and the answer.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Expired => Reason::Expiring,
            Self::Arguments(_) | Self::Sign(_) => {
                tracing::error!(cause = %self, "a call could not be sealed");
                Reason::Internal
            }
        }
    }
}

impl Signer {
    /// A signer with the host's keys.
    pub fn new(
        keys: SigningKeys,
        settings: SignerSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            settings,
            envelope: keys.envelope,
            transaction: keys.transaction,
            mac: keys.mac,
            clock,
            random,
        }
    }

    /// Seals one call.
    ///
    /// # Errors
    /// The token has run out, or the envelope cannot be made.
    pub fn seal(
        &self,
        caller: &Caller,
        permit: &Permit,
        call: &CallId,
        trace_id: Option<String>,
    ) -> Result<Sealed, SealError> {
        let now = self.clock.now();
        if caller.expires_at() <= now {
            return Err(SealError::Expired);
        }
        let arguments =
            serde_json_canonicalizer::to_vec(permit.arguments()).map_err(SealError::Arguments)?;
        let tool = permit.tool();
        let claims = Claims {
            actor: caller.actor().clone(),
            agent: caller.agent().clone(),
            session: self.session(caller.session(), trace_id),
            authorization: Authorization {
                scopes: permit.scopes().to_vec(),
            },
            delegation: Delegation::new(permit.services().clone()),
            call: CallBinding {
                id: call.0.clone(),
                kind: CallKind::Tool,
                name: tool.definition.name.clone(),
                component: tool.component.digest.clone(),
                arguments: format!("hmac-sha256:{}", self.keyed_hash("arguments", &arguments)),
            },
            created_at: now,
            expires_at: caller
                .expires_at()
                .min(now.saturating_add(self.settings.lifetime)),
        };
        let envelope = Arc::new(claims.sign(&self.envelope)?);
        Ok(Sealed {
            envelope,
            alias: caller.issuer_alias().into(),
            authority_until: caller.expires_at(),
        })
    }

    /// Mints the transaction token for one downstream call: the envelope narrowed to one service.
    ///
    /// # Errors
    /// The envelope does not allow the service, or has expired.
    pub fn transaction(
        &self,
        sealed: &Sealed,
        service: &str,
    ) -> Result<TransactionToken, TransactionError> {
        let jti = random_hex::<16>(self.random.as_ref());
        let minting = Minting {
            issuer: &self.settings.issuer,
            trust_domain: &self.settings.trust_domain,
            actor_alias: sealed.issuer_alias(),
            workload: &self.settings.issuer,
            jti: &jti,
            now: self.clock.now(),
        };
        let narrowed = sealed
            .envelope
            .narrow(service)
            .map_err(|_| TransactionError::Service)?;
        narrowed.mint(&minting, &self.transaction)
    }

    fn session(&self, basis: &SessionBasis, trace_id: Option<String>) -> Session {
        let (id, source) = match basis {
            SessionBasis::SessionId(sid) => (sid.clone(), "sid"),
            SessionBasis::TokenId(jti) => (self.keyed_hash("jti", jti.as_bytes()), "jti"),
            SessionBasis::TokenDigest(digest) => (self.keyed_hash("token", digest), "token"),
        };
        let trace_id = trace_id.unwrap_or_else(|| random_hex::<16>(self.random.as_ref()));
        Session {
            id,
            source: source.to_owned(),
            trace_id,
        }
    }

    /// HMAC-SHA256 with a key of this host, so that guessable values cannot be found by trying.
    fn keyed_hash(&self, purpose: &str, value: &[u8]) -> String {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes a key of any length (RFC 2104)"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.mac.bytes()).expect("any key length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        hex(&mac.finalize().into_bytes())
    }
}
