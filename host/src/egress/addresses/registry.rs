//! The special ranges: the IANA registries in full, and the metadata addresses of clouds.
//!
//! Of several ranges that contain an address, the smallest decides. An address in none is public.
//! The rows are those of `iana-ipv4-special-registry`, `iana-ipv6-special-registry` and
//! `ipv6-address-space`; "globally reachable: false" is never [`Public`].

use super::Reach::{self, Never, Private, Public};

/// Range, reach, and the document that defines it.
pub(super) type Row = (&'static str, Reach, &'static str);

/// IANA IPv4 Special-Purpose Address Registry, with multicast.
pub(super) const IPV4: &[Row] = &[
    ("0.0.0.0/8", Never, "RFC 791 §3.2: this network"),
    (
        "0.0.0.0/32",
        Never,
        "RFC 1122 §3.2.1.3: this host on this network",
    ),
    ("10.0.0.0/8", Private, "RFC 1918"),
    ("100.64.0.0/10", Private, "RFC 6598: shared address space"),
    ("127.0.0.0/8", Private, "RFC 1122 §3.2.1.3: loopback"),
    ("169.254.0.0/16", Never, "RFC 3927: link-local"),
    ("172.16.0.0/12", Private, "RFC 1918"),
    (
        "192.0.0.0/24",
        Private,
        "RFC 6890 §2.1: IETF protocol assignments",
    ),
    ("192.0.0.0/29", Private, "RFC 7335: IPv4 service continuity"),
    ("192.0.0.8/32", Never, "RFC 7600: dummy address"),
    (
        "192.0.0.9/32",
        Public,
        "RFC 7723: port control protocol anycast",
    ),
    ("192.0.0.10/32", Public, "RFC 8155: TURN anycast"),
    (
        "192.0.0.170/31",
        Never,
        "RFC 8880, RFC 7050 §2.2: NAT64 and DNS64 discovery",
    ),
    ("192.0.2.0/24", Private, "RFC 5737: documentation"),
    ("192.31.196.0/24", Public, "RFC 7535: AS112"),
    ("192.52.193.0/24", Public, "RFC 7450: AMT"),
    (
        "192.88.99.0/24",
        Never,
        "RFC 7526: 6to4 relay anycast, deprecated",
    ),
    ("192.168.0.0/16", Private, "RFC 1918"),
    ("192.175.48.0/24", Public, "RFC 7534: AS112"),
    ("198.18.0.0/15", Private, "RFC 2544: benchmarking"),
    ("198.51.100.0/24", Private, "RFC 5737: documentation"),
    ("203.0.113.0/24", Private, "RFC 5737: documentation"),
    ("224.0.0.0/4", Never, "RFC 5771: multicast"),
    ("240.0.0.0/4", Never, "RFC 1112 §4: reserved"),
    (
        "255.255.255.255/32",
        Never,
        "RFC 8190, RFC 919 §7: limited broadcast",
    ),
];

/// IANA IPv6 Special-Purpose Address Registry, and the address space outside of `2000::/3`.
pub(super) const IPV6: &[Row] = &[
    (
        "::/0",
        Never,
        "RFC 4291 §2.4: not global unicast unless a row says so",
    ),
    ("::/128", Never, "RFC 4291: unspecified"),
    (
        "::ffff:0:0/96",
        Never,
        "RFC 4291: mapped, judged as the IPv4 address before it comes here",
    ),
    ("::1/128", Private, "RFC 4291: loopback"),
    (
        "64:ff9b::/96",
        Never,
        "RFC 6052: NAT64, carries an IPv4 address",
    ),
    (
        "64:ff9b:1::/48",
        Never,
        "RFC 8215: local NAT64, carries an IPv4 address",
    ),
    ("100::/64", Never, "RFC 6666: discard-only"),
    ("100:0:0:1::/64", Never, "RFC 9780: dummy prefix"),
    ("2000::/3", Public, "RFC 4291 §2.5.4: global unicast"),
    ("2001::/23", Never, "RFC 2928: IETF protocol assignments"),
    (
        "2001::/32",
        Never,
        "RFC 4380: Teredo, carries an IPv4 address",
    ),
    (
        "2001:1::1/128",
        Public,
        "RFC 7723: port control protocol anycast",
    ),
    ("2001:1::2/128", Public, "RFC 8155: TURN anycast"),
    (
        "2001:1::3/128",
        Public,
        "RFC 9665: DNS-SD service registration anycast",
    ),
    ("2001:2::/48", Private, "RFC 5180: benchmarking"),
    ("2001:3::/32", Public, "RFC 7450: AMT"),
    ("2001:4:112::/48", Public, "RFC 7535: AS112"),
    ("2001:10::/28", Never, "RFC 4843: ORCHID, deprecated"),
    ("2001:20::/28", Public, "RFC 7343: ORCHIDv2"),
    (
        "2001:30::/28",
        Public,
        "RFC 9374: drone remote identification",
    ),
    ("2001:db8::/32", Never, "RFC 3849: documentation"),
    (
        "2002::/16",
        Never,
        "RFC 3056: 6to4, carries an IPv4 address",
    ),
    ("2620:4f:8000::/48", Public, "RFC 7534: AS112"),
    ("3fff::/20", Never, "RFC 9637: documentation"),
    ("5f00::/16", Never, "RFC 9602: segment routing"),
    ("fc00::/7", Private, "RFC 4193: unique local"),
    ("fe80::/10", Never, "RFC 4291: link-local"),
    ("fec0::/10", Never, "RFC 3879: site-local, deprecated"),
    ("ff00::/8", Never, "RFC 4291 §2.7: multicast"),
];

/// Addresses at which clouds give a machine's keys to every process on it. Those in
/// `169.254.0.0/16` and `fe80::/10` (AWS, Azure, Google, `DigitalOcean`, Hetzner, IBM, `OpenStack`,
/// Tencent, `UpCloud`, Vultr, Yandex; ECS 169.254.170.2, EKS 169.254.170.23, Scaleway
/// 169.254.42.42) are covered by these ranges.
pub(super) const METADATA: &[Row] = &[
    (
        "100.100.100.200/32",
        Never,
        "Alibaba Cloud, ECS instance metadata",
    ),
    (
        "168.63.129.16/32",
        Never,
        "Azure, WireServer and platform DNS",
    ),
    (
        "192.0.0.192/32",
        Never,
        "Oracle Cloud Infrastructure Classic",
    ),
    (
        "fd00:42::42/128",
        Never,
        "Scaleway, instance metadata (cloud-init datasource)",
    ),
    (
        "fd00:100::100:200/128",
        Never,
        "Alibaba Cloud, ECS instance metadata",
    ),
    (
        "fd00:a9fe:a9fe::1/128",
        Never,
        "Akamai (Linode), Metadata service (cloud-init datasource)",
    ),
    (
        "fd00:c1::a9fe:a9fe/128",
        Never,
        "Oracle Cloud Infrastructure, instance metadata",
    ),
    (
        "fd00:ec2::/32",
        Never,
        "AWS: IMDS ::254, EKS Pod Identity ::23, resolver ::253, time ::123",
    ),
    (
        "fd20:ce::254/128",
        Never,
        "Google Cloud, metadata server of IPv6-only instances",
    ),
];
