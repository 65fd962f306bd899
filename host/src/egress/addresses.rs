//! The addresses that may be dialled.

mod destination;
mod proxy;
mod registry;

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use ipnet::IpNet;

pub use destination::DestinationError;
pub use proxy::{Proxy, ProxyError};

/// The private ranges that one destination may live in (`private_addresses`), and the proxy through
/// which it is reached, if there is one.
///
/// Public addresses may always be dialled, with TLS; private ones only within these ranges; and
/// some never: link-local, metadata, multicast, unspecified, reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    private: Vec<IpNet>,
    proxy: Option<Arc<Proxy>>,
}

/// An address that must not be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Never dialled, whatever the configuration says.
    #[error("{0} is a link-local, metadata, multicast or reserved address, which is never dialled")]
    Never(IpAddr),
    /// Private, and not in `private_addresses`.
    #[error("{0} is a private address; add its range to private_addresses to allow it")]
    Private(IpAddr),
    /// Plain HTTP to an address outside `private_addresses`.
    #[error(
        "{0} is not in private_addresses, and plain http is allowed only within them; use https"
    )]
    PlainHttp(IpAddr),
}

impl AddressPolicy {
    /// A policy that allows these private ranges.
    pub fn new(private: Vec<IpNet>) -> Self {
        Self {
            private,
            proxy: None,
        }
    }

    /// Reaches the destination through `proxy`, which resolves its name.
    #[must_use]
    pub fn through(self, proxy: Proxy) -> Self {
        Self {
            proxy: Some(Arc::new(proxy)),
            ..self
        }
    }

    /// Returns the proxy through which the destination is reached.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_deref()
    }

    /// Returns whether no private range is allowed.
    pub fn is_empty(&self) -> bool {
        self.private.is_empty()
    }

    /// Checks one resolved address.
    ///
    /// # Errors
    /// The address must not be dialled.
    pub fn check(&self, address: IpAddr, tls: bool) -> Result<(), Blocked> {
        let address = address.to_canonical();
        match reach(address) {
            Reach::Never => return Err(Blocked::Never(address)),
            Reach::Private if !self.lists(address) => return Err(Blocked::Private(address)),
            Reach::Private | Reach::Public => {}
        }
        if tls || self.lists(address) {
            Ok(())
        } else {
            Err(Blocked::PlainHttp(address))
        }
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.private.iter().any(|range| range.contains(&address))
    }
}

/// The reach of an address.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Reach {
    Public,
    Private,
    Never,
}

/// Classifies an address by the smallest special range that contains it; without one it is public.
fn reach(address: IpAddr) -> Reach {
    if carries_ipv4(address) {
        return Reach::Never;
    }
    let smallest = TABLE
        .iter()
        .filter(|(range, _)| range.contains(&address))
        .max_by_key(|(range, _)| range.prefix_len());
    smallest.map_or(Reach::Public, |(_, reach)| *reach)
}

/// Detects an ISATAP interface identifier (RFC 5214 §6.1) in any prefix. It would be a second
/// spelling of the IPv4 address inside it. The table has the prefixes that carry one.
fn carries_ipv4(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if matches!(v6.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, ..]))
}

