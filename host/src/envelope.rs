//! The Execution Identity Envelope of one call, and what is derived from it.
//!
//! Trusts the caller and the decision, which are proofs. Hands on [`Envelope`], without which no
//! call is recorded, run or delegated. Its claims are fixed and checked before the call is
//! recorded; its signature, which cannot fail, is made when the guest asks for it.
//!
//! Invariant: an [`Envelope`] is made only by [`Signer::seal`], and is never valid longer than the
//! caller's token. It leaves the host's memory only with its signature.

mod keys;

use std::sync::Arc;

use bailiwick_envelope::{
    CallBinding, Claims, EnvelopeError, Minting, SealedEnvelope, Session, SigningKey,
    TransactionError, TransactionToken,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::denials::Requester;
use crate::dispatch::Target;
use crate::identity::{Caller, DisplayNames, SessionBasis};
use crate::reason::RefusalReason;
use crate::seams::{Clock, Random, hex, random_hex};

pub use bailiwick_journal::{JournalKeys, KeyFolderError, MacKey};
pub use keys::{
    HostKeys, KeysFound, SigningKeys, cache_key, journal_keys, look_at_keys, make_key, page_token,
    read_key, signing_key_ids,
};

/// The envelope of one call, with the few facts about the caller's token that are needed after the
/// token is gone.
pub struct Envelope {
    sealed: Arc<SealedEnvelope>,
    alias: Arc<str>,
    authority_until: u64,
    agent_issuer: Option<Arc<str>>,
    // Beside the sealed claims, so no guest and no service sees them.
    display: Arc<DisplayNames>,
}

impl Envelope {
    /// Returns the envelope for the guest, which can ask for its signature.
    pub fn sealed(&self) -> &Arc<SealedEnvelope> {
        &self.sealed
    }

    /// Returns the claims in the envelope.
    pub fn claims(&self) -> &Claims {
        self.sealed.claims()
    }

    /// Returns the alias of the actor's issuer.
    pub fn issuer_alias(&self) -> &str {
        &self.alias
    }

    /// Returns the issuer that the caller's token states for the agent, if it does.
    pub fn agent_issuer(&self) -> Option<&str> {
        self.agent_issuer.as_deref()
    }

    /// Returns who asks, for the operator's denials.
    pub fn asking(&self) -> Requester<'_> {
        let claims = self.claims();
        Requester::of(&claims.actor, &claims.agent, self.agent_issuer())
    }

    /// Returns the names to show in records. They are not identity.
    pub fn display(&self) -> &DisplayNames {
        &self.display
    }

    /// Returns the expiry of the caller's own token, in seconds since 1970-01-01 UTC. Nothing
    /// obtained for this call may be valid longer.
    pub fn authority_until(&self) -> u64 {
        self.authority_until
    }
}

/// The names and the lifetime that every envelope and transaction token gets.
#[derive(Debug, Clone)]
pub struct SignerSettings {
    /// The audience of transaction tokens.
    pub trust_domain: String,
    /// This host, as `iss` and `req_wl`: the canonical URI of the MCP resource.
    pub issuer: String,
    /// Longest validity of an envelope, seconds.
    pub lifetime: u64,
}

/// The signer of envelopes and transaction tokens. It holds their keys and hands out only signed
/// values.
pub struct Signer {
    settings: SignerSettings,
    envelope: Arc<SigningKey>,
    transaction: SigningKey,
    mac: MacKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The reasons for not sealing a call.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The caller's token expires now.
    #[error("the caller's token has expired")]
    Expired,
    /// The arguments have no canonical form (RFC 8785).
    #[error("the arguments cannot be canonicalized")]
    Arguments(#[source] serde_json::Error),
    /// No envelope may have these claims.
    #[error("the envelope cannot be sealed")]
    Claims(#[from] EnvelopeError),
}

impl SealError {
    /// Returns the code for the journal and the answer.
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::Expired => RefusalReason::Expiring,
            Self::Arguments(_) | Self::Claims(_) => {
                tracing::error!(cause = %self, "a call could not be sealed");
                RefusalReason::Internal
            }
        }
    }
}

