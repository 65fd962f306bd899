//! Denials: the operator's entries that stop an identity, a tool or code at once.
//!
//! `bailiwick deny` writes them to a file of their own. The running host looks at that file several
//! times a second, and replaces its [`Denials`] whole when the file has changed.
//!
//! Trusts the file only if no one else can have written it. Invariant: while the file cannot be
//! relied on, everything is denied. A look at the denials takes no lock.

mod entry;
mod file;
mod index;
mod list;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::reason::RefusalReason;
use crate::seams::Clock;
pub use entry::{Denial, DenialOf, Unfitting};
pub use file::{Adopted, DenialFile, DenialsError, Strays};
use index::Index;
pub use index::Requester;
pub use list::{Changes, DenialList};

/// The denials that are in effect.
pub struct Denials {
    state: ArcSwap<Knowledge>,
    changes: watch::Sender<()>,
    clock: Arc<dyn Clock>,
}

enum Knowledge {
    Known(Index),
    /// The file cannot be relied on.
    Unknown,
}

/// The reason for stopping a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// This denial.
    Denied(Arc<Denial>),
    /// It is not known what is denied.
    Unknown,
}

impl Denials {
    /// Denies everything until the denials are known.
    pub fn unknown(clock: Arc<dyn Clock>) -> Self {
        Self::of(Knowledge::Unknown, clock)
    }

    /// Denies nothing.
    pub fn none(clock: Arc<dyn Clock>) -> Self {
        Self::of(Knowledge::Known(Index::default()), clock)
    }

    fn of(state: Knowledge, clock: Arc<dyn Clock>) -> Self {
        Self {
            state: ArcSwap::from_pointee(state),
            changes: watch::Sender::new(()),
            clock,
        }
    }

    /// Returns the reason to stop this request, if there is one now.
    pub fn stop(&self, asking: &Requester<'_>) -> Option<Stop> {
        match &**self.state.load() {
            Knowledge::Known(index) if index.is_empty() => None,
            Knowledge::Known(index) => index.find(asking, || self.clock.now_ms()).map(Stop::Denied),
            Knowledge::Unknown => Some(Stop::Unknown),
        }
    }

    /// Puts the denials of `lists` into effect, in place of those before.
    pub fn adopt<'l>(&self, lists: impl IntoIterator<Item = &'l DenialList>) {
        let denials = lists.into_iter().flat_map(|list| &list.denials);
        self.put(Knowledge::Known(denials.collect()));
    }

    /// Denies everything until [`Self::adopt`].
    pub fn forget(&self) {
        self.put(Knowledge::Unknown);
    }

    fn put(&self, state: Knowledge) {
        self.state.store(Arc::new(state));
        self.changes.send_replace(());
    }

    /// Returns true if it is known what is denied.
    pub fn are_known(&self) -> bool {
        matches!(&**self.state.load(), Knowledge::Known(_))
    }

    /// Returns a receiver that wakes whenever the denials are replaced.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

impl Stop {
    /// Returns the code for a request that is refused.
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::Denied(_) => RefusalReason::Denied,
            Self::Unknown => RefusalReason::DenialsUnavailable,
        }
    }

    /// Returns the text for the caller, who does not learn the operator's reason.
    pub fn message(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.of.message(),
            Self::Unknown => "requests cannot be checked at the moment",
        }
    }

    /// Returns the identifier of the denial.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Denied(denial) => Some(&denial.id),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests;
