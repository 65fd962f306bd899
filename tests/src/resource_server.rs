//! Checks how any MCP server behaves as an OAuth resource server.
//!
//! Knows of a server no more than a URL, and of its authorization server no more than a way to get
//! tokens. `tests/resource-server/README.md` explains how to turn it against another server.
//!
//! Invariant: a refusal counts only if the good token is accepted before and after it. A server
//! that refuses the good token ends the run, and so does one that is gone.

mod case;
mod challenge;
mod families;
mod mint;
pub(crate) mod probe;
mod report;
mod suite;
mod token;
pub(crate) mod wire;

pub use case::{Case, Level, Outcome};
pub use mint::{Fill, Mint, Minted, Order, Signer};
pub use report::{Finding, Report};
pub use suite::{Target, run};
