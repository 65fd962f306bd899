//! The surroundings of a gateway: an authorization server that lies when it is told to, and a
//! service that keeps every byte.

use std::fmt::Write as _;

use anyhow::Result;
use bailiwick_dev::Issuer;
use bailiwick_dev::issuer::{self, Client};
use serde_json::json;

use super::judge::{bearer, mark, subject};
use crate::Recorder;
use crate::recorder::Reaction;

/// What a gateway must know of its surroundings, as far as it can be chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port of the authorization server on loopback; 0 lets the system choose.
    pub issuer_port: u16,
    /// The port of the service on loopback; 0 lets the system choose.
    pub service_port: u16,
    /// The gateway's name at the authorization server.
    pub client_id: String,
    /// Its secret there.
    pub client_secret: String,
}

impl Default for Settings {
    /// Chooses any ports and the client `gateway`.
    fn default() -> Self {
        Self {
            issuer_port: 0,
            service_port: 0,
            client_id: "gateway".to_owned(),
            client_secret: "a-secret-of-the-gateway".to_owned(),
        }
    }
}

/// A running authorization server and a running service; both stop when dropped.
pub struct Stage {
    pub(super) issuer: Issuer,
    pub(super) service: Recorder,
    pub(super) settings: Settings,
}

impl Stage {
    /// Starts both.
    ///
    /// # Errors
    /// A port is taken.
    pub async fn start(settings: Settings) -> Result<Self> {
        let mut client = Client::new(&settings.client_id, &settings.client_secret);
        client.exchanges = true;
        let issuer = Issuer::start_with(issuer::Settings {
            port: settings.issuer_port,
            users: Vec::new(),
            clients: vec![client],
            ..issuer::Settings::default()
        })
        .await?;
        issuer.open(AUDIENCE, &[SCOPE.to_owned()]);
        let service = Recorder::at(settings.service_port, answer).await?;
        Ok(Self {
            issuer,
            service,
            settings,
        })
    }

    /// Returns what to configure in the gateway, by name.
    pub fn configuration(&self) -> Vec<(&'static str, String)> {
        let issuer = self.issuer.url();
        vec![
            ("issuer", issuer.to_owned()),
            (
                "metadata",
                format!("{issuer}/.well-known/oauth-authorization-server"),
            ),
            ("keys", self.issuer.jwks_uri()),
            ("token endpoint", self.issuer.token_endpoint()),
            ("client id", self.settings.client_id.clone()),
            ("client secret", self.settings.client_secret.clone()),
            ("service", self.service.url()),
            ("service's audience", AUDIENCE.to_owned()),
            ("service's scope", SCOPE.to_owned()),
        ]
    }

    /// Returns the same for people, a line for each.
    pub fn told(&self) -> String {
        let mut told = String::new();
        for (name, value) in self.configuration() {
            // Writing to a string does not fail.
            let _always = writeln!(told, "{name:20} {value}");
        }
        told
    }
}

/// Answers with the mark of whoever the credential is about, in the shape of an order.
fn answer(request: &str) -> Reaction {
    let sub = bearer(request).and_then(subject).unwrap_or_default();
    let order = json!({"id": "A-1001", "status": mark(&sub)});
    let body = order.to_string();
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    Reaction {
        bytes: format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes(),
        ..Reaction::default()
    }
}

/// The audience of the service's tokens.
pub(super) const AUDIENCE: &str = "orders";
/// Their scope.
pub(super) const SCOPE: &str = "orders:read";

#[cfg(test)]
mod tests {
    use super::*;

    /// As docs/delegation-suite.md shows it.
    const TOLD: &str = "\
issuer               http://127.0.0.1:8701
metadata             http://127.0.0.1:8701/.well-known/oauth-authorization-server
keys                 http://127.0.0.1:8701/jwks
token endpoint       http://127.0.0.1:8701/token
client id            gateway
client secret        a-secret-of-the-gateway
service              http://127.0.0.1:8702
service's audience   orders
service's scope      orders:read
";

    #[tokio::test]
    async fn a_stage_says_what_to_configure() -> Result<()> {
        let stage = Stage::start(Settings::default()).await?;
        let told = stage
            .told()
            .replace(stage.issuer.url(), "http://127.0.0.1:8701");
        let told = told.replace(&stage.service.url(), "http://127.0.0.1:8702");
        assert_eq!(told, TOLD);
        Ok(())
    }
}
