//! Tokens in other places than one header.

use anyhow::Result;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::resource_server::case::Case;
use crate::resource_server::mint::Minted;
use crate::resource_server::suite::{Expect, Suite};

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let good = suite.good().await?;
    let ask = suite.probe.ask();
    let mut in_query = ask.clone();
    in_query
        .url
        .query_pairs_mut()
        .append_pair("access_token", &good);
    suite
        .refuses(IN_QUERY, vec![in_query.clone()], Expect::AnyRefusal)
        .await?;
    let mut in_body = ask.clone();
    in_body.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    in_body.body = format!("access_token={good}");
    suite
        .refuses(IN_BODY, vec![in_body], Expect::AnyRefusal)
        .await?;
    let elsewhere = vec![
        ask.clone()
            .header("cookie", &format!("access_token={good}"))?,
        ask.clone().header("x-access-token", &good)?,
        ask.clone()
            .header("proxy-authorization", &format!("Bearer {good}"))?,
        ask.clone().header("x-forwarded-access-token", &good)?,
    ];
    suite
        .refuses(ELSEWHERE, elsewhere, Expect::AnyRefusal)
        .await?;
    let twice = in_query.bearer(&good)?;
    suite
        .refuses(TWO_WAYS, vec![twice], Expect::Malformed)
        .await?;

    let bad = match suite.mint(&suite.order().expires_in(-600)).await? {
        Minted::Token(token) => token,
        Minted::Unable(_) => "not-a-token".to_owned(),
    };
    let pairs = [(&good, &bad), (&bad, &good), (&good, &good)];
    let two = pairs.map(|(first, second)| ask.clone().bearer(first)?.bearer(second));
    let two = two.into_iter().collect::<Result<_>>()?;
    suite.refuses(TWO_HEADERS, two, Expect::Malformed).await?;
    let joined = ask
        .clone()
        .header("authorization", &format!("Bearer {bad}, Bearer {good}"))?;
    suite.refuses(JOINED, vec![joined], Expect::Malformed).await
}

const IN_QUERY: Case = Case::must(
    "a token in the query is not accepted",
    "MCP Authorization, Token Requirements; RFC 9700 §4.3.2",
);
const IN_BODY: Case = Case::must(
    "a token in a form is not accepted",
    "MCP Authorization, Token Requirements: the Authorization header",
);
const ELSEWHERE: Case = Case::must(
    "a token in a cookie or in another header is not accepted",
    "MCP Authorization, Token Requirements: the Authorization header",
);
const TWO_WAYS: Case = Case::should(
    "a token in the query beside the one in the header is refused",
    "RFC 6750 §2, §3.1 (invalid_request)",
);
const TWO_HEADERS: Case = Case::should(
    "two Authorization headers are refused, whichever of them is good",
    "RFC 6750 §3.1 (invalid_request); RFC 9110 §5.3",
);
const JOINED: Case = Case::must("two tokens in one header are refused", "RFC 6750 §2.1");
