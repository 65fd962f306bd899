//! The stage: a fresh folder, the issuer and the service in this process, the host as a child.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::teller::Teller;
use super::{Options, hostile};
use crate::folder::{Config, Folder};
use crate::issuer::{self, Issuer, TokenSpec};
use crate::orders::{self, Orders};
use crate::process::Host;

/// The trust domain of the demo.
const TRUST_DOMAIN: &str = "demo.example";

/// Marks a folder as the demo's own.
const MARK: &str = ".bailiwick-demo";

/// The agent through which everybody comes.
pub(super) const AGENT: &str = "clerk";

/// Who plays.
pub(super) struct Stage {
    pub(super) issuer: Issuer,
    pub(super) orders: Orders,
    pub(super) host: Host,
    pub(super) folder: Folder,
}

impl Stage {
    pub(super) async fn build(options: &Options) -> anyhow::Result<Self> {
        clear(&options.out)?;
        let folder = Folder::create(&options.out)?;
        fs::write(options.out.join(MARK), "made by bailiwick-demo, emptied by its next run\n")?;
        let issuer = Issuer::start().await?;
        let mut settings = orders::Settings::new(issuer.url(), &issuer.jwks_uri(), TRUST_DOMAIN);
        settings.log = Some(folder.path().join("services.log"));
        let orders = Orders::start(settings).await?;

        folder.add_tool(&tool(&options.tools, "whoami.wasm")?)?;
        let digest = folder.add_tool(&tool(&options.tools, "orders.wasm")?)?;
        folder.write_tool(hostile::NAME, &hostile::component()?)?;
        folder.write_secret("exchange", &host_secret()?)?;
        let config = Config::new(issuer.url(), TRUST_DOMAIN).with_orders(issuer.url(), orders.url()).grant_orders(
            "orders",
            &digest,
            "on_behalf_of",
        );
        folder.write_config(&config)?;

        let host = Host::start(&options.bailiwick, &folder.config()).await?;
        orders.trust_host(&host.at("/.well-known/jwks.json"));
        Ok(Self { issuer, orders, host, folder })
    }

    pub(super) fn introduce(&self, teller: &mut Teller) {
        let lines = [
            format!("  host              {}", self.host.url()),
            format!("  issuer            {}", self.issuer.url()),
            format!("  orders service    {}", self.orders.url()),
            format!("  configuration     {}", self.folder.config().display()),
            format!("  one agent         {AGENT}, for alice and for bob"),
        ];
        teller.lines(&lines.join("\n"));
    }

    /// A token for a user, through the one agent, for this host.
    pub(super) fn token(&self, user: &str, scopes: &[&str]) -> anyhow::Result<String> {
        let spec = self.spec(user, scopes);
        Ok(self.issuer.token(&spec)?)
    }

    /// As [`Stage::token`], before it is signed.
    pub(super) fn spec(&self, user: &str, scopes: &[&str]) -> TokenSpec {
        TokenSpec::of(user).client(AGENT).audience(&self.host.url()).scopes(scopes)
    }
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
            fs::remove_dir_all(&path).with_context(|| format!("cannot empty {}", path.display()))?;
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

fn tool(folder: &Path, name: &str) -> anyhow::Result<std::path::PathBuf> {
    let path = folder.join(name);
    if !path.is_file() {
        bail!("{} is missing; run `cargo xtask tools`", path.display());
    }
    Ok(path)
}

/// The secret of the client `bailiwick` at the development issuer.
fn host_secret() -> anyhow::Result<String> {
    issuer::Client::samples()
        .into_iter()
        .find(|client| client.id == "bailiwick")
        .map(|client| client.secret)
        .context("the issuer does not know the host")
}
