//! Which addresses may be dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The private ranges that one destination may live in (`private_addresses`).
///
/// Public addresses may always be dialled, with TLS; private ones only within these ranges; and
/// some never: link-local, metadata, multicast, unspecified, reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    private: Vec<IpNet>,
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
    #[error("{0} is not in private_addresses, and plain http is allowed only within them; use https")]
    PlainHttp(IpAddr),
}

impl AddressPolicy {
    /// A policy that allows these private ranges.
    pub fn new(private: Vec<IpNet>) -> Self {
        Self { private }
    }

    /// Whether no private range is allowed.
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
        if tls || self.lists(address) { Ok(()) } else { Err(Blocked::PlainHttp(address)) }
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.private.iter().any(|range| range.contains(&address))
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Reach {
    Public,
    Private,
    Never,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

/// IANA IPv4 Special-Purpose Address Registry.
fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (0 | 224..=255, ..) | (169, 254, ..) | (100, 100, 100, 200) | (168, 63, 129, 16) => Reach::Never,
        (10 | 127, ..) | (172, 16..=31, ..) | (192, 168, ..) | (100, 64..=127, ..) => Reach::Private,
        (192, 0, 0 | 2, _) | (198, 18..=19, ..) | (198, 51, 100, _) | (203, 0, 113, _) => Reach::Private,
        _ => Reach::Public,
    }
}

/// IANA IPv6 Special-Purpose Address Registry. Addresses that carry an IPv4 address (NAT64, 6to4,
/// Teredo, IPv4-compatible) are never dialled: they would be a second spelling of it.
fn reach_v6(address: Ipv6Addr) -> Reach {
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if address == Ipv6Addr::LOCALHOST {
        return Reach::Private;
    }
    let [a, b, ..] = address.segments();
    match (a, b) {
        _ if address == METADATA => Reach::Never,
        (0x2001, 0 | 0xdb8) | (0x2002, _) | (0x64, 0xff9b) | (0x100, _) | (0, _) => Reach::Never,
        (0xfc00..=0xfdff, _) => Reach::Private,
        (0x2000..=0x3fff, _) => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(ranges: &[&str]) -> AddressPolicy {
        AddressPolicy::new(ranges.iter().filter_map(|range| range.parse().ok()).collect())
    }

    fn dial(policy: &AddressPolicy, address: &str, tls: bool) -> &'static str {
        let Ok(address) = address.parse() else { return "not an address" };
        match policy.check(address, tls) {
            Ok(()) => "dialled",
            Err(Blocked::Never(_)) => "never",
            Err(Blocked::Private(_)) => "private",
            Err(Blocked::PlainHttp(_)) => "plain",
        }
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
        ] {
            assert_eq!(dial(&none, address, true), without, "{address} with nothing listed");
            assert_eq!(dial(&open, address, true), with, "{address} with everything listed");
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
