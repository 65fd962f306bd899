//! Requests without a bearer token.

use anyhow::Result;
use http::Method;

use crate::resource_server::case::Case;
use crate::resource_server::suite::{Expect, Suite};
use crate::resource_server::wire::Ask;

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let ask = suite.probe.ask();
    suite
        .refuses(NO_TOKEN, vec![ask.clone()], Expect::Unauthorized)
        .await?;
    let notification = suite.probe.notification()?;
    suite
        .refuses(NOTIFICATION, vec![notification], Expect::Unauthorized)
        .await?;
    let others = [Method::GET, Method::DELETE]
        .map(|method| Ask::new(method, suite.url.clone()).header("accept", "text/event-stream"));
    let others = others.into_iter().collect::<Result<_>>()?;
    suite
        .refuses(OTHER_METHODS, others, Expect::AnyRefusal)
        .await?;

    let with = |values: &[String]| -> Result<Vec<Ask>> {
        let values = values.iter();
        values
            .map(|value| ask.clone().header("authorization", value))
            .collect()
    };
    let schemes = ["Basic YTpi", "DPoP abc", "Negotiate abc"].map(String::from);
    suite
        .refuses(OTHER_SCHEMES, with(&schemes)?, Expect::Unauthorized)
        .await?;
    let good = suite.good().await?;
    let dressed = [
        format!("Token {good}"),
        format!("JWT {good}"),
        format!("Basic {good}"),
        format!("Bearer2 {good}"),
        good.clone(),
    ];
    suite
        .refuses(DRESSED, with(&dressed)?, Expect::Malformed)
        .await?;
    let nothing = ["Bearer", "Bearer null", "Bearer undefined", "Bearer ."].map(String::from);
    suite
        .refuses(NOTHING, with(&nothing)?, Expect::Malformed)
        .await?;
    let lower = ask
        .clone()
        .header("authorization", &format!("bearer {good}"))?;
    suite.accepts(LOWER_CASE, lower).await
}

const NO_TOKEN: Case = Case::must(
    "a request without a token is a 401",
    "MCP Authorization, Error Handling; RFC 6750 §3",
);
const NOTIFICATION: Case = Case::must(
    "a notification without a token is a 401 too",
    "MCP Authorization, Token Requirements: in every HTTP request",
);
const OTHER_METHODS: Case = Case::must(
    "GET and DELETE without a token are refused",
    "MCP Authorization, Token Requirements: in every HTTP request",
);
const OTHER_SCHEMES: Case = Case::must(
    "credentials of another scheme are as none: a 401",
    "RFC 6750 §3.1; RFC 9110 §15.5.2",
);
const DRESSED: Case = Case::must(
    "the good token under another scheme or under none is refused",
    "RFC 6750 §2.1; MCP Authorization, Token Requirements",
);
const NOTHING: Case = Case::must(
    "a scheme without a token, and words such as null, are refused",
    "RFC 6750 §2.1, §3.1",
);
const LOWER_CASE: Case = Case::must("the scheme may be written in lower case", "RFC 9110 §11.1");
