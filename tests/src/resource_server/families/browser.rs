//! Web pages and names that were rebound.

use anyhow::Result;
use http::Method;

use super::metadata::is_loopback;
use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::suite::{Expect, Suite};
use crate::resource_server::wire::{Answer, Ask};

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let preflight = Ask::new(Method::OPTIONS, suite.url.clone())
        .header("origin", PAGE)?
        .header("access-control-request-method", "POST")?
        .header(
            "access-control-request-headers",
            "authorization, content-type",
        )?;
    let asked = suite.send(PREFLIGHT, preflight).await?;
    let outcome = Outcome::of(asked.status.as_u16() != 401, || {
        "expected an answer about origins, came 401".to_owned()
    });
    suite.note(PREFLIGHT, outcome);

    let good = suite.good().await?;
    let mut answers = vec![asked];
    for origin in [PAGE, "null"] {
        let ask = suite.probe.ask().header("origin", origin)?;
        answers.push(suite.send(CREDENTIALS, ask.clone()).await?);
        answers.push(suite.send(CREDENTIALS, ask.bearer(&good)?).await?);
    }
    let shared = answers.iter().find(|answer| shares(answer));
    let outcome = Outcome::of(shared.is_none(), || {
        let allowed = shared.map(|answer| answer.header("access-control-allow-origin"));
        format!("expected no credentials for any page, came them for {allowed:?}")
    });
    suite.note(CREDENTIALS, outcome);

    let local = is_loopback(&suite.url);
    let page = suite.probe.ask().header("origin", PAGE)?.bearer(&good)?;
    let case = if local { ORIGIN } else { ORIGIN_AFAR };
    let answer = suite.send(case, page).await?;
    let outcome = Outcome::of(answer.status.as_u16() == 403, || {
        format!("expected 403, came {}", answer.told())
    });
    suite.note(case, outcome);

    if !local {
        let why = "the server is not on loopback".to_owned();
        suite.note(REBOUND, Outcome::NotTried(why));
        return Ok(());
    }
    let hosts = [
        "rebound.example",
        "rebound.example:80",
        "127.0.0.1.rebound.example",
    ];
    let rebound = hosts.map(|host| suite.probe.ask().header("host", host)?.bearer(&good));
    let rebound = rebound.into_iter().collect::<Result<_>>()?;
    suite.refuses(REBOUND, rebound, Expect::Elsewhere).await
}

/// Returns true if an answer shares what a user's browser would send along with a page of anyone.
/// Browsers take `*` for no one then.
fn shares(answer: &Answer) -> bool {
    let origin = answer.header("access-control-allow-origin");
    let credentials = answer.header("access-control-allow-credentials");
    credentials.eq_ignore_ascii_case("true") && [PAGE, "null"].contains(&origin)
}

/// A page of someone unknown.
const PAGE: &str = "https://page.example";

const PREFLIGHT: Case = Case::should(
    "a page may ask before it sends a token",
    "Fetch, CORS-preflight: it carries no credentials",
);
const CREDENTIALS: Case = Case::must(
    "no page of any origin gets answers with the credentials of a browser",
    "Fetch, CORS protocol and credentials",
);
const ORIGIN: Case = Case::must(
    "a request of an unknown page is a 403",
    "MCP Streamable HTTP, Security & Endpoint (2025-11-25: Security Warning): Origin",
);
const ORIGIN_AFAR: Case = Case::should(
    "a request of an unknown page is a 403 (a server for all pages may differ)",
    "MCP Streamable HTTP, Security & Endpoint (2025-11-25: Security Warning): Origin",
);
const REBOUND: Case = Case::should(
    "a name that was rebound to this machine is refused",
    "MCP Streamable HTTP, Security & Endpoint (2025-11-25: Security Warning): DNS rebinding",
);
