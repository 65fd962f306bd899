//! Telling the client of an earlier revision that what it may see has changed, on the lines of its
//! session as on the stream of one over HTTP.
//!
//! Invariant: a listener ends with its token, and the next one begins only for a token that is
//! accepted then. What the client was told last is kept between them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::wire::LineSender;
use crate::call::{Listener, SeenLists};
use crate::transport::front;
use crate::transport::sessions::ClientSession;

/// The listener of a session, if there is one.
#[derive(Default)]
pub(super) struct Teller {
    task: Option<JoinHandle<SeenLists>>,
    /// What the client could see when it was told last.
    seen: Option<SeenLists>,
    /// The time of the last attempt to listen. `None` before the client is ready.
    tried: Option<Instant>,
}

impl Teller {
    /// Notes that the client is told from now on, and returns true if it was not before.
    pub(super) fn begin(&mut self) -> bool {
        let is_first = self.tried.is_none();
        self.tried.get_or_insert_with(Instant::now);
        is_first
    }

    /// Returns true if the client should be told and is not, and this is worth another attempt.
    pub(super) fn is_due(&self) -> bool {
        let waits = self
            .tried
            .is_some_and(|tried| tried.elapsed() >= LEAST_TIME);
        waits && self.task.is_none()
    }

    /// Waits until the listener ends and another one can follow at once.
    pub(super) async fn ended(&mut self) {
        if let Some(task) = &mut self.task {
            let seen = task.await;
            self.task = None;
            self.seen = seen.ok().or(self.seen.take());
            if self.is_due() {
                return;
            }
        }
        pending::<()>().await;
    }

    /// Notes an attempt to listen.
    pub(super) fn tries(&mut self) {
        self.tried = Some(Instant::now());
    }

    /// Tells the client of what `listener` hears, and of what changed since it was told last.
    pub(super) fn tell(
        &mut self,
        session: Arc<ClientSession>,
        listener: Listener,
        lines: LineSender,
    ) {
        let mut listener = match self.seen.take() {
            Some(seen) => listener.since(seen),
            None => listener,
        };
        self.task = Some(tokio::spawn(async move {
            front::tell(&session, &mut listener, &lines).await;
            listener.into_seen()
        }));
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.task.iter().for_each(JoinHandle::abort);
    }
}

/// The least time between two attempts to listen, so that one that ends at once costs nothing.
const LEAST_TIME: Duration = Duration::from_mins(1);
