//! What has been opened and not closed, as a reader of the journal finds it.
//!
//! Downstream calls have no name of their own: one is closed by a record of the same call,
//! service, method and template, and so many are open as were opened more often than closed.

use std::collections::BTreeMap;

use super::record::{Event, Outcome, Record};
use super::seen::Seen;

/// Calls and downstream calls that are open.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    calls: BTreeMap<String, OpenCall>,
}

#[derive(Debug, Default)]
struct OpenCall {
    opened: Option<Record>,
    downstream: Vec<Record>,
}

impl OpenCalls {
    /// Follows one more line.
    pub(super) fn follow(&mut self, seen: Seen) {
        let event = [
            Event::CallOpened,
            Event::CallClosed,
            Event::DownstreamOpened,
            Event::DownstreamClosed,
        ]
        .into_iter()
        .find(|event| event.as_str() == seen.event);
        let (Some(event), Some(id)) = (event, seen.call.clone()) else {
            return;
        };
        let record = seen.into_record(event);
        let call = self.calls.entry(id.clone()).or_default();
        match event {
            Event::CallOpened => call.opened = Some(record),
            Event::CallClosed => call.opened = None,
            Event::DownstreamOpened => call.downstream.push(record),
            _ => call.close_downstream(&record),
        }
        if call.is_closed() {
            self.calls.remove(&id);
        }
    }

    /// How many calls have something open.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.calls.len()).unwrap_or(u64::MAX)
    }

    /// The records that close everything: of a call, what it opened downstream first.
    pub(super) fn closings(self, outcome: Outcome, reason: &str) -> Vec<Record> {
        let opened = self
            .calls
            .into_values()
            .flat_map(|call| call.downstream.into_iter().chain(call.opened));
        opened
            .filter_map(|record| record.closing(outcome, reason))
            .collect()
    }
}

impl OpenCall {
    fn close_downstream(&mut self, closed: &Record) {
        let target = |record: &Record| {
            record.downstream.as_ref().map(|to| {
                (
                    to.service.clone(),
                    to.method.clone(),
                    to.path_template.clone(),
                )
            })
        };
        let closed = target(closed);
        if let Some(at) = self
            .downstream
            .iter()
            .position(|open| target(open) == closed)
        {
            self.downstream.remove(at);
        }
    }

    fn is_closed(&self) -> bool {
        self.opened.is_none() && self.downstream.is_empty()
    }
}
