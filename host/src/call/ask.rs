//! Questions on their way to the client: what a tool asks becomes an answer that asks.
//!
//! Invariant: no question leaves that the client did not declare, and none leaves before its
//! `input.asked` is durable.

use std::collections::BTreeMap;

use bailiwick_envelope::ActorKind;
use serde_json::{Map, Value};

use super::{CallClient, Host, OpenCall, Permit};
use crate::audit::{InputRound, Settled};
use crate::downstream::DownstreamTally;
use crate::questions::{AskBy, ClientQuestion, Declared, Questionnaire, required};
use crate::rounds::Binding;
use crate::sandbox::{Answer, Ending};

/// The end of a call, for its client.
#[derive(Debug, Clone, PartialEq)]
pub enum CallReply {
    /// The answer.
    Answer(Answer),
    /// Questions: the client calls again with their answers and the state (2026-07-28), or within
    /// a session the host does so for it.
    Asks {
        /// The requests by key.
        requests: Map<String, Value>,
        /// The sealed state.
        state: String,
    },
    /// Pages that the user opens before the client calls again (2025-11-25).
    Pages(Vec<Value>),
    /// Nothing that the client could be asked: it lacks these capabilities.
    Lacks(Value),
}

/// Questions that are ready to leave, and their record.
pub(super) struct Outgoing {
    reply: CallReply,
    record: Option<InputRound>,
}

impl Outgoing {
    /// Returns the record that must be durable before the questions leave.
    pub(super) fn record(&self) -> Option<&InputRound> {
        self.record.as_ref()
    }

    /// Returns the questions. Takes [`Settled`], because they leave the host.
    pub(super) fn release(self, _: Settled<'_>) -> CallReply {
        self.reply
    }
}

impl OpenCall {
    /// Takes the questions with which a call ended, and makes them ready for its client.
    pub(super) fn ask(
        &self,
        host: &Host,
        client: &CallClient,
        mut ending: Ending,
        reached: DownstreamTally,
    ) -> (Ending, Option<Outgoing>) {
        let Some(asked) = ending.take_questions() else {
            return (ending, None);
        };
        let resumed = self.sealed().permit().round();
        // A tool that gave a state once may have changed something before it.
        let changed = reached.changing > 0 || resumed.is_some_and(|round| round.state().is_some());
        if asked.state.is_none() && changed {
            return (Ending::not_asked(NEEDS_STATE), None);
        }
        // -32042 and -32021 let a client call again without a state, as if nothing had been done.
        let may_start_anew = asked.state.is_none() && resumed.is_none();
        match &client.ask_by.of(asked.questions.values()) {
            AskBy::Error if may_start_anew => match pages(host, &asked) {
                Some(outgoing) => (Ending::asked(), Some(outgoing)),
                None => (ending, None),
            },
            AskBy::Nothing | AskBy::Error | AskBy::Requests { .. } => (ending, None),
            AskBy::Rounds(declared) => self.round(host, (declared, may_start_anew), *asked, ending),
        }
    }

    /// Seals a round of the questions that the client declared. The others are left out. If none is
    /// left, the client learns what it lacks, but only if the tool may start anew.
    fn round(
        &self,
        host: &Host,
        (declared, may_start_anew): (&Declared, bool),
        mut asked: Questionnaire,
        ending: Ending,
    ) -> (Ending, Option<Outgoing>) {
        let all = std::mem::take(&mut asked.questions);
        let (covered, lacking): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(_, question)| declared.covers(question));
        if covered.is_empty() && !lacking.is_empty() {
            if !may_start_anew {
                return (ending, None);
            }
            let outgoing = Outgoing {
                reply: CallReply::Lacks(required(lacking.values())),
                record: None,
            };
            return (ending, Some(outgoing));
        }
        asked.questions = covered;
        let Ok(sealed) = host.rounds.seal(&binding(self.sealed().permit()), &asked) else {
            return (Ending::not_asked(TOO_LARGE), None);
        };
        let requests = requests(&asked.questions);
        let record = record(host, sealed.id, &requests);
        let reply = CallReply::Asks {
            requests,
            state: sealed.state,
        };
        let record = Some(record);
        (Ending::asked(), Some(Outgoing { reply, record }))
    }
}

/// Returns the pages of questions that are all pages.
fn pages(host: &Host, asked: &Questionnaire) -> Option<Outgoing> {
    let page = |question: &ClientQuestion| question.elicitation(&host.rounds.new_id());
    let pages: Vec<_> = asked.questions.values().map(page).collect::<Option<_>>()?;
    if pages.is_empty() {
        return None;
    }
    let requests = requests(&asked.questions);
    Some(Outgoing {
        reply: CallReply::Pages(pages),
        record: Some(record(host, host.rounds.new_id(), &requests)),
    })
}

fn requests(questions: &BTreeMap<String, ClientQuestion>) -> Map<String, Value> {
    let request = |(key, question): (&String, &ClientQuestion)| (key.clone(), question.request());
    questions.iter().map(request).collect()
}

fn record(host: &Host, id: String, requests: &Map<String, Value>) -> InputRound {
    InputRound {
        round: id.into(),
        keys: requests.keys().collect(),
        digest: host.rounds.digest(&Value::Object(requests.clone())).into(),
    }
}

/// Returns the values that bind a round to a permitted call.
pub(super) fn binding(permit: &Permit) -> Binding<'_> {
    let caller = permit.entry().caller();
    let (actor, target) = (caller.actor(), permit.target());
    Binding {
        issuer: &actor.iss,
        subject: &actor.sub,
        tenant: actor.tenant.as_deref(),
        service: actor.kind == ActorKind::Service,
        client: &caller.agent().client_id,
        kind: target.kind().as_str(),
        name: target.name(),
        component: &target.backing().component.digest,
        rule: target.questions(),
        arguments: permit.arguments(),
    }
}

/// The reasons for an author.
const TOO_LARGE: &str = "the questions, the state and the client's answers so far are too large \
                         together";
const NEEDS_STATE: &str = "it comes after a request to a service that may have changed something, \
                           and the tool runs again from the start with the answers; give a state \
                           with the question, and go on from it";
