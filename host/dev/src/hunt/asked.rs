//! One request as the service of a hunt gets it: who came, by each of its parts.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::exchanger::text;
use super::people::{Marks, marks};
use super::seen::Seen;
use crate::jws::unverified_claims;

/// A request.
pub(super) struct Asked {
    pub(super) is_head: bool,
    /// The order that it is about; empty if it is about all.
    pub(super) order: String,
    /// The user whose orders it is about.
    owner: Option<String>,
    bearer: Map<String, Value>,
    transaction: Map<String, Value>,
}

impl Asked {
    /// Reads the head of a request.
    pub(super) fn read(head: &str) -> Self {
        let (line, headers) = head.split_once("\r\n").unwrap_or_default();
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let (order, owner) = match segments.as_slice() {
            [_, kind, id] if kind == "orders" => (id.clone(), None),
            [_, kind, owner, _] if kind == "customers" => (String::new(), Some(owner.clone())),
            _ => (String::new(), None),
        };
        let claims = |name: &str, before: &str| {
            let line = headers.lines().find_map(|line| {
                let (header, value) = line.split_once(':')?;
                header.eq_ignore_ascii_case(name).then(|| value.trim())
            });
            let token = line.and_then(|value| value.strip_prefix(before));
            token.and_then(unverified_claims).unwrap_or_default()
        };
        Self {
            is_head: method == "HEAD",
            order,
            owner,
            bearer: claims("authorization", "Bearer "),
            transaction: claims("txn-token", ""),
        }
    }

    /// Returns the mark of whom the credential names. All other parts of the request must name the
    /// same one.
    pub(super) fn judge(&self, made: &Marks, seen: &Seen, issuer: &str) -> String {
        let (bearer, transaction) = (&self.bearer, &self.transaction);
        let sub = text(bearer, "sub");
        let mark = made.of(&text(bearer, "home"), &text(bearer, "tenant"), &sub, false);
        let details = transaction.get("tctx").and_then(Value::as_object);
        let agent = transaction.get("act").and_then(Value::as_object);
        let (details, agent) = (
            details.cloned().unwrap_or_default(),
            agent.cloned().unwrap_or_default(),
        );
        let whole = text(transaction, "sub");
        let named = [
            ("issuer", issuer, text(bearer, "iss")),
            ("home", &text(bearer, "home"), text(&details, "actor_iss")),
            ("tenant", &text(bearer, "tenant"), text(&details, "tenant")),
            ("subject", &sub, after_alias(&whole).to_owned()),
            ("agent", &text(bearer, "agent"), text(&agent, "sub")),
            ("owner", &sub, self.owner.clone().unwrap_or(sub.clone())),
        ];
        for (what, credential, other) in named {
            if credential != other {
                seen.found(&format!(
                    "a request has the {what} {credential:?} and {other:?}"
                ));
            }
        }
        for other in marks(&self.order).filter(|other| *other != mark) {
            seen.found(&format!("a request about {other} has a token of {mark}"));
        }
        mark
    }
}

/// Returns the subject in `<alias>|<sub>`.
fn after_alias(subject: &str) -> &str {
    subject.split_once('|').map_or(subject, |(_, sub)| sub)
}
