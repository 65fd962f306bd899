//! The operator's settings for the policy point (`[policy_point]`).

use std::time::Duration;

use http::Uri;

use crate::delegation::settings::Auth;
use crate::egress::{AddressPolicy, Deadlines, PeerTls};

/// The settings of the policy point.
pub struct PolicyPointSettings {
    /// Its access evaluation endpoint (`AuthZEN` Authorization API 1.0 §6).
    pub endpoint: Uri,
    /// Private addresses that it may have.
    pub addresses: AddressPolicy,
    /// Whom the host believes to be it, and what it proves itself with there.
    pub tls: PeerTls,
    /// The host's own credential there: one for all users.
    pub auth: Auth,
    /// What names a user or service account there.
    pub subject: SubjectNaming,
    /// What it is told of a request.
    pub tells: ToldFacts,
    /// How long a decision is remembered; zero for not at all.
    pub remember: Duration,
    /// The time that a question may take.
    pub deadlines: Deadlines,
    /// The most questions at the same time.
    pub concurrency: usize,
}

/// What names a user or service account at a policy point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectNaming {
    /// The subject alone.
    Subject,
    /// `ALIAS:SUBJECT`, which no two issuers have in common.
    WithAlias,
}

/// What a policy point is told of a request beside its path. Each of them that is told must have
/// one meaning, or the request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldFacts {
    /// The query.
    pub query: bool,
    /// The body.
    pub body: bool,
    /// The arguments of the call.
    pub arguments: bool,
}
