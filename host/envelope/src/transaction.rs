//! Transaction tokens (draft-ietf-oauth-transaction-tokens): the form in which an envelope reaches
//! a service.
//!
//! For each downstream call the envelope is narrowed to one service, and a token is minted that
//! lives for at most a minute and names the actor (`sub`), the agent (`act`), the call (`txn`) with
//! its name and component, and the delegation mode. It goes into the `Txn-Token` header beside the
//! credential. Invariant: narrowing and minting can only shrink. A token has one of the envelope's
//! services, no scope that the envelope lacks, and ends no later.

mod claims;
mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::claims::{Claims, is_name};
use crate::delegation::DelegationMode;
use crate::error::{NotAllowed, TransactionError};
use crate::keys::SigningKey;
use crate::verify::MAX_SKEW;
use claims::{Header, Payload};

pub use verify::{Principal, Transaction, TransactionVerifier};

/// The `typ` of a transaction token.
pub const TOKEN_TYPE: &str = "txntoken+jwt";

/// The longest token that is minted or read, in bytes: it must fit into a header.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The longest lifetime of a transaction token, in seconds.
pub const MAX_TOKEN_LIFETIME: u64 = 60;

/// The part of an envelope that concerns one service.
#[derive(Debug)]
pub struct Narrowed<'e> {
    envelope: &'e Claims,
    service: &'e str,
    mode: DelegationMode,
}

impl<'e> Narrowed<'e> {
    pub(crate) fn new(envelope: &'e Claims, service: &str) -> Result<Self, NotAllowed> {
        match envelope.delegation.modes().get_key_value(service) {
            Some((service, mode)) => Ok(Self {
                envelope,
                service,
                mode: *mode,
            }),
            None => Err(NotAllowed {
                service: service.to_owned(),
            }),
        }
    }

    /// Returns the one service.
    pub fn service(&self) -> &str {
        self.service
    }

    /// Returns its delegation mode.
    pub fn mode(&self) -> DelegationMode {
        self.mode
    }

    /// Mints the token for one call to the service.
    pub fn mint(
        &self,
        minting: &Minting<'_>,
        key: &SigningKey,
    ) -> Result<TransactionToken, TransactionError> {
        minting.check()?;
        let payload = Payload::new(self, minting, self.validity(minting.now)?);
        let header = Header {
            typ: TOKEN_TYPE.to_owned(),
            alg: ALGORITHM.to_owned(),
            kid: key.kid().to_owned(),
        };
        let mut token = Zeroizing::new(format!("{}.{}", encode(&header)?, encode(&payload)?));
        let signature = key.sign(token.as_bytes());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TransactionError::TooLarge);
        }
        Ok(TransactionToken {
            token,
            jti: minting.jti.to_owned(),
        })
    }

    /// Returns the first and the last second of a token minted now, which lie inside the envelope's
    /// own validity.
    fn validity(&self, now: u64) -> Result<(u64, u64), TransactionError> {
        if now.saturating_add(MAX_SKEW) < self.envelope.created_at {
            return Err(TransactionError::NotYetValid);
        }
        let begin = now.max(self.envelope.created_at);
        let end = begin
            .saturating_add(MAX_TOKEN_LIFETIME)
            .min(self.envelope.expires_at);
        if begin < end {
            Ok((begin, end))
        } else {
            Err(TransactionError::Expired)
        }
    }
}

/// The values that a token needs besides the envelope.
#[derive(Clone, Copy, Debug)]
pub struct Minting<'a> {
    /// The host, as issuer of transaction tokens.
    pub issuer: &'a str,
    /// The trust domain, which is the audience.
    pub trust_domain: &'a str,
    /// The operator's short name for the actor's issuer: `sub` becomes `<alias>|<sub>`.
    pub actor_alias: &'a str,
    /// The workload that asks, which is the host.
    pub workload: &'a str,
    /// The identifier of this token, never used before.
    pub jti: &'a str,
    /// Seconds since 1970-01-01 UTC.
    pub now: u64,
}

impl Minting<'_> {
    fn check(&self) -> Result<(), TransactionError> {
        let names = [
            ("iss", self.issuer),
            ("aud", self.trust_domain),
            ("sub", self.actor_alias),
            ("req_wl", self.workload),
            ("jti", self.jti),
        ];
        if let Some((name, _)) = names.into_iter().find(|(_, text)| !is_name(text)) {
            return Err(TransactionError::Claim(name));
        }
        if self.actor_alias.contains(ALIAS_END) {
            Err(TransactionError::Claim("sub"))
        } else {
            Ok(())
        }
    }
}

/// A minted token. It is a secret while it lives, so it cannot be printed, and it is erased when
/// dropped.
pub struct TransactionToken {
    token: Zeroizing<String>,
    jti: String,
}

impl TransactionToken {
    /// Returns the compact JWS, for the `Txn-Token` header.
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Returns the token's identifier, which may be recorded.
    pub fn jti(&self) -> &str {
        &self.jti
    }
}

fn encode(part: &impl Serialize) -> Result<String, TransactionError> {
    let json = serde_json::to_vec(part).map_err(|_| TransactionError::Malformed)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The end of the alias in `sub`. An alias never contains it; a subject may.
const ALIAS_END: char = '|';

/// The only algorithm (RFC 8037 §3.1).
const ALGORITHM: &str = "EdDSA";
