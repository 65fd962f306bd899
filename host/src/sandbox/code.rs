//! Code that can be called: a compiled and linked component, with the digest of the bytes that it
//! was made from.
//!
//! A tool holds its [`Code`] in an [`Arc`], so a permitted call needs no second look-up, and code
//! that a change replaces lives until its last call has ended.

use std::fmt;

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

    /// Returns the digest of the component's bytes: `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the engine that runs it.
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
