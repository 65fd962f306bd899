//! The last step: the end of the call is recorded, and only then does its answer exist.

use super::{OpenCall, Refusal};
use crate::audit::Settled;
use crate::downstream::DownstreamTally;
use crate::reason::EndReason;
use crate::sandbox::{Answer, Ending};

/// A call that has run. Its answer is not available before [`Ended::close`].
pub struct Ended {
    opened: OpenCall,
    ending: Ending,
    reached: DownstreamTally,
}

impl Ended {
    pub(super) fn new(opened: OpenCall, ending: Ending, reached: DownstreamTally) -> Self {
        Self {
            opened,
            ending,
            reached,
        }
    }

    /// Writes `call.closed` and waits until it is durable.
    ///
    /// # Errors
    /// Fails if the record is not durable: the answer must not leave.
    pub async fn close(self) -> Result<Answer, Refusal> {
        let Self {
            opened,
            ending,
            reached,
        } = self;
        let closed = opened.trail().close(ending.outcome, ending.reason, reached);
        let closed = closed.await;
        let seq = closed.as_ref().ok().map(Settled::last);
        let reason = ending.reason.map(EndReason::as_str);
        let outcome = ending.outcome.as_str();
        opened.watch().closed(outcome, reason, seq);
        match closed {
            Ok(settled) => Ok(ending.release(settled)),
            Err(_) => Err(Refusal::unclosed()),
        }
    }
}
