//! The name of a user or service account, by which shares, rates and connections are kept apart.

use std::sync::Arc;

use bailiwick_envelope::Actor;

/// A principal: always the pair of issuer and subject, never a subject alone. Two issuers may both
/// have a subject `alice`. All copies share the pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(Arc<Pair>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Pair {
    issuer: String,
    subject: String,
}

impl Principal {
    /// Names the principal `subject` of `issuer`.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self(Arc::new(Pair {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }))
    }
}

impl From<&Actor> for Principal {
    fn from(actor: &Actor) -> Self {
        Self::new(&actor.iss, &actor.sub)
    }
}
