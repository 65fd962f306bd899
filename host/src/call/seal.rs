//! The third step: a [`Permit`] gets a place and an envelope, and becomes a [`Sealed`] call.

use std::sync::Arc;

use super::{CallClient, Entry, Host, Permit, Place, Refusal};
use crate::envelope::Envelope;
use crate::reason::RefusalReason;

/// A permitted call with its envelope and its place among the calls that run. Only
/// [`Permit::seal`] builds it, so its envelope says what its permit allows.
pub struct Sealed {
    permit: Permit,
    envelope: Arc<Envelope>,
    // Given back when the call has been closed.
    _place: Place,
}

impl Permit {
    /// Waits for a place, uses up the round that the call goes on with, then seals the call.
    ///
    /// # Errors
    /// Fails with the recorded refusal.
    pub async fn seal(self, host: &Host, client: &CallClient) -> Result<Sealed, Refusal> {
        let place = self.place(host, client).await?;
        self.spend(host).await?;
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
            Err(error) => {
                let reason = error.reason();
                let message = match reason {
                    RefusalReason::Expiring => "the token has expired",
                    _ => "the call could not be made",
                };
                Err(self.refuse(host, reason, message).await)
            }
        }
    }

    async fn place(&self, host: &Host, client: &CallClient) -> Result<Place, Refusal> {
        let place = host.gate.enter(self.entry().caller(), self.target());
        match client.wait_for(place).await {
            Ok(place) => Ok(place),
            Err(none) => Err(self.refuse(host, none.reason(), none.message()).await),
        }
    }
}

impl Sealed {
    /// Returns the permit for which the envelope was made.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Returns the envelope.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.envelope
    }

    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        self.permit.entry_mut()
    }
}
