//! A world whose host has ended.

use bailiwick_dev::{Billing, Folder, Issuer, Orders, Reports, journal};
use serde_json::Value;
use tempfile::TempDir;

use super::{Surroundings, World, audit, refused, start_host};

/// A world whose host has ended.
pub struct Remains {
    /// The authorization server.
    pub issuer: Issuer,
    /// The service.
    pub orders: Orders,
    /// The service that takes users in person.
    pub billing: Billing,
    /// The service with shared data.
    pub reports: Reports,
    /// The folder of the host.
    pub folder: Folder,
    /// All output of the host.
    pub said: String,
    pub(super) surroundings: Surroundings,
    pub(super) temp: TempDir,
}

impl Remains {
    /// Returns the journal.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn records(&self) -> anyhow::Result<Vec<Value>> {
        journal::read(&self.folder.audit())
    }

    /// Runs `bailiwick audit verify` with the host's key; returns its success and its output.
    ///
    /// # Errors
    /// Fails if it cannot be run.
    pub async fn verify(&self) -> anyhow::Result<(bool, String)> {
        let audit = self.folder.audit();
        let key = audit.join("key");
        let (audit, key) = (audit.to_string_lossy(), key.to_string_lossy());
        self.audit(&["verify", &audit, "--key", &key]).await
    }

    /// Starts the host, which must refuse; returns its output.
    ///
    /// # Errors
    /// Fails if it starts.
    pub async fn refused(&self) -> anyhow::Result<String> {
        refused(&self.folder, &self.surroundings).await
    }

    /// Runs `bailiwick audit` with these arguments; returns its success and its output.
    ///
    /// # Errors
    /// Fails if it cannot be run.
    pub async fn audit(&self, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
        audit(arguments).await
    }

    /// Starts the host again in the same folder.
    ///
    /// # Errors
    /// Fails if it does not start.
    pub async fn restart(self) -> anyhow::Result<World> {
        let host = start_host(&self.folder, &self.surroundings).await?;
        self.orders.trust_host(&host.at("/.well-known/jwks.json"));
        Ok(World {
            issuer: self.issuer,
            orders: self.orders,
            billing: self.billing,
            reports: self.reports,
            host,
            folder: self.folder,
            surroundings: self.surroundings,
            temp: self.temp,
        })
    }
}
