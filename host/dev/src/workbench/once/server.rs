//! A server that runs, in place of a component: the call, and the token for it.
//!
//! A user of a `bailiwick dev` gets one from the mint of its issuer, which gives everyone on this
//! machine a token of every sample user; no other issuer has a mint.
//!
//! Invariant: to name a user sends nothing to another machine, and a token goes only to the server
//! that it is for.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::super::options::is_here;
use super::super::{arguments, tell};
use super::{Call, Target};
use crate::client;
use crate::mcp::{self, Answer};

/// Calls a tool of the server at `url`.
///
/// # Errors
/// The server does not answer, or there is no token for the user or no such tool.
pub(super) async fn call(url: &str, options: &Call) -> anyhow::Result<Answer> {
    let token = match (&options.token_file, &options.user, &options.scopes) {
        (Some(file), _, _) => Some(kept(file)?),
        (None, None, None) => None,
        (None, _, scopes) => Some(minted(url, options.user(), scopes.as_deref()).await?),
    };
    at(url, token.as_deref(), options).await
}

fn kept(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.trim().to_owned())
}

/// Returns a token for a user of the `bailiwick dev` that serves at `url`; its scopes are all that
/// are offered, unless some are named.
async fn minted(url: &str, user: &str, scopes: Option<&[String]>) -> anyhow::Result<String> {
    let mut place: Url = url.parse().with_context(|| url.to_owned())?;
    ensure!(is_here(&place), "{url} is not on this machine; {FOR_DEV}");
    // RFC 9728 §3.1.
    let path = place.path().trim_end_matches('/').to_owned();
    place.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    let described = client::fetch(place.as_str()).await?;
    let described = described.json().unwrap_or_default();
    let resource = described.get("resource").and_then(Value::as_str);
    let issuer = described.pointer("/authorization_servers/0");
    let issuer = issuer.and_then(Value::as_str).unwrap_or_default();
    let mint = issuer.parse().ok().filter(is_here);
    let mint: Url = mint.with_context(|| {
        format!("{url} names no authorization server on this machine; {FOR_DEV}")
    })?;
    // RFC 9728 §3.3: what another server says of itself is not followed.
    ensure!(
        resource
            .is_some_and(|resource| resource.trim_end_matches('/') == url.trim_end_matches('/')),
        "{url} is the resource {}; call it by that URL",
        resource.unwrap_or("of no name")
    );
    let scope = scopes.map(|scopes| scopes.join(" "));
    let mut form = vec![("user", user), ("audience", url), ("as", "text")];
    form.extend(scope.as_deref().map(|scope| ("scope", scope)));
    let mint = format!("{}/mint", mint.as_str().trim_end_matches('/'));
    let reply = client::form(&mint, None, &form).await?;
    match reply.status {
        StatusCode::OK => Ok(reply.text().trim().to_owned()),
        StatusCode::BAD_REQUEST => bail!("{issuer} gives no token for {user}: {}", reply.text()),
        other => bail!("{issuer} has no mint ({other}); {FOR_DEV}"),
    }
}

/// Calls a tool of a server.
pub(super) async fn at(url: &str, token: Option<&str>, options: &Call) -> anyhow::Result<Answer> {
    let tool = match options.target() {
        Target::Tool(tool) => tool,
        Target::Resource(uri) => {
            let params = json!({ "uri": uri });
            return mcp::named(url, token, ("resources/read", uri), &params).await;
        }
        Target::Prompt(name, words) => {
            let texts = arguments::texts(&words)?;
            let params = json!({"name": name, "arguments": texts});
            return mcp::named(url, token, ("prompts/get", name), &params).await;
        }
    };
    let listed = mcp::list(url, token).await?;
    let hint = match (listed.status, token) {
        (StatusCode::UNAUTHORIZED, None) => WITHOUT_TOKEN,
        _ => "",
    };
    ensure!(
        listed.status.is_success(),
        "{url} answers {}: {}{hint}",
        listed.status,
        listed.raw
    );
    let schema = schema_of(&listed, tool)?;
    let arguments = arguments::read(&options.arguments, &schema)?;
    mcp::call(url, token, tool, &arguments).await
}

