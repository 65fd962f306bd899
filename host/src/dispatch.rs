//! May they? A [`Caller`](crate::identity::Caller), a target's name and its arguments become a
//! [`Decided`], or a denial.
//!
//! Trusts the catalog (components that passed loading, with the operator's grants) and the
//! caller. Hands on what was decided, and why.
//!
//! Invariant: the authority of a call is the intersection of the token, the tool's declaration and
//! the operator's grant. What any of the three is silent about is not in it.

mod catalog;
mod decide;
mod definition;
mod grant;
mod offer;
mod outline;
mod target;

pub use catalog::{Catalog, Clash};
pub use decide::{Allowed, Decided, Denied, Named, allow, decide};
pub use definition::{Definition, DefinitionError};
pub use grant::{Acceptance, ComponentGrant, Terms, ToolGrant};
pub use offer::{NotOffered, Offer, OfferError, Unaccepted};
pub use outline::{Outline, Parts};
pub use target::{Backing, GrantName, Kind, Target, TargetRequest, Tool};
