//! An authorization server that knows nothing of Bailiwick: `authgent-server`.
//!
//! It differs from the development issuer, as the configuration shows. Tokens are of type `JWT`,
//! and keys are discovered. It ignores any `actor_token` and sets `act.sub` to `client:` and the
//! client's id, so the host sends none (`actor = "none"`) and names that actor (`expect_actor`). A
//! client by itself is a `sub` with the same prefix, which distinguishes service accounts from
//! users. People sign in at an issuer at home; their agent brings its assertion (RFC 7523) and gets
//! a token for the host.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bailiwick_dev::http::{Answer, Bound, Server};
use bailiwick_dev::{
    Config, Folder, Host, Issuer, Orders, TokenSpec, client, journal, mcp, orders,
};
use bailiwick_tests::{ORDERS_TOOL, SCOPE, TRUST_DOMAIN, bailiwick, claims_of, ensure_eq, tools};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::programs::Runtime;
use super::tested::{self, GATE};

#[tokio::test]
async fn another_authorization_server_exchanges_a_users_token_for_one_order() -> Result<()> {
    if !Runtime::Python.is_there() {
        return Ok(());
    }
    let temp = TempDir::new()?;
    let home = Home::start().await?;
    let trusted = json!([home.url]).to_string();
    let authgent =
        Authgent::start(&temp, &[("AUTHGENT_TRUSTED_CHAINING_ISSUERS", &trusted)]).await?;
    let (host_client, agent) = (
        authgent.register("host", &[TOKEN_EXCHANGE]).await?,
        authgent
            .register("agent", &[JWT_BEARER, CLIENT_CREDENTIALS])
            .await?,
    );
    let orders = Orders::start(orders::Settings::new(
        &authgent.url,
        &authgent.at("/.well-known/jwks.json"),
        TRUST_DOMAIN,
    ))
    .await?;
    let folder = folder(&temp, &authgent.url, &host_client, orders.url())?;
    let host = Host::start(&bailiwick()?, &folder.config()).await?;
    orders.trust_host(&host.at("/.well-known/jwks.json"));

    let own = authgent
        .token(&agent, &host, &[("grant_type", CLIENT_CREDENTIALS)])
        .await?;
    let whoami = mcp::call(&host.url(), Some(&own), "whoami", &json!({})).await?;
    ensure_eq(
        whoami.structured().pointer("/actor/type"),
        Some(&json!("service")),
        "the agent by itself",
    )?;
    let refused = mcp::call(
        &host.url(),
        Some(&own),
        ORDERS_TOOL,
        &json!({"order_id": "A-1001"}),
    )
    .await?;
    ensure!(
        !refused.is_success() && orders.requests().is_empty(),
        "for nobody: {}",
        refused.raw
    );

    let assertion = home.assertion(&authgent.url)?;
    let token = authgent
        .token(
            &agent,
            &host,
            &[("grant_type", JWT_BEARER), ("assertion", &assertion)],
        )
        .await?;
    for (order, customer) in [("A-1001", true), ("A-2001", false)] {
        let answer = mcp::call(
            &host.url(),
            Some(&token),
            ORDERS_TOOL,
            &json!({"order_id": order}),
        )
        .await?;
        ensure_eq(
            answer.is_success(),
            customer,
            &format!("{order}: {} {}", answer.raw, host.said()),
        )?;
    }
    names_everybody(&orders, &host_client, &agent)?;
    let records = journal::read(&folder.audit())?;
    ensure_eq(
        journal::events(&records, "token.exchanged").len(),
        1,
        "the second order comes from the cache",
    )?;
    let version = Runtime::Python.version("authgent-server")?;
    let did = "the host exchanges a user's token";
    tested::provider("authgent-server", &version, did, GATE)
}

/// Checks that the service saw the user, the host that acts for them, and the agent through which
/// they came.
fn names_everybody(orders: &Orders, host: &Client, agent: &Client) -> Result<()> {
    let requests = orders.requests();
    let request = requests.first().context("no request")?;
    let issued = claims_of(request, "authorization");
    ensure_eq(issued.get("sub"), Some(&json!("alice")), "subject")?;
    ensure_eq(issued.get("aud"), Some(&json!("orders")), "audience")?;
    ensure_eq(issued.get("scope"), Some(&json!(SCOPE)), "scope")?;
    ensure_eq(
        issued.get("act"),
        Some(&json!({"sub": format!("client:{}", host.id)})),
        "actor",
    )?;
    ensure_eq(
        claims_of(request, "txn-token").get("sub"),
        Some(&json!("corp|alice")),
        "transaction",
    )?;
    let log = orders.log();
    ensure_eq(
        log.first().and_then(|line| line.agent.as_deref()),
        Some(agent.id.as_str()),
        "agent",
    )
}

