//! Subscriptions to resources, within a session.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Front, failed, to_its_end};
use crate::call::{self, Entry, Policy, Shown};
use crate::dispatch::Wanted;
use crate::identity::Caller;
use crate::json::member;
use crate::transport::answer::{HttpAnswer, rpc_error, rpc_result};
use crate::transport::listening;
use crate::transport::sessions::ClientSession;

impl Front {
    /// Subscribes a session to a resource that its caller may see.
    pub(super) async fn subscribe(
        &self,
        session: &ClientSession,
        entry: Entry,
        (id, params): (&Value, &Map<String, Value>),
    ) -> HttpAnswer {
        let Some(uri) = member::text(params, "uri").ok().flatten() else {
            let refused = rpc_error(id, INVALID_PARAMS, "`uri` must be the URI of a resource");
            return self.recorded(entry, refused).await;
        };
        let Some(component) = component(entry.policy(), entry.caller(), uri) else {
            let refused = rpc_error(id, RESOURCE_NOT_FOUND, "there is no such resource");
            return self.recorded(entry, refused).await;
        };
        if !session.subscribe(uri, component) {
            let refused = rpc_error(id, INVALID_PARAMS, "too many subscriptions; end some first");
            return self.recorded(entry, refused).await;
        }
        rpc_result(id, &json!({}))
    }

    /// Records a refusal, and answers with it.
    pub(super) async fn recorded(&self, entry: Entry, refused: HttpAnswer) -> HttpAnswer {
        let host = Arc::clone(&self.host);
        let refuse = async move { call::improper(&host, entry.caller()).await };
        match to_its_end(&self.host, refuse).await {
            Ok(refusal) if refusal.is_unrecordable() => self.refuse(&refusal),
            Ok(_) => refused,
            Err(_) => failed(),
        }
    }
}

/// Returns what a session listens to: its caller's lists, and the resources that it subscribes to.
pub(super) fn shown(session: &Arc<ClientSession>) -> Shown {
    let session = Arc::clone(session);
    Arc::new(move |policy, caller| {
        let mut all = listening::shown(policy, caller);
        let changes = session.look(|uri| component(policy, caller, uri));
        let mut digest = [0; 32];
        let (number, _) = digest.split_at_mut(8);
        number.copy_from_slice(&changes.to_be_bytes());
        all.push(digest);
        all
    })
}

/// Returns the messages that tell of changed resources.
pub(super) fn updates(session: &ClientSession) -> Vec<Vec<u8>> {
    let message = |uri: String| {
        let method = "notifications/resources/updated";
        let message = json!({"jsonrpc": "2.0", "method": method, "params": {"uri": uri}});
        message.to_string().into_bytes()
    };
    session.take_changed().into_iter().map(message).collect()
}

/// Returns the digest of the component behind a URI, if the caller may see the resource.
fn component(policy: &Policy, caller: &Caller, uri: &str) -> Option<String> {
    let (target, _) = policy.catalog.target(&Wanted::Resource(uri.to_owned()))?;
    let component = &target.backing().component;
    target
        .is_visible_to(caller)
        .then(|| component.digest.as_str().to_owned())
}

/// `Resource not found` of MCP before 2026-07-28.
const RESOURCE_NOT_FOUND: i32 = -32002;
/// JSON-RPC 2.0 §5.1.
const INVALID_PARAMS: i32 = -32602;
