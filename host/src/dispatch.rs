//! May they? A [`Caller`], a tool's name and its arguments become a [`Permit`], or a refusal.
//!
//! Trusts the catalog (components that passed loading, with the operator's grants) and the
//! caller. Hands on the permit, which says what was decided and why.
//!
//! Invariant: a permit's authority is the intersection of the token, the tool's declaration and
//! the operator's grant. What any of the three is silent about is not in it.

mod catalog;
mod cost;
mod definition;
mod grant;
mod outline;
mod pattern;
mod permit;
mod schema;
mod signers;

pub use catalog::{Catalog, Clash, ComponentId, Tool};
pub use definition::{Annotations, Definition, DefinitionError, RawDefinition};
pub use grant::{Acceptance, ComponentGrant, DigestRule, Terms, ToolGrant};
pub use outline::{Outline, Parts};
pub use permit::{Allowed, Denied, Permit, ToolRequest, allow, may_call, permit};
pub use schema::{Schema, SchemaError};
pub use signers::{NamePattern, NotAPattern, Signed, Signer, Signers, Untrusted};
