//! The time that each step of a request may take.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use super::error::EgressError;

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

/// A step of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Resolving the name, and TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The head of the answer.
    FirstByte,
    /// The next part of the answer's body.
    BetweenBytes,
    /// The request as a whole.
    Total,
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

    fn of(&self, step: Step) -> Duration {
        match step {
            Step::Connect => self.connect,
            Step::Tls => self.tls,
            Step::FirstByte => self.first_byte,
            Step::BetweenBytes => self.between_bytes,
            Step::Total => self.total,
        }
    }

    /// Runs one step to its end, or to its deadline.
    pub(super) async fn within<T>(
        &self,
        step: Step,
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

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "no connection",
            Self::Tls => "no end of the TLS handshake",
            Self::FirstByte => "no answer",
            Self::BetweenBytes => "no more of the answer",
            Self::Total => "no complete answer",
        })
    }
}

/// The usual deadline of a step that does not depend on the work of the peer.
const STEP: Duration = Duration::from_secs(2);
