//! The client's part in its call: it can go away, and it can watch the progress.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use crate::audit::Settled;
use crate::sandbox::Report;

/// The client of one call.
pub struct CallClient {
    /// Fires when the client goes away.
    pub cancelled: CancellationToken,
    /// Fires when the host stops.
    pub stopping: CancellationToken,
    /// Takes progress, if the client asked for it.
    pub progress: Option<Progress>,
}

/// The way for progress from a call to its client.
pub struct Progress(mpsc::Sender<Report>);

impl CallClient {
    /// Waits until the client has gone away or the host stops.
    pub(super) async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

impl Progress {
    /// Builds a way to the client, and its other end. At most `most` reports wait for a slow
    /// client.
    pub fn new(most: usize) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(most);
        (Self(sender), receiver)
    }

    /// Hands a report to the client. The report leaves the host, so everything before it is
    /// durable.
    ///
    /// # Errors
    /// Fails with the report if the client has gone away.
    pub(super) async fn report(&self, report: Report, _: Settled<'_>) -> Result<(), Report> {
        self.0.send(report).await.map_err(|unsent| unsent.0)
    }

    /// Does the same unless the client has no room for the report now.
    ///
    /// # Errors
    /// Fails with the report if there is no room, or the client has gone away.
    pub(super) fn try_report(&self, report: Report, _: Settled<'_>) -> Result<(), Report> {
        self.0.try_send(report).map_err(|unsent| match unsent {
            TrySendError::Full(report) | TrySendError::Closed(report) => report,
        })
    }
}
