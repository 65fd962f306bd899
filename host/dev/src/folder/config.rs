//! The configuration of a host as TOML, in sections that can be replaced one by one.

use std::fmt::Write as _;

const SERVER: &str = r#"[server]
listen = "127.0.0.1:0"
tools = "tools"
"#;

const ISSUERS: &str = r#"[[issuers]]
issuer = "ISSUER"
alias = "demo"
jwks_uri = "ISSUER/jwks"
private_addresses = ["127.0.0.0/8"]
"#;

const ENVELOPE: &str = r#"[envelope]
trust_domain = "TRUST_DOMAIN"
keys = "keys"
lifetime = "5m"
"#;

const ORDERS: &str = r#"[services.orders_api]
url = "ORDERS"
private_addresses = ["127.0.0.0/8"]
in_trust_domain = true
actor_issuers = ["demo"]
allow = ["GET /orders/{}", "GET /customers/{actor.sub}/orders?status={}"]

[services.orders_api.exchange]
profile = "rfc8693"
token_endpoint = "ISSUER/token"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
audience = "orders"
scopes = ["orders:read"]
issuer = "ISSUER"
jwks_uri = "ISSUER/jwks"
expect_audience = "orders"
subject_issuers = ["demo"]
actor = "client_credentials"
private_addresses = ["127.0.0.0/8"]
"#;

const AUDIT: &str = r#"[audit]
folder = "audit"
"#;

/// The configuration of a host, section by section.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: String,
    /// `[[issuers]]`
    pub issuers: String,
    /// `[envelope]`
    pub envelope: String,
    /// `[services.*]`
    pub services: String,
    /// `[components.*]`
    pub components: String,
    /// `[limits]`
    pub limits: String,
    /// `[audit]`
    pub audit: String,
}

impl Config {
    /// A host on loopback that trusts one issuer under the alias `demo` and grants nothing.
    pub fn new(issuer: &str, trust_domain: &str) -> Self {
        Self {
            server: SERVER.to_owned(),
            issuers: ISSUERS.replace("ISSUER", issuer),
            envelope: ENVELOPE.replace("TRUST_DOMAIN", trust_domain),
            services: String::new(),
            components: String::new(),
            limits: String::new(),
            audit: AUDIT.to_owned(),
        }
    }

    /// Adds the service `orders_api`, reached with a token from a token exchange at the issuer.
    #[must_use]
    pub fn with_orders(mut self, issuer: &str, orders: &str) -> Self {
        let section = ORDERS.replace("ISSUER", issuer).replace("ORDERS", orders);
        self.services.push_str(&section);
        self
    }

    /// Grants the component `name` the service `orders_api` in a mode.
    #[must_use]
    pub fn grant_orders(mut self, name: &str, digest: &str, mode: &str) -> Self {
        // Writing to a string does not fail.
        let _always = write!(
            self.components,
            "[components.{name}]\n\
             digest = \"{digest}\"\n\
             services = {{ orders_api = \"{mode}\" }}\n\n"
        );
        self
    }

    /// The whole text.
    pub fn to_toml(&self) -> String {
        let sections =
            [&self.server, &self.issuers, &self.envelope, &self.services, &self.components, &self.limits, &self.audit];
        let sections: Vec<&str> =
            sections.into_iter().map(|section| section.trim_end()).filter(|section| !section.is_empty()).collect();
        sections.join("\n\n") + "\n"
    }
}
