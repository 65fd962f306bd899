//! The messages of a session that are being answered.
//!
//! Invariant: no two requests have one id, and nothing goes on after [`LinesUnderWay::end`],
//! whatever it has said until then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::transport::answer::{HttpAnswer, later, plain};

/// The messages under way.
#[derive(Default)]
pub(super) struct LinesUnderWay {
    open: OpenRequests,
    tasks: TaskTracker,
    ended: CancellationToken,
}

/// The requests that are not answered yet, by id, with what cancels each.
type OpenRequests = Arc<Mutex<HashMap<String, CancellationToken>>>;

/// The place of one message among those under way. Its id is free again when this is dropped.
pub(super) struct OpenRequest {
    key: String,
    cancelled: CancellationToken,
    open: OpenRequests,
}

impl LinesUnderWay {
    /// Takes a place for a message.
    ///
    /// # Errors
    /// Fails with an answer if there is none, or a request with its id is under way.
    pub(super) fn place(&self, id: &Value) -> Result<OpenRequest, HttpAnswer> {
        let key = id.to_string();
        let mut open = lock(&self.open);
        if open.len() >= MOST || self.tasks.len() >= MOST {
            return Err(later("there are too many requests under way; try again"));
        }
        if open.contains_key(&key) {
            let message = "a request with this id is under way";
            return Err(plain(StatusCode::BAD_REQUEST, message));
        }
        let cancelled = self.ended.child_token();
        // A notification has no id, so no client cancels it.
        if !id.is_null() {
            open.insert(key.clone(), cancelled.clone());
        }
        drop(open);
        Ok(OpenRequest {
            key,
            cancelled,
            open: Arc::clone(&self.open),
        })
    }

    /// Answers a message in a task of its own.
    pub(super) fn spawn(&self, answering: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(answering);
    }

    /// Cancels the request with this id, if it is under way.
    pub(super) fn cancel(&self, id: &Value) {
        let cancelled = lock(&self.open).remove(&id.to_string());
        cancelled.iter().for_each(CancellationToken::cancel);
    }

    /// Returns an id to answer with, null if a request under way has it: its client would take the
    /// answer for that request's.
    pub(super) fn unused(&self, id: &Value) -> Value {
        let is_used = lock(&self.open).contains_key(&id.to_string());
        if is_used { Value::Null } else { id.clone() }
    }

    /// Waits until all messages are answered, and ends those that take longer than `drain`, also
    /// notifications and requests whose last message is on its way to a client that does not read.
    pub(super) async fn end(self, drain: Duration) {
        self.tasks.close();
        if timeout(drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
        self.ended.cancel();
        self.tasks.wait().await;
    }
}

impl OpenRequest {
    /// Returns what fires when the message need not be answered any more.
    pub(super) fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        // A cancelled one has lost its place already, and its id may be another request's by now.
        if !self.cancelled.is_cancelled() {
            lock(&self.open).remove(&self.key);
        }
    }
}

fn lock(open: &OpenRequests) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most requests under way. The limits of the host are below it.
const MOST: usize = 256;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::future::pending;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn nothing_goes_on_after_the_end_whatever_it_has_said() {
        for (id, has_said_its_last) in [
            (json!(1), false),
            (json!(1), true),
            (Value::Null, false),
            (Value::Null, true),
        ] {
            let under_way = LinesUnderWay::default();
            let place = under_way.place(&id).unwrap();
            let cancelled = place.cancelled();
            let place = (!has_said_its_last).then_some(place);
            under_way.spawn(async move {
                let _place = place;
                tokio::select! {
                    () = cancelled.cancelled() => {}
                    () = pending() => {}
                }
            });
            let end = timeout(Duration::from_mins(1), under_way.end(Duration::ZERO));
            assert!(end.await.is_ok(), "{id} {has_said_its_last}");
        }
    }

    #[tokio::test]
    async fn a_request_is_cancelled_by_its_id_while_it_is_under_way() {
        let under_way = LinesUnderWay::default();
        let first = under_way.place(&json!("1")).unwrap();
        let (other, note) = (under_way.place(&json!(1)), under_way.place(&Value::Null));
        assert!(under_way.place(&json!("1")).is_err());
        assert_eq!(under_way.unused(&json!("1")), Value::Null);
        under_way.cancel(&json!("1"));
        assert!(first.cancelled().is_cancelled());
        for place in [&other.unwrap(), &note.unwrap()] {
            assert!(!place.cancelled().is_cancelled());
        }
        // The id is another request's by now.
        let second = under_way.place(&json!("1")).unwrap();
        drop(first);
        assert_eq!(under_way.unused(&json!("1")), Value::Null);
        drop(second);
        assert_eq!(under_way.unused(&json!("1")), json!("1"));
    }
}
