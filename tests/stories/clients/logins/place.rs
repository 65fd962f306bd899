//! A host that trusts one real authorization server, and the client that logs in to it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{Config, Folder, Host, journal, jws, mcp};
use bailiwick_tests::{ORDERS_TOOL, SCOPE, TRUST_DOMAIN, bailiwick, ensure_eq, one_refusal, tools};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::programs::Runtime;

/// A scope that no login asks for at first.
pub(super) const PRIVILEGE: &str = "orders:admin";

/// The time that the host may take to write a line of its log.
const DEADLINE: Duration = Duration::from_secs(10);

/// The host, and what it was configured for.
pub(super) struct Place {
    pub(super) host: Host,
    /// The id by which the authorization server knows the client; none if the client registers
    /// itself.
    pub(super) client: Option<String>,
    issuer: String,
    folder: Folder,
    _temp: TempDir,
}

impl Place {
    /// Starts a host that trusts `issuer`, with these lines in its `[[issuers]]`.
    pub(super) async fn start(issuer: &str, lines: &str) -> Result<Self> {
        Self::start_with(issuer, lines, SERVICES, "service_identity").await
    }

    /// Does the same where a login is for [`SCOPE`] and the tool `whoami` needs [`PRIVILEGE`].
    pub(super) async fn start_privileged(issuer: &str, lines: &str) -> Result<Self> {
        Self::start_of(issuer, lines, "service_identity", |config, _| {
            SERVICES.clone_into(&mut config.services);
            let shown = format!(
                "initial_scopes = [\"{SCOPE}\"]\nscopes_supported = [\"{PRIVILEGE}\"]\n\
                 list = \"obtainable\"\n"
            );
            config.server.push_str(&shown);
            let whoami = format!("[components.whoami]\nscopes = [\"{PRIVILEGE}\"]\n");
            config.components.push_str(&whoami);
            Ok(())
        })
        .await
    }

    /// Does the same with these services, for orders in this mode. A file has [`SECRET`].
    pub(super) async fn start_with(
        issuer: &str,
        lines: &str,
        services: &str,
        mode: &str,
    ) -> Result<Self> {
        Self::start_of(issuer, lines, mode, |config, _| {
            services.clone_into(&mut config.services);
            let shown = format!("scopes_supported = [\"{SCOPE}\"]\n");
            config.server.push_str(&shown);
            Ok(())
        })
        .await
    }

    /// Does the same with these changes to the configuration and its folder.
    pub(super) async fn start_of(
        issuer: &str,
        lines: &str,
        mode: &str,
        change: impl FnOnce(&mut Config, &Folder) -> Result<()>,
    ) -> Result<Self> {
        let temp = TempDir::new()?;
        let folder = Folder::create(&temp.path().join("host"))?;
        let built = tools()?;
        folder.add_tool(&built.join("whoami.wasm"))?;
        let digest = folder.add_tool(&built.join("orders.wasm"))?;
        let mut config = Config::new(issuer, TRUST_DOMAIN);
        config.issuers = ISSUERS.replace("ISSUER", issuer) + lines;
        config.components = COMPONENTS.replace("DIGEST", &digest).replace("MODE", mode);
        change(&mut config, &folder)?;
        folder.write_secret("exchange", SECRET)?;
        folder.write_config(&config)?;
        Ok(Self {
            host: Host::start(&bailiwick()?, &folder.config()).await?,
            client: None,
            issuer: issuer.to_owned(),
            folder,
            _temp: temp,
        })
    }

    /// Lets a user log in with the official client; returns what the client saw.
    pub(super) async fn login(&self, user: &str, more: &[(&str, &str)]) -> Result<Value> {
        let url = self.host.url();
        let client = self
            .client
            .iter()
            .map(|id| ("BAILIWICK_CLIENT", id.as_str()));
        let environment: Vec<_> = client.chain(more.iter().copied()).collect();
        Runtime::Node
            .run("login.mjs", &[url.as_str(), user], &environment)
            .await
    }

    /// Checks that the client went this way to the host's tools, and that a tool named the user.
    pub(super) fn let_in(&self, seen: &Value, user: &str, way: &[&str]) -> Result<()> {
        let what = format!("{seen:#}\n{}", self.host.said());
        ensure_eq(self.way(seen)?, way, &what)?;
        let is = |pointer: &str, expected: &str| {
            ensure_eq(seen.pointer(pointer), Some(&json!(expected)), &what)
        };
        is("/authorization/resource", &self.host.url())?;
        is("/authorization/code_challenge_method", "S256")?;
        is("/protocol", mcp::PROTOCOL_VERSION)?;
        is("/whoami/structuredContent/actor/sub", user)?;
        is("/whoami/structuredContent/actor/iss", &self.issuer)?;
        is("/whoami/structuredContent/actor/type", "user")?;
        let has = |list: Option<&Value>, name: &str| {
            list.and_then(Value::as_array)
                .is_some_and(|list| list.contains(&json!(name)))
        };
        let asks_for_token = requests(seen)?.iter().any(|request| {
            let fields = request.get("fields");
            has(fields, "code_verifier") && has(fields, "resource")
        });
        ensure!(asks_for_token, "no verifier or no resource: {what}");
        ensure!(
            has(seen.get("tools"), ORDERS_TOOL),
            "the tool of the scope that the user granted: {what}"
        );
        Ok(())
    }

