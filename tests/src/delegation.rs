//! Checks how any MCP gateway delegates: whether it mixes users up, believes an authorization
//! server that lies, or falls back to another credential when it gets none.
//!
//! Knows of a gateway no more than a URL and one tool that makes one GET for its user. The
//! authorization server and the service are the suite's own ([`Stage`]), and what reaches the
//! service decides. `docs/delegation-suite.md` explains how to turn it against a gateway.
//!
//! Invariant: a case counts only if a good call reaches the service after it, so that a gateway
//! that calls nobody does not pass.

mod cases;
mod judge;
mod report;
mod stage;
mod suite;

pub use report::{Class, Report};
pub use stage::{Settings, Stage};
pub use suite::{Gateway, run};
