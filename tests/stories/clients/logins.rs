//! The official TypeScript client logs in at real authorization servers, from the 401 to a call.
//!
//! The client starts with nothing but the host's URL. A script goes through the server's own login
//! and consent pages in place of a user with a browser.

mod dev;
mod keycloak;
mod place;
mod provider;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::jws;
use bailiwick_tests::{SCOPE, ensure_eq};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::authgent::Authgent;
use super::programs::Runtime;
use super::tested::{self, GATE};
use place::{PRIVILEGE, Place, first_token, last_token, told_to_renew};
use provider::Provider;

/// The lifetime of an ordinary token, in seconds.
const LIFETIME: u64 = 300;

/// A lifetime for a token that the story outlives, in seconds.
const SHORT: u64 = 5;

/// A resource server at the same authorization server, which is not the host.
const ANOTHER: &str = "http://127.0.0.1:1/mcp";

#[tokio::test]
async fn a_client_logs_in_at_oidc_provider_with_nothing_but_the_url_of_the_host() -> Result<()> {
    let Some((mut server, place)) = oidc_provider().await? else {
        return Ok(());
    };
    server.register(&place.host.url(), LIFETIME).await?;
    let seen = place.login("alice", &[]).await?;
    place.let_in(&seen, "alice", &AT_OIDC_PROVIDER)?;
    place.accepts_only_unchanged(first_token(&seen)?).await?;
    noted(OIDC_PROVIDER, "a client registers itself and logs in")
}

/// The requests of the client that logs in at `oidc-provider`.
const AT_OIDC_PROVIDER: [&str; 6] = [
    "POST host/mcp 401",
    "GET host/.well-known/oauth-protected-resource/mcp 200",
    "GET server/.well-known/oauth-authorization-server 200",
    "POST server/reg 201",
    "POST server/token 200",
    "POST host/mcp 200",
];

#[tokio::test]
async fn a_token_of_oidc_provider_for_another_resource_opens_nothing() -> Result<()> {
    let Some((mut server, place)) = oidc_provider().await? else {
        return Ok(());
    };
    server.register(&place.host.url(), LIFETIME).await?;
    server.register(ANOTHER, LIFETIME).await?;
    only_the_host_is_opened(&place, "alice").await?;
    noted(OIDC_PROVIDER, ONLY_THE_HOST)
}

#[tokio::test]
async fn a_client_renews_an_expired_token_of_oidc_provider() -> Result<()> {
    let Some((mut server, place)) = oidc_provider().await? else {
        return Ok(());
    };
    server.register(&place.host.url(), SHORT).await?;
    an_expired_token_is_renewed(&place, "alice").await?;
    noted(OIDC_PROVIDER, RENEWED)
}

#[tokio::test]
async fn a_client_gets_the_scope_that_a_call_needs_at_oidc_provider() -> Result<()> {
    let Some(seen) = stepped_up().await? else {
        return Ok(());
    };
    let what = format!("{seen:#}");
    let user = seen.pointer("/whoami/structuredContent/actor/sub");
    ensure_eq(user, Some(&json!("alice")), &what)?;
    let scopes = |token| {
        let claims = jws::unverified_claims(token).context("no claims")?;
        let scope = claims.get("scope").and_then(Value::as_str);
        let mut scopes: Vec<String> = scope
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .collect();
        scopes.sort_unstable();
        anyhow::Ok(scopes)
    };
    ensure_eq(scopes(first_token(&seen)?)?, vec![SCOPE.to_owned()], &what)?;
    let both = vec![PRIVILEGE.to_owned(), SCOPE.to_owned()];
    ensure_eq(scopes(last_token(&seen)?)?, both, &what)?;
    noted(OIDC_PROVIDER, "a client gets the scope that a call needs")
}

/// Lets a client log in at `oidc-provider` and call a tool that needs more than the login gave it;
/// returns what it saw, or none if the packages are not installed.
pub(crate) async fn stepped_up() -> Result<Option<Value>> {
    if !Runtime::Node.is_there() {
        return Ok(None);
    }
    let mut server = Provider::start().await?;
    let place = Place::start_privileged(&server.url, OF_OIDC_PROVIDER).await?;
    server.register(&place.host.url(), LIFETIME).await?;
    Ok(Some(place.login("alice", &[]).await?))
}

#[tokio::test]
async fn a_registered_client_logs_in_at_authgent_with_nothing_but_the_url_of_the_host() -> Result<()>
{
    let Some((_server, place)) = authgent(LIFETIME).await? else {
        return Ok(());
    };
    let seen = place.login(EVERYONE, &[]).await?;
    place.let_in(&seen, EVERYONE, &AT_AUTHGENT)?;
    place.accepts_only_unchanged(first_token(&seen)?).await?;
    only_the_host_is_opened(&place, EVERYONE).await?;
    noted(AUTHGENT, "a registered client logs in")?;
    noted(AUTHGENT, ONLY_THE_HOST)
}

