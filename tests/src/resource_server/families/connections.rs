//! Connections and sessions: an earlier good token lets nothing else in.

use anyhow::Result;
use serde_json::json;

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::mint::Minted;
use crate::resource_server::suite::Suite;
use crate::resource_server::wire::Ask;

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let ask = suite.probe.ask();
    after_a_good_one(suite, KEPT_NONE, ask.clone()).await?;
    match suite.mint(&suite.order().expires_in(-600)).await? {
        Minted::Token(expired) => after_a_good_one(suite, KEPT_BAD, ask.bearer(&expired)?).await?,
        Minted::Unable(why) => suite.note(KEPT_BAD, Outcome::NotTried(why)),
    }
    sessions(suite).await?;
    let good = suite.good().await?;
    suite.accepts(STILL, suite.probe.ask().bearer(&good)?).await
}

/// Sends the good token, and then on the same connection what must be refused.
async fn after_a_good_one(suite: &mut Suite<'_>, case: Case, bad: Ask) -> Result<()> {
    let good = suite.good().await?;
    let mut connection = suite.connect(&bad.url).await?;
    let first = suite.probe.ask().bearer(&good)?;
    suite.send_on(&mut connection, case, first).await?;
    if !connection.is_kept().await {
        let why = "the server closes its connections".to_owned();
        suite.note(case, Outcome::NotTried(why));
        return Ok(());
    }
    let outcome = match suite.send_on(&mut connection, case, bad).await {
        Ok(answer) => Outcome::of(answer.status.as_u16() == 401, || {
            format!("expected 401, came {}", answer.told())
        }),
        Err(error) => Outcome::NotTried(format!("the connection was closed: {error:#}")),
    };
    suite.note(case, outcome);
    Ok(())
}

async fn sessions(suite: &mut Suite<'_>) -> Result<()> {
    if suite.probe.session.is_none() {
        for case in [SESSION, SESSION_OF_ANOTHER] {
            suite.note(
                case,
                Outcome::NotTried("the server has no sessions".to_owned()),
            );
        }
        return Ok(());
    }
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let ask = suite.probe.in_session(&ping)?;
    let answer = suite.send(SESSION, ask.clone()).await?;
    let outcome = Outcome::of(answer.status.as_u16() == 401, || {
        format!("expected 401, came {}", answer.told())
    });
    suite.note(SESSION, outcome);
    let mut order = suite.order();
    order.subject = format!("{}-2", order.subject);
    let outcome = match suite.mint(&order).await? {
        Minted::Unable(why) => Outcome::NotTried(why),
        Minted::Token(other) => {
            let answer = suite.send(SESSION_OF_ANOTHER, ask.bearer(&other)?).await?;
            Outcome::of(answer.status.is_client_error(), || {
                format!("expected a refusal, came {}", answer.told())
            })
        }
    };
    suite.note(SESSION_OF_ANOTHER, outcome);
    Ok(())
}

const KEPT_NONE: Case = Case::must(
    "no token after a good one on the same connection is a 401",
    "MCP Authorization, Token Requirements: in every HTTP request",
);
const KEPT_BAD: Case = Case::must(
    "an expired token after a good one on the same connection is a 401",
    "MCP Authorization, Token Requirements: in every HTTP request",
);
const SESSION: Case = Case::must(
    "a session without a token is a 401",
    "MCP Security Best Practices 2025-11-25, Session Hijacking: sessions do not authenticate",
);
const SESSION_OF_ANOTHER: Case = Case::should(
    "a session is refused to another user's token",
    "MCP Security Best Practices 2025-11-25, Session Hijacking: bind sessions to users",
);
const STILL: Case = Case::must(
    "the good token is still accepted at the end",
    "RFC 6750 §2.1",
);
