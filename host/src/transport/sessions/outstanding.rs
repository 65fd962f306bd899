//! Requests to the client that are not answered yet.
//!
//! Invariant: an identifier is answered once, within the session in which it was asked, and only
//! while its call waits. Any other answer reaches no call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::call::Entry;
use crate::transport::body::Burden;

/// The requests of one session that are not answered yet, by identifier.
#[derive(Clone, Default)]
pub(super) struct Outstanding(Arc<Mutex<HashMap<String, AskedQuestion>>>);

struct AskedQuestion {
    key: String,
    call: mpsc::Sender<GivenAnswer>,
}

/// An answer of the client.
pub(in crate::transport) struct GivenAnswer {
    /// The key of its question.
    pub(in crate::transport) key: String,
    /// The answer, or `None` if the client says that it cannot answer.
    pub(in crate::transport) answer: Option<Value>,
    /// The caller who answered, admitted anew. The call goes on with this authority.
    pub(in crate::transport) entry: Entry,
    /// The memory of the answer.
    pub(in crate::transport) burden: Burden,
}

/// The questions of one waiting call. Those that are left are withdrawn when this is dropped.
pub(in crate::transport) struct OpenQuestions {
    ids: Vec<String>,
    answers: mpsc::Receiver<GivenAnswer>,
    outstanding: Outstanding,
}

impl Outstanding {
    /// Takes questions: identifier and key of each.
    pub(super) fn ask(&self, questions: Vec<(String, String)>) -> OpenQuestions {
        let (call, answers) = mpsc::channel(questions.len().max(1));
        let ids = questions.iter().map(|(id, _)| id.clone()).collect();
        let mut open = self.lock();
        for (id, key) in questions {
            let call = call.clone();
            open.insert(id, AskedQuestion { key, call });
        }
        drop(open);
        OpenQuestions {
            ids,
            answers,
            outstanding: self.clone(),
        }
    }

    /// Hands an answer to the call that waits for it, if one does.
    pub(super) fn give(&self, id: &Value, answer: Option<Value>, entry: Entry, burden: Burden) {
        let question = id.as_str().and_then(|id| self.lock().remove(id));
        let Some(AskedQuestion { key, call }) = question else {
            return;
        };
        let given = GivenAnswer {
            key,
            answer,
            entry,
            burden,
        };
        // There is room for one answer to each question.
        let _ = call.try_send(given);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, AskedQuestion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenQuestions {
    /// Waits for the next answer.
    pub(in crate::transport) async fn next(&mut self) -> Option<GivenAnswer> {
        self.answers.recv().await
    }

    /// Withdraws the questions that are not answered, and returns their identifiers.
    pub(in crate::transport) fn withdraw(&mut self) -> Vec<String> {
        let mut open = self.outstanding.lock();
        let ids = std::mem::take(&mut self.ids);
        ids.into_iter()
            .filter(|id| open.remove(id).is_some())
            .collect()
    }
}

impl Drop for OpenQuestions {
    fn drop(&mut self) {
        self.withdraw();
    }
}
