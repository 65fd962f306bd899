//! A call that asks its client within a session: each round of questions leaves on the stream of
//! the call, and with the answers the call goes on.
//!
//! This is the client's part of the sealed rounds (`rounds`), played here for a client whose
//! revision has none: the state stays in the host, and the tool runs again with the answers. While
//! the call waits, it holds no instance, no place among those that run, and no token: it goes on
//! with the authority of the caller who answers.
//!
//! Invariant: only the state that this host sealed for this call goes with the answers, so whoever
//! answers, the call goes on for the principal and the client who made it, or not at all.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Event;
use super::recipient::Recipient;
use crate::call::{self, CallReply, Entry, Host, Refusal, Unanswered};
use crate::dispatch::TargetRequest;
use crate::identity::Caller;
use crate::reason::EndReason;
use crate::rounds::Resumption;
use crate::sandbox::{Answer, CallFailure, Fault};
use crate::transport::body::{Burden, MAX_WAITING};
use crate::transport::sessions::{ClientSession, OpenQuestions};

/// One call and its client, who can be asked.
pub(super) struct Conversation<'c> {
    pub(super) host: &'c Arc<Host>,
    pub(super) session: &'c Arc<ClientSession>,
    pub(super) recipient: &'c Recipient,
}

/// The answers to one round.
struct RoundAnswers {
    responses: Map<String, Value>,
    entry: Entry,
    /// Held until the call has gone on with them.
    burdens: Vec<Burden>,
}

/// The reason why a round is not answered.
enum NoAnswers {
    Refused(Refusal),
    Unanswered(EndReason, &'static str),
}

impl Conversation<'_> {
    /// Makes the call, and makes it again with the answers whenever it asks.
    pub(super) async fn hold(
        &self,
        mut entry: Entry,
        mut request: TargetRequest,
    ) -> Result<CallReply, Refusal> {
        let mut burdens = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let caller = Arc::clone(entry.caller());
            let made = self.recipient.deliver(self.host, entry, request.clone());
            let (requests, state) = match made.await? {
                CallReply::Asks { requests, state } => (requests, state),
                reply => return Ok(reply),
            };
            let answered = match self.ask(&caller, &requests).await {
                Ok(answered) => answered,
                Err(NoAnswers::Refused(refusal)) => return Err(refusal),
                Err(NoAnswers::Unanswered(reason, why)) => return Ok(unanswered(reason, why)),
            };
            request.resumption = Resumption {
                responses: answered.responses,
                state: Some(state),
            };
            (entry, burdens) = (answered.entry, answered.burdens);
        }
        drop(burdens);
        let why = "the tool asked too many times without an end";
        Ok(unanswered(EndReason::InputUnsupported, why))
    }

    /// Asks the client one round of questions, and waits for all answers.
    async fn ask(
        &self,
        caller: &Arc<Caller>,
        requests: &Map<String, Value>,
    ) -> Result<RoundAnswers, NoAnswers> {
        let waiting = call::wait(self.host, caller).await;
        let waiting = waiting.map_err(NoAnswers::Refused)?;
        let asked = self.questions(requests);
        let ids = asked.iter().map(|(id, key, _)| (id.clone(), key.clone()));
        let mut asking = self.session.ask(ids.collect());
        let answers = async {
            for (_, _, message) in asked {
                let message = message.to_string().into_bytes();
                if !self.recipient.say(Event::Said(message)).await {
                    return Err(GONE);
                }
            }
            collect(&mut asking, requests).await
        };
        let over = async {
            tokio::select! {
                () = self.recipient.gone.cancelled() => {}
                () = self.session.ended().cancelled() => {}
            }
        };
        let ended = waiting.until(over, answers).await;
        let ends = match ended {
            Ok(Ok(answered)) => return Ok(answered),
            Ok(Err(ends)) => ends,
            Err(Unanswered::Refused(refusal)) => NoAnswers::Refused(refusal),
            Err(Unanswered::Late) => {
                let why = "the question was not answered in time (limits.answer_time)";
                NoAnswers::Unanswered(EndReason::TimedOut, why)
            }
            Err(Unanswered::Over) => GONE,
        };
        self.withdraw(&mut asking).await;
        Err(ends)
    }

    /// Returns the questions: identifier, key and request of each. A round without any asks the
    /// client whether it is there, because someone has to go on with it.
    fn questions(&self, requests: &Map<String, Value>) -> Vec<(String, String, Value)> {
        let ping = (String::new(), json!({"method": "ping"}));
        let ping = requests.is_empty().then_some(ping);
        let all = requests.iter().map(|(key, one)| (key.clone(), one.clone()));
        let with_id = |(key, mut request): (String, Value)| {
            let id = self.host.rounds.new_id();
            if let Value::Object(members) = &mut request {
                members.insert("jsonrpc".to_owned(), "2.0".into());
                members.insert("id".to_owned(), id.clone().into());
                self.name_page(members);
            }
            (id, key, request)
        };
        all.chain(ping).map(with_id).collect()
    }

    /// Names the page that a request asks for: 2025-11-25 lets a server say later that it is done.
    fn name_page(&self, request: &mut Map<String, Value>) {
        let Some(params) = request.get_mut("params") else {
            return;
        };
        if let Value::Object(params) = params
            && params.get("mode") == Some(&json!("url"))
        {
            let id = self.host.rounds.new_id();
            params.insert("elicitationId".to_owned(), id.into());
        }
    }

    /// Tells the client which questions need no answer any more.
    async fn withdraw(&self, asking: &mut OpenQuestions) {
        for id in asking.withdraw() {
            let cancelled = json!({
                "jsonrpc": "2.0",
                "method": "notifications/cancelled",
                "params": {"requestId": id},
            });
            let message = cancelled.to_string().into_bytes();
            if !self.recipient.say(Event::Said(message)).await {
                return;
            }
        }
    }
}

/// Waits for the answers to all requests. The last of them has the authority to go on.
async fn collect(
    asking: &mut OpenQuestions,
    requests: &Map<String, Value>,
) -> Result<RoundAnswers, NoAnswers> {
    let mut responses = Map::new();
    let mut burdens = Vec::new();
    loop {
        let Some(given) = asking.next().await else {
            return Err(GONE);
        };
        let Some(answer) = given.answer else {
            let why = "the client cannot answer the tool's question";
            return Err(NoAnswers::Unanswered(EndReason::InputUnsupported, why));
        };
        burdens.push(given.burden);
        responses.insert(given.key, answer);
        if responses.len() >= requests.len() {
            return Ok(RoundAnswers {
                responses,
                entry: given.entry,
                burdens,
            });
        }
        // Answers that wait for the others are kept, however long the last one takes.
        let bytes = burdens.iter().map(|burden| burden.bytes).sum::<usize>();
        if bytes > MAX_WAITING {
            let why = "the client's answers are too large to wait for the others";
            return Err(NoAnswers::Unanswered(EndReason::InputUnsupported, why));
        }
    }
}

fn unanswered(reason: EndReason, why: &str) -> CallReply {
    CallReply::Answer(Answer::Failure(CallFailure {
        reason: reason.as_str(),
        fault: Fault::Other,
        message: why.to_owned(),
    }))
}

const GONE: NoAnswers = NoAnswers::Unanswered(EndReason::Cancelled, "the call was cancelled");
/// The most rounds of one request.
const MAX_ROUNDS: usize = 32;
