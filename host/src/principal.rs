//! The name of a user or service account, by which shares, rates and connections are kept apart.

use bailiwick_envelope::Actor;

/// A principal: always the pair of issuer and subject, never a subject alone. Two issuers may both
/// have a subject `alice`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal {
    issuer: String,
    subject: String,
}

impl Principal {
    /// Names the principal `subject` of `issuer`.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }
    }
}

impl From<&Actor> for Principal {
    fn from(actor: &Actor) -> Self {
        Self::new(&actor.iss, &actor.sub)
    }
}
