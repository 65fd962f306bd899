//! The decision: a [`Caller`](crate::identity::Caller), a target's name and its arguments become a
//! [`Decided`], or a [`Denied`].
//!
//! Trusts the caller and the catalog (components that passed loading, with the operator's grants).
//! Hands on the decision and the grant that allows it.
//!
//! Invariant: the authority of a call is the intersection of the token, the tool's declaration and
//! the operator's grant. A service or scope that any of the three leaves out is not in it.

mod catalog;
mod decide;
mod definition;
mod grant;
mod near;
mod offer;
mod outline;
mod target;
mod visibility;

pub use catalog::{Catalog, Claim, Clash};
pub use decide::{Allowed, Decided, Denied, Named, allow, decide};
pub use definition::{
    ClientSchemas, Definition, DefinitionError, Described, Facets, PromptFace, ResourceFace,
    ToolFace, is_tool_name,
};
pub use grant::{Acceptance, ComponentGrant, Terms, ToolGrant};
pub use near::expected;
pub use offer::{MAX_OF_A_KIND, NotOffered, Offer, OfferError, StrayTool, Unaccepted};
pub use outline::{Outline, Parts, expected_alike, in_words, prompt_key, table};
pub use target::{
    Backing, GrantName, Kind, Offered, Prompt, ReadableResource, Target, TargetRequest, Tool,
    Wanted,
};
pub use visibility::{Sight, Visibility};