/// Returns the input schema of a tool in a list.
fn schema_of(listed: &Answer, name: &str) -> anyhow::Result<Value> {
    let tools = listed.result().get("tools").and_then(Value::as_array);
    let tools = tools.map(Vec::as_slice).unwrap_or_default();
    if let Some(tool) = tools.iter().find(|tool| tell::name(tool) == name) {
        return Ok(tool.get("inputSchema").cloned().unwrap_or_default());
    }
    let known: Vec<&str> = tools.iter().map(tell::name).collect();
    if known.is_empty() {
        bail!("there is no tool {name}, and no other that this user may call");
    }
    bail!("there is no tool {name}; known here: {}", known.join(", "))
}

/// What a user can be named for.
const FOR_DEV: &str = "--as and --scopes are for servers of `bailiwick dev` on this machine, others need --token-file";
/// What a call without a token lacks.
const WITHOUT_TOKEN: &str =
    "\nName a token with --token-file, or a user of `bailiwick dev` with --as";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::http::{Answer as Page, Bound, Server, Service};
    use crate::issuer::Issuer;

    /// Starts a server that says of itself what `described` makes of its URL; returns that URL.
    async fn server(described: impl FnOnce(&str) -> Value) -> (Server, String) {
        let bound = Bound::to(0).await.unwrap();
        let url = format!("{}/mcp", bound.url());
        let about = described(&url);
        let service: Service = Arc::new(move |request| {
            let here = request.path == "/.well-known/oauth-protected-resource/mcp";
            let page = if here {
                Page::json(StatusCode::OK, &about)
            } else {
                Page::new(StatusCode::NOT_FOUND, "text/plain", "no such page")
            };
            Box::pin(async move { page })
        });
        (bound.serve(service), url)
    }

    #[tokio::test]
    async fn a_user_of_a_development_issuer_gets_a_token_for_that_server() {
        let issuer = Issuer::start().await.unwrap();
        let named = issuer.url().to_owned();
        let about = |url: &str| json!({"resource": url, "authorization_servers": [named]});
        let (_server, url) = server(about).await;
        issuer.offer(&url, &["orders:read", "orders:write"]);
        for (scopes, expected) in [
            (None, "orders:read orders:write"),
            (Some(["orders:read".to_owned()]), "orders:read"),
        ] {
            let scopes = scopes.as_ref().map(<[String; 1]>::as_slice);
            let token = minted(&url, "alice", scopes).await.unwrap();
            let claims = crate::jws::unverified_claims(&token).unwrap();
            let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap().to_owned();
            assert_eq!((text("sub"), text("aud")), ("alice".into(), url.clone()));
            assert_eq!(text("scope"), expected);
        }
        let error = minted(&url, "mallory", None).await.unwrap_err().to_string();
        assert!(error.contains("gives no token for mallory: "), "{error}");
    }

    #[tokio::test]
    async fn no_other_server_is_asked_for_a_token() {
        let issuer = Issuer::start().await.unwrap();
        let (_first, plain) = server(|_| json!({})).await;
        let of = |resource: &str, issuer: &str| json!({"resource": resource, "authorization_servers": [issuer]});
        let origin = plain.trim_end_matches("/mcp");
        let (_second, foreign) = server(|_| of("http://127.0.0.1:1/mcp", issuer.url())).await;
        let (_third, without_mint) = server(|url| of(url, origin)).await;
        let (_fourth, elsewhere) = server(|url| of(url, "https://idp.example")).await;
        for (url, told) in [
            ("https://tools.example.com/mcp", "is not on this machine"),
            (foreign.as_str(), "is the resource http://127.0.0.1:1/mcp"),
            (without_mint.as_str(), "has no mint"),
            (
                elsewhere.as_str(),
                "names no authorization server on this machine",
            ),
            (plain.as_str(), "names no authorization server"),
        ] {
            let error = format!("{:#}", minted(url, "alice", None).await.unwrap_err());
            assert!(error.contains(told), "{url}: {error}");
        }
    }
}
