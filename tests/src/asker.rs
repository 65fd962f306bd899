//! A host with the tools of `guests/asker`, which ask their client.

use anyhow::Result;
use bailiwick_dev::{Config, folder};
use serde_json::{Value, json};

use crate::guests::guest;
use crate::told::ensure_eq;
use crate::world::Plan;

/// Returns a plan with the tools that ask. The operator lists the origin of a page and relays to
/// the client if `relays`.
///
/// # Errors
/// Fails if the tools cannot be built.
pub async fn asker(relays: bool, more: impl FnOnce(&mut Config) + 'static) -> Result<Plan> {
    let asker = guest("asker").await?;
    let digest = folder::digest(&asker);
    let relayed = if relays {
        "question_origins = [\"https://pay.example.com\"]\n\
         relay_questions = [\"sampling\", \"roots\"]\n"
    } else {
        ""
    };
    Ok(Plan {
        components: vec![("asker.wasm".into(), asker)],
        ..Plan::config(move |config| {
            let granted = config.clone();
            *config = granted.grant("asker", &digest, &[("orders_api", "on_behalf_of")]);
            config.components = config.components.trim_end().to_owned() + "\n" + relayed + "\n";
            let allowed = "allow = [\"POST /orders/{}\", ";
            config.services = config.services.replacen("allow = [", allowed, 1);
            more(config);
        })
    })
}

/// Returns a form's answer.
pub fn accept(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// Checks the records of a tool that asked twice and got its answers: three calls.
///
/// # Errors
/// Fails if they are others.
pub fn ensure_asked_twice(records: &[Value]) -> Result<()> {
    let events = records
        .iter()
        .filter_map(|record| record.get("event")?.as_str());
    let own = |event: &&str| event.starts_with("call.") || event.starts_with("input.");
    let expected = [
        "call.opened",
        "input.asked",
        "call.closed",
        "call.opened",
        "input.answered",
        "input.asked",
        "call.closed",
        "call.opened",
        "input.answered",
        "call.closed",
    ];
    let found: Vec<_> = events.filter(own).collect();
    ensure_eq(found.as_slice(), &expected[..], "the records")
}
