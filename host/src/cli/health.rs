//! `bailiwick health`: asks the running host whether it is well, for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bailiwick::config;
use bailiwick::egress::{AddressPolicy, Client, Tls};
use http::Request;
use http_body_util::Full;
use ipnet::IpNet;
use rustls::RootCertStore;

use super::page::{Page, visible};
use super::wait;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file of the running host.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    /// Ask whether it can make calls, and not only whether it answers.
    #[arg(long)]
    ready: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let address = here(config::health_address(&args.config)?);
    ensure!(
        address.port() != 0,
        "the port is 0, so the running host's port is not known here; set one"
    );
    let path = if args.ready { "/readyz" } else { "/healthz" };
    let said = wait(ask(address, path))?;
    Ok(page.line(&visible(&said))?)
}

async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let policy = AddressPolicy::new(vec![IpNet::from(address.ip())]);
    let client = Client::new(&Tls::new(RootCertStore::empty())?, policy);
    let request = Request::get(format!("http://{address}{path}")).body(Full::default())?;
    let answer = client.send(request, TIME, MAX_ANSWER).await;
    let answer = answer.with_context(|| format!("no host answers on {address}"))?;
    let said = String::from_utf8_lossy(&answer.body).trim().to_owned();
    ensure!(answer.status.is_success(), "{}", visible(&said));
    Ok(said)
}

/// Returns the address by which this machine reaches a listener.
fn here(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

/// Well within the time that container engines give.
const TIME: Duration = Duration::from_secs(3);
const MAX_ANSWER: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        for (listener, expected) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            let listener: Option<SocketAddr> = listener.parse().ok();
            assert_eq!(listener.map(here), expected.parse().ok());
        }
    }
}
