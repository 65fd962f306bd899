//! Bailiwick's behaviour, seen from outside: each test is a sentence.
//!
//! Run with `cargo xtask test`, which builds the host and the tools first.

mod admission;
mod attacks;
mod bombs;
mod clients;
mod commands;
mod components;
mod connections;
mod delegation;
mod demo;
mod dev;
mod documented;
mod documents;
mod endings;
mod envelope;
mod floods;
mod folder;
mod hostile;
mod issued;
mod journal;
mod journal_forged;
mod journal_live;
mod kills;
mod languages;
mod lifetime;
mod limits;
mod listening;
mod loading;
mod memory;
mod mixups;
mod modes;
mod operations;
mod protocol;
mod provenance;
mod reasons;
mod reload;
mod requests;
mod room;
mod sandbox;
mod secrets;
mod services;
mod swaps;
mod unclear;
mod volumes;
