//! The client of a call, for as long as the call lasts: what it wants to see, and the way to it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{EVENTS, Event};
use crate::call::{self, CallClient, CallReply, Entry, Host, Refusal, Reports};
use crate::dispatch::TargetRequest;
use crate::questions::AskBy;
use crate::sandbox::{ClientView, Report, Wishes};

/// The client of a call.
pub(super) struct Recipient {
    /// The reports that it wants.
    pub(super) wishes: Wishes,
    pub(super) events: mpsc::Sender<Event>,
    /// Fires when it goes away or cancels the call.
    pub(super) gone: CancellationToken,
    pub(super) ask_by: AskBy,
    /// What the component may know of it.
    pub(super) view: Arc<ClientView>,
    /// The progress that it knows of. A tool that runs again begins anew, and MCP's progress must
    /// increase.
    pub(super) furthest: Mutex<f64>,
}

impl Recipient {
    /// Makes the call, and hands its reports on as events until it is over.
    pub(super) async fn deliver(
        &self,
        host: &Host,
        entry: Entry,
        request: TargetRequest,
    ) -> Result<CallReply, Refusal> {
        let wants = self.wishes != Wishes::default();
        let ways = wants.then(|| Reports::new(self.wishes, EVENTS));
        let (reports, way) = ways.unzip();
        let client = CallClient {
            cancelled: self.gone.clone(),
            stopping: host.stop.clone(),
            reports,
            ask_by: self.ask_by.clone(),
            view: Arc::clone(&self.view),
        };
        let watched = async {
            let Some(mut reports) = way else { return };
            while let Some(report) = reports.recv().await {
                if self.is_behind(&report) {
                    continue;
                }
                if !self.say(Event::Report(report)).await {
                    return;
                }
            }
        };
        let (ended, ()) = tokio::join!(call::make(host, entry, request, client), watched);
        ended
    }

    /// Returns true for progress that is no further than what the client knows of.
    fn is_behind(&self, report: &Report) -> bool {
        let Report::Progress { done, .. } = report else {
            return false;
        };
        let mut furthest = self.furthest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_behind = *done <= *furthest;
        *furthest = furthest.max(*done);
        is_behind
    }

    /// Hands an event to the client. Returns false if it has gone.
    pub(super) async fn say(&self, event: Event) -> bool {
        self.events.send(event).await.is_ok()
    }
}
