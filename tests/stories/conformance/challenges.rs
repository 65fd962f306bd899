//! What open branches of the suite ask of servers that ask for tokens. No release asks it yet.
//!
//! The checks have the branches' own ids. Their authorization server issues tokens that are no
//! JWTs, so these scenarios use a real one, and the official client as they do.

use anyhow::{Context as _, Result};
use bailiwick_dev::issuer::{Signer, TokenSpec};
use bailiwick_dev::mcp;
use bailiwick_tests::World;
use serde_json::{Value, json};

use super::checks::Check;
use crate::clients::stepped_up;

/// Runs the scenarios; returns the checks of each.
pub(super) async fn scenarios(world: &World) -> Result<Vec<(&'static str, Vec<Check>)>> {
    let seen = stepped_up().await?.context("no client")?;
    let seen = Seen(&seen);
    Ok(vec![
        ("server-auth/basic-dcr-flow", seen.login()),
        ("server-auth/step-up-auth", seen.step_up()),
        ("auth-token-audience-validation", audience(world).await?),
    ])
}

/// What the client saw: it logged in, called, was asked for another scope and called again.
struct Seen<'s>(&'s Value);

impl Seen<'_> {
    /// Branch `server-auth-conformance`.
    fn login(&self) -> Vec<Check> {
        let challenge = self.challenge(401);
        let asks = ["auth-401-response", "auth-www-authenticate-header"];
        let mut checks: Vec<Check> = asks
            .iter()
            .map(|id| Check::of(id, challenge.starts_with("Bearer "), &self.told()))
            .collect();
        let named = challenge.contains("resource_metadata=\"");
        checks.push(Check::of(
            "auth-resource-metadata-param",
            named,
            &self.told(),
        ));
        for (id, method, path, status) in [
            (
                "auth-prm-discovery",
                "GET",
                "/.well-known/oauth-protected-resource",
                200,
            ),
            (
                "auth-as-metadata-discovery",
                "GET",
                "/.well-known/oauth-authorization-server",
                200,
            ),
            ("auth-dcr-registration", "POST", "/reg", 201),
            ("auth-token-request", "POST", "/token", 200),
            ("auth-authenticated-request", "POST", "/mcp", 200),
        ] {
            let came = self.position(|request| {
                text(request, "method") == method
                    && text(request, "url").contains(path)
                    && request.get("status") == Some(&json!(status))
            });
            checks.push(Check::of(id, came.is_some(), &self.told()));
        }
        checks.push(self.ended("auth-flow-completion"));
        checks
    }

    /// Branch `server-auth-step-up`.
    fn step_up(&self) -> Vec<Check> {
        let challenge = self.challenge(403);
        let has = |id, part: &str| Check::of(id, challenge.contains(part), &self.told());
        let refused = self.position(|request| request.get("status") == Some(&json!(403)));
        let tokens = self.0.get("tokens").and_then(Value::as_array);
        let after = self.requests().iter().skip(refused.unwrap_or(usize::MAX));
        let success = after
            .filter(|request| text(request, "url").ends_with("/mcp"))
            .any(|request| request.get("status") == Some(&json!(200)));
        vec![
            has("step-up-403-response", "error=\"insufficient_scope\""),
            has("step-up-scope-in-header", "scope=\""),
            has("step-up-resource-metadata", "resource_metadata=\""),
            Check::of(
                "step-up-re-auth",
                tokens.is_some_and(|tokens| tokens.len() > 1),
                &self.told(),
            ),
            Check::of(
                "step-up-success-after-escalation",
                success && self.0.pointer("/whoami/structuredContent").is_some(),
                &self.told(),
            ),
            self.ended("step-up-auth-flow"),
        ]
    }

    fn ended(&self, id: &str) -> Check {
        Check::of(id, self.0.get("refused").is_none(), &self.told())
    }

    /// Returns the challenge of the first answer with this status; empty if there is none.
    fn challenge(&self, status: u16) -> &str {
        let answer = self.requests().iter();
        let answer = answer.filter(|request| request.get("status") == Some(&json!(status)));
        let mut challenges = answer.map(|request| text(request, "challenge"));
        challenges.next().unwrap_or_default()
    }

    fn position(&self, is: impl Fn(&Value) -> bool) -> Option<usize> {
        self.requests().iter().position(is)
    }

    fn requests(&self) -> &[Value] {
        let requests = self.0.get("requests").and_then(Value::as_array);
        requests.map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns why the client gave up, if it did.
    fn told(&self) -> String {
        let refused = text(self.0, "refused");
        let told = if refused.is_empty() {
            "the client did not see it"
        } else {
            refused
        };
        told.to_owned()
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The branch of issue 78, on the audience of tokens: its tokens have no scope.
async fn audience(world: &World) -> Result<Vec<Check>> {
    let good = || world.spec("alice").without("scope");
    let other = "https://other.example/mcp";
    let cases: [(&str, Option<TokenSpec>, u16); 6] = [
        ("auth-unauthenticated-request-rejected", None, 401),
        ("auth-valid-audience-token-accepted", Some(good()), 200),
        (
            "auth-wrong-audience-token-rejected",
            Some(good().audience(other)),
            401,
        ),
        (
            "auth-missing-audience-token-rejected",
            Some(good().without("aud")),
            401,
        ),
        (
            "auth-expired-token-rejected",
            Some(good().lifetime(-600)),
            401,
        ),
        (
            "auth-untrusted-token-rejected",
            Some(good().signed_by(Signer::Stranger)),
            401,
        ),
    ];
    let url = world.host.url();
    let mut checks = Vec::new();
    for (id, spec, expected) in &cases {
        let token = spec.as_ref().map(|spec| world.issuer.token(spec));
        let token = token.transpose()?;
        let modern = mcp::request(&url, token.as_deref(), "server/discover", &json!({})).await?;
        let old = mcp::post(&url, old_headers(token.as_deref())?, &initialize()).await?;
        for answer in [modern, old] {
            let told = format!("expected {expected}, came {}", answer.status);
            checks.push(Check::of(id, answer.status.as_u16() == *expected, &told));
        }
    }
    Ok(checks)
}

fn old_headers(token: Option<&str>) -> Result<http::HeaderMap> {
    let mut headers = mcp::headers("initialize", token)?;
    headers.remove("mcp-protocol-version");
    headers.remove("mcp-method");
    Ok(headers)
}

fn initialize() -> Value {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "suite", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
}
