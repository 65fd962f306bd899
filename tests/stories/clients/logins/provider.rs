//! The authorization server `oidc-provider`, as a process.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use bailiwick_tests::ensure_eq;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::super::programs::Runtime;

/// The running server; ended when dropped.
pub(super) struct Provider {
    /// Its issuer identifier.
    pub(super) url: String,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Provider {
    pub(super) async fn start() -> Result<Self> {
        let mut command = Runtime::Node.script("provider.mjs")?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let stdout = child.stdout.take().context("no output")?;
        let mut output = BufReader::new(stdout).lines();
        let url = output.next_line().await?;
        Ok(Self {
            url: url.context("oidc-provider does not start")?,
            input,
            output,
            _child: child,
        })
    }

    /// Registers a resource server whose access tokens are valid for so many seconds.
    pub(super) async fn register(&mut self, resource: &str, lifetime: u64) -> Result<()> {
        let line = json!({"resource": resource, "lifetime": lifetime}).to_string() + "\n";
        self.input.write_all(line.as_bytes()).await?;
        let answer = self.output.next_line().await?;
        ensure_eq(answer.as_deref(), Some("registered"), "oidc-provider")
    }
}
