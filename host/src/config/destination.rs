//! Where the host sends requests: a URL, the addresses that it may have, the proxy on the way, and
//! the certificates at both ends.

mod proxy;
mod tls;

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use super::reader::Section;
use crate::egress::{AddressPolicy, DestinationError};

pub(super) use tls::{certificates, peer_tls};

/// Reads the addresses that the destinations of a section may have.
pub(super) fn addresses(section: &Section<'_>) -> AddressPolicy {
    let policy = AddressPolicy::new(ranges(section, "private_addresses"));
    match proxy::proxy(section) {
        Some(proxy) => policy.through(proxy),
        None => policy,
    }
}

/// Reads ranges of addresses.
fn ranges(section: &Section<'_>, key: &str) -> Vec<IpNet> {
    let range = |(text, at): (String, usize)| {
        let range = text.parse::<IpNet>().ok();
        if range.is_none() {
            let hint = text.parse::<IpAddr>().map_or(String::new(), |address| {
                format!("; write \"{}\"", IpNet::from(address))
            });
            section.problem(
                at,
                format!(
                    "{}: {text:?} is not a range of addresses{hint}",
                    section.name(key)
                ),
            );
        }
        range
    };
    let ranges = section.texts(key).unwrap_or_default();
    ranges.into_iter().filter_map(range).collect()
}

/// Reads a URL that will be dialled under `policy`, checked as far as possible without resolving
/// names.
pub(super) fn dialled(section: &Section<'_>, key: &str, policy: &AddressPolicy) -> Option<Uri> {
    let uri = url(section, key)?;
    if let Err(error) = policy.check_url(&uri) {
        let key = match error {
            DestinationError::Unseen => "private_addresses",
            _ => key,
        };
        section.wrong(key, &error.to_string());
    }
    Some(uri)
}

/// Reads an http or https URL with a host, and without user, query or fragment.
pub(super) fn url(section: &Section<'_>, key: &str) -> Option<Uri> {
    let text = section.text(key)?;
    let parsed = url::Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url.query().is_none()
    });
    let uri = parsed.and_then(|url| url.as_str().parse::<Uri>().ok());
    if uri.is_none() {
        section.wrong(key, "expected an https URL without user, query or fragment");
    }
    uri
}
