//! Bailiwick: an MCP server host that runs every tool as a WebAssembly component. A tool knows for
//! whom it acts, and holds no keys.
//!
//! The first modules below stand in the order in which one call passes through them. [`call`] shows
//! that story on one screen, and ARCHITECTURE.md describes it in words.

pub mod config;
pub mod transport;

pub mod call;

pub mod identity;

pub mod dispatch;

pub mod envelope;

pub mod audit;

pub mod sandbox;

pub mod downstream;
pub mod intake;

pub mod delegation;

pub mod tokens;

pub mod egress;

pub mod answers;
pub mod app;
pub mod build;
#[cfg(test)]
mod campaign;
pub mod characters;
pub mod conditions;
pub mod cores;
pub mod denials;
pub mod fair;
pub mod flight;
pub mod harden;
pub mod import;
pub mod json;
pub mod limits;
pub mod observe;
pub mod pages;
pub mod principal;
pub mod questions;
pub mod remote;
pub mod rounds;
pub mod scaffold;
pub mod schema;
#[cfg(any(test, fuzzing))]
pub mod surfaces;
pub mod uri;

pub use bailiwick_journal::{note, owned, reason, seams};