/// The requests of the client that logs in at `authgent`.
const AT_AUTHGENT: [&str; 5] = [
    "POST host/mcp 401",
    "GET host/.well-known/oauth-protected-resource/mcp 200",
    "GET server/.well-known/oauth-authorization-server 200",
    "POST server/token 200",
    "POST host/mcp 200",
];

#[tokio::test]
async fn a_client_renews_an_expired_token_of_authgent() -> Result<()> {
    let Some((_server, place)) = authgent(SHORT).await? else {
        return Ok(());
    };
    an_expired_token_is_renewed(&place, EVERYONE).await?;
    noted(AUTHGENT, RENEWED)
}

/// A server of the gate, and where it is installed.
type Server = (Runtime, &'static str);

const OIDC_PROVIDER: Server = (Runtime::Node, "oidc-provider");
const AUTHGENT: Server = (Runtime::Python, "authgent-server");
const ONLY_THE_HOST: &str = "a token for another resource opens nothing";
const RENEWED: &str = "an expired token is renewed";

/// Notes what was done with a server.
fn noted((runtime, package): Server, did: &str) -> Result<()> {
    tested::provider(package, &runtime.version(package)?, did, GATE)
}

/// The one user of `authgent`, whose page asks for consent and not for a name.
const EVERYONE: &str = "consent_user";

/// Starts `oidc-provider` and a host that trusts it; none if the packages are not installed.
async fn oidc_provider() -> Result<Option<(Provider, Place)>> {
    if !Runtime::Node.is_there() {
        return Ok(None);
    }
    let server = Provider::start().await?;
    let place = Place::start(&server.url, OF_OIDC_PROVIDER).await?;
    Ok(Some((server, place)))
}

/// The lines of `docs/identity-providers.md` for its tokens.
const OF_OIDC_PROVIDER: &str = "algorithms = [\"ES256\"]\n";

/// Starts `authgent` with tokens that are valid for so many seconds, and a host that trusts it;
/// none if the packages are not installed.
async fn authgent(lifetime: u64) -> Result<Option<((Authgent, TempDir), Place)>> {
    if !Runtime::Node.is_there() || !Runtime::Python.is_there() {
        return Ok(None);
    }
    let temp = TempDir::new()?;
    let settings = [
        ("AUTHGENT_CONSENT_MODE", "ui"),
        ("AUTHGENT_SCOPES_SUPPORTED", &json!([SCOPE]).to_string()),
        ("AUTHGENT_ACCESS_TOKEN_TTL", &lifetime.to_string()),
    ];
    let server = Authgent::start(&temp, &settings).await?;
    let mut place = Place::start(&server.url, OF_AUTHGENT).await?;
    place.client = Some(registered(&server).await?);
    Ok(Some(((server, temp), place)))
}

/// The lines of `docs/identity-providers.md` for its tokens.
const OF_AUTHGENT: &str = r#"token_type = "any"
service_when = { claim = "sub", prefix = "client:" }
"#;

/// Registers the client, as an operator does; returns its id.
///
/// The client cannot register itself: the answer has `null` for what it did not name, which the
/// official client refuses.
async fn registered(server: &Authgent) -> Result<String> {
    let client = json!({
        "client_name": "Bailiwick story", "redirect_uris": ["http://127.0.0.1:49152/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "scope": SCOPE,
        "token_endpoint_auth_method": "none",
    });
    let answer = server.registered(&client).await?;
    ensure_eq(
        answer.get("client_uri"),
        Some(&Value::Null),
        "without nulls the client can register itself",
    )?;
    let id = answer.get("client_id").and_then(Value::as_str);
    Ok(id.context("no client_id")?.to_owned())
}

/// Checks that a client that asks for a token for another resource gets one that opens nothing,
/// and that the same client opens the host with one for the host.
async fn only_the_host_is_opened(place: &Place, user: &str) -> Result<()> {
    for (resource, opens) in [(ANOTHER, false), (&place.host.url(), true)] {
        let seen = place
            .login(user, &[("BAILIWICK_RESOURCE", resource)])
            .await?;
        let what = format!("{resource}: {seen:#}");
        ensure_eq(seen.get("whoami").is_some(), opens, &what)?;
        ensure_eq(seen.get("refused").is_none(), opens, &what)?;
        if !opens {
            place.refuses(first_token(&seen)?, "audience").await?;
        }
    }
    Ok(())
}

/// Checks that an expired token is refused, and that the client then gets another without its user.
async fn an_expired_token_is_renewed(place: &Place, user: &str) -> Result<()> {
    let seen = place.login(user, &[("BAILIWICK_RENEW", "1")]).await?;
    is_renewed(place, &seen, user).await
}

/// Checks that the host refused the first token of a client as expired, and took the next.
async fn is_renewed(place: &Place, seen: &Value, sub: &str) -> Result<()> {
    let what = format!("{seen:#}\n{}", place.host.said());
    let again = seen.pointer("/again/structuredContent/actor/sub");
    ensure_eq(again, Some(&json!(sub)), &what)?;
    ensure!(told_to_renew(seen)?, "not refused: {what}");
    let (first, last) = (first_token(seen)?, last_token(seen)?);
    ensure!(first != last, "not renewed: {what}");
    place.refuses(first, "expired").await
}