impl Signer {
    /// Makes a signer with the host's keys.
    pub fn new(
        keys: SigningKeys,
        settings: SignerSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            settings,
            envelope: Arc::new(keys.envelope),
            transaction: keys.transaction,
            mac: keys.mac,
            clock,
            random,
        }
    }

    /// Seals one call of `caller`: gives it an identifier, binds every decision about it, and
    /// checks that the envelope can be signed.
    ///
    /// # Errors
    /// Fails if the token has expired or the envelope cannot be made.
    pub fn seal(
        &self,
        caller: &Caller,
        target: &Target,
        arguments: &Value,
        trace_id: Option<&str>,
    ) -> Result<Envelope, SealError> {
        let now = self.clock.now();
        if caller.expires_at() <= now {
            return Err(SealError::Expired);
        }
        let lifetime = now.saturating_add(self.settings.lifetime);
        let claims = Claims {
            actor: Arc::clone(caller.actor()),
            agent: Arc::clone(caller.agent()),
            session: self.session(caller.session(), trace_id),
            authorization: Arc::clone(target.authorization()),
            delegation: Arc::clone(&target.backing().delegation),
            call: self.binding(target, arguments)?,
            created_at: now,
            expires_at: caller.expires_at().min(lifetime),
        };
        Ok(Envelope {
            sealed: Arc::new(claims.seal(&self.envelope)?),
            alias: Arc::clone(caller.issuer_alias()),
            authority_until: caller.expires_at(),
            agent_issuer: caller.agent_issuer().cloned(),
            display: Arc::clone(caller.display()),
        })
    }

    /// Returns the values that bind the envelope to its call: a new identifier of 128 random bits,
    /// the target, its code and a keyed hash of the arguments.
    fn binding(&self, target: &Target, arguments: &Value) -> Result<CallBinding, SealError> {
        let canonical =
            serde_json_canonicalizer::to_vec(arguments).map_err(SealError::Arguments)?;
        Ok(CallBinding {
            id: random_hex::<16>(self.random.as_ref()),
            kind: target.kind().into(),
            name: target.name().to_owned(),
            component: target.backing().component.digest.clone(),
            arguments: format!("hmac-sha256:{}", self.keyed_hash("arguments", &canonical)),
        })
    }

    /// Mints the transaction token for one downstream call: the envelope narrowed to one service.
    ///
    /// # Errors
    /// Fails if the envelope does not allow the service or has expired.
    pub fn transaction(
        &self,
        envelope: &Envelope,
        service: &str,
    ) -> Result<TransactionToken, TransactionError> {
        let jti = random_hex::<16>(self.random.as_ref());
        let minting = Minting {
            issuer: &self.settings.issuer,
            trust_domain: &self.settings.trust_domain,
            actor_alias: envelope.issuer_alias(),
            workload: &self.settings.issuer,
            jti: &jti,
            now: self.clock.now(),
        };
        let narrowed = envelope
            .sealed
            .narrow(service)
            .map_err(|_| TransactionError::Service)?;
        narrowed.mint(&minting, &self.transaction)
    }

    fn session(&self, basis: &SessionBasis, trace_id: Option<&str>) -> Session {
        let (id, source) = match basis {
            SessionBasis::SessionId(sid) => (sid.clone(), "sid"),
            SessionBasis::TokenId(jti) => (self.keyed_hash("jti", jti.as_bytes()), "jti"),
            SessionBasis::TokenDigest(digest) => (self.keyed_hash("token", digest), "token"),
        };
        let trace_id =
            trace_id.map_or_else(|| random_hex::<16>(self.random.as_ref()), str::to_owned);
        Session {
            id,
            source: source.to_owned(),
            trace_id,
        }
    }

    /// Returns an HMAC-SHA256 with a key of this host. A plain hash would let a reader of the
    /// journal find a guessable value, such as an order number, by trying.
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
