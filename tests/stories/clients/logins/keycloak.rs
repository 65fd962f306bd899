//! Keycloak, which `cargo xtask deep keycloak` installs.
//!
//! Its answers are kept in `host/vectors/keycloak.json`, where the host's tests read them in every
//! run of the gate; `BAILIWICK_WRITE_VECTORS=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::{client, jws};
use bailiwick_tests::{claims_of, ensure_eq};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::programs::{Dialogue, Runtime};
use super::super::tested::{self, LONG};
use super::place::{Place, SECRET, first_token};
use super::{RENEWED, is_renewed};

#[tokio::test]
async fn a_registered_client_logs_in_at_keycloak_with_nothing_but_the_url_of_the_host() -> Result<()>
{
    let Some(mut keycloak) = Keycloak::start().await? else {
        return Ok(());
    };
    let orders = Orders::start().await?;
    let services = keycloak.services(&orders.url)?;
    let lines = LINES.join("\n");
    let mut place = Place::start_with(&keycloak.issuer, &lines, &services, "on_behalf_of").await?;
    let robot = keycloak.set_up(&place.host.url()).await?;

    let alice = user_gets_in(&keycloak, &mut place).await?;
    let sub = text(&claims(&alice)?, "sub")?;
    let whoami = place.call(&robot).await?;
    let kind = whoami.structured().pointer("/actor/type");
    ensure_eq(kind, Some(&json!("service")), &whoami.raw)?;
    token_is_exchanged(&place, &alice, &orders).await?;
    let seen = login(&mut place, "brief", &[("BAILIWICK_RENEW", "1")]).await?;
    is_renewed(&place, &seen, &sub).await?;
    stranger_does_not(&mut place).await?;

    let tokens = [("a user's", alice), ("a service account's", robot)];
    agrees(&keycloak.recorded(&place, &tokens).await?)?;
    noted(&keycloak.version)
}

/// Lets alice log in with the client `agent`; returns her token.
async fn user_gets_in(keycloak: &Keycloak, place: &mut Place) -> Result<String> {
    let seen = login(place, "agent", &[]).await?;
    let token = first_token(&seen)?;
    let (origin, _) = keycloak.place()?;
    let way = AT_KEYCLOAK.map(|step| step.replace("ORIGIN", origin));
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    place.let_in(&seen, &text(&claims(token)?, "sub")?, &way)?;
    place.accepts_only_unchanged(token).await?;
    Ok(token.to_owned())
}

/// Checks that the service got a token for itself alone, in the user's name.
async fn token_is_exchanged(place: &Place, token: &str, orders: &Orders) -> Result<()> {
    let answer = place.order(token).await?;
    ensure!(answer.is_success(), "{} {}", answer.raw, place.host.said());
    let requests = orders
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let issued = claims_of(requests.first().context("no request")?, "authorization");
    ensure_eq(issued.get("sub"), claims(token)?.get("sub"), "subject")?;
    ensure_eq(issued.get("aud"), Some(&json!("orders")), "audience")?;
    ensure_eq(issued.get("azp"), Some(&json!("bailiwick")), "client")?;
    ensure_eq(issued.get("scope"), Some(&json!("orders-api")), "scope")
}

/// A service that takes any token and keeps what it was asked.
struct Orders {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    _server: Server,
}

impl Orders {
    async fn start() -> Result<Self> {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let bound = Bound::to(0).await?;
        let url = bound.url();
        let server = bound.serve(Arc::new(move |request| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(request);
            let order = json!({"id": "A-1001", "status": "shipped"});
            Box::pin(async move { Answer::json(StatusCode::OK, &order) })
        }));
        Ok(Self {
            url,
            requests,
            _server: server,
        })
    }
}

