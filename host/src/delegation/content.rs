//! The rules of a call's grant about the content of its requests.

use std::sync::Arc;

use http::{HeaderMap, Method, header};
use serde_json::Value;

use super::asker::KnownActor;
use crate::conditions::{DenyRule, RequestFacts, denial};
use crate::downstream::DownstreamError;

/// The rules of one call, with the arguments that they may read.
#[derive(Clone, Default)]
pub struct ContentRules {
    rules: Arc<[DenyRule]>,
    arguments: Value,
}

/// A request as it is about to be sent.
pub(super) struct Content<'p> {
    pub(super) service: &'p str,
    pub(super) method: &'p Method,
    /// Path and query below the service's URL.
    pub(super) target: &'p str,
    pub(super) headers: &'p HeaderMap,
    pub(super) body: &'p [u8],
}

impl ContentRules {
    /// Makes the rules of a call with these arguments. Without rules, nothing is kept.
    pub fn new(rules: &Arc<[DenyRule]>, arguments: &Value) -> Self {
        let arguments = if rules.is_empty() {
            Value::Null
        } else {
            arguments.clone()
        };
        Self {
            rules: Arc::clone(rules),
            arguments,
        }
    }

    /// Checks a request of an agent for an actor.
    ///
    /// # Errors
    /// Fails if a rule denies it.
    pub(super) fn check(
        &self,
        content: &Content<'_>,
        known: KnownActor<'_>,
        agent: &str,
    ) -> Result<(), DownstreamError> {
        let content_type = content.headers.get(header::CONTENT_TYPE);
        let asked = RequestFacts {
            service: content.service,
            method: content.method.as_str(),
            target: content.target,
            content_type: content_type.and_then(|value| value.to_str().ok()),
            body: content.body,
            arguments: &self.arguments,
            sub: &known.actor.sub,
            tenant: known.actor.tenant.as_deref(),
            issuer: known.alias,
            agent,
        };
        match denial(&self.rules, &asked) {
            Some(denied) => Err(DownstreamError::DeniedByRule(denied)),
            None => Ok(()),
        }
    }
}
