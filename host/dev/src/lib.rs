//! The surroundings of Bailiwick on a developer's machine: an authorization server, sample
//! services, an MCP client, the demo that tells one story with all of them, and the workbench of a
//! tool's author.
//!
//! Everything listens on loopback, speaks plain HTTP and keeps its state in memory. The serving
//! binary depends on none of it; demo and tests start that binary as a child and see it only
//! through HTTP, its standard error and its journal.
//!
//! Invariant: no part of this crate is reachable from `bailiwick serve`.

pub mod clock;
pub mod jws;
mod newest;

pub mod client;
pub mod http;

pub mod issuer;

pub mod access;
pub mod bearer;
pub mod billing;
pub mod hunt;
pub mod orders;
pub mod reports;
pub mod sample;

pub mod code;
pub mod folder;
pub mod journal;
pub mod listening;
pub mod mcp;
pub mod process;

pub mod connecting;
mod teller;
pub mod terminal;

pub mod story;
pub mod workbench;

pub use billing::Billing;
pub use folder::{Config, Folder};
pub use issuer::{Issuer, Misbehaviour, TokenSpec};
pub use listening::Listening;
pub use orders::Orders;
pub use process::Host;
pub use reports::Reports;
