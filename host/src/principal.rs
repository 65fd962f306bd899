//! The names of users, service accounts and tenants, by which shares, rates and connections are
//! kept apart.

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

/// A tenant: always the pair of issuer and name. All copies share the pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Arc<Pair>);

impl Tenant {
    /// Names the tenant `name` of `issuer`.
    pub fn new(issuer: &str, name: &str) -> Self {
        Self(Arc::new(Pair {
            issuer: issuer.to_owned(),
            subject: name.to_owned(),
        }))
    }

    /// Returns the tenant of an actor.
    pub fn of(actor: &Actor) -> Option<Self> {
        let name = actor.tenant.as_deref()?;
        Some(Self::new(&actor.iss, name))
    }

    /// Returns the name, unique only at its issuer.
    pub fn name(&self) -> &str {
        &self.0.subject
    }
}

impl From<&Actor> for Principal {
    fn from(actor: &Actor) -> Self {
        Self::new(&actor.iss, &actor.sub)
    }
}
