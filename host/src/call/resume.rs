//! A call that goes on with a round: its state is opened before the call takes a place, and used up
//! once it has one.

use serde_json::Value;

use super::{Entry, Host, Permit, Refusal, ask};
use crate::audit::InputRound;
use crate::dispatch::Denied;
use crate::principal::Principal;
use crate::reason::RefusalReason;
use crate::rounds::{NotSpent, Resumption, Round};

impl Permit {
    /// Opens the round that the request goes on with. Answers without a state are to questions that
    /// no one asked, so they are left out.
    pub(super) fn resume(
        self,
        host: &Host,
        resumption: &Resumption,
    ) -> Result<Self, Box<NotResumable>> {
        let Some(state) = &resumption.state else {
            return Ok(self);
        };
        let opened = host
            .rounds
            .open(&ask::binding(&self), state, &resumption.responses);
        match opened {
            Ok(round) => Ok(self.with_round(round)),
            Err(why) => {
                let reason = RefusalReason::StateRefused;
                let denied = Denied::of_granted(self.target(), reason, why.to_string());
                Err(Box::new(NotResumable {
                    entry: self.into_entry(),
                    denied,
                }))
            }
        }
    }

    /// Uses up the round that the call goes on with.
    ///
    /// # Errors
    /// Fails with the recorded refusal if it was used before, or cannot be marked as used.
    pub(super) async fn spend(&self, host: &Host) -> Result<(), Refusal> {
        let Some(round) = self.round() else {
            return Ok(());
        };
        let principal = Principal::from(&**self.entry().caller());
        match host.rounds.spend(round, principal).await {
            Ok(()) => Ok(()),
            Err(why) => {
                let reason = match why {
                    NotSpent::Used | NotSpent::Expired => RefusalReason::StateRefused,
                    NotSpent::Full => RefusalReason::Overloaded,
                };
                Err(self.refuse(host, reason, &why.to_string()).await)
            }
        }
    }
}

/// A request whose state is not accepted.
pub(super) struct NotResumable {
    pub(super) entry: Entry,
    pub(super) denied: Denied,
}

/// Returns the record of the answers that came with a request, if there are some.
pub(super) fn answered(host: &Host, round: &Round) -> Option<InputRound> {
    (!round.fresh().is_empty()).then(|| InputRound {
        round: round.id().into(),
        keys: round.fresh().iter().collect(),
        digest: host
            .rounds
            .digest(&Value::Object(round.fresh_answers()))
            .into(),
    })
}
