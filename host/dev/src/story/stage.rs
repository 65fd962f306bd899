//! The stage: a fresh folder, the issuer and the service in this process, the host as a child.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::{Options, hostile};
use crate::billing::Billing;
use crate::code::Code;
use crate::folder::{Config, Folder};
use crate::http::Request;
use crate::issuer::{Client, Issuer, TokenSpec};
use crate::orders::{self, Orders};
use crate::process::Host;
use crate::reports::{Entry, Reports};
use crate::teller::Teller;

/// The trust domain of the demo.
const TRUST_DOMAIN: &str = "demo.example";

/// Marks a folder as the demo's own.
const MARK: &str = ".bailiwick-demo";

/// The agent of all users.
pub(super) const AGENT: &str = "clerk";

/// The service account, which acts only for itself.
pub(super) const MACHINE: &str = "nightly";

/// The stage: every participant of the story.
pub(super) struct Stage {
    pub(super) issuer: Issuer,
    pub(super) orders: Orders,
    pub(super) billing: Billing,
    pub(super) reports: Reports,
    pub(super) host: Host,
    pub(super) folder: Folder,
}

impl Stage {
    pub(super) async fn build(options: &Options) -> anyhow::Result<Self> {
        clear(&options.out)?;
        let folder = Folder::create(&options.out)?;
        fs::write(
            options.out.join(MARK),
            "made by bailiwick-demo, emptied by its next run\n",
        )?;
        let code = Code::open(&options.code)?;
        code.lend_to(&folder)?;
        let issuer = Issuer::start().await?;
        let log = log(&folder);
        let mut settings = orders::Settings::new(issuer.url(), &issuer.jwks_uri(), TRUST_DOMAIN);
        settings.log = Some(log.clone());
        let orders = Orders::start(settings).await?;
        let billing = Billing::start(issuer.trusted(), Some(&log)).await?;
        let reports = Reports::start(Entry::Token(issuer.trusted()), Some(&log)).await?;

        folder.write_tool(hostile::NAME, &hostile::component()?)?;
        folder.write_secret("exchange", &Client::host().secret)?;
        let config = Config::new(issuer.url(), TRUST_DOMAIN)
            .in_its_own_folder()
            .with_orders(issuer.url(), orders.url())
            .with_billing(issuer.url(), billing.url())
            .with_reports(issuer.url(), reports.url())
            .with_open_page(0);
        let config = code.configure(config);
        folder.write_config(&grants(config, &folder, &options.tools)?)?;

        let host = Host::start(&options.bailiwick, &folder.config()).await?;
        orders.trust_host(&host.at("/.well-known/jwks.json"));
        issuer.offer(
            &host.url(),
            &["billing:read", "orders:read", "reports:read"],
        );
        Ok(Self {
            issuer,
            orders,
            billing,
            reports,
            host,
            folder,
        })
    }

    /// Returns the one access log of all services.
    pub(super) fn accesses(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(log(&self.folder))?)
    }

    /// Returns every request that reached any service.
    pub(super) fn heard(&self) -> Vec<Request> {
        [
            self.orders.requests(),
            self.billing.requests(),
            self.reports.requests(),
        ]
        .concat()
    }

    pub(super) fn introduce(&self, teller: &mut Teller) {
        let lines = [
            format!("  host              {}", self.host.url()),
            format!("  issuer            {}", self.issuer.url()),
            format!(
                "  orders service    {}, reached on_behalf_of",
                self.orders.url()
            ),
            format!(
                "  billing service   {}, reached as restricted_user",
                self.billing.url()
            ),
            format!(
                "  reports service   {}, reached as service_identity",
                self.reports.url()
            ),
            format!("  configuration     {}", self.folder.config().display()),
            format!("  one agent         {AGENT}, for alice and for bob"),
            format!("  one machine       {MACHINE}, a service account without a user"),
        ];
        teller.lines(&lines.join("\n"));
    }

    /// Makes a token for a user, through the one agent, for this host.
    pub(super) fn token(&self, user: &str, scopes: &[&str]) -> anyhow::Result<String> {
        let spec = self.spec(user, scopes);
        Ok(self.issuer.token(&spec)?)
    }

    /// As [`Stage::token`], before it is signed.
    pub(super) fn spec(&self, user: &str, scopes: &[&str]) -> TokenSpec {
        TokenSpec::of(user)
            .client(AGENT)
            .audience(&self.host.url())
            .scopes(scopes)
    }

    /// Makes a token of the service account: its subject is its client.
    pub(super) fn machine_token(&self, scopes: &[&str]) -> anyhow::Result<String> {
        let spec = self.spec(MACHINE, scopes).client(MACHINE);
        Ok(self.issuer.token(&spec)?)
    }
}

/// Returns the access log's file, which all services share.
fn log(folder: &Folder) -> PathBuf {
    folder.path().join("services.log")
}

/// Copies the example tools and grants each what it needs, by exact digest; `billing` tool by tool.
fn grants(config: Config, folder: &Folder, tools: &Path) -> anyhow::Result<Config> {
    folder.add_tool(&tool(tools, "whoami.wasm")?)?;
    let orders = folder.add_tool(&tool(tools, "orders.wasm")?)?;
    let billing = folder.add_tool(&tool(tools, "billing.wasm")?)?;
    Ok(config
        .grant("orders", &orders, &[("orders_api", "on_behalf_of")])
        .grant("billing", &billing, &[])
        .grant_tool(
            "billing",
            "get_balance",
            &[("billing_api", "restricted_user")],
        )
        .grant_tool(
            "billing",
            "monthly_report",
            &[("reports_api", "service_identity")],
        ))
}

/// Removes what an earlier demo left, and nothing else.
fn clear(out: &Path) -> anyhow::Result<()> {
    let empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    if empty {
        return Ok(());
    }
    ensure!(
        out.join(MARK).is_file(),
        "{} is neither empty nor left by an earlier demo; name another folder with --out",
        out.display()
    );
    for name in ["audit", "keys", "secrets", "tools"] {
        let path = out.join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("cannot empty {}", path.display()))?;
        }
    }
    for name in ["services.log", "bailiwick.toml"] {
        let path = out.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot empty {}", path.display()))?;
        }
    }
    Ok(())
}

fn tool(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    if !path.is_file() {
        bail!("{} is missing; run `cargo xtask tools`", path.display());
    }
    Ok(path)
}
