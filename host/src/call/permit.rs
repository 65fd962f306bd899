//! The second step: an [`Entry`] and what it asks for become a [`Permit`].

use std::sync::Arc;

use serde_json::Value;

use super::{CallClient, Entry, Host, Refusal, refusal};
use crate::cores;
use crate::denials::Stop;
use crate::dispatch::{self, Decided, Denied, Target, TargetRequest};
use crate::identity::Caller;
use crate::reason::RefusalReason;
use crate::rounds::Round;

/// A call that this caller may make. Only [`Entry::permit`] builds it, so it belongs to the entry
/// that it holds.
pub struct Permit {
    entry: Entry,
    decided: Decided,
    trace_id: Option<String>,
    round: Option<Round>,
}

impl Entry {
    /// Decides whether this caller may make this call.
    ///
    /// # Errors
    /// Fails with the recorded refusal.
    pub async fn permit(
        self,
        host: &Host,
        mut request: TargetRequest,
        client: &CallClient,
    ) -> Result<Permit, Refusal> {
        let trace_id = request.trace_id.take();
        let resumption = std::mem::take(&mut request.resumption);
        let decided = match self.decide(host, request, client).await {
            Ok(decided) => decided,
            Err(denied) => return Err(refusal::denied(host, self.caller(), denied).await),
        };
        let permit = Permit {
            entry: self,
            decided,
            trace_id,
            round: None,
        };
        // Opening a state is work, too, whether or not the state is good.
        let mut _turn = None;
        if resumption.state.is_some() {
            let turn = host.checks.turn(permit.entry.caller());
            match client.wait_for(turn).await {
                Ok(turn) => _turn = Some(turn),
                Err(none) => {
                    return Err(permit.refuse(host, none.reason(), none.message()).await);
                }
            }
        }
        match permit.resume(host, &resumption) {
            Ok(permit) => Ok(permit),
            Err(not) => Err(refusal::denied(host, not.entry.caller(), not.denied).await),
        }
    }

    async fn decide(
        &self,
        host: &Host,
        request: TargetRequest,
        client: &CallClient,
    ) -> Result<Decided, Denied> {
        let allowed = dispatch::allow(&self.policy().catalog, self.caller(), request)?;
        if let Some(stop) = stop(host, self.caller(), allowed.target()) {
            let denied = allowed.denied(stop.reason(), stop.message().to_owned());
            return Err(denied.because_of(stop.id()));
        }
        let lacking = client.lacking(&allowed.target().described().facets.requires);
        if !lacking.is_empty() {
            let message = "this client did not declare a capability that is needed".to_owned();
            let denied = allowed.denied(RefusalReason::CapabilityMissing, message);
            return Err(Denied { lacking, ..denied });
        }
        if !allowed.is_costly() {
            return allowed.check();
        }
        // A costly check waits for the other costly checks of the same caller, so that no one else
        // waits for this caller's.
        let turn = client.wait_for(host.checks.turn(self.caller())).await;
        let _turn = turn.map_err(|none| allowed.denied(none.reason(), none.message().into()))?;
        cores::leave().await;
        allowed.check()
    }
}

/// Returns the reason to stop a call of `caller` to `target`, if there is one now.
fn stop(host: &Host, caller: &Caller, target: &Target) -> Option<Stop> {
    let component = target.backing().component.digest.as_str();
    let asking = match target.tool() {
        Some(tool) => caller.asking().for_tool(&tool.definition.name, component),
        None => caller.asking().for_code(component),
    };
    host.denials.stop(&asking)
}

impl Permit {
    /// Returns the caller and the policy of the call.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Returns the target of the call.
    pub fn target(&self) -> &Target {
        self.decided.target()
    }

    /// Returns the arguments, valid against the target's input schema.
    pub fn arguments(&self) -> &Arc<Value> {
        self.decided.arguments()
    }

    /// Returns the round that the call goes on with, if any.
    pub fn round(&self) -> Option<&Round> {
        self.round.as_ref()
    }

    pub(super) fn with_round(self, round: Round) -> Self {
        Self {
            round: Some(round),
            ..self
        }
    }

    pub(super) fn into_entry(self) -> Entry {
        self.entry
    }

    /// Returns the W3C trace id that the client sent, for correlation.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// Refuses the call if the operator has denied it since it was permitted.
    pub(super) async fn refuse_if_stopped(&self, host: &Host) -> Result<(), Refusal> {
        let caller = self.entry.caller();
        let Some(stop) = stop(host, caller, self.target()) else {
            return Ok(());
        };
        let denied = Denied::of_granted(self.target(), stop.reason(), stop.message().to_owned());
        Err(refusal::denied(host, caller, denied.because_of(stop.id())).await)
    }

    /// Refuses the call after all.
    pub(super) async fn refuse(
        &self,
        host: &Host,
        reason: RefusalReason,
        message: &str,
    ) -> Refusal {
        let denied = Denied::of_granted(self.target(), reason, message.to_owned());
        refusal::denied(host, self.entry.caller(), denied).await
    }

    pub(super) fn entry_mut(&mut self) -> &mut Entry {
        &mut self.entry
    }
}
