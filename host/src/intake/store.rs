//! The compiled code of this process, by the digest of the bytes that it was made from.
//!
//! Invariant: it holds the code that is in use and that of the few versions that went out of use
//! last ([`Spare`]), so a component that did not change is not compiled again, going back is quick,
//! and memory does not grow with the number of changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::spare::Spare;
use crate::sandbox::{Code, Description};

/// A component's code, with the component's description of its tools.
#[derive(Debug, Clone)]
pub(super) struct StoredCode {
    pub(super) code: Arc<Code>,
    pub(super) description: Description,
}

/// All code of this process.
#[derive(Default)]
pub(super) struct CodeStore(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    code: BTreeMap<String, StoredCode>,
    spare: Spare,
}

impl CodeStore {
    /// Returns the code made from the bytes with this digest, if there is any.
    pub(super) fn find(&self, digest: &str) -> Option<StoredCode> {
        self.kept().code.get(digest).cloned()
    }

    /// Keeps `stored` until it has been out of use for a while.
    pub(super) fn keep(&self, stored: StoredCode) {
        let digest = stored.code.digest().to_owned();
        self.kept().code.insert(digest, stored);
    }

    /// Forgets all code except that with the digests in `used` and the few versions that went out
    /// of use last.
    pub(super) fn forget_others(&self, used: &BTreeSet<&str>) {
        let mut kept = self.kept();
        let Contents { code, spare } = &mut *kept;
        spare.update(code.keys(), |digest| used.contains(digest));
        code.retain(|digest, _| used.contains(digest.as_str()) || spare.holds(digest));
    }

    fn kept(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
