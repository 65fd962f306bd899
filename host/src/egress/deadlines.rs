//! The time that each step of a request may take.

use std::time::Duration;

use tokio::time::timeout;

use super::error::{EgressError, RequestStep};

/// The most time for each step of a request to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a connection: resolving the name, and TCP.
    pub connect: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// From sending the request to the head of its answer.
    pub first_byte: Duration,
    /// Between two parts of the answer's body.
    pub between_bytes: Duration,
    /// For everything.
    pub total: Duration,
}

impl Deadlines {
    /// Returns the usual deadlines below `total`: a peer that is there accepts a connection, and
    /// goes on with its answer, within seconds.
    pub fn below(total: Duration) -> Self {
        Self {
            connect: STEP.min(total),
            tls: STEP.min(total),
            first_byte: total,
            between_bytes: STEP.min(total),
            total,
        }
    }

    fn of(&self, step: RequestStep) -> Duration {
        match step {
            RequestStep::Connect => self.connect,
            RequestStep::Tls => self.tls,
            RequestStep::FirstByte => self.first_byte,
            RequestStep::BetweenBytes => self.between_bytes,
            RequestStep::Total => self.total,
        }
    }

    /// Runs one step to its end, or to its deadline.
    pub(super) async fn within<T>(
        &self,
        step: RequestStep,
        work: impl Future<Output = T>,
    ) -> Result<T, EgressError> {
        timeout(self.of(step), work)
            .await
            .map_err(|_| EgressError::TimedOut(step))
    }
}

impl From<Duration> for Deadlines {
    fn from(total: Duration) -> Self {
        Self::below(total)
    }
}

/// The usual deadline of a step that does not depend on the work of the peer.
const STEP: Duration = Duration::from_secs(2);
