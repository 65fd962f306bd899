//! The ways in which an authorization server can be wrong, for tests of those who trust it.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::mint::{Signer, TokenSpec};
use crate::clock::now;
use crate::http::Answer;

/// One way to get a token exchange wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misbehaviour {
    /// The issued token names another user.
    WrongSubject,
    /// It is for another audience.
    WrongAudience,
    /// It names another issuer.
    WrongIssuer,
    /// Its `act` names another actor.
    WrongActor,
    /// It has no `act` although there was an actor token.
    NoActor,
    /// It has an `act` although there was no actor token.
    ActorWhenNone,
    /// It has a scope that was not requested.
    WiderScope,
    /// It lives longer than the subject token.
    Outlives,
    /// The answer is the subject token itself.
    SameToken,
    /// It is signed by a key that is not published.
    WrongKey,
    /// `issued_token_type` is an ID token.
    WrongTokenType,
    /// `token_type` is `N_A`: not a bearer token.
    NotABearer,
    /// 200 with a login page.
    HtmlPage,
    /// 200 with no body.
    Empty,
    /// 500.
    ServerError,
    /// 400 `invalid_grant`.
    InvalidGrant,
    /// 400 `consent_required`.
    ConsentRequired,
    /// The right answer, after half a minute.
    Slow,
    /// The client's own token comes after four seconds; exchanges are answered at once.
    SlowClient,
    /// The right answer to an exchange, after three seconds.
    SlowExchange,
    /// A right answer with eight megabytes too much.
    Huge,
    /// 307 to another path, where the same form would be answered.
    Redirect,
    /// The issued token is for another tenant.
    OtherTenant,
    /// The issued token is bound to a key (`cnf`).
    BoundToKey,
    /// The issued token has claims that only ID tokens have.
    IdToken,
    /// The issued token was issued to another client.
    OtherClient,
    /// Its `client_id` is `null`.
    NullClient,
    /// Its `act` is of another issuer.
    ForeignActor,
    /// Its `act` is `null`.
    NullActor,
    /// The `act` in its `act` is `null`.
    NullNested,
    /// Its `act` has a nested actor whom the subject token does not name.
    NestedStranger,
    /// Its `act` names the agent nine times, one nested in the other.
    NestedDeep,
    /// Its `act` names the agent eight times, which the host still accepts.
    NestedMost,
    /// It has `authorization_details` that were not requested.
    Details,
    /// The answer has them.
    DetailsInAnswer,
    /// The answer does not state `issued_token_type`.
    NoTokenType,
    /// `scope` of the answer is a list.
    ScopeList,
    /// `issued_token_type` is a number.
    NumberAsType,
    /// `expires_in` is text, which the host accepts.
    TextualExpiry,
    /// Neither token nor answer states scopes.
    SilentScopes,
}

impl Misbehaviour {
    /// All of them that no delegation mode accepts, for tests that try each.
    pub const ALL: [Self; 35] = [
        Self::WrongSubject,
        Self::WrongAudience,
        Self::WrongIssuer,
        Self::WrongActor,
        Self::NoActor,
        Self::ActorWhenNone,
        Self::WiderScope,
        Self::Outlives,
        Self::SameToken,
        Self::WrongKey,
        Self::WrongTokenType,
        Self::NotABearer,
        Self::HtmlPage,
        Self::Empty,
        Self::ServerError,
        Self::InvalidGrant,
        Self::ConsentRequired,
        Self::Slow,
        Self::Huge,
        Self::Redirect,
        Self::OtherTenant,
        Self::BoundToKey,
        Self::IdToken,
        Self::OtherClient,
        Self::NullClient,
        Self::ForeignActor,
        Self::NullActor,
        Self::NullNested,
        Self::NestedStranger,
        Self::NestedDeep,
        Self::Details,
        Self::DetailsInAnswer,
        Self::NoTokenType,
        Self::ScopeList,
        Self::NumberAsType,
    ];

