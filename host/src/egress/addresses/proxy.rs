//! A forward proxy, and where it may be.

use http::Uri;
use http::uri::PathAndQuery;

use super::AddressPolicy;

/// A proxy that is asked over plain HTTP, and where it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(in crate::egress) host: String,
    pub(in crate::egress) port: u16,
    pub(in crate::egress) addresses: AddressPolicy,
}

/// A proxy that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The URL is more, or other, than scheme, host and port.
    #[error("expected the proxy as \"http://HOST:PORT\"")]
    Url,
    /// It is reached over plain HTTP, which is allowed only within listed addresses.
    #[error("the proxy is asked over plain http: list its addresses in proxy_private_addresses")]
    Addresses,
}

impl Proxy {
    /// Makes a proxy of its URL and the addresses that it may have.
    ///
    /// # Errors
    /// The URL is not `http://HOST:PORT`, or no addresses are listed.
    pub fn new(url: &str, addresses: AddressPolicy) -> Result<Self, ProxyError> {
        let uri: Uri = url.parse().map_err(|_| ProxyError::Url)?;
        let authority = uri.authority().ok_or(ProxyError::Url)?;
        let port = authority.port_u16().ok_or(ProxyError::Url)?;
        let bare = matches!(
            uri.path_and_query().map(PathAndQuery::as_str),
            None | Some("/")
        );
        if uri.scheme_str() != Some("http") || !bare || authority.as_str().contains('@') {
            return Err(ProxyError::Url);
        }
        if addresses.is_empty() {
            return Err(ProxyError::Addresses);
        }
        let host = authority.host();
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            addresses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> AddressPolicy {
        AddressPolicy::new("127.0.0.0/8".parse().into_iter().collect())
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port_in_listed_addresses() {
        for url in [
            "http://proxy.corp:3128",
            "http://[::1]:8080/",
            "http://127.0.0.1:1",
        ] {
            assert!(Proxy::new(url, listed()).is_ok(), "{url}");
            let unlisted = Proxy::new(url, AddressPolicy::default());
            assert_eq!(unlisted, Err(ProxyError::Addresses), "{url}");
        }
        for url in [
            "https://proxy.corp:3128",
            "socks5://proxy.corp:1080",
            "http://proxy.corp",
            "http://user:secret@proxy.corp:3128",
            "http://proxy.corp:3128/path",
            "http://proxy.corp:3128?x",
            "proxy.corp:3128",
            "/x",
            "",
        ] {
            assert_eq!(Proxy::new(url, listed()), Err(ProxyError::Url), "{url}");
        }
    }
}
