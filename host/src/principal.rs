//! The names of users, service accounts and tenants: by which shares and rates are kept apart, and
//! by which it is decided whose something is.

use std::sync::Arc;

use bailiwick_envelope::{Actor, ActorKind};

/// The name of a principal, which has one share: always the pair of issuer and subject, never a
/// subject alone. Two issuers may both have a subject `alice`. All copies share the pair.
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

/// An actor, exactly: what is one actor's is no other's.
///
/// A share is a [`Principal`]'s, so that an account in several tenants has one. What belongs to an
/// actor (a session, a round, a connection) also depends on the tenant, because an issuer may give
/// one subject to accounts of two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorId {
    /// Who it is.
    pub principal: Principal,
    /// The tenant, if the actor has one.
    pub tenant: Option<String>,
    /// Whether it is a service account. It may have a user's name (RFC 9068 §5), and is not that
    /// user.
    pub service: bool,
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

impl From<&Actor> for ActorId {
    fn from(actor: &Actor) -> Self {
        Self {
            principal: actor.into(),
            tenant: actor.tenant.clone(),
            service: actor.kind == ActorKind::Service,
        }
    }
}

impl From<&Actor> for Principal {
    fn from(actor: &Actor) -> Self {
        Self::new(&actor.iss, &actor.sub)
    }
}
