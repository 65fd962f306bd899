//! Rounds: questions that leave with a sealed state, and come back with their answers.
//!
//! MCP's `requestState` passes through the client, so it is sealed (AES-256-GCM-SIV) and bound to
//! the actor, the client, the target, its code, the arguments and an expiry. Every host with
//! the key can go on with it, and no one else. Any round goes this way: what asks is not part of
//! it.
//!
//! Trusts no state that comes back. Invariant: [`Rounds::open`] returns a [`Round`] only for what
//! [`Rounds::seal`] sealed for the same [`Binding`], before it expires; and [`Rounds::spend`]
//! succeeds once for each round in this process. Across processes a state may be used once in each,
//! so nothing that may happen only once may depend on it alone.

mod marks;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::MacKey;
use serde_json::{Map, Value};

use crate::principal::Principal;
use crate::questions::{ClientQuestion, QuestionRule, Questionnaire};
use crate::seams::{Clock, Random};
pub use marks::{Marks, MarksInMemory, NotSpent, RoundMark};
use state::StateKey;

/// Seals and opens the rounds of a host.
pub struct Rounds {
    key: StateKey,
    marks: Arc<dyn Marks>,
    life: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The call to which a round belongs. It goes on only in a call of the same.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'b> {
    /// The issuer of the actor.
    pub issuer: &'b str,
    /// The subject of the actor, unique within the issuer.
    pub subject: &'b str,
    /// The tenant of the actor, if it has one.
    pub tenant: Option<&'b str>,
    /// Whether the actor is a service account.
    pub service: bool,
    /// The OAuth client of the agent.
    pub client: &'b str,
    /// The kind of target.
    pub kind: &'b str,
    /// The target's name.
    pub name: &'b str,
    /// The digest of the component's code.
    pub component: &'b str,
    /// The operator's rule about its questions: what it may no longer ask, no state asks again.
    pub rule: &'b QuestionRule,
    /// The arguments.
    pub arguments: &'b Value,
}

/// The part of a request that goes on with a round.
#[derive(Debug, Clone, Default)]
pub struct Resumption {
    /// `inputResponses`: the answers by key.
    pub responses: Map<String, Value>,
    /// `requestState`.
    pub state: Option<String>,
}

/// A round that was opened: questions of this host, with the answers of its client.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    id: [u8; ID],
    expires: u64,
    answers: BTreeMap<String, Value>,
    fresh: Vec<String>,
    open: BTreeMap<String, ClientQuestion>,
    state: Option<Vec<u8>>,
}

/// Questions that are sealed and may leave.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedRound {
    /// The identifier, for records: 32 hexadecimal digits.
    pub id: String,
    /// The state for the client.
    pub state: String,
}

/// The reason why a state is not accepted. Says no more than an honest client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotResumed {
    /// It was not sealed for this call, or not by a host with this key.
    #[error(
        "requestState was not issued for this call: expected the text from the last answer, \
         unchanged, with the same user, client, tool and arguments (or the tool has changed \
         since); call the tool again without it"
    )]
    NotIssued,
    /// Its time is over.
    #[error("requestState has expired; call the tool again without it")]
    Expired,
}

/// The reason why a round cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the round cannot be sealed")]
pub struct NotSealed;

