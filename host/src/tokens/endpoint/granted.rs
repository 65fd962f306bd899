//! A token endpoint's answer, read strictly (RFC 6749 §5, RFC 8693 §2.2).
//!
//! Invariant: each member has the type that its specification gives it, or is absent. An
//! ill-typed `scope` never becomes "the scopes that were asked for".

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::error::{EndpointError, MalformedAnswer};
use crate::json::{self, member};

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
    pub(super) fn read(document: &Value, wanted_type: &str) -> Result<Self, MalformedAnswer> {
        let answer = member::members(document, "the answer")?;
        if answer.contains_key("error") {
            return Err(MalformedAnswer::Error);
        }
        let token_type =
            member::text(answer, "token_type")?.ok_or(MalformedAnswer::Missing("token_type"))?;
        if !token_type.eq_ignore_ascii_case(wanted_type) {
            return Err(MalformedAnswer::TokenType(wanted_type.to_owned()));
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
            expires_in: expires_in(answer)?,
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

/// Reads the lifetime. Some servers write the number as text.
fn expires_in(answer: &Map<String, Value>) -> Result<Option<u64>, MalformedAnswer> {
    let Ok(Some(text)) = member::text(answer, "expires_in") else {
        return Ok(member::whole(answer, "expires_in")?);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.map(Some).ok_or(MalformedAnswer::Lifetime)
}

/// Returns what an authorization server demands of the user's next login: the `claims` of a claims
/// challenge (`OpenID` Connect Core §5.5), as JSON written anew. Anything else is none.
pub(super) fn claims(answer: &Map<String, Value>) -> Option<String> {
    let text = member::text(answer, "claims").ok()??;
    let claims = json::parse(text.as_bytes(), MAX_CLAIMS_DEPTH).ok()?;
    let text = claims.is_object().then(|| claims.to_string())?;
    (text.len() <= MAX_CLAIMS && text.is_ascii()).then_some(text)
}

/// Returns the meaning of a known code and of the `claims` beside it. `asked` are the requested
/// scopes.
pub(super) fn refused(
    code: &'static str,
    claims: Option<String>,
    asked: &[String],
) -> EndpointError {
    let about_user = matches!(
        code,
        "consent_required" | "interaction_required" | "login_required" | "invalid_grant"
    );
    if let Some(claims) = claims.filter(|_| about_user) {
        return EndpointError::ClaimsRequired(claims);
    }
    match code {
        "consent_required" | "interaction_required" | "login_required" => {
            EndpointError::ConsentRequired
        }
        "invalid_scope" => EndpointError::ScopeDenied(asked.to_vec()),
        "server_error" | "slow_down" | "temporarily_unavailable" => EndpointError::Unavailable,
        code => EndpointError::Refused(code),
    }
}

/// Returns the answer's `error`, if it is a known code.
pub(super) fn known_error(answer: &Map<String, Value>) -> Option<&'static str> {
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
    "server_error",
    "slow_down",
    "temporarily_unavailable",
];
const MAX_TOKEN: usize = 16 * 1024;
const MAX_CLAIMS: usize = 4 * 1024;
const MAX_CLAIMS_DEPTH: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_bearer_token_in_a_whole_answer_is_accepted() {
        let good = json!({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 60, "scope": "a b"});
        assert!(Granted::read(&good, "Bearer").is_ok_and(|granted| granted.expires_in == Some(60)));
        for (member, value) in [
            ("token_type", json!("N_A")),
            ("token_type", json!("DPoP")),
            ("token_type", json!(null)),
            ("token_type", json!(["Bearer"])),
            ("access_token", json!("")),
            ("access_token", json!("a\r\nb")),
            ("access_token", json!(7)),
            ("access_token", json!(["a.b.c"])),
            ("expires_in", json!(-1)),
            ("expires_in", json!(60.5)),
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
            assert!(Granted::read(&bad, "Bearer").is_err(), "{member} = {value}");
        }
        for document in [json!([]), json!("a.b.c")] {
            assert!(Granted::read(&document, "Bearer").is_err(), "{document}");
        }
    }

    #[test]
    fn a_lifetime_may_be_text_of_digits() {
        for (text, seconds) in [
            ("60", Some(60)),
            ("0", Some(0)),
            ("0060", Some(60)),
            ("", None),
            ("+60", None),
            ("-1", None),
            (" 60", None),
            ("60.0", None),
            ("1e3", None),
            ("an hour", None),
            ("\u{0666}\u{0660}", None),
            ("99999999999999999999", None),
        ] {
            let answer = json!({"access_token": "t", "token_type": "Bearer", "expires_in": text});
            let read = Granted::read(&answer, "Bearer").map(|granted| granted.expires_in);
            let expected = seconds.map(Some).ok_or(MalformedAnswer::Lifetime);
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn the_reason_says_which_member_is_wrong() {
        let answer = json!({"access_token": "secret", "token_type": "bearer", "scope": ["admin"]});
        let why = Granted::read(&answer, "Bearer")
            .map(drop)
            .map_err(|why| why.to_string());
        assert_eq!(why, Err("`scope` is an array, not a string".to_owned()));
    }

    #[test]
    fn only_a_known_code_of_the_servers_goes_further() {
        let asked = vec!["a".to_owned()];
        for (error, meaning) in [
            (
                json!("invalid_scope"),
                Some(EndpointError::ScopeDenied(asked.clone())),
            ),
            (
                json!("consent_required"),
                Some(EndpointError::ConsentRequired),
            ),
            (
                json!("interaction_required"),
                Some(EndpointError::ConsentRequired),
            ),
            (
                json!("temporarily_unavailable"),
                Some(EndpointError::Unavailable),
            ),
            (
                json!("invalid_grant"),
                Some(EndpointError::Refused("invalid_grant")),
            ),
            (json!("secret-text"), None),
            (json!(["invalid_scope"]), None),
            (json!({"secret-text": 1}), None),
        ] {
            let answer = json!({"error": error, "error_description": "secret-text"});
            let code = answer.as_object().and_then(known_error);
            assert_eq!(
                code.map(|code| refused(code, None, &asked)),
                meaning,
                "{error}"
            );
        }
    }

    #[test]
    fn a_claims_challenge_is_an_object_written_anew_and_of_the_user_alone() {
        let told = |error: &str, claims: Value| {
            let answer = json!({"error": error, "claims": claims});
            let members = answer.as_object().cloned().unwrap_or_default();
            known_error(&members).map(|code| refused(code, self::claims(&members), &[]))
        };
        let challenge = r#"{ "access_token": {"acrs": {"essential": true, "value": "c1"}} }"#;
        let anew = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
        for code in ["interaction_required", "consent_required", "invalid_grant"] {
            let expected = Some(EndpointError::ClaimsRequired(anew.to_owned()));
            assert_eq!(told(code, json!(challenge)), expected, "{code}");
        }
        let refused = Some(EndpointError::Refused("invalid_client"));
        assert_eq!(told("invalid_client", json!(challenge)), refused);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(4096));
        for odd in [
            json!("["),
            json!("[]"),
            json!("text"),
            json!(r#"{"a":1,"a":2}"#),
            json!(r#"{"a":"\u00e4"}"#),
            json!(long),
            json!({"access_token": {}}),
            json!(7),
        ] {
            let told = told("interaction_required", odd.clone());
            assert_eq!(told, Some(EndpointError::ConsentRequired), "{odd}");
        }
    }
}
