//! Who a share belongs to.

use crate::identity::Caller;

/// A principal: always the pair of issuer and subject, never a subject alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal {
    issuer: String,
    subject: String,
}

impl Principal {
    /// The principal `subject` of `issuer`.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }
    }
}

impl From<&Caller> for Principal {
    fn from(caller: &Caller) -> Self {
        Self::new(&caller.actor().iss, &caller.actor().sub)
    }
}
