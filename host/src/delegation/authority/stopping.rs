//! The ends that a downstream call does not choose: its authority ends, or the operator denies it.
//!
//! Invariant: a denied call asks for no credential and sends nothing from the moment that the
//! denial is in effect. A request that has left is not called back, because no one could say what
//! it did.

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use bailiwick_envelope::CallKind;
use futures_util::FutureExt as _;

use super::Inner;
use crate::delegation::planned::Planned;
use crate::denials::Stop;
use crate::downstream::DownstreamError;
use crate::egress::Sent;

/// When work is given up because the authority ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// At once: what it may have done is recorded as unknown.
    AtOnce,
    /// Unless its request was sent: the journal must have what came of it.
    Unsent,
    /// Not at all.
    Never,
}

impl GivenUp {
    /// Returns when the delivery of a request is given up.
    pub(super) fn delivery_of(planned: &Planned) -> Self {
        match (planned.finishes(), &planned.arguments) {
            (false, _) => Self::AtOnce,
            (true, None) => Self::Never,
            // What prepares the call of a remote tool changes nothing.
            (true, Some(_)) => Self::Unsent,
        }
    }
}

impl Inner {
    /// Fails if the operator has denied this call since it began.
    pub(super) fn unless_denied(&self) -> Result<(), DownstreamError> {
        self.stop_now().map_or(Ok(()), |stop| Err((&stop).into()))
    }

    /// Runs `work` to its end, or gives it up. It ends as denied if a denial stops the call before
    /// its request was `sent`, and with `None` when the authority ends, if it may be given up then.
    pub(super) async fn unless_stopped<T>(
        &self,
        given_up: GivenUp,
        sent: &Sent,
        work: impl Future<Output = Result<T, DownstreamError>>,
    ) -> Result<T, Option<DownstreamError>> {
        tokio::select! {
            biased;
            () = self.ended(given_up, sent) => Err(None),
            stop = self.denied(sent) => Err(Some(self.give_up(&stop))),
            result = AssertUnwindSafe(work).catch_unwind() => match result {
                Ok(result) => result.map_err(Some),
                Err(_) => Err(Some(DownstreamError::Unavailable("the host failed".into()))),
            },
        }
    }

    /// Waits until the authority has ended and work may be given up.
    async fn ended(&self, given_up: GivenUp, sent: &Sent) {
        self.stop.cancelled().await;
        match given_up {
            GivenUp::AtOnce => {}
            GivenUp::Unsent => unsent(sent).await,
            GivenUp::Never => pending().await,
        }
    }

    /// Waits until a denial stops this call. Does not end while the request may have left: what
    /// follows it looks anew.
    async fn denied(&self, sent: &Sent) -> Stop {
        let Some(denials) = &self.broker.denials else {
            return pending().await;
        };
        let mut changes = denials.changes();
        let stop = loop {
            if let Some(stop) = self.stop_now() {
                break stop;
            }
            if changes.changed().await.is_err() {
                return pending().await;
            }
        };
        unsent(sent).await;
        stop
    }

    /// Returns the reason to stop this call, if there is one now.
    fn stop_now(&self) -> Option<Stop> {
        let denials = self.broker.denials.as_ref()?;
        let call = &self.envelope.claims().call;
        let asking = self.envelope.asking();
        denials.stop(&match call.kind {
            CallKind::Tool => asking.for_tool(&call.name, &call.component),
            _ => asking.for_code(&call.component),
        })
    }

    /// Returns the error of a request that is denied. If it was denied for who asks, the
    /// credentials of the actor are forgotten, since one may have come after the denial.
    fn give_up(&self, stop: &Stop) -> DownstreamError {
        if matches!(stop, Stop::Denied(denial) if denial.is_of_identity()) {
            let actor = &self.envelope.claims().actor;
            self.broker
                .forget(|asking| (asking.issuer, asking.subject) == (&actor.iss, &actor.sub));
        }
        stop.into()
    }
}

/// Waits while a request may have left. It must be polled beside the work that sends it, which
/// wakes it. A connection may give a request back unwritten: then it has not left after all.
async fn unsent(sent: &Sent) {
    poll_fn(|_| {
        if sent.may_have_arrived() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}
