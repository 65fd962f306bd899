//! Waiting for the answers of a client within a session.
//!
//! A call that waits has ended, and holds no authority. Invariant: it keeps a place among the
//! listeners, because it keeps a connection as they do, and it waits no longer than a round can be
//! answered. A caller whom the operator denies is refused at once.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Host, Place, Refusal, listening, refusal};
use crate::dispatch::Denied;
use crate::identity::Caller;
use crate::reason::RefusalReason;

/// A caller whose client is asked.
pub struct AnswerWait {
    host: Arc<Host>,
    caller: Arc<Caller>,
    denials: watch::Receiver<()>,
    end: Instant,
    _place: Place,
}

/// The reason why a wait ended without what it waited for.
pub enum Unanswered {
    /// The time is over.
    Late,
    /// The client has gone, or the host stops.
    Over,
    /// The operator has denied the caller; recorded.
    Refused(Refusal),
}

/// Gives a caller a place among those who wait.
///
/// # Errors
/// Fails with the recorded refusal if there is none.
pub async fn wait(host: &Arc<Host>, caller: &Arc<Caller>) -> Result<AnswerWait, Refusal> {
    let Some(place) = host.listeners.try_enter(caller) else {
        let message = "too many questions wait for answers; try again later";
        let denied = Denied::general(RefusalReason::Overloaded, message);
        return Err(refusal::denied(host, caller, denied).await);
    };
    Ok(AnswerWait {
        host: Arc::clone(host),
        caller: Arc::clone(caller),
        denials: host.denials.changes(),
        end: Instant::now() + host.rounds.life(),
        _place: place,
    })
}

impl AnswerWait {
    /// Waits for `answers`, at most until `over`.
    ///
    /// # Errors
    /// Fails if there are none in time.
    pub async fn until<T>(
        self,
        over: impl Future<Output = ()>,
        answers: impl Future<Output = T>,
    ) -> Result<T, Unanswered> {
        let stop = tokio::select! {
            biased;
            () = self.host.ending.cancelled() => return Err(Unanswered::Over),
            stop = listening::stopped(&self.host, &self.caller, self.denials.clone()) => stop,
            () = over => return Err(Unanswered::Over),
            () = sleep_until(self.end) => return Err(Unanswered::Late),
            answers = answers => return Ok(answers),
        };
        let Some(stop) = stop else {
            return Err(Unanswered::Over);
        };
        let refused = refusal::stopped(&self.host, &self.caller, &stop).await;
        Err(Unanswered::Refused(refused))
    }
}
