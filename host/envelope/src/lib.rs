//! The Execution Identity Envelope of one call, and the transaction tokens made from it.
//!
//! An envelope says who asked (the actor), who executes (the agent), what is allowed, how each
//! service will be reached, and which call, component and arguments it belongs to. The host signs
//! it; a tool can show it and cannot change it; anyone with the public key can [`verify`] it. It is
//! evidence, never a credential: nothing accepts it as authentication.
//!
//! `schema/` has its JSON Schema and a TypeScript type, `vectors/` known answers.
//!
//! Towards a service the envelope is narrowed to that one service and minted as a
//! [`TransactionToken`] (draft-ietf-oauth-transaction-tokens), which the service checks with a
//! [`TransactionVerifier`].
//!
//! This crate is a leaf: no input or output, no clock, no randomness, no asynchronous code. Time
//! and identifiers are passed in.
//!
//! ```
//! use bailiwick_envelope::*;
//! use std::collections::BTreeMap;
//!
//! let key = SigningKey::from_seed(&[7; 32]);
//! let modes = BTreeMap::from([("orders_api".to_owned(), DelegationMode::OnBehalfOf)]);
//! let claims = Claims {
//!     actor: Actor {
//!         kind: ActorKind::User,
//!         sub: "user_123".to_owned(),
//!         iss: "https://idp.example".to_owned(),
//!         tenant: Some("acme".to_owned()),
//!         acr: None,
//!         auth_time: None,
//!     }.into(),
//!     agent: Agent {
//!         kind: "mcp_agent".to_owned(),
//!         id: "agent_456".to_owned(),
//!         client_id: "webapp-prod".to_owned(),
//!         prior: Vec::new(),
//!     }.into(),
//!     session: Session {
//!         id: "sess_789".to_owned(),
//!         source: "sid".to_owned(),
//!         trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
//!     },
//!     authorization: Authorization {
//!         scopes: vec!["orders:read".to_owned()],
//!     }.into(),
//!     delegation: Delegation::new(modes).into(),
//!     call: CallBinding {
//!         id: "call-1".to_owned(),
//!         kind: CallKind::Tool,
//!         name: "get_order_status".to_owned(),
//!         component: "sha256:00".to_owned(),
//!         arguments: "hmac-sha256:00".to_owned(),
//!     },
//!     created_at: 1_763_712_000,
//!     expires_at: 1_763_712_300,
//! };
//! let sealed = claims.sign(&key)?;
//!
//! let mut keys = PublicKeys::new();
//! keys.insert(key.public());
//! let seen = verify(sealed.json(), &keys, 1_763_712_010)?;
//! assert_eq!(seen.claims().actor.sub, "user_123");
//! # Ok::<(), EnvelopeError>(())
//! ```
#![forbid(unsafe_code)]

pub mod characters;
mod claims;
mod delegation;
mod error;
mod json;
mod keys;
mod sign;
mod transaction;
mod verify;

pub use claims::{
    Actor, ActorKind, Agent, Authorization, CallBinding, CallKind, Claims, PriorActor, Session,
};
pub use delegation::{CallMode, Delegation, DelegationMode, UnknownMode};
pub use error::{EnvelopeError, KeyError, NotAllowed, TransactionError};
pub use keys::{PublicKey, PublicKeys, SigningKey};
pub use sign::{MAX_LIFETIME, SIGNATURE_CONTEXT, SealedEnvelope, SignedEnvelope};
pub use transaction::{
    MAX_TOKEN_BYTES, MAX_TOKEN_LIFETIME, Minting, Narrowed, Principal, TOKEN_TYPE, Transaction,
    TransactionToken, TransactionVerifier,
};
pub use verify::{MAX_JSON_BYTES, MAX_SKEW, verify};
