//! The fourth step: a [`Sealed`] call is recorded, and only then becomes an [`OpenCall`].

use super::{Host, Refusal, Sealed};
use crate::audit::{NotOpened, Trail};
use crate::identity::SubjectToken;
use crate::observe::{CallIds, CallWatch, Measured};
use crate::reason::RefusalReason;

/// A sealed call whose `call.opened` is durable. Only [`Sealed::open`] builds it.
pub struct OpenCall {
    sealed: Sealed,
    trail: Trail,
    watch: CallWatch,
}

impl Sealed {
    /// Writes `call.opened` and waits until it is durable.
    ///
    /// # Errors
    /// Fails if the operator has denied the call while it waited, or if the record is not durable:
    /// the call must not run.
    pub async fn open(self, host: &Host) -> Result<OpenCall, Refusal> {
        self.permit().refuse_if_stopped(host).await?;
        let target = self.permit().target();
        let grant = target.backing().grant.as_str();
        let measured = Measured {
            kind: target.kind().as_str(),
            name: target.name(),
        };
        let trail = match Trail::open(host.journal.clone(), self.envelope(), grant).await {
            Ok(trail) => trail,
            Err(NotOpened::NotTaken) => {
                let message = "the call cannot be recorded";
                let reason = RefusalReason::AuditUnavailable;
                return Err(self.permit().refuse(host, reason, message).await);
            }
            // The journal records the refusal itself.
            Err(NotOpened::NotDurable) => {
                let reason = RefusalReason::AuditUnavailable.as_str();
                host.meters.refused(Some(measured), reason);
                return Err(Refusal::unrecordable());
            }
        };
        let claims = self.envelope().claims();
        let ids = CallIds {
            call: claims.call.id.clone(),
            trace: claims.session.trace_id.clone(),
            opened: Some(trail.seq()),
        };
        let watch = host.meters.opened(measured, ids);
        Ok(OpenCall {
            sealed: self,
            trail,
            watch,
        })
    }
}

impl OpenCall {
    /// Returns the sealed call behind this one.
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Returns the trail that takes the call's records.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Returns the watch that measures the call.
    pub(super) fn watch(&self) -> &CallWatch {
        &self.watch
    }

    pub(super) fn surrender(&mut self) -> Option<SubjectToken> {
        self.sealed.entry_mut().surrender()
    }
}
