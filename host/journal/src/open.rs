//! Calls that have been opened and not closed, as a reader of the journal finds them.
//!
//! Downstream calls have no name of their own: one is closed by a record of the same call, service,
//! method and template. The number that are open is the number opened minus the number closed.

use std::collections::BTreeMap;

use super::line::Frame;
use super::record::{CallOpened, DownstreamOpened, Event, Failure, Outcome, Record, Request};

/// Calls and downstream calls that are open.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    calls: BTreeMap<String, OpenCall>,
}

#[derive(Debug, Default)]
struct OpenCall {
    opened: Option<CallOpened>,
    downstream: Vec<DownstreamOpened>,
}

impl OpenCalls {
    /// Follows one more line.
    ///
    /// # Errors
    /// Fails if it opens or closes something without naming it.
    pub(super) fn follow(&mut self, frame: &Frame<'_>, line: &[u8]) -> serde_json::Result<()> {
        let events = [
            Event::CallOpened,
            Event::CallClosed,
            Event::DownstreamOpened,
            Event::DownstreamClosed,
        ];
        let event = events
            .into_iter()
            .find(|event| event.as_str() == frame.event);
        let (Some(event), Some(id)) = (event, &frame.call) else {
            return Ok(());
        };
        let call = self.calls.entry(id.clone()).or_default();
        match event {
            Event::CallOpened => call.opened = Some(serde_json::from_slice(line)?),
            Event::CallClosed => call.opened = None,
            Event::DownstreamOpened => call.downstream.push(serde_json::from_slice(line)?),
            _ => call.close_downstream(&serde_json::from_slice(line)?),
        }
        if call.is_closed() {
            self.calls.remove(id);
        }
        Ok(())
    }

    /// Returns the number of calls that have something open.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.calls.len()).unwrap_or(u64::MAX)
    }

    /// Returns the records that close everything: for each call, its downstream requests first.
    pub(super) fn closings(self, outcome: Outcome, failure: Failure) -> Vec<Record> {
        let opened = self.calls.into_values().flat_map(|call| {
            let downstream = call.downstream.into_iter().map(Record::from);
            downstream.chain(call.opened.map(Record::from))
        });
        opened
            .filter_map(|record| record.closing(outcome, failure))
            .collect()
    }
}

impl OpenCall {
    fn close_downstream(&mut self, closed: &Request) {
        let found = self
            .downstream
            .iter()
            .position(|open| open.request == *closed);
        if let Some(at) = found {
            self.downstream.remove(at);
        }
    }

    fn is_closed(&self) -> bool {
        self.opened.is_none() && self.downstream.is_empty()
    }
}
