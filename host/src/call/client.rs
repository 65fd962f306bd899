//! The client's part in its call: it can go away, and it can watch.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::{Full, Place};
use crate::audit::Settled;
use crate::questions::AskBy;
use crate::reason::RefusalReason;
use crate::sandbox::{ClientView, Report, Wishes};

/// The client of one call.
pub struct CallClient {
    /// Fires when the client goes away.
    pub cancelled: CancellationToken,
    /// Fires when the host stops.
    pub stopping: CancellationToken,
    /// Takes reports, if the client asked for any.
    pub reports: Option<Reports>,
    /// The way in which it can be asked.
    pub ask_by: AskBy,
    /// What its component may know of it.
    pub view: Arc<ClientView>,
}

/// The way for reports from a call to its client: progress and messages.
pub struct Reports {
    sender: mpsc::Sender<Report>,
    wishes: Wishes,
}

/// The reason why a call got no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The client went away, or the host stops.
    Gone,
    /// There was none in time.
    Full(Full),
}

impl NoPlace {
    pub(super) fn reason(self) -> RefusalReason {
        match self {
            Self::Gone => RefusalReason::Cancelled,
            Self::Full(_) => RefusalReason::Overloaded,
        }
    }

    /// Returns the text for the caller.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Gone => "the call was cancelled",
            Self::Full(full) => full.message(),
        }
    }
}

impl CallClient {
    /// Waits for a place for as long as the client waits for the call, because a call that waits
    /// holds the memory of its arguments. A client that is already gone takes no place, even if
    /// one is free.
    pub(super) async fn wait_for(
        &self,
        place: impl Future<Output = Result<Place, Full>>,
    ) -> Result<Place, NoPlace> {
        tokio::select! {
            biased;
            () = self.gone() => Err(NoPlace::Gone),
            place = place => place.map_err(NoPlace::Full),
        }
    }

    /// Returns those of `required` that the client did not declare. Without a session, what a
    /// client of an older revision declared is not known, and then nothing is lacking.
    pub(super) fn lacking(&self, required: &[String]) -> Vec<String> {
        if self.view.capabilities.is_null() {
            return Vec::new();
        }
        let is_lacking = |path: &&String| !self.view.declares(path);
        required.iter().filter(is_lacking).cloned().collect()
    }

    /// Waits until the client has gone away or the host stops.
    pub(super) async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

impl Reports {
    /// Builds a way to a client with these wishes, and its other end. At most `most` reports wait
    /// for a slow client.
    pub fn new(wishes: Wishes, most: usize) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(most);
        (Self { sender, wishes }, receiver)
    }

    /// Returns the reports that the client asked for.
    pub(super) fn wishes(&self) -> Wishes {
        self.wishes
    }

    /// Hands a report to the client. The report leaves the host, so everything before it is
    /// durable.
    ///
    /// # Errors
    /// Fails with the report if the client has gone away.
    pub(super) async fn report(&self, report: Report, _: Settled<'_>) -> Result<(), Report> {
        self.sender.send(report).await.map_err(|unsent| unsent.0)
    }

    /// Does the same unless the client has no room for the report now.
    ///
    /// # Errors
    /// Fails with the report if there is no room, or the client has gone away.
    pub(super) fn try_report(&self, report: Report, _: Settled<'_>) -> Result<(), Report> {
        self.sender.try_send(report).map_err(|unsent| match unsent {
            TrySendError::Full(report) | TrySendError::Closed(report) => report,
        })
    }
}