    /// Returns the requests of the client until its first call, as `METHOD place/path status`.
    fn way(&self, seen: &Value) -> Result<Vec<String>> {
        let mut way: Vec<String> = requests(seen)?
            .iter()
            .map(|request| {
                let text = |name| {
                    request
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                let status = request.get("status").unwrap_or(&Value::Null);
                let url = text("url").split('?').next().unwrap_or_default();
                let path = url
                    .replace(&self.issuer, "server")
                    .replace(self.host.at("/").trim_end_matches('/'), "host");
                format!("{} {path} {status}", text("method"))
            })
            .collect();
        way.dedup();
        Ok(way)
    }

    /// Checks that a token opens the host, and that it does not with another content or signature.
    pub(super) async fn accepts_only_unchanged(&self, token: &str) -> Result<()> {
        ensure!(self.call(token).await?.is_success(), "{}", self.host.said());
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            anyhow::bail!("not a JWT: {token}");
        };
        let mut changed = jws::unverified_claims(token).context("no claims")?;
        changed.insert("sub".to_owned(), json!("bobby"));
        let changed = jws::encode(Value::Object(changed).to_string());
        let flipped = match signature.strip_prefix('A') {
            Some(rest) => format!("B{rest}"),
            None => format!("A{}", signature.get(1..).unwrap_or_default()),
        };
        for (what, token) in [
            ("another subject", format!("{header}.{changed}.{signature}")),
            ("another signature", format!("{header}.{claims}.{flipped}")),
        ] {
            self.refuses(&token, "signature").await.context(what)?;
        }
        Ok(())
    }

    /// Checks that a token is refused with a 401 and one record, and that the log says why.
    pub(super) async fn refuses(&self, token: &str, why: &str) -> Result<()> {
        let (before, heard) = (self.records()?.len(), self.host.said().len());
        let answer = self.call(token).await?;
        ensure_eq(answer.status, StatusCode::UNAUTHORIZED, &answer.raw)?;
        let challenge = answer.challenge();
        ensure!(
            challenge.contains("error=\"invalid_token\"")
                && challenge.contains("resource_metadata=\""),
            "{challenge}"
        );
        let records = self.records()?;
        let refusal = one_refusal(&records, before)?;
        ensure_eq(journal::text(refusal, "reason"), "token-invalid", why)?;
        // The log is written beside the work.
        let said = async {
            while !self.host.said_since(heard).contains(why) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, said).await;
        waited.with_context(|| format!("no {why:?}: {}", self.host.said_since(heard)))
    }

    /// Returns the journal so far.
    pub(super) fn records(&self) -> Result<Vec<Value>> {
        journal::read(&self.folder.audit())
    }

    /// Calls the tool that tells who calls.
    pub(super) async fn call(&self, token: &str) -> Result<mcp::Answer> {
        mcp::call(&self.host.url(), Some(token), "whoami", &json!({})).await
    }

    /// Calls the tool that asks the service.
    pub(super) async fn order(&self, token: &str) -> Result<mcp::Answer> {
        let arguments = json!({"order_id": "A-1001"});
        mcp::call(&self.host.url(), Some(token), ORDERS_TOOL, &arguments).await
    }
}

/// Returns true if the host refused a token of the client as invalid.
pub(super) fn told_to_renew(seen: &Value) -> Result<bool> {
    let challenges = requests(seen)?
        .iter()
        .filter_map(|request| request.get("challenge")?.as_str());
    Ok(challenges
        .into_iter()
        .any(|challenge| challenge.contains("error=\"invalid_token\"")))
}

fn requests(seen: &Value) -> Result<&Vec<Value>> {
    let requests = seen.get("requests").and_then(Value::as_array);
    requests.with_context(|| format!("no requests in {seen:#}"))
}

/// Returns the access token that the client got first.
pub(super) fn first_token(seen: &Value) -> Result<&str> {
    let token = tokens(seen)?.first().and_then(Value::as_str);
    token.context("no first token")
}

/// Returns the access token that the client got last.
pub(super) fn last_token(seen: &Value) -> Result<&str> {
    let token = tokens(seen)?.last().and_then(Value::as_str);
    token.context("no last token")
}

fn tokens(seen: &Value) -> Result<&Vec<Value>> {
    let tokens = seen.get("tokens").and_then(Value::as_array);
    tokens.with_context(|| format!("no tokens in {seen:#}"))
}

const ISSUERS: &str = r#"[[issuers]]
issuer = "ISSUER"
alias = "corp"
private_addresses = ["127.0.0.0/8"]
"#;

/// The secret of the host at the authorization server, in `secrets/exchange`.
pub(super) const SECRET: &str = "a secret of the host & only of it";

/// A service that no story asks: its tools are there to be listed by those with their scope.
const SERVICES: &str = r#"[services.orders_api]
url = "http://127.0.0.1:9"
private_addresses = ["127.0.0.0/8"]
shared_data = true
allow = ["GET /orders/{}"]
"#;

const COMPONENTS: &str = r#"[components.orders]
digest = "DIGEST"
services = { orders_api = "MODE" }
"#;
