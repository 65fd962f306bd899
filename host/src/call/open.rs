//! The fourth step: the call is recorded, and only then is it an [`OpenCall`].

use super::{Host, Refusal, Sealed};
use crate::audit::Trail;
use crate::identity::SubjectToken;

/// A sealed call whose `call.opened` is durable. Only [`Sealed::open`] builds it.
pub struct OpenCall {
    sealed: Sealed,
    trail: Trail,
}

impl Sealed {
    /// Writes `call.opened` and waits until it is durable.
    ///
    /// # Errors
    /// It is not durable, so the call must not run.
    pub async fn open(self, host: &Host) -> Result<OpenCall, Refusal> {
        let grant = &self.permit().target().backing().grant;
        let trail = Trail::open(host.journal.clone(), self.envelope(), grant.as_str())
            .await
            .map_err(|_| Refusal::unrecordable())?;
        Ok(OpenCall {
            sealed: self,
            trail,
        })
    }
}

impl OpenCall {
    /// The call that was opened.
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Where its records go.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    pub(super) fn surrender(&mut self) -> Option<SubjectToken> {
        self.sealed.entry_mut().surrender()
    }
}
