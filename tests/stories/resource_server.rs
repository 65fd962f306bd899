//! The suite for resource servers, against this host and against servers that are careless.

mod careless;
mod flaws;
mod program;
pub(crate) mod tls;

use anyhow::{Result, bail, ensure};
use bailiwick_dev::issuer::{self, TokenSpec};
use bailiwick_dev::{Config, Issuer};
use bailiwick_tests::resource_server::{Level, Mint, Minted, Order, Signer, Target, run};
use bailiwick_tests::{AGENT, ORDERS_TOOL, Plan, SCOPE, World, ensure_eq};
use careless::{Careless, Flaw};
use serde_json::json;

#[tokio::test]
async fn this_host_passes_every_case_for_resource_servers() -> Result<()> {
    let world = World::start().await?;
    let report = run(&Target {
        tool: Some(ORDERS_TOOL.to_owned()),
        arguments: json!({"order_id": "A-1001"}),
        ..target(&world.host.url(), world.issuer)
    })
    .await?;
    ensure!(report.failed(Level::Must).is_empty(), "{report}");
    ensure!(report.failed(Level::Should).is_empty(), "{report}");
    ensure_eq(
        report.not_tried(),
        [OF_OTHER_TYPES, OF_SESSIONS].concat(),
        "cases that were not tried",
    )?;
    ensure_eq(report.passed().len(), 123, "cases that were tried")
}

#[tokio::test]
async fn this_host_tells_other_tokens_apart_without_their_type() -> Result<()> {
    let any_type = |config: &mut Config| config.issuers.push_str("token_type = \"any\"\n");
    let world = World::with(Plan::config(any_type)).await?;
    let (url, issuer) = (world.host.url(), world.issuer);
    let report = run(&Target {
        mint: Mint::Function(Box::new(move |order| {
            let mut order = order.clone();
            let typ = order.header.entry("typ");
            typ.or_insert_with(|| json!("JWT"));
            Ok(Minted::Token(issuer.token(&spec(&order))?))
        })),
        ..target(&url, Issuer::start().await?)
    })
    .await?;
    ensure!(report.failed(Level::Must).is_empty(), "{report}");
    ensure!(report.failed(Level::Should).is_empty(), "{report}");
    for case in OF_OTHER_TYPES {
        ensure!(report.passed().contains(&case), "{case}: {report}");
    }
    Ok(())
}

/// The cases for servers whose good tokens are not `at+jwt`.
const OF_OTHER_TYPES: [&str; 2] = [
    "an ID token that is told by its claims alone is refused",
    "a refresh token that is told by its claim alone is refused",
];

/// The host has no sessions.
const OF_SESSIONS: [&str; 2] = [
    "a session without a token is a 401",
    "a session is refused to another user's token",
];

#[tokio::test]
async fn what_a_mint_cannot_make_is_not_tried_and_never_passes() -> Result<()> {
    let issuer = Issuer::start().await?;
    let server = Careless::start(issuer.url(), &issuer.jwks(), Flaw::None).await?;
    let complete = target(&server.url, issuer);
    let Mint::Function(mint) = complete.mint else {
        bail!("no function");
    };
    let report = run(&Target {
        mint: Mint::Function(Box::new(move |order| {
            if order.to_json() == Order::good("alice", &order.audience, &order.scopes).to_json() {
                return mint(order);
            }
            Ok(Minted::Unable("only good ones".to_owned()))
        })),
        ..complete
    })
    .await?;
    let ordered = [
        "an expired token is refused",
        "a token without a signature is refused",
    ];
    for case in ordered {
        ensure!(report.not_tried().contains(&case), "{case}");
        ensure!(!report.passed().contains(&case), "{case}");
    }
    ensure!(
        report.is_good() && report.not_tried().len() > 60,
        "{report}"
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_refuses_the_good_token_is_no_server_that_passes() -> Result<()> {
    let (issuer, other) = (Issuer::start().await?, Issuer::start().await?);
    let server = Careless::start(other.url(), &other.jwks(), Flaw::None).await?;
    let Err(error) = run(&target(&server.url, issuer)).await else {
        bail!("there is a report");
    };
    let told = error.to_string();
    ensure!(told.contains("the good token is not accepted"), "{told}");
    Ok(())
}

/// Returns a server with the tokens of an issuer, which lives as long.
fn target(url: &str, issuer: Issuer) -> Target {
    Target {
        url: url.to_owned(),
        ca: None,
        audience: None,
        subject: "alice".to_owned(),
        scopes: vec![SCOPE.to_owned()],
        tool: None,
        arguments: json!({}),
        mint: Mint::Function(Box::new(move |order| {
            Ok(Minted::Token(issuer.token(&spec(order))?))
        })),
    }
}

fn spec(order: &Order) -> TokenSpec {
    let scopes: Vec<&str> = order.scopes.iter().map(String::as_str).collect();
    let mut spec = TokenSpec::of(&order.subject)
        .client(AGENT)
        .audience(&order.audience)
        .scopes(&scopes)
        .lifetime(order.expires_in)
        .signed_by(match order.signed_by {
            Signer::Issuer => issuer::Signer::Issuer,
            Signer::Stranger => issuer::Signer::Stranger,
            Signer::Nobody => issuer::Signer::Nobody,
            Signer::PublicKey => issuer::Signer::PublicKeyAsSecret,
        });
    for (name, value) in &order.header {
        spec = spec.header(name, value.clone());
    }
    for (name, value) in &order.claims {
        spec = spec.claim(name, value.clone());
    }
    for (name, value) in &order.repeated {
        spec = spec.repeat(name, value.clone());
    }
    if order.embedded_key {
        spec.embedding_the_key()
    } else {
        spec
    }
}
