//! Listening: turns changes of the lists that a caller sees into notifications, for
//! `subscriptions/listen` and for the stream of a session.
//!
//! Invariant: a client that does not take a notification in time loses its listener, so nothing
//! piles up.

use std::sync::Arc;
use std::time::Duration;

use rmcp::service::{SubscriptionContext, SubscriptionSendError};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::described::describe;
use super::listed::{prompt, resource, template};
use crate::call::{Faces, Listener, Policy};
use crate::dispatch::{Offered, Sight};
use crate::identity::Caller;
use crate::schema::Dialect;

/// A list that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Tools,
    Resources,
    Prompts,
}

/// Every list. [`shown`] has a digest for each, in this order.
const LISTS: [List; 3] = [List::Tools, List::Resources, List::Prompts];

impl List {
    /// Returns the notification of a change.
    fn notification(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
        }
    }

    /// Notifies a client that asked for it.
    async fn notify(self, context: &SubscriptionContext) -> Result<(), SubscriptionSendError> {
        let (wanted, sink) = (context.accepted(), context.sink());
        match self {
            Self::Tools if wanted.tools_list_changed == Some(true) => {
                sink.notify_tool_list_changed().await
            }
            Self::Resources if wanted.resources_list_changed == Some(true) => {
                sink.notify_resource_list_changed().await
            }
            Self::Prompts if wanted.prompts_list_changed == Some(true) => {
                sink.notify_prompt_list_changed().await
            }
            _ => Ok(()),
        }
    }
}

/// Returns the messages that tell of changed lists, by their numbers.
pub(super) fn notifications(changed: &[usize]) -> Vec<Vec<u8>> {
    let lists = changed.iter().filter_map(|list| LISTS.get(*list));
    let message = |list: &List| json!({"jsonrpc": "2.0", "method": list.notification()});
    lists
        .map(|list| message(list).to_string().into_bytes())
        .collect()
}

/// Notifies a client of changes until it goes away or its listener ends.
pub(super) async fn tell(listener: &mut Listener, context: &SubscriptionContext) {
    let telling = async {
        while let Some(changed) = listener.changed().await {
            for list in changed.iter().filter_map(|list| LISTS.get(*list)) {
                let told = tokio::time::timeout(SEND_TIME, list.notify(context));
                if !matches!(told.await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = context.cancelled() => {}
        () = telling => {}
    }
}

/// Returns digests of the lists that `caller` gets: one for each.
pub(super) fn shown(policy: &Policy, caller: &Caller) -> Vec<[u8; 32]> {
    let catalog = &policy.catalog;
    let faces = policy.faces.get_or_init(|| Faces {
        tools: catalog
            .tools()
            .map(|tool| digest(&describe(tool, Dialect::Current)))
            .collect(),
        resources: catalog
            .resources()
            .map(|one| {
                if one.is_family() {
                    digest(&template(one))
                } else {
                    digest(&resource(one))
                }
            })
            .collect(),
        prompts: catalog.prompts().map(|one| digest(&prompt(one))).collect(),
    });
    let shown = |list: &List| match list {
        List::Tools => seen(policy, caller, catalog.tools(), &faces.tools),
        List::Resources => seen(policy, caller, catalog.resources(), &faces.resources),
        List::Prompts => seen(policy, caller, catalog.prompts(), &faces.prompts),
    };
    LISTS.iter().map(shown).collect()
}

/// Digests the faces of the things that the caller sees.
fn seen<'a, F: 'a>(
    policy: &Policy,
    caller: &Caller,
    all: impl Iterator<Item = &'a Arc<Offered<F>>>,
    faces: &[[u8; 32]],
) -> [u8; 32] {
    let seen = all
        .zip(faces)
        .map(|(one, face)| (policy.visibility.sight(one, caller), face));
    seen.filter(|(sight, _)| *sight != Sight::Hidden)
        .fold(Sha256::new(), |all, (sight, face)| {
            all.chain_update(face)
                .chain_update([u8::from(sight == Sight::Permitted)])
        })
        .finalize()
        .into()
}

fn digest(face: &impl Serialize) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(face).unwrap_or_default()).into()
}

/// The longest time that a client may take for one notification.
const SEND_TIME: Duration = Duration::from_secs(10);
