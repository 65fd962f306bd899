//! Code that can be called: a component that is compiled and linked, with the digest of the bytes
//! that it was made of.
//!
//! A tool holds its [`Code`] in an [`Arc`], so a call that was permitted needs no second look-up,
//! and code that a change replaces lives until the last call of it has ended.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::engine::Tier;
use super::entry::Exports;

/// One component's code. Built only by [`Sandbox::link`](super::Sandbox::link).
pub struct Code {
    digest: String,
    tier: Tier,
    entry: Exports,
}

impl Code {
    pub(super) fn new(digest: &str, tier: Tier, entry: Exports) -> Self {
        Self {
            digest: digest.to_owned(),
            tier,
            entry,
        }
    }

    /// The digest of the component's bytes: `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The engine that runs it.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    pub(super) fn entry(&self) -> &Exports {
        &self.entry
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code")
            .field("digest", &self.digest)
            .field("tier", &self.tier)
            .finish_non_exhaustive()
    }
}

/// The code of all components that can be called, by digest. Immutable; a change makes a new one.
#[derive(Debug, Default)]
pub struct Components(BTreeMap<String, Arc<Code>>);

impl Components {
    /// The code with this digest.
    pub fn find(&self, digest: &str) -> Option<&Arc<Code>> {
        self.0.get(digest)
    }

    /// The tier of the component with this digest.
    pub fn tier(&self, digest: &str) -> Option<Tier> {
        self.find(digest).map(|code| code.tier())
    }
}

impl FromIterator<Arc<Code>> for Components {
    fn from_iter<I: IntoIterator<Item = Arc<Code>>>(code: I) -> Self {
        let by_digest = |code: Arc<Code>| (code.digest.clone(), code);
        Self(code.into_iter().map(by_digest).collect())
    }
}