/// Checks that the same user does not get in with a client whose tokens are for others.
async fn stranger_does_not(place: &mut Place) -> Result<()> {
    let seen = login(place, "stranger", &[]).await?;
    ensure!(seen.get("refused").is_some(), "{seen:#}");
    // The log has a line for the first refusals alone, so the token itself shows the reason.
    let token = first_token(&seen)?;
    ensure_eq(
        claims(token)?.get("aud"),
        None,
        "the audience of a stranger",
    )?;
    let answer = place.call(token).await?;
    ensure_eq(answer.status, StatusCode::UNAUTHORIZED, &answer.raw)
}

/// Notes what was done.
#[expect(clippy::print_stdout, reason = "figures")]
fn noted(version: &str) -> Result<()> {
    let did = [
        "a registered client logs in",
        "a service account calls",
        "the host exchanges a user's token",
        "a token without the audience opens nothing",
        RENEWED,
    ];
    for did in did {
        tested::provider("Keycloak", version, did, LONG)?;
    }
    println!("{} stories of Keycloak {version}", did.len());
    Ok(())
}

const EXAMPLE: &str = include_str!("../../../../docs/examples/keycloak.toml");

/// The lines of docs/identity-providers.md beside the issuer.
const LINES: [&str; 2] = [
    "token_type = \"JWT\"",
    "service_when = { claim = \"preferred_username\", prefix = \"service-account-\" }",
];

/// The requests of the client that logs in.
const AT_KEYCLOAK: [&str; 5] = [
    "POST host/mcp 401",
    "GET host/.well-known/oauth-protected-resource/mcp 200",
    "GET ORIGIN/.well-known/oauth-authorization-server/realms/acme 200",
    "POST server/protocol/openid-connect/token 200",
    "POST host/mcp 200",
];

/// The running server; ended when dropped.
struct Keycloak {
    issuer: String,
    version: String,
    dialogue: Dialogue,
}

impl Keycloak {
    /// Starts the server; none if it is not installed.
    async fn start() -> Result<Option<Self>> {
        let Some(folder) = std::env::var_os("BAILIWICK_KEYCLOAK").map(PathBuf::from) else {
            return Ok(None);
        };
        let name = folder.file_name().and_then(|name| name.to_str());
        let version = name.and_then(|name| name.strip_prefix("keycloak-"));
        let mut command = Runtime::Node.script("keycloak.mjs")?;
        command.arg(&folder);
        let mut dialogue = Dialogue::start(command)?;
        Ok(Some(Self {
            issuer: dialogue.line().await?,
            version: version.context("no version")?.to_owned(),
            dialogue,
        }))
    }

    /// Returns the service of the documented configuration, at these addresses.
    fn services(&self, orders: &str) -> Result<String> {
        let (origin, _) = self.place()?;
        let (_, from) = EXAMPLE
            .split_once("[services.orders_api]")
            .context("no service")?;
        let (services, _) = from.split_once("[components.").context("no components")?;
        let private = "private_addresses = [\"127.0.0.0/8\"]\n";
        let services = services
            .replace("https://keycloak.example.com", origin)
            .replace("https://orders.example.com/v1", orders)
            .replace("secrets/keycloak", "secrets/exchange")
            .replace("[\"keycloak\"]", "[\"corp\"]")
            .replace(
                "[services.orders_api.exchange]\n",
                &format!("{private}\n[services.orders_api.exchange]\n{private}"),
            );
        Ok(format!("[services.orders_api]{services}"))
    }

    /// Sets up the realm for a host; returns the token of a service account.
    async fn set_up(&mut self, resource: &str) -> Result<String> {
        let wanted = json!({"resource": resource, "secret": SECRET});
        self.dialogue.ask(&wanted).await
    }

    /// Returns the address of the server, and the name of the realm.
    fn place(&self) -> Result<(&str, &str)> {
        self.issuer.split_once("/realms/").context("no realm")
    }

