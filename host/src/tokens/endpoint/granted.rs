//! A token endpoint's answer, read strictly (RFC 6749 §5, RFC 8693 §2.2).
//!
//! Invariant: each member has the type that its specification gives it, or is absent. An
//! ill-typed `scope` never becomes "the scopes that were asked for".

use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::error::{EndpointError, MalformedAnswer};
use crate::json::member;

/// A successful answer (RFC 6749 §5.1, RFC 8693 §2.2.1).
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: SecretString,
    pub(crate) issued_token_type: Option<String>,
    /// The token's lifetime in seconds.
    pub(crate) expires_in: Option<u64>,
    pub(crate) scope: Option<Vec<String>>,
    /// True if the answer states `authorization_details` (RFC 9396 §7).
    pub(crate) details: bool,
}

impl Granted {
    /// Reads an answer of 200.
    ///
    /// # Errors
    /// Fails if it holds no bearer token or a member is ill-typed.
    pub(crate) fn read(document: Option<&Value>) -> Result<Self, MalformedAnswer> {
        let answer = member::members(document.ok_or(MalformedAnswer::Json)?, "the answer")?;
        if answer.contains_key("error") {
            return Err(MalformedAnswer::Error(
                known_error(answer).unwrap_or("unknown"),
            ));
        }
        let token_type =
            member::text(answer, "token_type")?.ok_or(MalformedAnswer::Missing("token_type"))?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(MalformedAnswer::TokenType);
        }
        let token = member::text(answer, "access_token")?
            .ok_or(MalformedAnswer::Missing("access_token"))?;
        if !is_header_text(token) {
            return Err(MalformedAnswer::Token);
        }
        let scope = member::text(answer, "scope")?;
        Ok(Self {
            access_token: SecretString::from(token.to_owned()),
            issued_token_type: member::text(answer, "issued_token_type")?.map(String::from),
            expires_in: member::whole(answer, "expires_in")?,
            scope: scope.map(|scope| {
                scope
                    .split(' ')
                    .filter(|part| !part.is_empty())
                    .map(String::from)
                    .collect()
            }),
            details: answer.contains_key("authorization_details"),
        })
    }
}

/// Returns the meaning of the server's refusal with this status. `asked` are the requested scopes.
/// Of the server's text only a code in [`ERRORS`] goes further.
pub(super) fn refused(
    document: Option<&Value>,
    asked: &[String],
    status: StatusCode,
) -> EndpointError {
    match document.and_then(|document| known_error(member::members(document, "the answer").ok()?)) {
        Some("consent_required" | "interaction_required" | "login_required") => {
            EndpointError::ConsentRequired
        }
        Some("invalid_scope") => EndpointError::ScopeDenied(asked.to_vec()),
        Some(code) => EndpointError::Refused(code),
        None => EndpointError::RefusedWithoutCode(status.as_u16()),
    }
}

fn known_error(answer: &Map<String, Value>) -> Option<&'static str> {
    let code = member::text(answer, "error").ok()??;
    ERRORS.iter().copied().find(|known| *known == code)
}

fn is_header_text(token: &str) -> bool {
    !token.is_empty()
        && token.len() <= MAX_TOKEN
        && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The codes of RFC 6749 §5.2, and those that vendors add.
const ERRORS: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "actor_unauthorized",
    "consent_required",
    "interaction_required",
    "login_required",
];
const MAX_TOKEN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_bearer_token_in_a_whole_answer_is_accepted() {
        let good = json!({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 60, "scope": "a b"});
        assert!(Granted::read(Some(&good)).is_ok_and(|granted| granted.expires_in == Some(60)));
        for (member, value) in [
            ("token_type", json!("N_A")),
            ("token_type", json!("DPoP")),
            ("token_type", json!(null)),
            ("token_type", json!(["Bearer"])),
            ("access_token", json!("")),
            ("access_token", json!("a\r\nb")),
            ("access_token", json!(7)),
            ("access_token", json!(["a.b.c"])),
            ("expires_in", json!("60")),
            ("expires_in", json!(-1)),
            ("expires_in", json!(null)),
            ("scope", json!(["a", "b"])),
            ("scope", json!(7)),
            ("scope", json!(null)),
            ("scope", json!({"a": true})),
            ("issued_token_type", json!(7)),
            ("issued_token_type", json!(null)),
            ("error", json!("x")),
            ("error", json!(null)),
        ] {
            let mut bad = good.clone();
            bad.as_object_mut()
                .map(|members| members.insert(member.into(), value.clone()));
            assert!(Granted::read(Some(&bad)).is_err(), "{member} = {value}");
        }
        for document in [None, Some(&json!([])), Some(&json!("a.b.c"))] {
            assert!(Granted::read(document).is_err(), "{document:?}");
        }
    }

    #[test]
    fn the_reason_says_which_member_is_wrong() {
        let answer = json!({"access_token": "secret", "token_type": "bearer", "scope": ["admin"]});
        let why = Granted::read(Some(&answer))
            .map(drop)
            .map_err(|why| why.to_string());
        assert_eq!(why, Err("`scope` is an array, not a string".to_owned()));
        let answer = json!({"error": "invalid_grant"});
        let why = Granted::read(Some(&answer))
            .map(drop)
            .map_err(|why| why.to_string());
        assert_eq!(why, Err("it is an error (`invalid_grant`)".to_owned()));
    }

    #[test]
    fn a_refusal_says_a_known_code_and_never_the_servers_text() {
        let asked = vec!["a".to_owned()];
        let refusal = |value: Value| refused(Some(&value), &asked, StatusCode::FOUND);
        assert_eq!(
            refusal(json!({"error": "invalid_scope"})),
            EndpointError::ScopeDenied(asked.clone())
        );
        assert!(matches!(
            refusal(json!({"error": "consent_required"})),
            EndpointError::ConsentRequired
        ));
        for error in [
            json!("secret-text"),
            json!(["invalid_scope"]),
            json!({"secret-text": 1}),
        ] {
            let odd = refusal(json!({"error": error, "error_description": "secret-text"}));
            assert_eq!(
                odd.to_string(),
                "the authorization server answered 302 without an error code that the host knows",
                "{error}"
            );
        }
    }
}
