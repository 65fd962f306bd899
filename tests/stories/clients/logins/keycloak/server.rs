//! The running Keycloak, and what its users and its administrator do.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bailiwick_dev::client::{self, Reply};
use bailiwick_tests::ensure_eq;
use http::StatusCode;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use super::super::super::programs::{Dialogue, Runtime};
use super::super::place::SECRET;
use super::kept::{claims, text};

/// The documented configuration.
const CONFIGURATION: &str = include_str!("../../../../../docs/examples/keycloak.toml");

/// Lets one server run at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// The running server; ended when dropped.
pub(super) struct Keycloak {
    pub(super) issuer: String,
    pub(super) version: String,
    dialogue: Dialogue,
    _turn: MutexGuard<'static, ()>,
}

impl Keycloak {
    /// Starts the server; none if it is not installed.
    pub(super) async fn start() -> Result<Option<Self>> {
        let Some(folder) = std::env::var_os("BAILIWICK_KEYCLOAK").map(PathBuf::from) else {
            return Ok(None);
        };
        let turn = TURN.lock().await;
        let name = folder.file_name().and_then(|name| name.to_str());
        let version = name.and_then(|name| name.strip_prefix("keycloak-"));
        let mut command = Runtime::Node.script("keycloak.mjs")?;
        command.arg(&folder);
        let mut dialogue = Dialogue::start(command)?;
        Ok(Some(Self {
            issuer: dialogue.line().await?,
            version: version.context("no version")?.to_owned(),
            dialogue,
            _turn: turn,
        }))
    }

    /// Returns the service of the documented configuration, at these addresses.
    pub(super) fn documented(&self, orders: &str) -> Result<String> {
        let (origin, _) = self.place()?;
        let (_, from) = CONFIGURATION
            .split_once("[services.orders_api]")
            .context("no service")?;
        let (services, _) = from.split_once("[components.").context("no components")?;
        let private = "private_addresses = [\"127.0.0.0/8\"]\n";
        let services = services
            .replace(super::EXAMPLE, origin)
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
    pub(super) async fn set_up(&mut self, resource: &str) -> Result<String> {
        let wanted = json!({"resource": resource, "secret": SECRET});
        self.dialogue.ask(&wanted).await
    }

    /// Returns the address of the server, and the name of the realm.
    pub(super) fn place(&self) -> Result<(&str, &str)> {
        self.issuer.split_once("/realms/").context("no realm")
    }

    /// Posts a form to an endpoint of the realm, as this client.
    pub(super) async fn post(
        &self,
        path: &str,
        client: Option<(&str, &str)>,
        fields: &[(&str, &str)],
    ) -> Result<Reply> {
        let url = format!("{}/protocol/openid-connect/{path}", self.issuer);
        client::form(&url, client, fields).await
    }

    /// Returns a token that a user gets at a client of the realm, in a session of its own.
    pub(super) async fn token(&self, client: &str, user: &str) -> Result<String> {
        let fields = [
            ("grant_type", "password"),
            ("client_id", client),
            ("username", user),
            ("password", user),
        ];
        let reply = self.post("token", None, &fields).await?;
        text(&reply.json()?, "access_token").with_context(|| reply.text())
    }

    /// Lets the client that got a token revoke it (RFC 7009).
    pub(super) async fn revoke(&self, client: &str, token: &str) -> Result<()> {
        let fields = [("client_id", client), ("token", token)];
        let reply = self.post("revoke", None, &fields).await?;
        ensure_eq(reply.status, StatusCode::OK, &reply.text())
    }

    /// Lets the administrator end all sessions of the user of a token.
    pub(super) async fn log_out(&mut self, token: &str) -> Result<()> {
        let sub = text(&claims(token)?, "sub")?;
        let done = self.dialogue.ask(&json!({"logout": sub})).await?;
        ensure_eq(done, sub, "who was logged out")
    }
}
