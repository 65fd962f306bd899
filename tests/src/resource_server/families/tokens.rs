//! Cases of one ordered token each: tables of orders, and how a row is tried.

use anyhow::Result;
use serde_json::Value;

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::mint::{Minted, Order};
use crate::resource_server::suite::{Expect, Suite};
use crate::resource_server::token::Jwt;

/// A row: a good token with a change.
pub(super) struct Row {
    pub(super) case: Case,
    /// True if the token must be accepted all the same.
    pub(super) accepted: bool,
    /// The good token that the row makes sense for.
    pub(super) needs: Needs,
    /// The change.
    pub(super) order: fn(Order, &Facts) -> Order,
}

/// The good token that a row makes sense for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Any.
    Any,
    /// A JWT.
    Jwt,
    /// A JWT whose type is `at+jwt` (RFC 9068 §2.1).
    AtJwt,
    /// A JWT of another type, as many authorization servers issue.
    PlainJwt,
}

/// The values that changes start from.
pub(super) struct Facts {
    /// The good audience.
    pub(super) audience: String,
    /// The scheme, host and port of the server.
    pub(super) origin: String,
    /// The good issuer; empty if the good token is no JWT.
    pub(super) issuer: String,
}

impl Facts {
    /// Returns true for the good audience; a slash at its end is no difference.
    fn is_ours(&self, audience: &Value) -> bool {
        let audience = audience.as_str().unwrap_or_default();
        audience.trim_end_matches('/') == self.audience.trim_end_matches('/')
    }
}

impl Row {
    pub(super) const fn refused(case: Case, order: fn(Order, &Facts) -> Order) -> Self {
        Self {
            case,
            accepted: false,
            needs: Needs::Any,
            order,
        }
    }

    pub(super) const fn accepted(case: Case, order: fn(Order, &Facts) -> Order) -> Self {
        Self {
            case,
            accepted: true,
            needs: Needs::Any,
            order,
        }
    }

    pub(super) const fn of(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }
}

/// Tries a table.
pub(super) async fn run(suite: &mut Suite<'_>, rows: &[Row]) -> Result<()> {
    let facts = Facts {
        audience: suite.audience().to_owned(),
        origin: suite.url.origin().ascii_serialization(),
        issuer: suite
            .jwt
            .as_ref()
            .map(|jwt| jwt.text("iss").to_owned())
            .unwrap_or_default(),
    };
    for row in rows {
        if let Some(why) = row.needs.missing(suite) {
            suite.note(row.case, Outcome::NotTried(why.to_owned()));
            continue;
        }
        let order = (row.order)(suite.order(), &facts);
        if !row.accepted
            && order
                .claims
                .get("aud")
                .is_some_and(|aud| facts.is_ours(aud))
        {
            let why = "the URL leaves nothing to change".to_owned();
            suite.note(row.case, Outcome::NotTried(why));
            continue;
        }
        match suite.mint(&order).await? {
            Minted::Unable(why) => suite.note(row.case, Outcome::NotTried(why)),
            Minted::Token(token) => {
                let ask = suite.probe.ask().bearer(&token)?;
                if row.accepted {
                    suite.accepts(row.case, ask).await?;
                } else {
                    suite
                        .refuses(row.case, vec![ask], Expect::Unauthorized)
                        .await?;
                }
            }
        }
    }
    Ok(())
}

impl Needs {
    /// Returns what is missing for a row, if anything is.
    pub(super) fn missing(self, suite: &Suite<'_>) -> Option<&'static str> {
        let typ = suite.jwt.as_ref().map(Jwt::typ);
        match (self, typ.as_deref()) {
            (Self::Any, _) => None,
            (_, None) => Some("the good token is no JWT"),
            (Self::AtJwt, Some(typ)) if typ != "at+jwt" => {
                Some("good tokens are not at+jwt, so the type tells nothing")
            }
            (Self::PlainJwt, Some("at+jwt")) => Some("good tokens are at+jwt"),
            _ => None,
        }
    }
}
