//! Keycloak, which `cargo xtask deep keycloak` installs.
//!
//! Its answers are kept in `host/vectors/keycloak.json`, where the host's tests read them in every
//! run of the gate; `BAILIWICK_WRITE_VECTORS=1` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{client, jws};
use bailiwick_tests::ensure_eq;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::programs::{Dialogue, Runtime};
use super::super::tested::{self, LONG};
use super::place::{Place, first_token};
use super::{RENEWED, is_renewed};

#[tokio::test]
async fn a_registered_client_logs_in_at_keycloak_with_nothing_but_the_url_of_the_host() -> Result<()>
{
    let Some(mut keycloak) = Keycloak::start().await? else {
        return Ok(());
    };
    let mut place = Place::start(&keycloak.issuer, &LINES.join("\n")).await?;
    let robot = keycloak.set_up(&place.host.url()).await?;

    let seen = login(&mut place, "agent", &[]).await?;
    let alice = first_token(&seen)?;
    let sub = text(&claims(alice)?, "sub")?;
    let (origin, _) = keycloak.place()?;
    let way = AT_KEYCLOAK.map(|step| step.replace("ORIGIN", origin));
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    place.let_in(&seen, &sub, &way)?;
    place.accepts_only_unchanged(alice).await?;
    let whoami = place.call(&robot).await?;
    let kind = whoami.structured().pointer("/actor/type");
    ensure_eq(kind, Some(&json!("service")), &whoami.raw)?;

    let seen = login(&mut place, "stranger", &[]).await?;
    ensure!(seen.get("refused").is_some(), "{seen:#}");
    let stranger = first_token(&seen)?;
    place.refuses(stranger, "`aud`").await?;

    let seen = login(&mut place, "brief", &[("BAILIWICK_RENEW", "1")]).await?;
    is_renewed(&place, &seen, &sub).await?;

    let tokens = [("a user's", alice), ("a service account's", &robot)];
    let recorded = keycloak.recorded(&place, &tokens).await?;
    agrees(&recorded)?;
    println!(
        "{} tokens of Keycloak {}",
        tokens.len() + 2,
        keycloak.version
    );
    for did in [
        "a registered client logs in",
        "a service account calls",
        "a token without the audience opens nothing",
        RENEWED,
    ] {
        tested::provider("Keycloak", &keycloak.version, did, LONG)?;
    }
    Ok(())
}

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

    /// Sets up the realm for a host; returns the token of a service account.
    async fn set_up(&mut self, resource: &str) -> Result<String> {
        self.dialogue.ask(&json!({"resource": resource})).await
    }

    /// Returns the address of the server, and the name of the realm.
    fn place(&self) -> Result<(&str, &str)> {
        self.issuer.split_once("/realms/").context("no realm")
    }

    /// Returns the server's answers, with the names of the documents and times in the past.
    async fn recorded(&self, place: &Place, tokens: &[(&str, &str)]) -> Result<Value> {
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
    let mut claims = claims(token)?;
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
        "sub": claims["sub"], "kind": kind, "client": client, "agent": client, "tenant": null,
        "scopes": scopes, "shown": claims["preferred_username"],
    });
    let lifetime = seconds(&claims, "exp")? - seconds(&claims, "iat")?;
    for name in ["iat", "auth_time"] {
        if claims.get(name).is_some() {
            claims[name] = json!(THEN);
        }
    }
    claims["exp"] = json!(THEN + lifetime);
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
