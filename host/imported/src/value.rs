//! Arguments as JSON that is not parsed further than needed: a number reaches the service with the
//! digits that the caller wrote.

use std::collections::BTreeMap;

use bailiwick_sdk::Error;
use serde_json::value::RawValue;

/// The members of an object.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Scalar,
    List,
    Object,
}

pub(crate) fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes().first() {
        Some(b'n') => Kind::Null,
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Object,
        _ => Kind::Scalar,
    }
}

/// Returns a text without its quotes, and a number or truth value as it is written.
pub(crate) fn text(name: &str, value: &RawValue) -> Result<String, Error> {
    match kind(value) {
        Kind::Scalar if value.get().starts_with('"') => Ok(serde_json::from_str(value.get())?),
        Kind::Scalar => Ok(value.get().to_owned()),
        _ => Err(unfit(name, "a text, a number or a truth value")),
    }
}

/// Returns the texts of a list, or the one text of a value that is none.
pub(crate) fn texts(name: &str, value: &RawValue) -> Result<Vec<String>, Error> {
    match kind(value) {
        Kind::List => items(value)?.iter().map(|item| text(name, item)).collect(),
        _ => Ok(vec![text(name, value)?]),
    }
}

pub(crate) fn items(value: &RawValue) -> Result<Vec<Box<RawValue>>, Error> {
    Ok(serde_json::from_str(value.get())?)
}

pub(crate) fn members(value: &RawValue) -> Result<Members, Error> {
    Ok(serde_json::from_str(value.get())?)
}

/// Says what an argument must be, without its value.
pub(crate) fn unfit(name: &str, expected: &str) -> Error {
    Error::InvalidInput(format!("{name}: expected {expected}"))
}
