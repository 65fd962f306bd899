//! The address of a remote MCP server, and the way there, as the operator gives them to an import.
//!
//! Invariant: what an import dials is what the keys of the service, which it writes, let the host
//! dial, so an import never reaches a server that its configuration would not. Files are read by
//! the rules of a configuration's.

use std::error::Error;
use std::net::IpAddr;
use std::path::{self, Path, PathBuf};

use http::Uri;
use ipnet::IpNet;
use serde::Serialize;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::ImportError;
use crate::egress::{AddressPolicy, DestinationError, PeerTls, Proxy, Tls};
use crate::owned::{self, Trust};

/// The way to a remote server, as the keys of these names say it of a service.
#[derive(Debug, Clone, Default)]
pub struct RemoteWay {
    /// Ranges of private addresses that the server may have.
    pub private_addresses: Vec<IpNet>,
    /// The proxy on the way, `http://HOST:PORT`.
    pub proxy: Option<String>,
    /// Ranges of addresses that the proxy may have.
    pub proxy_private_addresses: Vec<IpNet>,
    /// The roots that may vouch for the server, in place of the machine's (PEM).
    pub roots_file: Option<PathBuf>,
    /// The host's certificate there (PEM).
    pub client_certificate_file: Option<PathBuf>,
    /// The key of that certificate (PEM).
    pub client_key_file: Option<PathBuf>,
}

/// The endpoint of a remote server.
#[derive(Debug, Clone)]
pub struct RemoteEndpoint {
    url: Uri,
    addresses: AddressPolicy,
    peer: PeerTls,
    keys: EndpointKeys,
}

/// What the configuration says of an endpoint.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct EndpointKeys {
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    private_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proxy_private_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roots_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key_file: Option<PathBuf>,
}

impl RemoteEndpoint {
    /// Reads an address and the way there. Beside public addresses the server may have private
    /// ones that the way lists, or one on the loopback if its host is there by name or number.
    ///
    /// # Errors
    /// It is not an http or https URL, it has a user, a query or a fragment, or it cannot be
    /// reached that way; or a file cannot be used.
    pub fn new(text: &str, way: &RemoteWay) -> Result<Self, ImportError> {
        let parsed = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let parsed = parsed.ok_or(ImportError::Url)?;
        let url: Uri = parsed.as_str().parse().map_err(|_| ImportError::Url)?;
        let mut private = way.private_addresses.clone();
        for range in loopback(&parsed, way) {
            if !private.iter().any(|held| held.contains(&range)) {
                private.push(range);
            }
        }
        let texts = |ranges: &[IpNet]| ranges.iter().map(IpNet::to_string).collect();
        let keys = EndpointKeys {
            url: url.to_string(),
            private_addresses: texts(&private),
            proxy: way.proxy.clone(),
            proxy_private_addresses: texts(&way.proxy_private_addresses),
            roots_file: whole(ROOTS, way.roots_file.as_ref())?,
            client_certificate_file: whole(OWN, way.client_certificate_file.as_ref())?,
            client_key_file: whole(KEY, way.client_key_file.as_ref())?,
        };
        let addresses = way.addresses(private)?;
        addresses.check_url(&url).map_err(|why| {
            let option = match why {
                DestinationError::Unseen => "--private-addresses",
                _ => "the address",
            };
            let why = why.to_string();
            ImportError::Undialled { option, why }
        })?;
        Ok(Self {
            url,
            addresses,
            peer: keys.peer_tls()?,
            keys,
        })
    }

    /// Returns the address itself.
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// Returns the addresses that may be dialled, and the proxy on the way.
    pub fn addresses(&self) -> AddressPolicy {
        self.addresses.clone()
    }

    /// Returns TLS with what is peculiar to this endpoint.
    #[must_use]
    pub fn tls(&self, tls: &Tls) -> Tls {
        tls.of(&self.peer)
    }

    /// Returns the endpoint as the configuration has it.
    pub(super) fn keys(&self) -> &EndpointKeys {
        &self.keys
    }
}

impl RemoteWay {
    /// Returns the addresses that may be dialled, of which `private` are private.
    fn addresses(&self, private: Vec<IpNet>) -> Result<AddressPolicy, ImportError> {
        let policy = AddressPolicy::new(private);
        let within = &self.proxy_private_addresses;
        match &self.proxy {
            Some(proxy) => {
                let proxy = Proxy::new(proxy, AddressPolicy::new(within.clone()))?;
                Ok(policy.through(proxy))
            }
            None if within.is_empty() => Ok(policy),
            None => Err(ImportError::NoProxy),
        }
    }
}

impl EndpointKeys {
    /// Reads the certificates, and the key of the host's own.
    fn peer_tls(&self) -> Result<PeerTls, ImportError> {
        let mut peer = PeerTls::default();
        if let Some(file) = &self.roots_file {
            let of = |source| unusable(ROOTS, file, source);
            let roots = read(file).map_err(of)?;
            peer.set_roots(&roots).map_err(|why| of(why.into()))?;
        }
        match (&self.client_certificate_file, &self.client_key_file) {
            (Some(file), Some(key_file)) => {
                let of = |source| unusable(OWN, file, source);
                let own = read(file).map_err(of)?;
                let key = owned::read_secret(key_file, MAX_KEY, &Trust::default());
                let key = key.map(Zeroizing::new);
                let key = key.map_err(|why| unusable(KEY, key_file, why.into()))?;
                peer.set_identity(&own, &key)
                    .map_err(|why| of(why.into()))?;
            }
            (None, None) => {}
            _ => return Err(ImportError::HalfIdentity),
        }
        Ok(peer)
    }
}

type Cause = Box<dyn Error + Send + Sync>;

fn read(file: &Path) -> Result<Vec<u8>, Cause> {
    Ok(owned::read_settings(
        file,
        MAX_CERTIFICATES,
        &Trust::default(),
    )?)
}

fn unusable(option: &'static str, file: &Path, source: Cause) -> ImportError {
    ImportError::File {
        option,
        path: file.to_owned(),
        source,
    }
}

/// Returns a path that means the same wherever the configuration lies.
fn whole(option: &'static str, file: Option<&PathBuf>) -> Result<Option<PathBuf>, ImportError> {
    let whole =
        |file: &PathBuf| path::absolute(file).map_err(|why| unusable(option, file, why.into()));
    file.map(whole).transpose()
}

/// Returns the addresses of this machine that a URL names. A name means nothing here if a proxy
/// resolves it.
fn loopback(url: &Url, way: &RemoteWay) -> Vec<IpNet> {
    let address = match url.host() {
        Some(Host::Domain("localhost")) if way.proxy.is_none() => {
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

/// The options that name files.
const ROOTS: &str = "--roots-file";
const OWN: &str = "--client-certificate-file";
const KEY: &str = "--client-key-file";
/// The most bytes of certificates and of a key, as in a configuration.
const MAX_CERTIFICATES: u64 = 64 << 10;
const MAX_KEY: u64 = 16 << 10;
/// The addresses that `localhost` has (RFC 6761 §6.3).
const LOCALHOST: [&str; 2] = ["127.0.0.1/32", "::1/128"];

#[cfg(test)]
mod tests;
