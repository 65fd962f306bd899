//! Whether a URL can be dialled at all, as far as that is known without resolving its name.

use std::net::IpAddr;

use http::Uri;

use super::{AddressPolicy, Blocked};

/// A URL that a policy never lets the host dial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Plain HTTP through a proxy.
    #[error("only https goes through a proxy")]
    PlainThroughProxy,
    /// An address that is not allowed.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// Plain HTTP, and no address is listed.
    #[error("plain http is allowed only within private_addresses, which is empty; use https")]
    PlainHttp,
    /// A name that a proxy resolves, and a list of addresses for it.
    #[error(
        "the proxy resolves the name, so the host sees no address to look for in this list; leave \
         it out"
    )]
    Unseen,
}

impl AddressPolicy {
    /// Checks a URL, as far as possible without resolving names.
    ///
    /// # Errors
    /// It would never be dialled.
    pub fn check_url(&self, uri: &Uri) -> Result<(), DestinationError> {
        let tls = uri.scheme_str() == Some("https");
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let proxied = self.proxy().is_some();
        if proxied && !tls {
            return Err(DestinationError::PlainThroughProxy);
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(self.check(address, tls)?);
        }
        match (tls, proxied) {
            (false, _) if self.is_empty() => Err(DestinationError::PlainHttp),
            (_, true) if !self.is_empty() => Err(DestinationError::Unseen),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Proxy;
    use super::{AddressPolicy, DestinationError};

    #[test]
    fn a_url_that_is_never_dialled_is_refused_before_its_name_is_resolved() {
        let within = || AddressPolicy::new("10.0.0.0/8".parse().into_iter().collect());
        let proxied = |policy: AddressPolicy| {
            let proxy = Proxy::new("http://10.0.0.1:3128", within());
            proxy.map(|proxy| policy.through(proxy)).unwrap_or_default()
        };
        let none = AddressPolicy::default;
        let blocked = || DestinationError::Blocked(super::Blocked::Private([10, 0, 0, 2].into()));
        for (policy, url, expected) in [
            (none(), "https://a.example/", Ok(())),
            (
                none(),
                "http://a.example/",
                Err(DestinationError::PlainHttp),
            ),
            (none(), "https://10.0.0.2/", Err(blocked())),
            (within(), "https://a.example/", Ok(())),
            (within(), "http://a.example/", Ok(())),
            (within(), "http://10.0.0.2/", Ok(())),
            (proxied(none()), "https://a.example/", Ok(())),
            (
                proxied(none()),
                "http://a.example/",
                Err(DestinationError::PlainThroughProxy),
            ),
            (proxied(none()), "https://10.0.0.2/", Err(blocked())),
            (
                proxied(within()),
                "https://a.example/",
                Err(DestinationError::Unseen),
            ),
            (proxied(within()), "https://10.0.0.2/", Ok(())),
        ] {
            let found = url.parse().map(|uri| policy.check_url(&uri));
            assert_eq!(found.ok(), Some(expected), "{url} {policy:?}");
        }
    }
}
