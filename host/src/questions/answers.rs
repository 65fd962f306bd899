//! The answers of a client, checked against their questions.

use serde_json::{Map, Value, json};

use super::{ClientQuestion, form};

impl ClientQuestion {
    /// Returns what a component may see of an answer: only members that mean something, and of a
    /// form only the fields that it has. `None` if the answer does not have the form that the
    /// question asked for.
    pub fn answer(&self, answer: &Value) -> Option<Value> {
        let answer = answer.as_object()?;
        match self {
            Self::Form { schema, .. } => match action(answer)? {
                "accept" => {
                    let content = form::content(schema, answer.get("content"))?;
                    Some(json!({"action": "accept", "content": content}))
                }
                action => Some(json!({"action": action})),
            },
            Self::Url { .. } => Some(json!({"action": action(answer)?})),
            Self::Sampling { .. } => sampled(answer),
            Self::Roots => roots(answer),
        }
    }
}

/// Returns the user's decision.
fn action(answer: &Map<String, Value>) -> Option<&str> {
    let action = answer.get("action")?.as_str()?;
    matches!(action, "accept" | "decline" | "cancel").then_some(action)
}

/// Returns a `CreateMessageResult`.
fn sampled(answer: &Map<String, Value>) -> Option<Value> {
    let content = answer.get("content")?;
    let has_text = |name| answer.get(name).is_some_and(Value::is_string);
    let is_content = content.is_object() || content.is_array();
    (is_content && has_text("role") && has_text("model"))
        .then(|| picked(answer, &["role", "content", "model", "stopReason"]))
}

/// Returns a `ListRootsResult`.
fn roots(answer: &Map<String, Value>) -> Option<Value> {
    let is_root = |root: &Value| root.get("uri").is_some_and(Value::is_string);
    let roots = answer.get("roots")?.as_array()?;
    roots
        .iter()
        .all(is_root)
        .then(|| picked(answer, &["roots"]))
}

fn picked(answer: &Map<String, Value>, names: &[&str]) -> Value {
    let member = |name: &&str| Some(((*name).to_owned(), answer.get(*name)?.clone()));
    Value::Object(names.iter().filter_map(member).collect())
}
