//! The services that tools can reach: the author's, or samples of every mode.

use crate::billing::Billing;
use crate::folder::{Config, Folder};
use crate::issuer::Issuer;
use crate::orders::{Orders, Settings};
use crate::process::Host;
use crate::reports::{Entry, Reports};

use super::author::Author;

/// The services behind the host.
pub(super) enum Services {
    Authors(Author),
    Samples(Orders, Billing, Reports),
}

impl Services {
    pub(super) async fn start(author: Option<Author>, issuer: &Issuer) -> anyhow::Result<Self> {
        if let Some(author) = author {
            return Ok(Self::Authors(author));
        }
        let orders = Orders::start(Settings::new(
            issuer.url(),
            &issuer.jwks_uri(),
            "dev.example",
        ))
        .await?;
        let billing = Billing::start(issuer.trusted(), None).await?;
        let reports = Reports::start(Entry::Token(issuer.trusted()), None).await?;
        Ok(Self::Samples(orders, billing, reports))
    }

    /// Names the URL of the host's keys to the services that need it.
    pub(super) fn trust_host(&self, host: &Host) {
        if let Self::Samples(orders, ..) = self {
            orders.trust_host(&host.at("/.well-known/jwks.json"));
        }
    }

    /// Adds the services and grants them to the named components: the author's as written, the
    /// samples to every component that asks for them.
    pub(super) fn configure(
        &self,
        mut config: Config,
        issuer: &Issuer,
        folder: &Folder,
        names: &[String],
    ) -> anyhow::Result<Config> {
        match self {
            Self::Authors(author) => {
                config.services = author.filled(issuer.url(), &folder.path().join("secrets"))?;
                Ok(config)
            }
            Self::Samples(orders, billing, reports) => {
                let config = config
                    .with_orders(issuer.url(), orders.url())
                    .with_billing(issuer.url(), billing.url())
                    .with_reports(issuer.url(), reports.url());
                Ok(names.iter().fold(config, |config, name| {
                    config.grant(&format!("\"{name}\""), "any", &SAMPLES)
                }))
            }
        }
    }
}

const SAMPLES: [(&str, &str); 3] = [
    ("orders_api", "on_behalf_of"),
    ("billing_api", "restricted_user"),
    ("reports_api", "service_identity"),
];
