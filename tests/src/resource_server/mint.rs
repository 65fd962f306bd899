//! Orders for tokens, and the two ways to fill them: a command, or a function of this process.
//!
//! Invariant: an order that cannot be filled never becomes a token, so its case is not tried.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The exit code of a command that cannot make such a token.
const UNABLE: i32 = 3;

/// The longest time for one token.
const DEADLINE: Duration = Duration::from_secs(30);

/// An order for one token: a good one, with changes.
#[derive(Clone, Debug)]
pub struct Order {
    /// The user (`sub`).
    pub subject: String,
    /// The audience (`aud`): the URL of the server.
    pub audience: String,
    /// The scopes (`scope`).
    pub scopes: Vec<String>,
    /// The seconds from now to `exp`; negative for an expired token.
    pub expires_in: i64,
    /// The key that signs.
    pub signed_by: Signer,
    /// Members of the header that replace others; null removes one.
    pub header: Map<String, Value>,
    /// Claims that replace others; null removes one.
    pub claims: Map<String, Value>,
    /// Claims that are written once more, at the end of the JSON text, whatever is there already.
    pub repeated: Map<String, Value>,
    /// True if the header has the signer's public key as `jwk` (RFC 7515 §4.1.3).
    pub embedded_key: bool,
}

/// The key that signs a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A key that the authorization server publishes.
    Issuer,
    /// A key that no one publishes, under the `kid` and `alg` of the issuer's.
    Stranger,
    /// None: `alg` is `none` unless the header says otherwise, and the signature is empty.
    Nobody,
    /// HMAC-SHA-256 with the issuer's public key as the secret.
    PublicKey,
}

impl Signer {
    /// Returns the word in the order.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Stranger => "stranger",
            Self::Nobody => "nobody",
            Self::PublicKey => "public-key",
        }
    }
}

impl Order {
    /// Starts an order for a good token.
    pub fn good(subject: &str, audience: &str, scopes: &[String]) -> Self {
        Self {
            subject: subject.to_owned(),
            audience: audience.to_owned(),
            scopes: scopes.to_vec(),
            expires_in: 300,
            signed_by: Signer::Issuer,
            header: Map::new(),
            claims: Map::new(),
            repeated: Map::new(),
            embedded_key: false,
        }
    }

    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn without(self, name: &str) -> Self {
        self.claim(name, Value::Null)
    }

    pub(super) fn repeat(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.repeated.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = seconds;
        self
    }

    pub(super) fn signed_by(mut self, signer: Signer) -> Self {
        self.signed_by = signer;
        self
    }

    pub(super) fn embedding_the_key(mut self) -> Self {
        self.embedded_key = true;
        self
    }

    /// Returns the order as the command reads it. Members that change nothing are left out, so a
    /// command need not know them to make good tokens.
    pub fn to_json(&self) -> Value {
        let mut order = json!({
            "subject": self.subject, "audience": self.audience, "scopes": self.scopes,
            "expires_in": self.expires_in, "signed_by": self.signed_by.as_str(),
            "header": self.header, "claims": self.claims,
        });
        if let Some(members) = order.as_object_mut() {
            if !self.repeated.is_empty() {
                members.insert("repeated".to_owned(), json!(self.repeated));
            }
            if self.embedded_key {
                members.insert("embedded_key".to_owned(), json!(true));
            }
        }
        order
    }
}

/// The answer to an order.
#[derive(Clone, Debug)]
pub enum Minted {
    /// The token.
    Token(String),
    /// No such token can be made, and why.
    Unable(String),
}

/// A function that fills orders.
pub type Fill = Box<dyn Fn(&Order) -> Result<Minted> + Send + Sync>;

/// A way to get tokens.
pub enum Mint {
    /// A command for `sh`, started once for each token.
    Command(String),
    /// A function of this process.
    Function(Fill),
}

impl Mint {
    /// Gets a token.
    ///
    /// # Errors
    /// Fails if the command cannot be run, ends with a code other than 0 and 3, or prints nothing.
    pub(super) async fn mint(&self, order: &Order) -> Result<Minted> {
        match self {
            Self::Function(mint) => mint(order),
            Self::Command(command) => {
                let run = run(command, order.to_json().to_string());
                let minted = tokio::time::timeout(DEADLINE, run).await;
                minted.context("the mint command takes longer than 30 s")?
            }
        }
    }
}

async fn run(command: &str, order: String) -> Result<Minted> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the mint command")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    // A command need not read its order.
    let _unread = stdin.write_all(order.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => {}
        Some(UNABLE) => {
            let last = complaint.lines().last();
            let last = last.map(|why| format!(": {why}")).unwrap_or_default();
            return Ok(Minted::Unable(format!(
                "the mint command cannot make such a token{last}"
            )));
        }
        _ => bail!(
            "the mint command ended with {}, expected exit code 0 or 3: {complaint}",
            output.status
        ),
    }
    let token = String::from_utf8(output.stdout).context("the token is no text")?;
    let token = token.trim();
    ensure!(!token.is_empty(), "the mint command printed no token");
    Ok(Minted::Token(token.to_owned()))
}
