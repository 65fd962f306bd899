//! The address of a remote MCP server, as the operator gives it to an import.
//!
//! Invariant: what an import dials is what `url` and `private_addresses` of the service let the
//! host dial, so an import never reaches a server that its configuration would not.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;
use url::{Host, Url};

use super::ImportError;
use crate::egress::AddressPolicy;

/// The endpoint of a remote server.
#[derive(Debug, Clone)]
pub struct RemoteEndpoint {
    url: Uri,
    private: Vec<IpNet>,
}

impl RemoteEndpoint {
    /// Reads an address. Beside public ones the server may have one within `private`, or on the
    /// loopback if its host is there by name or number.
    ///
    /// # Errors
    /// It is not an http or https URL, or it has a user, a query or a fragment.
    pub fn new(text: &str, private: &[IpNet]) -> Result<Self, ImportError> {
        let parsed = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let parsed = parsed.ok_or(ImportError::Url)?;
        let mut private = private.to_vec();
        for range in loopback(&parsed) {
            if !private.iter().any(|held| held.contains(&range)) {
                private.push(range);
            }
        }
        Ok(Self {
            url: parsed.as_str().parse().map_err(|_| ImportError::Url)?,
            private,
        })
    }

    /// Returns the address itself.
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// Returns the addresses that may be dialled.
    pub fn addresses(&self) -> AddressPolicy {
        AddressPolicy::new(self.private.clone())
    }

    /// Returns the private ranges as the configuration has them.
    pub(super) fn ranges(&self) -> Vec<String> {
        self.private.iter().map(IpNet::to_string).collect()
    }
}

/// Returns the addresses of this machine that a URL names.
fn loopback(url: &Url) -> Vec<IpNet> {
    let address = match url.host() {
        Some(Host::Domain("localhost")) => {
            return LOCALHOST
                .iter()
                .filter_map(|one| one.parse().ok())
                .collect();
        }
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Vec::new(),
    };
    let here = Some(address).filter(IpAddr::is_loopback);
    here.into_iter().map(IpNet::from).collect()
}

/// The addresses that `localhost` has (RFC 6761 §6.3).
const LOCALHOST: [&str; 2] = ["127.0.0.1/32", "::1/128"];

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::{ImportError, RemoteEndpoint};

    #[test]
    fn an_address_on_this_machine_may_be_dialled_and_others_as_the_operator_says() {
        let within: Vec<IpNet> = ["10.0.0.0/8", "127.0.0.0/8"]
            .iter()
            .filter_map(|range| range.parse().ok())
            .collect();
        for (text, private, ranges) in [
            ("https://mcp.example/a", &[][..], &[][..]),
            ("http://127.0.0.1:8000/mcp", &[], &["127.0.0.1/32"]),
            (
                "http://127.0.0.1/mcp",
                &within[..],
                &["10.0.0.0/8", "127.0.0.0/8"],
            ),
            ("http://[::1]:8000/mcp", &[], &["::1/128"]),
            ("http://localhost/mcp", &[], &["127.0.0.1/32", "::1/128"]),
            ("http://localhost.example/mcp", &[], &[]),
            (
                "https://10.0.0.1",
                &within[..],
                &["10.0.0.0/8", "127.0.0.0/8"],
            ),
        ] {
            let endpoint = RemoteEndpoint::new(text, private);
            let found = endpoint
                .map(|endpoint| endpoint.ranges())
                .unwrap_or_default();
            assert_eq!(found, ranges, "{text}");
        }
    }

    #[test]
    fn an_address_is_a_url_and_nothing_else() {
        for text in [
            "mcp.example/a",
            "ftp://mcp.example/a",
            "https://me@mcp.example/a",
            "https://:secret@mcp.example/a",
            "https://mcp.example/a?key=secret",
            "https://mcp.example/a#b",
            "https://",
            "",
        ] {
            let refused = RemoteEndpoint::new(text, &[]);
            assert!(matches!(refused, Err(ImportError::Url)), "{text}");
        }
        let good = RemoteEndpoint::new("https://MCP.example:8443/a%20b", &[]);
        let url = good.map(|endpoint| endpoint.url().to_string());
        assert_eq!(url.unwrap_or_default(), "https://mcp.example:8443/a%20b");
    }
}
