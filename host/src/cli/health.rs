//! `bailiwick health`: asks the running host whether it is well, for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bailiwick::config;
use bailiwick::egress::{AddressPolicy, Client, Tls};
use http::{Request, StatusCode};
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
    match judge(path, answer.status, &said) {
        Some(true) => Ok(said),
        Some(false) => bail!("{}", visible(&said)),
        None => bail!(
            "another program answers on {address}: {} {}",
            answer.status,
            visible(&said)
        ),
    }
}

/// Returns whether the host is well, by its answer; `None` if a host does not answer like that.
fn judge(path: &str, status: StatusCode, said: &str) -> Option<bool> {
    let is_without_some = said.starts_with("ready, but without components");
    match (path, status) {
        ("/healthz", StatusCode::OK) if said == "ok" => Some(true),
        ("/readyz", StatusCode::OK) if said == "ready" || is_without_some => Some(true),
        ("/readyz", StatusCode::SERVICE_UNAVAILABLE) if said.starts_with("not ready") => {
            Some(false)
        }
        _ => None,
    }
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
    fn only_a_hosts_own_answers_count() {
        for (path, status, said, expected) in [
            ("/healthz", 200, "ok", Some(true)),
            ("/healthz", 200, "OK", None),
            ("/healthz", 200, "", None),
            ("/healthz", 200, "<html>ok</html>", None),
            ("/healthz", 204, "ok", None),
            ("/healthz", 503, "not ready", None),
            ("/readyz", 200, "ready", Some(true)),
            (
                "/readyz",
                200,
                "ready, but without components that the configuration names: a",
                Some(true),
            ),
            ("/readyz", 200, "ok", None),
            ("/readyz", 200, "not ready", None),
            ("/readyz", 503, "not ready", Some(false)),
            (
                "/readyz",
                503,
                "not ready: the host is stopping",
                Some(false),
            ),
            ("/readyz", 503, "try later", None),
            ("/readyz", 404, "not found", None),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(
                judge(path, status, said),
                expected,
                "{path} {status} {said}"
            );
        }
    }

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
