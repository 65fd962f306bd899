//! How the client takes part in its call: it can go away, and it can watch.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::audit::Settled;
use crate::sandbox::Report;

/// The client of one call.
pub struct Client {
    /// Fires when the client goes away.
    pub cancelled: CancellationToken,
    /// Fires when the host stops.
    pub stopping: CancellationToken,
    /// Takes progress, if the client asked for it.
    pub progress: Option<Progress>,
}

/// Where a client gets its call's progress.
pub struct Progress(mpsc::Sender<Report>);

impl Client {
    /// Ends when no one waits for the call any longer.
    pub(super) async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }
}

impl Progress {
    /// A way to the client, and its other end. `most` reports wait for a slow client.
    pub fn new(most: usize) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(most);
        (Self(sender), receiver)
    }

    /// Hands a report to the client. It leaves the host, so everything before it is durable. Fails
    /// if the client went away.
    pub(super) async fn report(&self, report: Report, _: Settled<'_>) -> Result<(), Report> {
        self.0.send(report).await.map_err(|unsent| unsent.0)
    }
}
