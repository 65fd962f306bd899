//! `proxy`: the way out of a closed network, for one destination.

use super::ranges;
use crate::config::reader::Section;
use crate::egress::{AddressPolicy, Proxy};

/// Reads the proxy through which the destinations of a section are reached.
pub(super) fn proxy(section: &Section<'_>) -> Option<Proxy> {
    let addresses = AddressPolicy::new(ranges(section, "proxy_private_addresses"));
    let Some(url) = section.text("proxy") else {
        if section.has("proxy_private_addresses") && !section.has("proxy") {
            section.wrong("proxy_private_addresses", "there is no proxy");
        }
        return None;
    };
    match Proxy::new(&url, addresses) {
        Ok(proxy) => Some(proxy),
        Err(error) => {
            section.wrong("proxy", &error.to_string());
            None
        }
    }
}
