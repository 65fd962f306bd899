//! The last step: the end of the call is recorded, and only then does its answer exist.

use super::ask::Outgoing;
use super::{CallReply, OpenCall, Refusal};
use crate::audit::{Outcome, Settled};
use crate::downstream::DownstreamTally;
use crate::reason::EndReason;
use crate::sandbox::Ending;

/// A call that has run. Its answer is not available before [`Ended::close`].
pub struct Ended {
    opened: OpenCall,
    ending: Ending,
    outgoing: Option<Outgoing>,
    reached: DownstreamTally,
}

impl Ended {
    pub(super) fn new(
        opened: OpenCall,
        (ending, outgoing): (Ending, Option<Outgoing>),
        reached: DownstreamTally,
    ) -> Self {
        Self {
            opened,
            ending,
            outgoing,
            reached,
        }
    }

    /// Writes `input.asked` if the call asks, and `call.closed`, and waits until these, and every
    /// earlier record of this call, are durable.
    ///
    /// # Errors
    /// Fails if a record is not durable: the answer must not leave, whatever the tool returned.
    pub async fn close(self) -> Result<CallReply, Refusal> {
        let Self {
            opened,
            ending,
            outgoing,
            reached,
        } = self;
        if let Some(record) = outgoing.as_ref().and_then(Outgoing::record) {
            opened.trail().asked(record).await;
        }
        let closed = opened.trail().close(ending.outcome, ending.reason, reached);
        let closed = closed.await;
        let seq = closed.as_ref().ok().map(Settled::last);
        // Without its answer, a call that the tool finished is not done.
        let (outcome, reason) = match closed {
            Ok(_) => (ending.outcome, ending.reason),
            Err(_) => (Outcome::Failed, Some(EndReason::AuditUnavailable)),
        };
        let reason = reason.map(EndReason::as_str);
        opened.watch().closed(outcome.as_str(), reason, seq);
        match closed {
            Ok(settled) => Ok(match outgoing {
                Some(outgoing) => outgoing.release(settled),
                None => CallReply::Answer(ending.release(settled)),
            }),
            Err(_) => Err(Refusal::unclosed()),
        }
    }
}
