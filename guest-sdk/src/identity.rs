//! For whom a call runs: the Execution Identity Envelope, as the host signed it.
//!
//! The records are the interface's own. Invariant: a tool reads them and can show
//! [`Envelope::json`] to a verifier, but nothing it does to them changes what the host will do.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

pub use crate::bindings::bailiwick::tool::identity::{
    Actor, ActorKind, Agent, Authorization, Confidence, Delegation, DelegationMode, Envelope, Meta,
    PriorActor, Session,
};

/// What the envelope is bound to.
pub use crate::bindings::bailiwick::tool::identity::Call as Binding;

impl Envelope {
    /// The envelope as signed JSON, character for character: what a verifier needs.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether the call has this scope. The scopes that a tool declares are always there.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.authorization.scopes.iter().any(|held| held == scope)
    }

    /// How the host will call a service, if it may.
    pub fn mode_of(&self, service: &str) -> Option<DelegationMode> {
        let modes = &self.delegation.modes;
        modes
            .iter()
            .find(|(name, _)| name == service)
            .map(|(_, mode)| *mode)
    }
}

/// Serializes as the signed JSON, so that a signature still verifies.
impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.json).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl JsonSchema for Envelope {
    fn schema_name() -> Cow<'static, str> {
        "Envelope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let part = json_schema!({ "type": "object" });
        json_schema!({
            "type": "object",
            "description": "The Execution Identity Envelope of a call, signed by the host.",
            "properties": {
                "actor": part, "agent": part, "session": part, "authorization": part,
                "delegation": part, "call": part, "meta": part
            },
            "required": ["actor", "agent", "session", "authorization", "delegation", "call", "meta"]
        })
    }
}
