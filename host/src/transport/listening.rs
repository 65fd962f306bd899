//! `subscriptions/listen`: turns changes of what a caller sees into notifications.
//!
//! Invariant: a client that does not take a notification in time loses its listener, so nothing
//! piles up.

use std::sync::Arc;
use std::time::Duration;

use rmcp::service::{SubscriptionContext, SubscriptionSendError};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::described::describe;
use super::listed::{prompt, resource, template};
use crate::call::{Changed, Faces, Listener, Policy, Sights};
use crate::dispatch::{Offered, Sight};
use crate::identity::Caller;
use crate::schema::Dialect;

/// Notifies a client of changes until it goes away or its listener ends.
pub(super) async fn tell(listener: &mut Listener, context: &SubscriptionContext) {
    let telling = async {
        while let Some(changed) = listener.changed().await {
            let told = tokio::time::timeout(SEND_TIME, notify(changed, context));
            if !matches!(told.await, Ok(Ok(()))) {
                return;
            }
        }
    };
    tokio::select! {
        () = context.cancelled() => {}
        () = telling => {}
    }
}

/// Sends the notifications that the client wants about one change.
async fn notify(
    changed: Changed,
    context: &SubscriptionContext,
) -> Result<(), SubscriptionSendError> {
    let wanted = context.accepted();
    if changed.tools && wanted.tools_list_changed == Some(true) {
        context.sink().notify_tool_list_changed().await?;
    }
    if changed.resources && wanted.resources_list_changed == Some(true) {
        context.sink().notify_resource_list_changed().await?;
    }
    if changed.prompts && wanted.prompts_list_changed == Some(true) {
        context.sink().notify_prompt_list_changed().await?;
    }
    Ok(())
}

/// Returns digests of the lists that `caller` gets.
pub(super) fn shown(policy: &Policy, caller: &Caller) -> Sights {
    let catalog = &policy.catalog;
    let faces = policy.faces.get_or_init(|| Faces {
        tools: catalog
            .tools()
            .map(|tool| digest(&describe(tool, Dialect::Current)))
            .collect(),
        resources: catalog
            .resources()
            .map(|one| match one.is_family() {
                true => digest(&template(one)),
                false => digest(&resource(one)),
            })
            .collect(),
        prompts: catalog.prompts().map(|one| digest(&prompt(one))).collect(),
    });
    Sights {
        tools: seen(policy, caller, catalog.tools(), &faces.tools),
        resources: seen(policy, caller, catalog.resources(), &faces.resources),
        prompts: seen(policy, caller, catalog.prompts(), &faces.prompts),
    }
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

/// The longest time that a client may take for the notifications of one change.
const SEND_TIME: Duration = Duration::from_secs(10);
