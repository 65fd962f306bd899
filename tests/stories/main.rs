//! What Bailiwick does, told from the outside: each test is a sentence.
//!
//! Run with `cargo xtask test`, which builds the host and the tools first.

mod admission;
mod attacks;
mod bombs;
mod clients;
mod commands;
mod components;
mod delegation;
mod demo;
mod dev;
mod documents;
mod envelope;
mod folder;
mod hostile;
mod journal;
mod journal_forged;
mod journal_live;
mod kills;
mod languages;
mod lifetime;
mod limits;
mod listening;
mod loading;
mod modes;
mod protocol;
mod provenance;
mod reasons;
mod reload;
mod sandbox;
mod secrets;
mod swaps;
mod volumes;
