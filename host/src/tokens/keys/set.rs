//! One key set (RFC 7517 §5), read strictly.
//!
//! Invariant: a set with an ill-formed, symmetric or private key, or with two keys of one name, is
//! refused whole. A well-formed key that is too weak is left out alone.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::SetVersion;
use super::key::{self, Algorithm, Key, Reading};
use crate::json::{self, member};

/// The keys of one set.
pub(super) struct KeySet {
    keys: HashMap<String, Arc<Key>>,
    anonymous: Option<Arc<Key>>,
    version: SetVersion,
    left_out: Vec<String>,
}

impl KeySet {
    /// Returns the key with this id; without an id, the only key.
    pub(super) fn find(&self, key_id: Option<&str>) -> Option<Arc<Key>> {
        match key_id {
            Some(id) => self.keys.get(id).cloned(),
            None => self.anonymous.clone(),
        }
    }

    pub(super) fn version(&self) -> SetVersion {
        self.version
    }

    /// Returns the keys that are too weak or too large to be used, each with the reason.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// Reads a set whole, or refuses it whole.
pub(super) fn parse(bytes: &[u8], algorithms: &[Algorithm]) -> Result<KeySet, String> {
    let document = json::parse(bytes, 8).map_err(|error| error.to_string())?;
    let listed = member::members(&document, "the set").and_then(|set| member::array(set, "keys"));
    let listed = listed
        .map_err(|error| error.to_string())?
        .ok_or("it has no `keys` array")?;
    if listed.len() > MAX_KEYS {
        return Err(format!("it has more than {MAX_KEYS} keys"));
    }
    let version = Sha256::digest(bytes).into();
    let mut set = KeySet {
        keys: HashMap::new(),
        anonymous: None,
        version,
        left_out: Vec::new(),
    };
    let mut usable = Vec::new();
    for (at, jwk) in listed.iter().enumerate() {
        let jwk = member::members(jwk, "a key").map_err(|error| error.to_string())?;
        let id = member::text(jwk, "kid").map_err(|error| error.to_string())?;
        let named = || {
            id.map_or_else(
                || format!("key {} of {}", at + 1, listed.len()),
                |id| format!("the key {id:?}"),
            )
        };
        match key::read(jwk, algorithms, version)
            .map_err(|error| format!("{}: {error}", named()))?
        {
            Reading::PassedOver => {}
            Reading::LeftOut(why) => set.left_out.push(format!("{}: {why}", named())),
            Reading::Usable(key) => {
                let key = Arc::new(key);
                usable.push(Arc::clone(&key));
                if id.is_some_and(|id| set.keys.insert(id.to_owned(), key).is_some()) {
                    return Err(format!("{}: there are two of this name", named()));
                }
            }
        }
    }
    set.anonymous = if usable.len() == 1 {
        usable.pop()
    } else {
        None
    };
    Ok(set)
}

const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests;
