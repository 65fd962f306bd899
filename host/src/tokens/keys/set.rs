//! One key set (RFC 7517 §5), read strictly.
//!
//! Invariant: a key that is ill-formed, weak, symmetric or private is left out alone and named, and
//! so are keys that share both name and algorithm. A set is refused whole only if it is no set.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::KeyName;
use super::SetVersion;
use super::key::{self, Algorithm, Key, Reading};
use crate::json::{self, member};

/// The keys of one set.
pub(super) struct KeySet {
    /// The keys by their `kid`, those of one name in the order of the set.
    named: HashMap<String, Vec<Arc<Key>>>,
    /// The keys by the thumbprints of their certificates.
    certified: HashMap<String, Vec<Arc<Key>>>,
    /// The only key.
    only: Option<Arc<Key>>,
    version: SetVersion,
    left_out: Vec<String>,
    empty: bool,
}

/// A usable key with its names.
struct Listed {
    id: Option<String>,
    thumbprints: Vec<String>,
    key: Arc<Key>,
    /// The name in messages.
    shown: String,
}

impl KeySet {
    /// Returns the key of this name; without a name, the only key. Of several keys of one name, it
    /// is the one of the named algorithm.
    pub(super) fn find(&self, name: &KeyName<'_>) -> Option<Arc<Key>> {
        let keys = match (name.id, name.thumbprints) {
            (Some(id), _) => self.named.get(id),
            (None, [None, None]) => return self.only.clone(),
            (None, thumbprints) => thumbprints
                .into_iter()
                .flatten()
                .find_map(|thumbprint| self.of_certificate(thumbprint)),
        }?;
        let fits = |key: &&Arc<Key>| key.algorithm().is_named(name.algorithm);
        keys.iter().find(fits).or_else(|| keys.first()).cloned()
    }

    /// Returns the keys of a certificate. Some issuers use the thumbprint as the `kid` of the key.
    fn of_certificate(&self, thumbprint: &str) -> Option<&Vec<Arc<Key>>> {
        let certified = self.certified.get(thumbprint);
        certified.or_else(|| self.named.get(thumbprint))
    }

    pub(super) fn version(&self) -> SetVersion {
        self.version
    }

    /// Returns the keys that cannot be used, each with the reason.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Returns true if no key can be used.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Checks that a key can be used.
    ///
    /// # Errors
    /// Fails with the reason for each key that cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.left_out.as_slice() {
            _ if !self.empty => Ok(()),
            [] => Err("it has no key".to_owned()),
            left_out => Err(format!("no key in it can be used: {}", left_out.join("; "))),
        }
    }
}

/// Reads a set, and leaves out each key that cannot be used.
///
/// # Errors
/// Fails if it is no set, or has too many keys.
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
    let (mut usable, mut left_out) = (Vec::new(), Vec::new());
    for (at, jwk) in listed.iter().enumerate() {
        // The same key twice is one key.
        if listed.iter().take(at).any(|earlier| earlier == jwk) {
            continue;
        }
        let place = format!("key {} of {}", at + 1, listed.len());
        match read(jwk, algorithms, version) {
            Ok(Some(key)) => usable.push(key.placed(place)),
            Ok(None) => {}
            Err((id, why)) => left_out.push(format!("{}: {why}", shown(id.as_deref(), place))),
        }
    }
    usable = without_doubles(usable, &mut left_out);
    if usable.is_empty() && left_out.is_empty() && !listed.is_empty() {
        left_out.push(PASSED_OVER.to_owned());
    }
    Ok(KeySet::of(usable, left_out, version))
}

/// Reads one key. `None` is a key for another use. The error has the key's id, if that can be read.
fn read(
    jwk: &Value,
    algorithms: &[Algorithm],
    version: SetVersion,
) -> Result<Option<Listed>, (Option<String>, String)> {
    let jwk = member::members(jwk, "a key").map_err(|error| (None, error.to_string()))?;
    let id = member::text(jwk, "kid").map_err(|error| (None, error.to_string()))?;
    let id = id.map(String::from);
    match key::read(jwk, algorithms, version) {
        Ok(Reading::PassedOver) => Ok(None),
        Ok(Reading::Usable(key, thumbprints)) => Ok(Some(Listed {
            id,
            thumbprints,
            key: Arc::new(key),
            shown: String::new(),
        })),
        Err(why) => Err((id, why.to_string())),
    }
}

/// Leaves out keys with one name and one algorithm. Which of them signed a token cannot be known.
fn without_doubles(usable: Vec<Listed>, left_out: &mut Vec<String>) -> Vec<Listed> {
    let (mut once, mut twice) = (HashSet::new(), HashSet::new());
    let name = |key: &Listed| Some((key.id.clone()?, key.key.algorithm().as_str()));
    for name in usable.iter().filter_map(name) {
        if !once.insert(name.clone()) {
            twice.insert(name);
        }
    }
    let is_double = |key: &Listed| name(key).is_some_and(|name| twice.contains(&name));
    let (doubles, rest): (Vec<_>, Vec<_>) = usable.into_iter().partition(is_double);
    let told = |key: &Listed| format!("{}: there are two of this name", key.shown);
    left_out.extend(doubles.iter().map(told));
    rest
}

fn shown(id: Option<&str>, place: String) -> String {
    id.map_or(place, |id| {
        format!("the key {:?}", crate::characters::printable(id))
    })
}

impl Listed {
    fn placed(self, place: String) -> Self {
        Self {
            shown: shown(self.id.as_deref(), place),
            ..self
        }
    }
}

impl KeySet {
    fn of(usable: Vec<Listed>, left_out: Vec<String>, version: SetVersion) -> Self {
        let only = match usable.as_slice() {
            [only] => Some(Arc::clone(&only.key)),
            _ => None,
        };
        let mut set = Self {
            named: HashMap::new(),
            certified: HashMap::new(),
            only,
            version,
            left_out,
            empty: usable.is_empty(),
        };
        for Listed {
            id,
            thumbprints,
            key,
            ..
        } in usable
        {
            for thumbprint in thumbprints {
                let keys = set.certified.entry(thumbprint).or_default();
                keys.push(Arc::clone(&key));
            }
            if let Some(id) = id {
                set.named.entry(id).or_default().push(key);
            }
        }
        set
    }
}

const MAX_KEYS: usize = 64;
const PASSED_OVER: &str = "all keys: they are for other uses than signatures, or for algorithms or \
                           curves that are not among `algorithms`";

#[cfg(test)]
mod tests;
