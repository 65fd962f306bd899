//! Code for tests that need a tool and never call it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bailiwick_envelope::{
    Actor, ActorKind, Agent, Authorization, CallBinding, CallKind, Claims, Delegation,
    SealedEnvelope, Session, SigningKey,
};
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::World;
use super::code::Code;
use super::engine::Tier;
use super::entry::Exports;
use super::growth::{Budget, Owner};
use super::log::Log;
use super::state::{CallState, Purpose, Surroundings};
use super::ticker::Ticker;
use crate::intake;
use crate::limits::Limits;
use crate::seams::{SystemClock, SystemRandom};

impl Code {
    /// Returns real code under a made-up digest.
    pub(crate) fn of_test(digest: &str) -> Arc<Self> {
        static ENTRY: OnceLock<Option<Exports>> = OnceLock::new();
        let entry = ENTRY.get_or_init(|| linked().ok()).clone();
        #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
        let entry = entry.expect("the smallest component links");
        Arc::new(Self::new(digest, Tier::Compact, entry))
    }
}

fn linked() -> wasmtime::Result<Exports> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    World::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let component = Component::from_binary(&engine, &intake::smallest_component())?;
    Exports::new(&linker, &component)
}

/// Returns the envelope of a made-up call.
pub(super) fn envelope_of_test() -> Arc<SealedEnvelope> {
    let actor = Actor {
        kind: ActorKind::User,
        sub: "alice".into(),
        iss: "https://issuer.example".into(),
        tenant: None,
        acr: None,
        auth_time: None,
    };
    let agent = Agent {
        kind: "mcp_agent".into(),
        id: "clerk".into(),
        client_id: "clerk".into(),
        prior: Vec::new(),
    };
    let claims = Claims {
        actor: actor.into(),
        agent: agent.into(),
        session: Session {
            id: "s".into(),
            source: "sid".into(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        },
        authorization: Authorization { scopes: Vec::new() }.into(),
        delegation: Delegation::new(BTreeMap::new()).into(),
        call: CallBinding {
            id: "c".into(),
            kind: CallKind::Tool,
            name: "t".into(),
            component: format!("sha256:{}", "0".repeat(64)),
            arguments: format!("hmac-sha256:{}", "0".repeat(64)),
        },
        created_at: 1_000,
        expires_at: 1_060,
    };
    let key = Arc::new(SigningKey::from_seed(&[7; 32]));
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    let sealed = claims.seal(&key).expect("valid claims can be sealed");
    Arc::new(sealed)
}

/// Returns the state of an instance that no guest has.
pub(super) fn state_of_test(purpose: Purpose) -> Option<CallState> {
    let limits = Limits::default();
    let surroundings = Surroundings {
        limits: &limits,
        share: Budget::new(&limits).share(Owner::Host),
        ticking: Ticker::start(&[]).ok()?.run(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let log = Log::new("test", "", &limits);
    Some(CallState::new(purpose, log, surroundings))
}
