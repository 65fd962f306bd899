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
mod offer;
mod outline;
mod pattern;
mod permit;
mod schema;

pub use catalog::{Catalog, Clash, Tool};
pub use definition::{Definition, DefinitionError};
pub use grant::{Approval, ComponentGrant, Terms, ToolGrant};
pub use offer::{NotOffered, Offer, OfferError, Unapproved};
pub use outline::{Outline, Parts};
pub use permit::{Allowed, Denied, Permit, ToolRequest, allow, may_call, permit};
pub use schema::{Schema, SchemaError};