/// Returns a host whose callers and whose exchange are authgent's.
fn folder(temp: &TempDir, authgent: &str, client: &Client, orders: &str) -> Result<Folder> {
    let folder = Folder::create(&temp.path().join("host"))?;
    let built = tools()?;
    folder.add_tool(&built.join("whoami.wasm"))?;
    let digest = folder.add_tool(&built.join("orders.wasm"))?;
    folder.write_secret("exchange", &client.secret)?;
    let mut config = Config::new(authgent, TRUST_DOMAIN);
    config.issuers = ISSUERS.replace("AUTHGENT", authgent);
    config.services = SERVICES
        .replace("AUTHGENT", authgent)
        .replace("ORDERS", orders)
        .replace("CLIENT", &client.id);
    config.components = COMPONENTS.replace("DIGEST", &digest);
    folder.write_config(&config)?;
    Ok(folder)
}

const ISSUERS: &str = r#"[[issuers]]
issuer = "AUTHGENT"
alias = "corp"
token_type = "any"
service_when = { claim = "sub", prefix = "client:" }
private_addresses = ["127.0.0.0/8"]
"#;

const SERVICES: &str = r#"[services.orders_api]
url = "ORDERS"
private_addresses = ["127.0.0.0/8"]
in_trust_domain = true
allow = ["GET /orders/{}"]

[services.orders_api.exchange]
token_endpoint = "AUTHGENT/token"
client_id = "CLIENT"
client_secret_file = "secrets/exchange"
audience = "orders"
scopes = ["orders:read"]
issuer = "AUTHGENT"
token_type = "any"
actor = "none"
expect_actor = "client:CLIENT"
private_addresses = ["127.0.0.0/8"]
"#;

const COMPONENTS: &str = r#"[components.orders]
digest = "DIGEST"
services = { orders_api = "on_behalf_of" }
"#;

/// The issuer at which people sign in, with its keys where authgent looks for them.
struct Home {
    issuer: Issuer,
    url: String,
    _server: Server,
}

impl Home {
    async fn start() -> Result<Self> {
        let issuer = Issuer::start().await?;
        let jwks = issuer.jwks();
        let bound = Bound::to(0).await?;
        let url = bound.url();
        let server = bound.serve(Arc::new(move |_| {
            let answer = Answer::json(StatusCode::OK, &jwks);
            Box::pin(async move { answer })
        }));
        Ok(Self {
            issuer,
            url,
            _server: server,
        })
    }

    /// Returns an assertion that this is alice, for authgent to read.
    fn assertion(&self, audience: &str) -> Result<String> {
        let spec = TokenSpec::of("alice")
            .claim("iss", self.url.as_str())
            .audience(audience)
            .scopes(&[SCOPE]);
        Ok(self.issuer.token(&spec)?)
    }
}

/// A client as authgent registered it.
struct Client {
    id: String,
    secret: String,
}

/// The running server; ended when dropped.
pub(super) struct Authgent {
    /// Its issuer identifier.
    pub(super) url: String,
    _child: Child,
}

impl Authgent {
    /// Starts the server with its database in a folder, and with more settings.
    pub(super) async fn start(temp: &TempDir, settings: &[(&str, &str)]) -> Result<Self> {
        let mut command = Runtime::Python.script("authgent.py")?;
        command.arg(temp.path()).envs(settings.iter().copied());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let url = BufReader::new(stdout)
            .lines()
            .next_line()
            .await?
            .context("authgent does not start")?;
        Ok(Self { url, _child: child })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Registers a client that may use these grants (RFC 7591).
    async fn register(&self, name: &str, grants: &[&str]) -> Result<Client> {
        let body = json!({"client_name": name, "grant_types": grants, "scope": SCOPE});
        let answer = self.registered(&body).await?;
        Ok(Client {
            id: text(&answer, "client_id")?,
            secret: text(&answer, "client_secret")?,
        })
    }

    /// Registers a client; returns the answer.
    pub(super) async fn registered(&self, body: &Value) -> Result<Value> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse()?)]);
        client::send(
            Method::POST,
            &self.at("/register"),
            headers,
            body.to_string(),
        )
        .await?
        .json()
    }

    /// Returns an access token for a host, by some grant.
    async fn token(&self, client: &Client, host: &Host, grant: &[(&str, &str)]) -> Result<String> {
        let resource = host.url();
        let fields = [&[("resource", resource.as_str()), ("scope", SCOPE)], grant].concat();
        let answer = client::form(
            &self.at("/token"),
            Some((&client.id, &client.secret)),
            &fields,
        )
        .await?;
        text(&answer.json()?, "access_token")
    }
}

fn text(answer: &Value, name: &str) -> Result<String> {
    let Some(text) = answer.get(name).and_then(Value::as_str) else {
        bail!("no {name} in {answer}")
    };
    Ok(text.to_owned())
}

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const CLIENT_CREDENTIALS: &str = "client_credentials";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
