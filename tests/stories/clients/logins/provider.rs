//! The authorization server `oidc-provider`, as a process.

use anyhow::Result;
use bailiwick_tests::ensure_eq;
use serde_json::json;

use super::super::programs::{Dialogue, Runtime};

/// The running server; ended when dropped.
pub(super) struct Provider {
    /// Its issuer identifier.
    pub(super) url: String,
    dialogue: Dialogue,
}

impl Provider {
    pub(super) async fn start() -> Result<Self> {
        let mut dialogue = Dialogue::start(Runtime::Node.script("provider.mjs")?)?;
        Ok(Self {
            url: dialogue.line().await?,
            dialogue,
        })
    }

    /// Registers a resource server whose access tokens are valid for so many seconds.
    pub(super) async fn register(&mut self, resource: &str, lifetime: u64) -> Result<()> {
        let line = json!({"resource": resource, "lifetime": lifetime});
        let answer = self.dialogue.ask(&line).await?;
        ensure_eq(answer.as_str(), "registered", "oidc-provider")
    }
}
