//! The desk beside the writer: a thread that signs and publishes checkpoints while batches go on.
//!
//! Invariant: states are published in the order in which they are handed over, and each one that
//! fails is owed until a later one succeeds. Publishing that takes longer than the deadline has
//! failed, as an append has: records that no checkpoint covers must not pile up.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::publish::{Publisher, Unpublished};

/// The writer's side of the desk.
pub(super) struct Desk {
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    under_way: Option<UnderWay>,
    deadline: Duration,
    /// True if the last state was not published.
    failed: bool,
}

struct Request {
    state: Unpublished,
    reply: SyncSender<io::Result<()>>,
}

struct UnderWay {
    reply: Receiver<io::Result<()>>,
    since: Instant,
    /// True once it has been reported as late.
    late: bool,
}

impl Desk {
    /// Starts the thread. It ends when the desk is dropped.
    pub(super) fn open(mut publisher: Publisher, deadline: Duration) -> io::Result<Self> {
        let (requests, received) = sync_channel::<Request>(1);
        let thread = std::thread::Builder::new().name("audit-sign".to_owned());
        let thread = thread.spawn(move || {
            for Request { state, reply } in received {
                // The writer may have ended.
                let _ = reply.send(publisher.publish(state));
            }
        })?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
            under_way: None,
            deadline,
            failed: false,
        })
    }

    /// Returns true if nothing is being published.
    pub(super) fn is_free(&self) -> bool {
        self.under_way.is_none()
    }

    /// Returns true if a state is being published, or was not.
    pub(super) fn owes(&self) -> bool {
        self.under_way.is_some() || self.failed
    }

    /// Begins to publish a state.
    pub(super) fn begin(&mut self, state: Unpublished) {
        let (reply, received) = sync_channel(1);
        let request = Request { state, reply };
        if let Some(requests) = &self.requests {
            // If the thread is gone, the reply says so.
            let _ = requests.send(request);
        }
        self.under_way = Some(UnderWay {
            reply: received,
            since: Instant::now(),
            late: false,
        });
    }

    /// Returns the result of publishing that has ended since the last call, or an error if it is
    /// late.
    pub(super) fn ended(&mut self) -> Option<io::Result<()>> {
        let under_way = self.under_way.as_mut()?;
        let ended = match under_way.reply.try_recv() {
            Ok(ended) => ended,
            Err(TryRecvError::Disconnected) => Err(gone()),
            Err(TryRecvError::Empty) => {
                let late = under_way.since.elapsed() > self.deadline && !under_way.late;
                under_way.late |= late;
                return late.then(|| Err(ErrorKind::TimedOut.into()));
            }
        };
        self.under_way = None;
        self.failed = ended.is_err();
        Some(ended)
    }

    /// Publishes a state and waits for it, and for the one before it.
    pub(super) fn publish(&mut self, state: Unpublished) -> io::Result<()> {
        // What failed before is tried again with this state.
        let _ = self.wait();
        self.begin(state);
        self.wait()
    }

    fn wait(&mut self) -> io::Result<()> {
        let Some(under_way) = self.under_way.take() else {
            return Ok(());
        };
        let ended = under_way.reply.recv().unwrap_or_else(|_| Err(gone()));
        self.failed = ended.is_err();
        ended
    }
}

impl Drop for Desk {
    /// Waits for the thread, which holds the locks of the journal's folder.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that its replies did not.
            let _ = thread.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that publishes checkpoints has ended")
}
