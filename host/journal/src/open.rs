//! Calls that have been opened and not closed, as a reader or the writer of the journal follows
//! them.
//!
//! Downstream calls have no name of their own: one is closed by a record of the same call, service,
//! method and template. The number that are open is the number opened minus the number closed.
//!
//! What was opened is kept as its line, and read only if it is still open at the end: most calls
//! are closed soon.

use std::collections::HashMap;

use super::damage::Spot;
use super::line::Frame;
use super::record::{CallOpened, DownstreamOpened, Event, Failure, Outcome, Record, Request};
use super::text::Text;

/// Calls and downstream calls that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenCalls {
    calls: HashMap<Text, OpenCall>,
    /// The length of all lines.
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct OpenCall {
    opened: Option<Opened>,
    downstream: Vec<(Request, Opened)>,
}

/// The line of a record that opened something.
#[derive(Clone, Debug)]
struct Opened {
    line: Box<[u8]>,
    spot: Spot,
}

/// What a record opens or closes.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) call: Text,
    pub(super) what: What,
}

/// The kinds of turns.
#[derive(Clone, Debug)]
pub(super) enum What {
    CallOpened,
    CallClosed,
    DownstreamOpened(Request),
    DownstreamClosed(Request),
}

impl Turn {
    /// Returns what a record opens or closes, if anything.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (call, what) = match record {
            Record::CallOpened(opened) => (&opened.call, What::CallOpened),
            Record::CallClosed(closed) => (&closed.call, What::CallClosed),
            Record::DownstreamOpened(opened) => {
                (&opened.call, What::DownstreamOpened(opened.request.clone()))
            }
            Record::DownstreamClosed(closed) => {
                (&closed.call, What::DownstreamClosed(closed.request.clone()))
            }
            _ => return None,
        };
        Some(Self {
            call: call.call.clone(),
            what,
        })
    }

    /// Returns what a line opens or closes, if anything.
    ///
    /// # Errors
    /// Fails if it opens or closes a downstream call without naming the request.
    fn read(frame: &Frame<'_>, line: &[u8]) -> serde_json::Result<Option<Self>> {
        let is = |event: Event| frame.event == event.as_str();
        let what = if is(Event::CallOpened) {
            What::CallOpened
        } else if is(Event::CallClosed) {
            What::CallClosed
        } else if is(Event::DownstreamOpened) {
            What::DownstreamOpened(serde_json::from_slice(line)?)
        } else if is(Event::DownstreamClosed) {
            What::DownstreamClosed(serde_json::from_slice(line)?)
        } else {
            return Ok(None);
        };
        let call = frame.call.as_deref().map(Text::from);
        Ok(call.map(|call| Self { call, what }))
    }
}

impl OpenCalls {
    /// Follows one more line that was read.
    ///
    /// # Errors
    /// Fails if it opens or closes a downstream call without naming the request.
    pub(super) fn read(
        &mut self,
        frame: &Frame<'_>,
        line: &[u8],
        spot: Spot,
    ) -> serde_json::Result<()> {
        if let Some(turn) = Turn::read(frame, line)? {
            self.follow(turn, line, spot);
        }
        Ok(())
    }

    /// Follows what a line opens or closes.
    pub(super) fn follow(&mut self, turn: Turn, line: &[u8], spot: Spot) {
        let Turn { call, what } = turn;
        let opened = || Opened {
            line: line.into(),
            spot,
        };
        match what {
            What::CallOpened => {
                self.bytes += line.len();
                let open = self.calls.entry(call).or_default();
                self.bytes -= open.opened.replace(opened()).map_or(0, Opened::length);
            }
            What::DownstreamOpened(request) => {
                self.bytes += line.len();
                let open = self.calls.entry(call).or_default();
                open.downstream.push((request, opened()));
            }
            What::CallClosed => self.close(&call, |call| call.opened.take()),
            What::DownstreamClosed(request) => self.close(&call, |call| {
                let found = call
                    .downstream
                    .iter()
                    .position(|(open, _)| *open == request);
                found.map(|at| call.downstream.remove(at).1)
            }),
        }
    }

    fn close(&mut self, call: &Text, take: impl FnOnce(&mut OpenCall) -> Option<Opened>) {
        let Some(open) = self.calls.get_mut(call) else {
            return;
        };
        self.bytes -= take(open).map_or(0, Opened::length);
        if open.opened.is_none() && open.downstream.is_empty() {
            self.calls.remove(call);
        }
    }

    /// Returns the number of calls that have something open.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.calls.len()).unwrap_or(u64::MAX)
    }

    /// Returns the length of the lines that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the lines that opened what is open: for each call, its downstream requests first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.opened().map(|opened| &*opened.line)
    }

    /// Returns the records that close everything: for each call, its downstream requests first.
    ///
    /// # Errors
    /// Fails at a line that opened something and is not such a record.
    pub(super) fn closings(
        &self,
        outcome: Outcome,
        failure: Failure,
    ) -> Result<Vec<Record>, (Spot, serde_json::Error)> {
        let records = self.opened().map(|opened| {
            let record = opened.record().map_err(|error| (opened.spot, error))?;
            Ok(record.closing(outcome, failure))
        });
        records.filter_map(Result::transpose).collect()
    }

    fn opened(&self) -> impl Iterator<Item = &Opened> {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_unstable_by_key(|(call, _)| *call);
        calls.into_iter().flat_map(|(_, call)| {
            let downstream = call.downstream.iter().map(|(_, opened)| opened);
            downstream.chain(&call.opened)
        })
    }
}

impl Opened {
    fn length(self) -> usize {
        self.line.len()
    }

    fn record(&self) -> serde_json::Result<Record> {
        let frame: Frame<'_> = serde_json::from_slice(&self.line)?;
        if frame.event == Event::CallOpened.as_str() {
            Ok(serde_json::from_slice::<CallOpened>(&self.line)?.into())
        } else {
            Ok(serde_json::from_slice::<DownstreamOpened>(&self.line)?.into())
        }
    }
}
