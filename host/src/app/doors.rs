//! The ports of the host. They are bound before anything else is built, so a port that is in use
//! stops the start at once.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::config::{Config, OperationsSettings, ServerSettings};
use crate::transport::Resource;

/// The listeners, and the host's own resource.
pub(super) struct Doors {
    /// The listener, unless the host serves streams.
    pub(super) listener: Option<TcpListener>,
    /// The operations listener, with the names by which clients may address it.
    pub(super) operations: Option<(TcpListener, Vec<String>)>,
    pub(super) resource: Resource,
}

impl Doors {
    /// Binds the ports that `config` names. A host that serves streams does not listen for clients.
    pub(super) async fn open(config: &Config, serves_streams: bool) -> anyhow::Result<Self> {
        let server = &config.server;
        let (listener, address) = if serves_streams {
            (None, server.listen)
        } else {
            let listener = TcpListener::bind(server.listen)
                .await
                .with_context(|| format!("cannot listen on {}", server.listen))?;
            let address = listener.local_addr()?;
            (Some(listener), address)
        };
        let operations = listen_to_operations(config.operations.clone()).await?;
        let resource = resource(server, address)?;
        Ok(Self {
            listener,
            operations,
            resource,
        })
    }

    /// Returns the address of the operations listener, if there is one.
    pub(super) fn operations_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let listener = self.operations.as_ref().map(|(listener, _)| listener);
        Ok(listener.map(TcpListener::local_addr).transpose()?)
    }

    /// Returns the hosts that the operator lists and, on loopback, the names of the loopback.
    pub(super) fn allowed_hosts(&self, server: &ServerSettings) -> anyhow::Result<Vec<String>> {
        let mut hosts = server.allowed_hosts.clone();
        let address = self.listener.as_ref().map(TcpListener::local_addr);
        if address
            .transpose()?
            .is_some_and(|address| address.ip().is_loopback())
        {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(String::from));
        }
        Ok(hosts)
    }
}

fn resource(server: &ServerSettings, address: SocketAddr) -> anyhow::Result<Resource> {
    let uri = if let Some(uri) = &server.resource {
        uri.clone()
    } else {
        anyhow::ensure!(address.port() != 0, NO_RESOURCE);
        format!("http://{address}/mcp")
    };
    Resource::new(&uri).with_context(|| format!("{uri} is not a URL with a host"))
}

const NO_RESOURCE: &str = "server.resource is missing: expected the audience of the tokens, because \
                           a host on standard streams has no port to derive it from";

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
