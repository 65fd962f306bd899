//! The ports of host, issuer and page: always the same, so that clients and people find them again.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, bail};

/// The port of the host, unless the author chooses.
pub(super) const HOST: u16 = 6280;

/// Returns the issuer's port for the host's: the next one, or any if the host's is any.
pub(super) fn of_issuer(host: u16) -> anyhow::Result<u16> {
    if host == 0 {
        return Ok(0);
    }
    host.checked_add(1)
        .context("after port 65535 there is none for the issuer; choose one with --issuer-port N")
}

/// Returns the port of the operator's page for the host's: the one after the issuer's, or any if
/// the host's is any.
pub(super) fn of_page(host: u16) -> anyhow::Result<u16> {
    if host == 0 {
        return Ok(0);
    }
    host.checked_add(2)
        .context("after this port there is none for the page; choose one with --page-port N")
}

/// Checks that a port is free.
pub(super) fn is_free(port: u16, option: &str) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is in use, perhaps by another `bailiwick dev`; choose another with \
             {option} N, or any with {option} 0"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on 127.0.0.1:{port}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_port_is_known_and_the_issuer_has_the_next_one() {
        let url = format!("http://127.0.0.1:{HOST}/mcp");
        assert_eq!(crate::connecting::DEV, url);
        assert_eq!(of_issuer(HOST).unwrap(), HOST + 1);
        assert_eq!(of_issuer(0).unwrap(), 0);
        assert!(of_issuer(u16::MAX).is_err());
    }

    #[test]
    fn the_page_has_the_port_after() {
        assert_eq!(of_page(HOST).unwrap(), HOST + 2);
        assert_eq!(of_page(0).unwrap(), 0);
        assert!(of_page(u16::MAX - 1).is_err());
    }

    #[test]
    fn a_port_in_use_is_said_with_the_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = is_free(port, "--port").unwrap_err().to_string();
        assert!(
            error.contains("in use") && error.contains("--port 0"),
            "{error}"
        );
        is_free(0, "--port").unwrap();
    }
}
