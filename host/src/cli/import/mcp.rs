//! `bailiwick import mcp`: asks a remote server what its tools are, over the host's own way out.
//!
//! Invariant: the server is shown the operator's token, and a certificate that the operator gives,
//! and nothing else of this machine; the token goes only there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick::egress::{self, Client, EgressError, Reply};
use bailiwick::import::{ImportPlan, RemoteEndpoint, RemoteListing, RemoteWay};
use bailiwick::owned::Trust;
use bailiwick::remote::RemoteMessage;
use bailiwick::seams::{Clock, SystemClock};
use bailiwick::transport::{TokenPlace, TokenSource};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Full;
use ipnet::IpNet;

use super::UsualArgs;
use crate::cli::page::Page;
use crate::cli::wait;

/// The command line of `bailiwick import mcp`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The address of the server's endpoint: https, or http on this machine.
    #[arg(value_hint = clap::ValueHint::Url)]
    url: String,
    #[command(flatten)]
    usual: UsualArgs,
    /// A file with the access token that the server is shown, in one line.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// Ranges of private addresses that the server may have, such as 10.0.0.0/8. They become the
    /// service's `private_addresses`.
    #[arg(long, value_name = "RANGE", value_delimiter = ',', value_parser = range)]
    private_addresses: Vec<IpNet>,
    /// Reach the server through this proxy, http://HOST:PORT, which becomes the service's `proxy`.
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    proxy: Option<String>,
    /// Ranges of addresses that the proxy may have. They become the service's
    /// `proxy_private_addresses`.
    #[arg(long, value_name = "RANGE", value_delimiter = ',', value_parser = range)]
    proxy_private_addresses: Vec<IpNet>,
    /// A file with the roots (PEM) that may vouch for the server, in place of this machine's. It
    /// becomes the service's `roots_file`, as do the next two their keys.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    roots_file: Option<PathBuf>,
    /// A file with the certificate (PEM) that the server is shown.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    client_certificate_file: Option<PathBuf>,
    /// A file with the key of that certificate (PEM).
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    client_key_file: Option<PathBuf>,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  bailiwick import mcp https://mcp.example.com/mcp --service tracker --dry-run
  bailiwick import mcp https://mcp.example.com/mcp --service tracker --token-file token.txt
  bailiwick import mcp http://127.0.0.1:8000/mcp --service local --only search,fetch
  bailiwick import mcp https://mcp.example.com/mcp --service tracker --roots-file authority.pem

The token decides which tools the server lists. Calls are made with the service's own credentials,
never with this token.

Files: DIR/NAME.wasm is the component, DIR/NAME.toml the lines for the configuration: the service
with the pins of its tools' definitions, and the grant. Both are written only if this host would
load the component; they replace those of an earlier import, and nothing else.

Exit codes: 0 if there is a component, or with --dry-run; otherwise nothing is written.";

pub(super) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    args.usual.component()?;
    let endpoint = RemoteEndpoint::new(&args.url, &args.way())?;
    let token = args.token_file.as_deref().map(token).transpose()?;
    let listing = wait(listed(endpoint, token)).with_context(|| args.url.clone())?;
    page.line(&format!(
        "MCP {}, {} tools",
        listing.revision,
        listing.tools.len()
    ))?;
    let plan = ImportPlan::of_remote(&listing, &args.usual.request())?;
    args.usual.carry_out(&plan, page)
}

impl Args {
    /// Returns the way to the server.
    fn way(&self) -> RemoteWay {
        RemoteWay {
            private_addresses: self.private_addresses.clone(),
            proxy: self.proxy.clone(),
            proxy_private_addresses: self.proxy_private_addresses.clone(),
            roots_file: self.roots_file.clone(),
            client_certificate_file: self.client_certificate_file.clone(),
            client_key_file: self.client_key_file.clone(),
        }
    }
}

fn range(text: &str) -> Result<IpNet, String> {
    let range = text.parse::<IpNet>();
    range.map_err(|_| "expected a range such as 10.0.0.0/8; one address is 10.0.0.7/32".to_owned())
}

/// Returns the token in a file, as the value of `Authorization`.
fn token(file: &Path) -> anyhow::Result<HeaderValue> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let place = TokenPlace::File(file.to_owned());
    Ok(TokenSource::open(place, &Trust::default(), &clock)?.now())
}

async fn listed(
    endpoint: RemoteEndpoint,
    token: Option<HeaderValue>,
) -> anyhow::Result<RemoteListing> {
    let client = Client::new(&endpoint.tls(&egress::tls()?), endpoint.addresses());
    let url = endpoint.url().clone();
    let shown = token.as_ref().map(HeaderValue::as_bytes);
    let secret = shown.and_then(|shown| shown.strip_prefix(b"Bearer "));
    let ask = async |message| sent(&client, &url, token.as_ref(), message).await;
    Ok(RemoteListing::read(endpoint, secret, ask).await?)
}

async fn sent(
    client: &Client,
    url: &Uri,
    token: Option<&HeaderValue>,
    message: RemoteMessage,
) -> Result<Reply, EgressError> {
    let mut request = Request::new(Full::new(message.body));
    *request.method_mut() = message.method;
    *request.uri_mut() = url.clone();
    *request.headers_mut() = message.headers;
    if let Some(token) = token {
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, token.clone());
    }
    client.send(request, TIME, MAX_ANSWER).await
}

/// The most time for one message.
const TIME: Duration = Duration::from_secs(30);
/// The most bytes of one answer.
const MAX_ANSWER: usize = 8 << 20;
