//! Delegation: services are reached in the declared mode, with a credential that the tool never
//! sees.
//!
//! Trusts the sealed envelope, the operator's settings, and the decision of the operator's policy
//! point; trusts no request of a tool, no answer of an authorization server and no answer of a
//! service. Hands a tool a bounded answer without credentials, or a typed error.
//!
//! Invariant: a mode never falls back to another one, a credential is verified in full before it is
//! sent, and nothing leaves for a service before the policy point, if there is one, allows it and
//! `downstream.opened` is durable.

mod answer_headers;
mod asker;
mod authority;
#[cfg(test)]
mod barriers;
mod bulkhead;
mod cache;
mod constant_headers;
mod content;
mod cover;
mod credential;
mod dialect;
mod echo;
mod exchange;
mod header_roles;
mod idempotency;
mod identify;
mod issued;
mod looks;
mod obtaining;
mod own;
mod planned;
mod policy_point;
mod reissue;
mod remote;
mod request;
mod service;
mod settings;
mod static_key;
mod tally;
mod template;
mod user;

pub use answer_headers::AnswerHeader;
pub use asker::KnownActor;
pub use authority::{Authority, Broker};
#[cfg(test)]
pub(crate) use barriers::Barrier;
pub use constant_headers::ConstantHeaders;
pub use content::ContentRules;
pub use dialect::{DialectError, ExchangeDialect};
pub(crate) use echo::Echoed;
pub use header_roles::HeaderRole;
#[cfg(any(test, fuzzing))]
pub use policy_point::decision_surface;
pub use policy_point::{PolicyPoint, PolicyPointSettings, SubjectNaming, ToldFacts};
pub use request::may_set_header;
pub use service::Service;
pub use settings::{
    AuditHeaders, Auth, ExchangeSettings, IssuedSettings, IssuedTenant, OnCancel, ReissueSettings,
    RemoteSettings, ServiceSettings, Subjects, UnderPolicy,
};
pub use static_key::{KeyFiles, KeyOwner, KeyPlace, KeyRule, StaticAuth, StaticKeys, file_name};
pub use template::{Template, TemplateError};

#[cfg(test)]
mod tests;
