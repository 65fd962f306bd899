#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use bailiwick_journal::chain;
use tempfile::TempDir;

use super::*;
use crate::egress::testing::{AUTHORITY, CLIENT, CLIENT_KEY, STRANGER_KEY};

fn ranges(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A way on which private addresses are these.
fn within(texts: &[&str]) -> RemoteWay {
    RemoteWay {
        private_addresses: ranges(texts),
        ..RemoteWay::default()
    }
}

/// The same way through a proxy.
fn proxied(way: RemoteWay) -> RemoteWay {
    RemoteWay {
        proxy: Some("http://10.0.0.8:3128".to_owned()),
        proxy_private_addresses: ranges(&["10.0.0.8/32"]),
        ..way
    }
}

/// Returns why an address cannot be reached; nothing if it can.
fn refusal(text: &str, way: &RemoteWay) -> String {
    let refused = RemoteEndpoint::new(text, way).err();
    refused.map(|why| chain(&why)).unwrap_or_default()
}

#[test]
fn an_address_on_this_machine_may_be_dialled_and_others_as_the_operator_says() {
    let office = || within(&["10.0.0.0/8", "127.0.0.0/8"]);
    for (text, way, expected) in [
        ("https://mcp.example/a", within(&[]), &[][..]),
        ("http://127.0.0.1:8000/mcp", within(&[]), &["127.0.0.1/32"]),
        (
            "http://127.0.0.1/mcp",
            office(),
            &["10.0.0.0/8", "127.0.0.0/8"],
        ),
        ("http://[::1]:8000/mcp", within(&[]), &["::1/128"]),
        (
            "http://localhost/mcp",
            within(&[]),
            &["127.0.0.1/32", "::1/128"],
        ),
        ("https://localhost.example/mcp", within(&[]), &[]),
        ("https://10.0.0.1", office(), &["10.0.0.0/8", "127.0.0.0/8"]),
        ("https://mcp.example/a", proxied(within(&[])), &[]),
        (
            "https://127.0.0.1/a",
            proxied(within(&[])),
            &["127.0.0.1/32"],
        ),
        (
            "https://localhost/a",
            within(&[]),
            &["127.0.0.1/32", "::1/128"],
        ),
        ("https://localhost/a", proxied(within(&[])), &[]),
    ] {
        let endpoint = RemoteEndpoint::new(text, &way).unwrap();
        assert_eq!(endpoint.keys().private_addresses, expected, "{text}");
        assert_eq!(endpoint.addresses().proxy().is_some(), way.proxy.is_some());
    }
}

#[test]
fn an_address_that_no_configuration_could_have_is_refused() {
    let away = "http://localhost.example/mcp";
    for (text, way, why) in [
        (away, within(&[]), "the address: plain http is allowed only"),
        (away, within(&["10.0.0.0/8"]), ""),
        ("https://10.0.0.1/", within(&[]), "is a private address"),
        ("https://10.0.0.1/", within(&["10.0.0.0/8"]), ""),
        (
            "http://mcp.example/",
            proxied(within(&[])),
            "the address: only https goes through a proxy",
        ),
        (
            "https://mcp.example/",
            proxied(within(&["10.0.0.0/8"])),
            "--private-addresses: the proxy resolves the name",
        ),
        ("https://mcp.example/", proxied(within(&[])), ""),
        (
            "https://mcp.example/",
            RemoteWay {
                proxy: None,
                ..proxied(within(&[]))
            },
            "there is no --proxy",
        ),
        (
            "https://mcp.example/",
            RemoteWay {
                proxy: Some("socks5://10.0.0.8:1080".to_owned()),
                ..proxied(within(&[]))
            },
            "--proxy cannot be used: expected the proxy as",
        ),
        (
            "https://mcp.example/",
            RemoteWay {
                proxy_private_addresses: Vec::new(),
                ..proxied(within(&[]))
            },
            "list its addresses in proxy_private_addresses",
        ),
    ] {
        let found = refusal(text, &way);
        assert!(
            found.contains(why) && found.is_empty() == why.is_empty(),
            "{text} {way:?}: {found}"
        );
    }
}

#[test]
fn certificates_are_read_and_must_be_of_use() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        file
    };
    let roots = file("roots.pem", AUTHORITY);
    let own = file("own.pem", CLIENT);
    let key = file("own.key", CLIENT_KEY);
    let other = file("other.key", STRANGER_KEY);
    let none = folder.path().join("none.pem");
    let named = |roots: Option<&PathBuf>, own: Option<&PathBuf>, key: Option<&PathBuf>| RemoteWay {
        roots_file: roots.cloned(),
        client_certificate_file: own.cloned(),
        client_key_file: key.cloned(),
        ..RemoteWay::default()
    };
    for (way, why) in [
        (named(Some(&roots), None, None), ""),
        (named(Some(&roots), Some(&own), Some(&key)), ""),
        (named(None, Some(&own), Some(&key)), ""),
        (named(Some(&none), None, None), "--roots-file"),
        (named(Some(&PathBuf::new()), None, None), "--roots-file"),
        (named(Some(&key), None, None), "expected one certificate"),
        (named(None, Some(&own), None), "give both"),
        (named(None, None, Some(&key)), "give both"),
        (
            named(None, Some(&own), Some(&other)),
            "the key does not belong to the certificate",
        ),
        (named(None, Some(&own), Some(&none)), "--client-key-file"),
    ] {
        let found = refusal("https://mcp.example/", &way);
        assert!(
            found.contains(why) && found.is_empty() == why.is_empty(),
            "{way:?}: {found}"
        );
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
        let refused = RemoteEndpoint::new(text, &RemoteWay::default());
        assert!(matches!(refused, Err(ImportError::Url)), "{text}");
    }
    let good = RemoteEndpoint::new("https://MCP.example:8443/a%20b", &RemoteWay::default());
    let url = good.map(|endpoint| endpoint.url().to_string());
    assert_eq!(url.unwrap_or_default(), "https://mcp.example:8443/a%20b");
}
