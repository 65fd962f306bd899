//! The identity of a call: the Execution Identity Envelope, one question at a time.
//!
//! The records are the interface's own, and [`Call`](crate::Call) has a method for each question.
//! Invariant: a tool reads them and can show the [`Envelope`] to a verifier, but no change that it
//! makes to them changes the host's conduct.

use std::borrow::Cow;
use std::cell::OnceCell;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

pub use crate::bindings::identity::{
    ActorKind, Binding, Correlation, DelegationMode, Executor, Login, Principal, PriorActor,
};

/// A service that a call may reach. To send a request to it, use
/// [`Call::service`](crate::Call::service).
pub use crate::bindings::identity::Service as GrantedService;

/// The host's answers in one call. An answer never changes within a call, so the host is asked for
/// each at most once.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) actor: OnceCell<Principal>,
    pub(crate) login: OnceCell<Login>,
    pub(crate) agent: OnceCell<Executor>,
    pub(crate) session: OnceCell<Correlation>,
    pub(crate) scopes: OnceCell<Vec<String>>,
    pub(crate) services: OnceCell<Vec<GrantedService>>,
    pub(crate) binding: OnceCell<Binding>,
    pub(crate) envelope: OnceCell<String>,
}

/// The whole envelope as the host signed it: a result that a verifier can check.
///
/// It serializes as the signed JSON, character for character, so that the signature still verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope(pub(crate) String);

impl Envelope {
    /// Returns the signed JSON.
    pub fn json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
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
