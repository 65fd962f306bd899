//! The ports of the host. Both are bound before anything else is built, so a port that is in use
//! stops the start at once.

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::config::{Config, OperationsSettings, ServerSettings};
use crate::transport::Resource;

/// The listeners, and the host's own resource.
pub(super) struct Doors {
    pub(super) listener: TcpListener,
    /// The operations listener, with the names by which clients may address it.
    pub(super) operations: Option<(TcpListener, Vec<String>)>,
    pub(super) resource: Resource,
}

impl Doors {
    /// Binds the ports that `config` names.
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let server = &config.server;
        let listener = TcpListener::bind(server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", server.listen))?;
        let operations = listen_to_operations(config.operations.clone()).await?;
        let resource = resource(server, &listener)?;
        Ok(Self {
            listener,
            operations,
            resource,
        })
    }

    /// Returns the hosts that the operator lists and, on loopback, the names of the loopback.
    pub(super) fn allowed_hosts(&self, server: &ServerSettings) -> anyhow::Result<Vec<String>> {
        let mut hosts = server.allowed_hosts.clone();
        if self.listener.local_addr()?.ip().is_loopback() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(String::from));
        }
        Ok(hosts)
    }
}

fn resource(server: &ServerSettings, listener: &TcpListener) -> anyhow::Result<Resource> {
    let uri = match &server.resource {
        Some(uri) => uri.clone(),
        None => format!("http://{}/mcp", listener.local_addr()?),
    };
    Resource::new(&uri).with_context(|| format!("{uri} is not a URL with a host"))
}

/// Binds the operations listener, and returns the names by which clients may address it.
async fn listen_to_operations(
    settings: Option<OperationsSettings>,
) -> anyhow::Result<Option<(TcpListener, Vec<String>)>> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("operations.listen: cannot listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    let mut names = settings.allowed_hosts;
    if address.ip().is_loopback() {
        names.push("localhost".to_owned());
    }
    tracing::info!(%address, "health and metrics are served");
    Ok(Some((listener, names)))
}
