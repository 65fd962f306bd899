//! The answer of a policy point, read strictly (`AuthZEN` Authorization API 1.0 §6.2).
//!
//! Invariant: only `"decision": true`, a boolean that occurs once in an answer of 200, allows.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};

use super::error::NoDecision;
use crate::egress::Reply;
use crate::json::{self, member};

/// A decision about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::delegation) enum PolicyDecision {
    /// The request may be sent.
    Allowed,
    /// It may not, by the rule that the policy point names, if it names one.
    Denied(Option<Arc<str>>),
}

impl PolicyDecision {
    /// Reads an answer. Of its text only the name of a rule goes further: what the policy point
    /// says to administrators and users may quote the request.
    pub(super) fn read(reply: &Reply) -> Result<Self, NoDecision> {
        if reply.status != StatusCode::OK {
            return Err(NoDecision::Status(reply.status.as_u16()));
        }
        if !is_json(&reply.headers) {
            return Err(NoDecision::ContentType);
        }
        Self::of(&reply.body)
    }

    fn of(body: &[u8]) -> Result<Self, NoDecision> {
        let document = json::parse(body, MAX_DEPTH)?;
        let members = member::members(&document, "the answer")?;
        let decision = member::flag(members, "decision")?;
        let context = member::object(members, "context")?;
        match decision {
            Some(true) => Ok(Self::Allowed),
            Some(false) => {
                // An identifier of another type names no rule: the specification leaves it open.
                let id = context.and_then(|context| member::text(context, "id").ok().flatten());
                Ok(Self::Denied(id.filter(|id| is_name(id)).map(Into::into)))
            }
            None => Err(NoDecision::Malformed("`decision` is missing".into())),
        }
    }
}

/// Returns true if the headers state one type, which is that of JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(stated), None) = (types.next(), types.next()) else {
        return false;
    };
    let stated = stated.to_str().unwrap_or_default();
    let kind = stated.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Returns true if a text is a name, and not prose.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/#".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(plain)
}

/// Reads an answer from any bytes. It allows only by the boolean `true`.
#[cfg(any(test, fuzzing))]
#[expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a second reader that fails has found something"
)]
pub fn surface(bytes: &[u8]) -> crate::surfaces::Fate {
    use crate::surfaces::Fate;

    match PolicyDecision::of(bytes) {
        Ok(PolicyDecision::Allowed) => {}
        Ok(PolicyDecision::Denied(_)) | Err(_) => return Fate::Refused,
    }
    let again: serde_json::Value =
        serde_json::from_slice(bytes).expect("what the strict reader takes, any reader takes");
    assert_eq!(again.get("decision"), Some(&serde_json::Value::Bool(true)));
    Fate::Accepted
}

/// The most levels of an answer.
const MAX_DEPTH: usize = 16;
/// The longest name of a rule, in bytes.
const MAX_NAME: usize = 64;
