//! A service's check of the `Txn-Token` header.
//!
//! The verifier cannot be built without the service's own name, and it refuses a token for any
//! other service. The actor comes out as the pair (issuer, subject), because two issuers may name
//! two people alike. The token says who asks and why; whether they may is the service's decision.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize as _;
use serde_json::Value;

use super::claims::{Header, Payload};
use super::{ALGORITHM, ALIAS_END, MAX_TOKEN_BYTES, MAX_TOKEN_LIFETIME, TOKEN_TYPE};
use crate::claims::{ActorKind, CallKind, is_name, is_scope};
use crate::delegation::DelegationMode;
use crate::error::TransactionError;
use crate::json::{self, Unread};
use crate::keys::PublicKeys;
use crate::verify::MAX_SKEW;

/// One service's check of transaction tokens.
#[derive(Clone, Debug)]
pub struct TransactionVerifier {
    keys: PublicKeys,
    trust_domain: String,
    service: String,
}

/// A principal. The subject alone is not unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The issuer that named the subject.
    pub iss: String,
    /// The subject, as that issuer names it.
    pub sub: String,
}

/// The facts in a verified token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The principal that asked.
    pub actor: Principal,
    /// User or service.
    pub actor_kind: ActorKind,
    /// The actor's tenant, if known.
    pub tenant: Option<String>,
    /// The agent that executes.
    pub agent_id: String,
    /// The agent's OAuth client.
    pub client_id: String,
    /// The authority on which the host makes this call.
    pub mode: DelegationMode,
    /// The call.
    pub txn: String,
    /// The kind of target.
    pub kind: CallKind,
    /// The target's name, such as the tool's.
    pub name: String,
    /// `sha256:` and the digest of the component that runs.
    pub component: String,
    /// The actor's rights in this call.
    pub scopes: Vec<String>,
    /// The W3C trace id, for correlation.
    pub trace_id: String,
    /// The token's identifier.
    pub jti: String,
    /// Seconds since 1970-01-01 UTC.
    pub expires_at: u64,
}

impl TransactionVerifier {
    /// Makes a verifier for the service of this name, as the host's configuration spells it.
    pub fn new(keys: PublicKeys, trust_domain: String, service: String) -> Self {
        Self {
            keys,
            trust_domain,
            service,
        }
    }

    /// Verifies the value of a `Txn-Token` header at the time `now` (seconds since 1970-01-01 UTC).
    pub fn verify(&self, token: &str, now: u64) -> Result<Transaction, TransactionError> {
        let payload = self.decode_signed(token)?;
        self.check_target(&payload)?;
        check_time(&payload, now)?;
        Transaction::new(payload)
    }

    fn decode_signed(&self, token: &str) -> Result<Payload, TransactionError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TransactionError::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TransactionError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TransactionError::Malformed)?;
        let header = read_header(header)?;
        let key = self
            .keys
            .get(&header.kid)
            .ok_or(TransactionError::UnknownKey(header.kid))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| TransactionError::Signature)?;
        if !key.verify(signed.as_bytes(), &signature) {
            return Err(TransactionError::Signature);
        }
        Payload::deserialize(&read_part(payload)?).map_err(|_| TransactionError::Malformed)
    }

    fn check_target(&self, payload: &Payload) -> Result<(), TransactionError> {
        if payload.aud != self.trust_domain {
            return Err(TransactionError::Audience);
        }
        match payload.tctx.delegation.services.as_slice() {
            [service] if *service == self.service => Ok(()),
            _ => Err(TransactionError::Service),
        }
    }
}

fn read_header(part: &str) -> Result<Header, TransactionError> {
    let value = read_part(part)?;
    let members = value.as_object().ok_or(TransactionError::Malformed)?;
    if let Some(name) = members
        .keys()
        .find(|name| !HEADER_MEMBERS.contains(&name.as_str()))
    {
        return Err(TransactionError::Header(name.clone()));
    }
    let header = Header::deserialize(&value).map_err(|_| TransactionError::Malformed)?;
    if header.typ != TOKEN_TYPE {
        return Err(TransactionError::Type);
    }
    if header.alg == ALGORITHM {
        Ok(header)
    } else {
        Err(TransactionError::Algorithm)
    }
}

fn read_part(part: &str) -> Result<Value, TransactionError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TransactionError::Malformed)?;
    json::parse(&bytes).map_err(|unread| match unread {
        Unread::Duplicate(name) => TransactionError::DuplicateMember(name),
        Unread::Syntax(_) => TransactionError::Malformed,
    })
}

fn check_time(payload: &Payload, now: u64) -> Result<(), TransactionError> {
    match payload.exp.checked_sub(payload.iat) {
        Some(1..=MAX_TOKEN_LIFETIME) => {}
        _ => return Err(TransactionError::Lifetime),
    }
    if now >= payload.exp {
        return Err(TransactionError::Expired);
    }
    if payload.iat > now.saturating_add(MAX_SKEW) {
        Err(TransactionError::NotYetValid)
    } else {
        Ok(())
    }
}

impl Transaction {
    fn new(payload: Payload) -> Result<Self, TransactionError> {
        let scopes = read_scopes(&payload.scope)?;
        let sub = payload
            .sub
            .split_once(ALIAS_END)
            .map(|(_, sub)| sub.to_owned());
        let actor = Principal {
            iss: name("tctx.actor_iss", payload.tctx.actor_iss)?,
            sub: name("sub", sub.unwrap_or_default())?,
        };
        Ok(Self {
            actor,
            actor_kind: payload.tctx.actor_type,
            tenant: payload
                .tctx
                .tenant
                .map(|tenant| name("tctx.tenant", tenant))
                .transpose()?,
            agent_id: name("act.sub", payload.act.sub)?,
            client_id: name("act.client_id", payload.act.client_id.unwrap_or_default())?,
            mode: payload.tctx.delegation.mode,
            txn: name("txn", payload.txn)?,
            kind: payload.tctx.call.kind,
            name: name("tctx.call.name", payload.tctx.call.name)?,
            component: name("tctx.call.component", payload.tctx.call.component)?,
            scopes,
            trace_id: name("rctx.trace_id", payload.rctx.trace_id)?,
            jti: name("jti", payload.jti)?,
            expires_at: payload.exp,
        })
    }
}

fn name(claim: &'static str, text: String) -> Result<String, TransactionError> {
    if is_name(&text) {
        Ok(text)
    } else {
        Err(TransactionError::Claim(claim))
    }
}

fn read_scopes(scope: &str) -> Result<Vec<String>, TransactionError> {
    if scope.is_empty() {
        return Ok(Vec::new());
    }
    let scopes: Vec<_> = scope.split(' ').map(str::to_owned).collect();
    if scopes.iter().all(|scope| is_scope(scope)) {
        Ok(scopes)
    } else {
        Err(TransactionError::Claim("scope"))
    }
}

/// The only members that a header may have. Everything else (`jwk`, `jku`, `x5c`, `crit`, `b64`,
/// `zip`) is refused.
const HEADER_MEMBERS: [&str; 3] = ["typ", "alg", "kid"];
