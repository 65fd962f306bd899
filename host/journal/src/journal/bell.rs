//! The bell that begins a batch: a processor that runs out of work rings it.
//!
//! While a processor still has tasks to run, more records may come. Once it has none, none will, so
//! waiting longer gains nothing. A runtime rings before it parks a thread:
//!
//! ```
//! use bailiwick_journal::Bell;
//!
//! let bell = Bell::default();
//! let ring = bell.clone();
//! let runtime = tokio::runtime::Builder::new_multi_thread()
//!     .on_thread_park(move || ring.ring())
//!     .build();
//! // journal.answer(&bell);
//! # runtime.unwrap();
//! ```

use std::fmt;
use std::sync::{Arc, OnceLock};

/// A bell that processors ring when they run out of work. All clones are the same bell. It rings
/// for the first journal that [answers](super::Journal::answer) it.
#[derive(Clone, Default)]
pub struct Bell(Arc<OnceLock<Box<Ringing>>>);

type Ringing = dyn Fn() + Send + Sync;

impl Bell {
    /// Begins a batch, if records wait. Otherwise it is one look at a flag.
    pub fn ring(&self) {
        if let Some(ring) = self.0.get() {
            ring();
        }
    }

    /// Sets what the bell does. Returns false if that is set already.
    pub(super) fn hang(&self, ring: impl Fn() + Send + Sync + 'static) -> bool {
        self.0.set(Box::new(ring)).is_ok()
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bell")
            .field(&self.0.get().is_some())
            .finish()
    }
}
