//! The world of black-box tests: an issuer, a service and a host in a folder of its own.
//!
//! Trusts nothing of the host but its binary: a test sees only its HTTP, its standard error, its
//! exit code and its journal.

pub mod bombs;
pub mod delegation;
pub mod hostile;
pub mod recorder;
pub mod remote;
pub mod resource_server;

mod asker;
mod coded;
mod guests;
mod prober;
mod proxy;
mod told;
mod wanted;
mod world;

pub use asker::{accept, asker, ensure_asked_twice};
pub use coded::brotli;
pub use guests::guest;
pub use prober::{explained, probe, probing};
pub use proxy::Proxy;
pub use recorder::Recorder;
pub use remote::{RemoteServer, Script};
pub use told::{
    anything_contains, claims_of, count, ensure_eq, exit_of, header, one_refusal, reasons,
};
pub use wanted::wanted;
pub use world::{
    AGENT, ORDERS_TOOL, Plan, Remains, SCOPE, TRUST_DOMAIN, World, audit, bailiwick, demo, tools,
    workbench,
};
