//! What Bailiwick does, told from the outside: each test is a sentence.
//!
//! Run with `cargo xtask test`, which builds the host and the tools first.

mod admission;
mod components;
mod delegation;
mod demo;
mod envelope;
mod journal;
mod lifetime;
mod protocol;
mod reload;
mod sandbox;
mod secrets;
