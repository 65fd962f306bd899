//! The third step: a [`Permit`] gets a place and a signed envelope, and becomes a [`Sealed`] call.

use std::sync::Arc;

use super::{CallClient, Entry, Host, Permit, Place, Refusal, refusal};
use crate::envelope::Envelope;
use crate::reason::RefusalReason;

/// A permitted call with its signed envelope and its place among the calls that run. Only
/// [`Permit::seal`] builds it, so its envelope says what its permit allows.
pub struct Sealed {
    permit: Permit,
    envelope: Arc<Envelope>,
    // Given back when the call has been closed.
    _place: Place,
}

impl Permit {
    /// Waits for a place, then seals the call.
    ///
    /// # Errors
    /// Fails with the recorded refusal.
    pub async fn seal(self, host: &Host, client: &CallClient) -> Result<Sealed, Refusal> {
        let place = match self.place(host, client).await {
            Ok(place) => place,
            Err(refusal) => return Err(refusal),
        };
        let caller = self.entry().caller();
        let sealed = host
            .signer
            .seal(caller, self.target(), self.arguments(), self.trace_id());
        match sealed {
            Ok(envelope) => Ok(Sealed {
                permit: self,
                envelope: Arc::new(envelope),
                _place: place,
            }),
            Err(error) => Err(refusal::late(host, &self, error.reason()).await),
        }
    }

    async fn place(&self, host: &Host, client: &CallClient) -> Result<Place, Refusal> {
        let (caller, target) = (self.entry().caller(), self.target());
        tokio::select! {
            // A client that is already gone takes no place, even if one is free.
            biased;
            () = client.gone() => Err(refusal::late(host, self, RefusalReason::Cancelled).await),
            place = host.gate.enter(caller, target) => match place {
                Ok(place) => Ok(place),
                Err(full) => Err(refusal::overloaded(host, self, full).await),
            },
        }
    }
}

impl Sealed {
    /// Returns the permit for which the envelope was made.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Returns the signed envelope.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.envelope
    }

    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        self.permit.entry_mut()
    }
}
