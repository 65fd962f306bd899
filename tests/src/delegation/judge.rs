//! Whose credential a request at the service has.

use std::fmt;

use bailiwick_dev::jws::unverified_claims;
use serde_json::Value;

use super::stage::Stage;
use crate::recorder::value;

/// The credential of a request at the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// None.
    Nothing,
    /// A token that was issued in exchange for the one of this user.
    Exchanged(String),
    /// A caller's own token, wherever in the request.
    Callers,
    /// The gateway's own token.
    Own,
    /// Any other.
    Other,
}

impl fmt::Display for Presented {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => to.write_str("no credential"),
            Self::Exchanged(user) => write!(to, "a token exchanged for {user}"),
            Self::Callers => to.write_str("the caller's own token"),
            Self::Own => to.write_str("a token of the gateway itself"),
            Self::Other => to.write_str("another credential"),
        }
    }
}

impl Stage {
    /// Returns the credential of a request. `inbound` are the tokens with which callers came.
    pub(super) fn presented(&self, request: &str, inbound: &[String]) -> Presented {
        if inbound.iter().any(|token| request.contains(token)) {
            return Presented::Callers;
        }
        let Some(token) = bearer(request) else {
            return Presented::Nothing;
        };
        let exchanges = self.issuer.exchanges();
        let exchange = exchanges
            .into_iter()
            .find(|exchange| exchange.issued.as_deref() == Some(token));
        if let Some(user) = exchange.and_then(|exchange| exchange.subject) {
            return Presented::Exchanged(user);
        }
        if subject(token).as_deref() == Some(&self.settings.client_id) {
            return Presented::Own;
        }
        Presented::Other
    }
}

/// Returns the bearer token of a request.
pub(super) fn bearer(request: &str) -> Option<&str> {
    let (scheme, token) = value(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns the subject that a token states.
pub(super) fn subject(token: &str) -> Option<String> {
    let claims = unverified_claims(token)?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned)
}

/// Returns the text that the service gives a user, and nobody else.
pub(super) fn mark(user: &str) -> String {
    format!("{MARK}{user}")
}

/// Returns the users whose marks are in a text.
pub(super) fn marked(text: &str) -> Vec<String> {
    let parts = text.split(MARK).skip(1);
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let users = parts.map(|part| part.split(|letter: char| !of_name(letter)).next());
    users.flatten().map(str::to_owned).collect()
}

/// The beginning of each mark.
const MARK: &str = "seen-by-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_are() {
        let text = format!(
            "{{\"a\":\"{}\"}} \\\"{}\\\"",
            mark("user-1"),
            mark("user-22")
        );
        assert_eq!(marked(&text), ["user-1", "user-22"]);
        assert!(marked("seen by nobody").is_empty());
    }
}
