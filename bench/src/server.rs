//! The servers without protection that the bench runs itself, each as a process of its own.
//!
//! - [`native`]: the host's MCP library, and nothing else.
//! - [`raw`]: HTTP and JSON, and nothing else: the floor.
//! - [`desk`]: a service behind a tool, as plain as can be.
//! - [`hops`]: a `raw` that asks the desk for each answer: two plain HTTP hops.

mod cores;
pub(crate) mod desk;
pub(crate) mod hops;
pub(crate) mod native;
pub(crate) mod raw;

use std::io::Write as _;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Binds a free port of loopback, and names it on standard error as the host does.
async fn listen() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(
        std::io::stderr(),
        "listening on http://{}/mcp",
        listener.local_addr()?
    )?;
    Ok(listener)
}

/// Serves until the process, or the bench, is killed.
fn run(runtime: &Runtime, serve: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    runtime.block_on(async {
        tokio::select! {
            served = serve => served,
            () = bailiwick_dev::process::stdin_closes() => Ok(()),
        }
    })
}
