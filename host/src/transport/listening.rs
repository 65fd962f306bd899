//! Listening: turns changes of the lists that a caller sees into notifications, for
//! `subscriptions/listen` and for the stream of a session.
//!
//! Invariant: a client that does not take a notification in time loses its listener, so nothing
//! piles up.

use std::time::Duration;

use rmcp::service::SubscriptionContext;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::described::describe;
use crate::call::{Listener, Policy};
use crate::dispatch::{Sight, Tool};
use crate::identity::Caller;
use crate::schema::Dialect;

/// A list that can change.
struct List {
    /// The notification of a change.
    notification: &'static str,
    /// Returns a digest of what a caller sees of it.
    shown: fn(&Policy, &Caller) -> [u8; 32],
}

/// Every list.
const LISTS: &[List] = &[List {
    notification: "notifications/tools/list_changed",
    shown: tools,
}];

/// Returns digests of what `caller` sees: one for each list.
pub(super) fn shown(policy: &Policy, caller: &Caller) -> Vec<[u8; 32]> {
    let digest = |list: &List| (list.shown)(policy, caller);
    LISTS.iter().map(digest).collect()
}

/// Returns the messages that tell of changed lists, by their numbers.
pub(super) fn notifications(changed: &[usize]) -> Vec<Vec<u8>> {
    let lists = changed.iter().filter_map(|list| LISTS.get(*list));
    let message = |list: &List| json!({"jsonrpc": "2.0", "method": list.notification});
    lists
        .map(|list| message(list).to_string().into_bytes())
        .collect()
}

/// Notifies a client of changes until it goes away or its listener ends.
pub(super) async fn tell(listener: &mut Listener, context: &SubscriptionContext) {
    let wanted = context.accepted().tools_list_changed == Some(true);
    let telling = async {
        while listener.changed().await.is_some() {
            let told = tokio::time::timeout(SEND_TIME, context.sink().notify_tool_list_changed());
            if wanted && !matches!(told.await, Ok(Ok(()))) {
                return;
            }
        }
    };
    tokio::select! {
        () = context.cancelled() => {}
        () = telling => {}
    }
}

/// Returns a digest of the answer that `tools/list` gives to `caller`.
fn tools(policy: &Policy, caller: &Caller) -> [u8; 32] {
    let faces = policy
        .faces
        .get_or_init(|| policy.catalog.tools().map(|tool| face(tool)).collect());
    let tools = policy.catalog.tools().zip(faces);
    let seen = tools.map(|(tool, face)| (policy.visibility.sight(tool, caller), face));
    seen.filter(|(sight, _)| *sight != Sight::Hidden)
        .fold(Sha256::new(), |all, (sight, face)| {
            all.chain_update(face)
                .chain_update([u8::from(sight == Sight::Permitted)])
        })
        .finalize()
        .into()
}

fn face(tool: &Tool) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(&describe(tool, Dialect::Current)).unwrap_or_default()).into()
}

/// The longest time that a client may take for one notification.
const SEND_TIME: Duration = Duration::from_secs(10);
