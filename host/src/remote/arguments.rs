//! The arguments of one call of a remote tool.

use hyper::body::Bytes;
use serde_json::Value;

use super::error::RemoteError;
use crate::json;

/// Arguments that are one JSON object. They go out byte for byte, and nothing that stands in them
/// can be read as anything else.
#[derive(Debug, Clone)]
pub struct RemoteArguments {
    text: Bytes,
    value: Value,
}

impl RemoteArguments {
    /// Reads the body of a tool's request.
    ///
    /// # Errors
    /// It is not one JSON object, or has a member twice.
    pub fn read(text: Bytes) -> Result<Self, RemoteError> {
        let value = json::parse(&text, MAX_DEPTH).map_err(|_| RemoteError::Arguments)?;
        match value {
            Value::Object(_) => Ok(Self { text, value }),
            _ => Err(RemoteError::Arguments),
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }
}

/// The most levels, as conditions read bodies.
const MAX_DEPTH: usize = 64;
