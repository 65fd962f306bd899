//! Tokens with too few scopes.

use anyhow::Result;

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::mint::Minted;
use crate::resource_server::probe::{accepts, succeeds};
use crate::resource_server::suite::Suite;

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let few = match too_few(suite).await? {
        Minted::Token(few) => few,
        Minted::Unable(why) => {
            for case in [WITHHELD, FORBIDDEN, NAMED, NEEDED, WHERE, GRANTED] {
                suite.note(case, Outcome::NotTried(why.clone()));
            }
            return Ok(());
        }
    };
    let answer = suite
        .send(WITHHELD, suite.probe.ask().bearer(&few)?)
        .await?;
    // The twin: the same call with the scopes.
    let good = suite.good().await?;
    let granted = suite
        .send(GRANTED, suite.probe.ask().bearer(&good)?)
        .await?;
    let told = answer.told();
    let withheld = if succeeds(&granted) {
        Outcome::of(!succeeds(&answer), || {
            format!("expected a refusal, came the tool's result: {told}")
        })
    } else {
        let why = "the tool fails with the scopes too: other --arguments";
        Outcome::NotTried(why.to_owned())
    };
    suite.note(WITHHELD, withheld);
    let forbidden = answer.status.as_u16() == 403;
    suite.note(
        FORBIDDEN,
        Outcome::of(forbidden, || format!("expected 403, came {told}")),
    );
    let named = answer.parameter("error") == "insufficient_scope";
    suite.note(
        NAMED,
        Outcome::of(named, || {
            format!("expected error=\"insufficient_scope\", came {told}")
        }),
    );
    let scope = answer.parameter("scope");
    let named: Vec<&str> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    suite.note(
        NEEDED,
        Outcome::of(!named.is_empty(), || format!("expected scope, came {told}")),
    );
    let metadata = !answer.parameter("resource_metadata").is_empty();
    suite.note(
        WHERE,
        Outcome::of(metadata, || {
            format!("expected resource_metadata, came {told}")
        }),
    );
    let outcome = Outcome::of(accepts(&granted), || {
        format!("expected success, came {}", granted.told())
    });
    suite.note(GRANTED, outcome);
    Ok(())
}

/// Returns a token without scopes, if a tool is called that needs some.
async fn too_few(suite: &Suite<'_>) -> Result<Minted> {
    if suite.target.tool.is_none() || suite.target.scopes.is_empty() {
        let why = "name a tool that needs scopes, and the scopes: --tool, --scopes";
        return Ok(Minted::Unable(why.to_owned()));
    }
    let mut order = suite.order();
    order.scopes = Vec::new();
    suite.mint(&order).await
}

const WITHHELD: Case = Case::must(
    "a call whose scopes the token lacks is not carried out",
    "RFC 6749 §7; MCP Authorization, Token Handling",
);
const FORBIDDEN: Case = Case::should(
    "a token with too few scopes is a 403",
    "MCP Authorization, Runtime Insufficient Scope Errors; RFC 6750 §3.1",
);
const NAMED: Case = Case::should(
    "the 403 says insufficient_scope",
    "MCP Authorization, Runtime Insufficient Scope Errors; RFC 6750 §3.1",
);
const NEEDED: Case = Case::should(
    "the 403 names the scopes that are needed",
    "MCP Authorization, Runtime Insufficient Scope Errors",
);
const WHERE: Case = Case::should(
    "the 403 says where the metadata are",
    "MCP Authorization, Runtime Insufficient Scope Errors",
);
const GRANTED: Case = Case::must(
    "the same call with the scopes is accepted",
    "MCP Authorization, Scope Challenge Handling",
);
