//! The host's answers to its operator's questions, as values: the command line prints them, and a
//! page can show the same ones.
//!
//! [`check`](mod@check) finds the faults of a configuration and its tools,
//! [`explain`](mod@explain) decides about one call without making it, [`inspect`](mod@inspect)
//! describes one component, and [`accept`](mod@accept) compares a component's definitions with
//! those that were accepted.
//!
//! Invariant: an answer comes from the code that serves calls. Finding one opens no port, writes no
//! journal and makes no keys. No answer holds a token or a secret, so each may be printed whole.

pub mod accept;
pub mod check;
pub mod doctor;
pub mod explain;
pub mod inspect;

mod folder;
#[cfg(test)]
mod testing;

use std::fmt::Display;

use bailiwick_journal::chain;
use serde::{Serialize, Serializer};

pub use folder::{Folder, RefusedComponent};

/// A value with the sentence that a person reads.
#[derive(Serialize)]
struct Worded<'v, T> {
    #[serde(flatten)]
    value: &'v T,
    text: String,
}

impl<'v, T: Display> Worded<'v, T> {
    fn of(value: &'v T) -> Self {
        Self {
            value,
            text: value.to_string(),
        }
    }
}

/// Serializes a value with its sentence.
fn worded<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + Display,
    S: Serializer,
{
    Worded::of(value).serialize(serializer)
}

/// Serializes values, each with its sentence.
fn all_worded<T, S>(values: &[T], serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + Display,
    S: Serializer,
{
    serializer.collect_seq(values.iter().map(Worded::of))
}