impl Rounds {
    /// Makes rounds that live for `life`, with a key derived from the host's.
    pub fn new(
        key: &MacKey,
        life: Duration,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            key: StateKey::derive(key),
            marks: Arc::new(MarksInMemory::default()),
            life,
            clock,
            random,
        }
    }

    /// Keeps the marks of used rounds there.
    #[must_use]
    pub fn marking(self, marks: Arc<dyn Marks>) -> Self {
        Self { marks, ..self }
    }

    /// Returns the time in which a round can be answered.
    pub fn life(&self) -> Duration {
        self.life
    }

    /// Seals a round of questions for the call that they belong to.
    ///
    /// # Errors
    /// Fails if the arguments have no canonical form, or the round is too large.
    pub fn seal(
        &self,
        binding: &Binding<'_>,
        asking: &Questionnaire,
    ) -> Result<SealedRound, NotSealed> {
        let mut id = [0; ID];
        self.random.fill(&mut id);
        let expires = self.clock.now().saturating_add(self.life.as_secs());
        let sealed = state::Plain {
            id,
            questions: &asking.questions,
            given: &asking.given,
            state: asking.state.as_deref().map(state::text),
        };
        let text = self
            .key
            .seal(binding, expires, &sealed, self.random.as_ref());
        Ok(SealedRound {
            id: crate::seams::hex(&id),
            state: text.ok_or(NotSealed)?,
        })
    }

    /// Opens a state that a client sent, with the answers beside it. Answers to questions that were
    /// not asked are left out; answers that do not fit their question leave it open.
    ///
    /// # Errors
    /// Fails unless it was sealed for this call and is still valid.
    pub fn open(
        &self,
        binding: &Binding<'_>,
        state: &str,
        responses: &Map<String, Value>,
    ) -> Result<Round, NotResumed> {
        let opened = self.key.open(binding, state).ok_or(NotResumed::NotIssued)?;
        if opened.expires <= self.clock.now() {
            return Err(NotResumed::Expired);
        }
        let mut round = Round {
            id: opened.id,
            expires: opened.expires,
            answers: opened.given,
            fresh: Vec::new(),
            open: BTreeMap::new(),
            state: opened.state,
        };
        for (key, question) in opened.questions {
            match responses.get(&key).and_then(|given| question.answer(given)) {
                Some(answer) => {
                    round.fresh.push(key.clone());
                    round.answers.insert(key, answer);
                }
                None => {
                    round.open.insert(key, question);
                }
            }
        }
        Ok(round)
    }

    /// Uses a round up. Takes place before anything is done with its answers.
    ///
    /// # Errors
    /// Fails if it was used before, has expired, or cannot be marked.
    pub async fn spend(&self, round: &Round, principal: Principal) -> Result<(), NotSpent> {
        let mark = RoundMark {
            id: round.id,
            principal,
            until: round.expires,
        };
        self.marks.spend(mark, self.clock.now()).await
    }

    /// Returns a keyed digest of questions or answers for records. A plain digest would let a
    /// reader of the journal find a short answer by trying.
    pub fn digest(&self, value: &Value) -> String {
        let canonical = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
        self.key.digest(&canonical)
    }

    /// Returns a new identifier, for questions that leave without a state.
    pub fn new_id(&self) -> String {
        crate::seams::random_hex::<ID>(self.random.as_ref())
    }
}

impl Round {
    /// Returns the identifier, for records: 32 hexadecimal digits.
    pub fn id(&self) -> String {
        crate::seams::hex(&self.id)
    }

    /// Returns the keys of the answers that came with this request.
    pub fn fresh(&self) -> &[String] {
        &self.fresh
    }

    /// Returns the answers that came with this request, for their digest.
    pub fn fresh_answers(&self) -> Map<String, Value> {
        let answer = |key: &String| Some((key.clone(), self.answers.get(key)?.clone()));
        self.fresh.iter().filter_map(answer).collect()
    }

    /// Returns all answers of the round, as a component gets them: key and JSON.
    pub fn answers(&self) -> Vec<(String, String)> {
        let text = |(key, answer): (&String, &Value)| (key.clone(), answer.to_string());
        self.answers.iter().map(text).collect()
    }

    /// Returns the component's own state.
    pub fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }

    /// Returns the questions that must be asked again, if some are open.
    pub fn again(&self) -> Option<Questionnaire> {
        (!self.open.is_empty()).then(|| Questionnaire {
            questions: self.open.clone(),
            given: self.answers.clone(),
            state: self.state.clone(),
        })
    }
}

/// The length of an identifier, in bytes.
const ID: usize = 16;

#[cfg(test)]
mod tests;