static TABLE: LazyLock<Vec<(IpNet, Reach)>> = LazyLock::new(|| {
    let rows = [registry::METADATA, registry::IPV4, registry::IPV6]
        .into_iter()
        .flatten();
    // A row that is not a range would leave a hole, so the tests count them.
    rows.filter_map(|(range, reach, _)| Some((range.parse().ok()?, *reach)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(ranges: &[&str]) -> AddressPolicy {
        AddressPolicy::new(
            ranges
                .iter()
                .filter_map(|range| range.parse().ok())
                .collect(),
        )
    }

    fn dial(policy: &AddressPolicy, address: &str, tls: bool) -> &'static str {
        let Ok(address) = address.parse() else {
            return "not an address";
        };
        match policy.check(address, tls) {
            Ok(()) => "dialled",
            Err(Blocked::Never(_)) => "never",
            Err(Blocked::Private(_)) => "private",
            Err(Blocked::PlainHttp(_)) => "plain",
        }
    }

    #[test]
    fn every_row_of_the_table_is_a_range_of_its_own() {
        let rows = [registry::METADATA, registry::IPV4, registry::IPV6].concat();
        for (range, _, source) in &rows {
            assert!(
                range.parse::<IpNet>().is_ok_and(|net| net.trunc() == net),
                "{range}"
            );
            assert!(
                !source.is_empty() && rows.iter().filter(|row| row.0 == *range).count() == 1,
                "{range}"
            );
        }
        assert_eq!(TABLE.len(), rows.len());
    }

    /// The first, the last and an inner address of every row, unless a smaller row has them.
    #[test]
    fn every_row_decides_about_its_addresses_with_and_without_everything_listed() {
        let (open, none) = (policy(&["0.0.0.0/0", "::/0"]), policy(&[]));
        for (range, reach) in TABLE.iter() {
            let inner = range.hosts().nth(5).unwrap_or(range.network());
            for address in [range.network(), inner, range.broadcast()] {
                let smaller = |(other, _): &&(IpNet, Reach)| {
                    other.contains(&address) && other.prefix_len() > range.prefix_len()
                };
                if carries_ipv4(address)
                    || address.to_canonical() != address
                    || TABLE.iter().any(|row| smaller(&row))
                {
                    continue;
                }
                let (without, with) = match reach {
                    Reach::Public => ("dialled", "dialled"),
                    Reach::Private => ("private", "dialled"),
                    Reach::Never => ("never", "never"),
                };
                assert_eq!(
                    dial(&none, &address.to_string(), true),
                    without,
                    "{address} of {range}"
                );
                assert_eq!(
                    dial(&open, &address.to_string(), true),
                    with,
                    "{address} of {range}"
                );
            }
        }
    }

    #[test]
    fn no_metadata_address_is_dialled_whatever_is_listed_and_however_it_is_spelt() {
        let open = policy(&["0.0.0.0/0", "::/0"]);
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.42.42",
            "169.254.0.23",
            "168.63.129.16",
            "192.0.0.192",
            "100.100.100.200",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fd00:100::100:200",
            "fe80::a9fe:a9fe",
            "::ffff:169.254.169.254",
            "::ffff:168.63.129.16",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:4136:e378:8000:63bf:5601:5601",
            "2001:470::5efe:169.254.169.254",
            "2001:470::200:5efe:169.254.169.254",
            "fd12::5efe:127.0.0.1",
        ] {
            assert_eq!(dial(&open, address, true), "never", "{address}");
        }
        for address in [
            "fd00:ec3::254",
            "fd20:ce::255",
            "192.0.0.193",
            "100.100.100.201",
            "fd00:42::43",
        ] {
            assert_eq!(dial(&open, address, true), "dialled", "{address} is listed");
        }
        assert_eq!(
            dial(&open, "168.63.129.17", true),
            "dialled",
            "it is public"
        );
    }

    #[test]
    fn every_class_of_address_has_its_rule() {
        let open = policy(&["0.0.0.0/0", "::/0"]);
        let none = policy(&[]);
        for (address, without, with) in [
            ("93.184.216.34", "dialled", "dialled"),
            ("2606:2800:220:1::1", "dialled", "dialled"),
            ("127.0.0.1", "private", "dialled"),
            ("10.1.2.3", "private", "dialled"),
            ("172.31.255.255", "private", "dialled"),
            ("172.32.0.1", "dialled", "dialled"),
            ("192.168.0.1", "private", "dialled"),
            ("100.64.0.1", "private", "dialled"),
            ("::1", "private", "dialled"),
            ("fd12::1", "private", "dialled"),
            ("::ffff:10.0.0.1", "private", "dialled"),
            ("::ffff:169.254.169.254", "never", "never"),
            ("169.254.169.254", "never", "never"),
            ("100.100.100.200", "never", "never"),
            ("fd00:ec2::254", "never", "never"),
            ("fe80::1", "never", "never"),
            ("0.0.0.0", "never", "never"),
            ("::", "never", "never"),
            ("255.255.255.255", "never", "never"),
            ("224.0.0.1", "never", "never"),
            ("ff02::1", "never", "never"),
            ("64:ff9b::a00:1", "never", "never"),
            ("2002:a00:1::", "never", "never"),
            ("::10.0.0.1", "never", "never"),
            ("192.88.99.1", "never", "never"),
            ("192.0.0.9", "dialled", "dialled"),
            ("192.0.0.11", "private", "dialled"),
            ("3fff::1", "never", "never"),
            ("3fff:1000::1", "dialled", "dialled"),
            ("2001:2::1", "private", "dialled"),
            ("2001:4:112::1", "dialled", "dialled"),
            ("2001:5::1", "never", "never"),
            ("2001:200::1", "dialled", "dialled"),
            ("fec0::1", "never", "never"),
            ("4000::1", "never", "never"),
            ("5f00::1", "never", "never"),
        ] {
            assert_eq!(
                dial(&none, address, true),
                without,
                "{address} with nothing listed"
            );
            assert_eq!(
                dial(&open, address, true),
                with,
                "{address} with everything listed"
            );
        }
    }

    #[test]
    fn plain_http_goes_only_to_listed_addresses() {
        let office = policy(&["10.0.0.0/8"]);
        assert_eq!(dial(&office, "10.0.0.1", false), "dialled");
        assert_eq!(dial(&office, "93.184.216.34", false), "plain");
        assert_eq!(dial(&office, "192.168.0.1", false), "private");
    }
}
