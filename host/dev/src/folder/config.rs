//! The configuration of a host as TOML, in sections that can be replaced one by one.

use std::fmt::Write as _;
use std::path::Path;

use toml::Value;

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

const BILLING: &str = r#"[services.billing_api]
url = "BILLING"
private_addresses = ["127.0.0.0/8"]
audit_headers = "full"
actor_issuers = ["demo"]
allow = ["GET /accounts/{actor.sub}"]

[services.billing_api.exchange]
profile = "rfc8693"
token_endpoint = "ISSUER/token"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
audience = "billing"
scopes = ["billing:read"]
issuer = "ISSUER"
jwks_uri = "ISSUER/jwks"
expect_audience = "billing"
subject_issuers = ["demo"]
actor = "none"
private_addresses = ["127.0.0.0/8"]

"#;

const REPORTS: &str = r#"[services.reports_api]
url = "REPORTS"
private_addresses = ["127.0.0.0/8"]
audit_headers = "full"
shared_data = true
allow = ["GET /reports/{}"]

"#;

const REPORTS_TOKEN: &str = r#"[services.reports_api.auth]
kind = "client_credentials"
token_endpoint = "ISSUER/token"
client_id = "bailiwick"
client_secret_file = "secrets/exchange"
scopes = ["reports:read"]
private_addresses = ["127.0.0.0/8"]

"#;

const REPORTS_KEY: &str = r#"[services.reports_api.auth]
kind = "static"
header = "HEADER"
prefix = "PREFIX"
secret_file = "secrets/reports"

"#;

const OPEN_PAGE: &str = r#"[operations]
listen = "127.0.0.1:PORT"
page_without_token = true
notice = "notice"

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
    /// Configures a host on loopback that trusts one issuer under the alias `demo` and grants
    /// nothing.
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

    /// Listens on this port of loopback; 0 lets the system choose.
    #[must_use]
    pub fn listening(mut self, port: u16) -> Self {
        self.server = SERVER.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        self
    }

    /// Shows the operator's page, to everyone on this machine, on this port of loopback; 0 lets the
    /// system choose. Above the calls it shows the file `notice`, if there is one.
    #[must_use]
    pub fn with_open_page(mut self, port: u16) -> Self {
        let section = OPEN_PAGE.replace("PORT", &port.to_string());
        self.limits.push_str(&section);
        self
    }

    /// Trusts the folder of the configuration and those above, because its creator closed it to
    /// others.
    #[must_use]
    pub fn in_its_own_folder(mut self) -> Self {
        self.server.push_str("trusted_folders = [\".\"]\n");
        self
    }

    /// Keeps compiled code in `cache`, which lies in `trusted`, a folder that its creator closed to
    /// others. For a host [in its own folder](Self::in_its_own_folder).
    #[must_use]
    pub fn keeping_code(mut self, trusted: &Path, cache: &Path) -> Self {
        let [trusted, cache] =
            [trusted, cache].map(|path| Value::from(path.display().to_string()).to_string());
        let both = format!("trusted_folders = [\".\", {trusted}]\ncache = {cache}\n");
        self.server = self.server.replace("trusted_folders = [\".\"]\n", &both);
        self
    }

    /// Adds the service `orders_api`, reached with a token from a token exchange at the issuer.
    #[must_use]
    pub fn with_orders(mut self, issuer: &str, orders: &str) -> Self {
        let section = ORDERS.replace("ISSUER", issuer).replace("ORDERS", orders);
        self.services.push_str(&section);
        self
    }

    /// Adds the service `billing_api`, reached with a re-issued token of the user.
    #[must_use]
    pub fn with_billing(mut self, issuer: &str, billing: &str) -> Self {
        self.services.push_str(
            &BILLING
                .replace("ISSUER", issuer)
                .replace("BILLING", billing),
        );
        self
    }

    /// Adds the service `reports_api`, reached with the host's own token.
    #[must_use]
    pub fn with_reports(mut self, issuer: &str, reports: &str) -> Self {
        self.services.push_str(&REPORTS.replace("REPORTS", reports));
        self.services
            .push_str(&REPORTS_TOKEN.replace("ISSUER", issuer));
        self
    }

    /// Adds the service `reports_api`, reached with the key in `secrets/reports`.
    #[must_use]
    pub fn with_reports_key(mut self, reports: &str, header: &str, prefix: &str) -> Self {
        self.services.push_str(&REPORTS.replace("REPORTS", reports));
        self.services.push_str(
            &REPORTS_KEY
                .replace("HEADER", header)
                .replace("PREFIX", prefix),
        );
        self
    }

    /// Grants the component `name` services, each with its mode.
    #[must_use]
    pub fn grant(mut self, name: &str, digest: &str, services: &[(&str, &str)]) -> Self {
        let services = inline(services);
        // Writing to a string does not fail.
        let _always = write!(
            self.components,
            "[components.{name}]\ndigest = \"{digest}\"\nservices = {services}\n\n"
        );
        self
    }

    /// Grants one tool of a component its own services, in place of the component's.
    #[must_use]
    pub fn grant_tool(mut self, component: &str, tool: &str, services: &[(&str, &str)]) -> Self {
        let services = inline(services);
        let _always = write!(
            self.components,
            "[components.{component}.tools.{tool}]\nservices = {services}\n\n"
        );
        self
    }

    /// Returns the whole text.
    pub fn to_toml(&self) -> String {
        let sections = [
            &self.server,
            &self.issuers,
            &self.envelope,
            &self.services,
            &self.components,
            &self.limits,
            &self.audit,
        ];
        let sections: Vec<&str> = sections
            .into_iter()
            .map(|section| section.trim_end())
            .filter(|section| !section.is_empty())
            .collect();
        sections.join("\n\n") + "\n"
    }
}

fn inline(services: &[(&str, &str)]) -> String {
    let members: Vec<String> = services
        .iter()
        .map(|(service, mode)| format!("{service} = \"{mode}\""))
        .collect();
    format!("{{ {} }}", members.join(", "))
}
