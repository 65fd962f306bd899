//! The `identity` import: the envelope of the call, one question at a time. It is signed when the
//! guest asks for all of it as JSON.
//!
//! Invariant: answers come from the call's envelope alone, and each instance has one envelope,
//! fixed before the instance is made. In `describe` there is no envelope, so every function traps.

use bailiwick_envelope::{ActorKind, Claims, DelegationMode, PriorActor};
use wasmtime::Result;

use super::bindings::bailiwick::tool::identity as wit;
use super::state::CallState;

impl CallState {
    fn claims(&self) -> Result<&Claims> {
        Ok(self.scope("identity")?.envelope.claims())
    }
}

impl wit::Host for CallState {
    fn actor(&mut self) -> Result<wit::Principal> {
        let actor = &self.claims()?.actor;
        Ok(wit::Principal {
            kind: match actor.kind {
                ActorKind::User => wit::ActorKind::User,
                ActorKind::Service => wit::ActorKind::Service,
            },
            sub: actor.sub.clone(),
            iss: actor.iss.clone(),
            tenant: actor.tenant.clone(),
        })
    }

    fn authentication(&mut self) -> Result<wit::Login> {
        let actor = &self.claims()?.actor;
        Ok(wit::Login {
            acr: actor.acr.clone(),
            auth_time: actor.auth_time,
        })
    }

    fn agent(&mut self) -> Result<wit::Executor> {
        let agent = &self.claims()?.agent;
        let prior = |actor: &PriorActor| wit::PriorActor {
            sub: actor.sub.clone(),
            iss: actor.iss.clone(),
        };
        Ok(wit::Executor {
            kind: agent.kind.clone(),
            id: agent.id.clone(),
            client_id: agent.client_id.clone(),
            prior_actors: agent.prior.iter().map(prior).collect(),
        })
    }

    fn session(&mut self) -> Result<wit::Correlation> {
        let session = &self.claims()?.session;
        Ok(wit::Correlation {
            id: session.id.clone(),
            source: session.source.clone(),
            trace_id: session.trace_id.clone(),
        })
    }

    fn scopes(&mut self) -> Result<Vec<String>> {
        Ok(self.claims()?.authorization.scopes.clone())
    }

    fn services(&mut self) -> Result<Vec<wit::Service>> {
        let modes = self.claims()?.delegation.modes();
        let service = |(name, mode): (&String, &DelegationMode)| wit::Service {
            name: name.clone(),
            mode: match mode {
                DelegationMode::ServiceIdentity => wit::DelegationMode::ServiceIdentity,
                DelegationMode::OnBehalfOf => wit::DelegationMode::OnBehalfOf,
                DelegationMode::RestrictedUser => wit::DelegationMode::RestrictedUser,
            },
        };
        Ok(modes.iter().map(service).collect())
    }

    fn call(&mut self) -> Result<wit::Binding> {
        let call = &self.claims()?.call;
        Ok(wit::Binding {
            id: call.id.clone(),
            kind: call.kind.as_str().to_owned(),
            name: call.name.clone(),
            component: call.component.clone(),
            arguments: call.arguments.clone(),
        })
    }

    fn json(&mut self) -> Result<String> {
        Ok(self.scope("identity")?.envelope.signed().json().to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "tests")]
    use std::sync::Arc;

    use futures_util::future::BoxFuture;

    use super::super::state::{CallScope, Purpose};
    use super::super::testing::{envelope_of_test, state_of_test};
    use super::wit::Host as _;
    use super::*;
    use crate::downstream::{DownstreamError, Request, Response, Services};

    struct NoServices;

    impl Services for NoServices {
        fn send(
            &self,
            _: Request,
        ) -> BoxFuture<'_, std::result::Result<Response, DownstreamError>> {
            Box::pin(async { Err(DownstreamError::UnknownService) })
        }
    }

    #[test]
    fn only_a_guest_that_asks_for_all_of_the_envelope_has_it_signed() -> Result<()> {
        let envelope = envelope_of_test();
        let scope = CallScope {
            envelope: Arc::clone(&envelope),
            services: Arc::new(NoServices),
            most_requests: 0,
            settings: "{}".into(),
            client: Arc::default(),
            reports: None,
        };
        let Some(mut state) = state_of_test(Purpose::Call(Box::new(scope))) else {
            panic!("no state");
        };
        state.actor()?;
        state.authentication()?;
        state.agent()?;
        state.session()?;
        state.scopes()?;
        state.services()?;
        state.call()?;
        assert!(!envelope.is_signed());
        let json = state.json()?;
        assert!(envelope.is_signed());
        assert_eq!(json, envelope.signed().json());
        assert_eq!(state.json()?, json);
        Ok(())
    }

    #[test]
    fn outside_a_call_there_is_no_identity() {
        let Some(mut state) = state_of_test(Purpose::Describe) else {
            panic!("no state");
        };
        assert!(state.actor().is_err() && state.call().is_err() && state.json().is_err());
    }
}
