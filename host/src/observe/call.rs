//! The measurement of one call, from the record of its start to the record of its end.

use std::sync::Arc;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::time::Instant;

use super::labels::{CallLabels, TargetLabels};
use super::{Measured, Meters};

/// The ids that connect a call's log line with its records in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallIds {
    /// The call's id.
    pub call: String,
    /// The trace id.
    pub trace: String,
    /// The sequence number of `call.opened`, where it is known.
    pub opened: Option<u64>,
}

/// A call under way. It counts as running until it is dropped.
pub struct CallWatch {
    meters: Meters,
    labels: TargetLabels,
    ids: CallIds,
    began: Instant,
}

impl Meters {
    /// Watches a call whose `call.opened` is durable.
    pub fn opened(&self, target: Measured<'_>, ids: CallIds) -> CallWatch {
        let labels = TargetLabels {
            kind: target.kind,
            target: self.0.targets.bounded(target.name),
        };
        self.0.running.get_or_create(&labels).inc();
        CallWatch {
            meters: self.clone(),
            labels,
            ids,
            began: Instant::now(),
        }
    }
}

impl CallWatch {
    /// Counts how the call ended and writes its log line, once. `closed` is the sequence number of
    /// `call.closed`, or `None` if that could not be written.
    pub fn closed(&self, outcome: &'static str, reason: Option<&'static str>, closed: Option<u64>) {
        let took = self.began.elapsed();
        let (kind, target) = (self.labels.kind, Arc::clone(&self.labels.target));
        tracing::info!(
            call.id = self.ids.call,
            call.opened = self.ids.opened,
            call.closed = closed,
            call.trace = self.ids.trace,
            call.kind = kind,
            call.target = &*target,
            call.outcome = outcome,
            call.reason = reason,
            call.ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "a call ended"
        );
        let inner = &self.meters.0;
        let seconds = inner.seconds.get_or_create(&self.labels);
        seconds.observe(took.as_secs_f64());
        drop(seconds);
        let labels = CallLabels {
            kind,
            target,
            outcome,
            reason: reason.unwrap_or("none"),
        };
        inner.calls.get_or_create(&labels).inc();
    }
}

impl Drop for CallWatch {
    fn drop(&mut self) {
        self.meters.0.running.get_or_create(&self.labels).dec();
    }
}

/// Makes a histogram from 1 ms to 33 s.
pub(super) fn call_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}