    /// Changes the claims of the issued token.
    pub(super) fn spoil(self, spec: TokenSpec, scopes: &[String]) -> TokenSpec {
        match self {
            Self::WrongSubject => spec.claim("sub", "mallory"),
            Self::WrongAudience => spec.audience("payroll"),
            Self::WrongIssuer => spec.claim("iss", "http://127.0.0.1:1"),
            Self::WrongActor | Self::ActorWhenNone => spec.acting("somebody-else"),
            Self::NoActor => spec.without("act"),
            Self::WiderScope => spec.claim("scope", format!("{} orders:admin", scopes.join(" "))),
            Self::Outlives => spec.claim("exp", now() + 86_400),
            Self::WrongKey => spec.signed_by(Signer::Stranger),
            Self::OtherTenant => spec.tenant("globex"),
            Self::BoundToKey => spec.claim("cnf", json!({"jkt": "x"})),
            Self::IdToken => spec.claim("nonce", "n"),
            Self::OtherClient => spec.claim("azp", "somebody-else"),
            Self::NullClient => spec.null("client_id"),
            Self::NullActor => spec.null("act"),
            Self::NullNested => spec.claim("act", json!({"sub": "bailiwick", "act": null})),
            Self::ForeignActor => spec.claim(
                "act",
                json!({"sub": "bailiwick", "iss": "https://evil.example"}),
            ),
            Self::NestedStranger => spec.claim(
                "act",
                json!({"sub": "bailiwick", "act": {"sub": "clerk", "act": {"sub": "stranger"}}}),
            ),
            Self::NestedDeep => spec.claim("act", nesting(9)),
            Self::NestedMost => spec.claim("act", nesting(8)),
            Self::Details => spec.claim("authorization_details", json!([{"type": "payment"}])),
            Self::SilentScopes => spec.without("scope"),
            _ => spec,
        }
    }

    /// Changes the members of a good answer.
    pub(super) fn distort(self, answer: &mut Map<String, Value>, subject_token: &str) {
        let (name, value) = match self {
            Self::SameToken => ("access_token", json!(subject_token)),
            Self::WrongTokenType => (
                "issued_token_type",
                json!("urn:ietf:params:oauth:token-type:id_token"),
            ),
            Self::NumberAsType => ("issued_token_type", json!(7)),
            Self::NoTokenType => ("issued_token_type", Value::Null),
            Self::NotABearer => ("token_type", json!("N_A")),
            Self::Huge => ("padding", json!("x".repeat(8 << 20))),
            Self::DetailsInAnswer => ("authorization_details", json!([{"type": "payment"}])),
            Self::ScopeList => ("scope", json!(["orders:read"])),
            Self::SilentScopes => ("scope", Value::Null),
            Self::TextualExpiry => ("expires_in", json!("60")),
            _ => return,
        };
        match value {
            Value::Null => answer.remove(name),
            value => answer.insert(name.to_owned(), value),
        };
    }

    /// Returns the answer to send instead of a good one, if any.
    pub(super) fn instead(self) -> Option<Answer> {
        let refused = |error: &str| {
            Answer::json(
                StatusCode::BAD_REQUEST,
                &json!({"error": error, "error_description": "secret-of-the-issuer"}),
            )
        };
        Some(match self {
            Self::HtmlPage => Answer::new(StatusCode::OK, "text/html", "<h1>Please log in</h1>"),
            Self::Empty => Answer::new(StatusCode::OK, "application/json", ""),
            Self::ServerError => Answer::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain",
                "stack trace\n",
            ),
            Self::InvalidGrant => refused("invalid_grant"),
            Self::ConsentRequired => refused("consent_required"),
            Self::Redirect => Answer {
                status: StatusCode::TEMPORARY_REDIRECT,
                ..Answer::default()
            }
            .with("location", "/elsewhere"),
            _ => return None,
        })
    }

    /// Returns how long a client's own token is held back.
    pub(super) fn client_delay(self) -> Duration {
        match self {
            Self::SlowClient => Duration::from_secs(4),
            _ => Duration::ZERO,
        }
    }

    /// Returns how long the answer is held back.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::Slow => Duration::from_secs(30),
            Self::SlowExchange => Duration::from_secs(3),
            _ => Duration::ZERO,
        }
    }
}

/// Returns the host as an actor, with the agent nested in it this often.
fn nesting(depth: usize) -> Value {
    let nest = |inner, _| json!({"sub": "clerk", "act": inner});
    let nested = (1..depth).fold(json!({"sub": "clerk"}), nest);
    json!({"sub": "bailiwick", "act": nested})
}
