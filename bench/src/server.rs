//! The servers without protection that the bench runs itself, each as a process of its own.
//!
//! - [`native`]: the host's MCP library, and nothing else.
//! - [`raw`]: HTTP and JSON, and nothing else: the floor.
//! - [`desk`]: a service behind a tool, as plain as can be.
//! - [`hops`]: a `raw` that asks the desk for each answer: two plain HTTP hops.

mod cores;
pub(crate) mod desk;
pub(crate) mod hops;
pub(crate) mod native;
pub(crate) mod raw;