    /// Returns the server's answers, with the names of the documents and times in the past.
    async fn recorded(&self, place: &Place, tokens: &[(&str, String)]) -> Result<Value> {
        let (origin, realm) = self.place()?;
        let path = format!("{origin}/.well-known/oauth-authorization-server/realms/{realm}");
        let metadata = client::fetch(&path).await?.json()?;
        let keys = text(&metadata, "jwks_uri")?;
        let keys = client::fetch(&keys).await?.json()?;
        let tokens = tokens
            .iter()
            .map(|(what, token)| token_of(what, token))
            .collect::<Result<Vec<Value>>>()?;
        let issuer = [
            vec![format!("issuer = {:?}", self.issuer)],
            LINES.map(str::to_owned).to_vec(),
        ];
        let recorded = json!({
            "provider": "Keycloak", "version": self.version, "issuer": issuer.concat(),
            "metadata": metadata, "keys": keys, "tokens": tokens,
        });
        let recorded = recorded
            .to_string()
            .replace(origin, "https://keycloak.example.com");
        let recorded = recorded.replace(&place.host.url(), "https://mcp.example.com/mcp");
        Ok(serde_json::from_str(&recorded)?)
    }
}

/// Lets alice log in with a client of the realm.
async fn login(place: &mut Place, client: &str, more: &[(&str, &str)]) -> Result<Value> {
    place.client = Some(client.to_owned());
    place.login("alice", more).await
}

/// Returns a token without its signature, and the caller that it names.
fn token_of(what: &str, token: &str) -> Result<Value> {
    let claims = claims(token)?;
    let kind = if what.contains("service") {
        "service"
    } else {
        "user"
    };
    let client = text(&claims, "azp")?;
    let scope = text(&claims, "scope")?;
    let mut scopes: Vec<&str> = scope.split(' ').collect();
    scopes.sort_unstable();
    let caller = json!({
        "sub": claims.get("sub"), "kind": kind, "client": client, "agent": client, "tenant": null,
        "scopes": scopes, "shown": claims.get("preferred_username"),
    });
    let lifetime = seconds(&claims, "exp")? - seconds(&claims, "iat")?;
    let claims = claims.as_object().context("no claims")?.clone();
    let claims = claims.into_iter().map(|(name, value)| match &*name {
        "iat" | "auth_time" => (name, json!(THEN)),
        "exp" => (name, json!(THEN + lifetime)),
        _ => (name, value),
    });
    let claims: Map<String, Value> = claims.collect();
    let (header, _) = token.split_once('.').context("no header")?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    Ok(json!({"what": what, "header": header, "claims": claims, "caller": caller}))
}

/// The time of the vectors.
const THEN: u64 = 1_763_712_000;

/// Checks that the server answers in the shape that is kept, or keeps its answers.
fn agrees(recorded: &Value) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/vectors/keycloak.json");
    if std::env::var_os("BAILIWICK_WRITE_VECTORS").is_some() {
        fs::write(&path, format!("{recorded:#}\n"))?;
    }
    let kept: Value = serde_json::from_slice(&fs::read(&path)?)?;
    ensure_eq(shape(recorded), shape(&kept), "the shape of the answers")
}

/// Returns every member by its path, with the kind of its value. Elements of lists share one path,
/// since lists have no order here.
fn shape(value: &Value) -> BTreeMap<String, &'static str> {
    let mut shape = BTreeMap::new();
    let mut left = vec![(String::new(), value)];
    while let Some((path, value)) = left.pop() {
        let kind = match value {
            Value::Object(members) => {
                left.extend(
                    members
                        .iter()
                        .map(|(name, value)| (format!("{path}/{name}"), value)),
                );
                "object"
            }
            Value::Array(elements) => {
                left.extend(elements.iter().map(|value| (format!("{path}/*"), value)));
                "list"
            }
            Value::String(_) => "text",
            Value::Number(_) => "number",
            Value::Bool(_) => "truth",
            Value::Null => "null",
        };
        shape.insert(path, kind);
    }
    shape
}

fn claims(token: &str) -> Result<Value> {
    let claims = jws::unverified_claims(token).context("no claims")?;
    Ok(Value::Object(claims))
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value.get(name).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {name}"))?.to_owned())
}

fn seconds(value: &Value, name: &str) -> Result<u64> {
    let seconds = value.get(name).and_then(Value::as_u64);
    seconds.with_context(|| format!("no {name}"))
}
