//! The way from the journal to the pages.
//!
//! Invariant: the journal's thread copies lines into a queue with bounds and waits for nothing. If
//! the queue is full, lines are missed, and the page says so: the journal has them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::book::{Book, NewsPiece};
use crate::audit::{Journal, News};

/// The queue from the journal's thread.
pub(super) struct Feed {
    pieces: Receiver<NewsPiece>,
    queued: Arc<Queued>,
}

#[derive(Default)]
struct Queued {
    bytes: AtomicUsize,
    missed: AtomicBool,
}

impl Feed {
    pub(super) fn of(journal: &Journal) -> Self {
        let (sender, pieces) = sync_channel(PLACES);
        let queued = Arc::new(Queued::default());
        let counts = Arc::clone(&queued);
        journal.follow(move |news| counts.take(&sender, news));
        Self { pieces, queued }
    }

    /// Moves what comes into the book, and counts the changes, until `stop` fires.
    pub(super) async fn into_book(
        self,
        book: Arc<Mutex<Book>>,
        changes: watch::Sender<u64>,
        stop: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(TICK);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let mut come = false;
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            for piece in self.pieces.try_iter() {
                if let NewsPiece::Lines(lines) = &piece {
                    self.queued.bytes.fetch_sub(lines.len(), Ordering::Relaxed);
                }
                book.add(piece);
                come = true;
            }
            if self.queued.missed.swap(false, Ordering::Relaxed) {
                book.miss();
            }
            drop(book);
            if come {
                changes.send_modify(|count| *count += 1);
            }
        }
    }
}

impl Queued {
    fn take(&self, sender: &SyncSender<NewsPiece>, news: News<'_>) {
        let (piece, bytes) = match news {
            News::Written(lines) => {
                if self.bytes.load(Ordering::Relaxed) + lines.len() > MOST_BYTES {
                    self.missed.store(true, Ordering::Relaxed);
                    return;
                }
                (NewsPiece::Lines(lines.to_vec()), lines.len())
            }
            News::Signed(size) => (NewsPiece::Signed(size), 0),
        };
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Never wakes anyone: the other side looks by itself.
        if sender.try_send(piece).is_err() {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.missed.store(true, Ordering::Relaxed);
        }
    }
}

/// The time between two looks.
const TICK: Duration = Duration::from_millis(250);
/// The most batches that wait for a look.
const PLACES: usize = 4096;
/// The most bytes that wait for a look.
const MOST_BYTES: usize = 4 << 20;
