//! Redirect URIs: which a client may register, and which of them a request means.
//!
//! Invariant: a URI is compared as text, but for the port of one on loopback (RFC 8252 §7.3).

use url::{Host, Url};

/// The longest redirect URI, in bytes.
const LONGEST: usize = 2048;

/// Schemes that a browser would not hand to another program, or that would run what they carry.
const REFUSED: [&str; 11] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Returns true if a client may register it: `https`, `http` on loopback, or an application's own
/// scheme (RFC 8252 §7.1); without fragment and user.
pub(super) fn is_acceptable(uri: &str) -> bool {
    parsed(uri).is_some()
}

fn parsed(uri: &str) -> Option<Url> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    if uri.len() > LONGEST || !uri.bytes().all(plain) {
        return None;
    }
    let url = Url::parse(uri).ok()?;
    let whole = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let scheme = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        scheme => !REFUSED.contains(&scheme),
    };
    (whole && scheme).then_some(url)
}

/// Returns true if the host of a URL is this machine, by address or as `localhost`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns true if a request's URI is the registered one.
pub(super) fn is_same(registered: &str, asked: &str) -> bool {
    is_acceptable(registered)
        && is_acceptable(asked)
        && (registered == asked
            || portless(registered).is_some_and(|parts| portless(asked) == Some(parts)))
}

/// Returns the host of an acceptable `http` URI, which is on loopback, and what follows its port,
/// both as they are written.
fn portless(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if digits(port) => host,
        _ => authority,
    };
    Some((host, rest))
}

/// Returns the URI with more fields in its query.
pub(super) fn with(uri: &str, fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{query}")
}

/// Returns what a content security policy calls the place of a URI.
pub(super) fn source(uri: &str) -> String {
    let Some(url) = parsed(uri) else {
        return String::new();
    };
    let origin = url.origin();
    // A policy cannot name an IPv6 address, and reads some characters of a name as its own.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    match url.host_str() {
        Some(host) if origin.is_tuple() && host.bytes().all(plain) => origin.ascii_serialization(),
        _ => format!("{}:", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_leads_to_a_program_or_a_site_and_nowhere_else() {
        for (uri, acceptable) in [
            ("https://app.example/callback?x=1", true),
            ("https://app.example/callback#x", false),
            ("https://user@app.example/callback", false),
            ("http://127.0.0.1:1234/callback", true),
            ("http://[::1]:1234/callback", true),
            ("http://localhost/callback", true),
            ("http://localhost.example/callback", false),
            ("http://app.example/callback", false),
            ("http://127.0.0.1\\@app.example/", false),
            ("cursor://anysphere.cursor-retrieval/oauth/callback", true),
            ("com.example.app:/callback", true),
            ("javascript:alert(1)", false),
            ("JAVASCRIPT:alert(1)", false),
            ("data:text/html,x", false),
            ("/callback", false),
            ("", false),
        ] {
            assert_eq!(is_acceptable(uri), acceptable, "{uri}");
        }
        let long = |length| format!("https://app.example/{}", "a".repeat(length - 20));
        assert!(is_acceptable(&long(LONGEST)) && !is_acceptable(&long(LONGEST + 1)));
    }

    #[test]
    fn a_redirect_uri_is_exact_but_for_the_port_on_loopback() {
        let (loopback, site) = ("http://127.0.0.1:1/cb?a=1", "https://app.example/cb");
        for (registered, asked, same) in [
            (loopback, loopback, true),
            (loopback, "http://127.0.0.1:2/cb?a=1", true),
            (loopback, "http://127.0.0.1/cb?a=1", true),
            (loopback, "http://127.0.0.1:2/cb?a=2", false),
            (loopback, "http://127.0.0.1:2/cb", false),
            (loopback, "http://127.0.0.1:2/cb/?a=1", false),
            (loopback, "http://localhost:1/cb?a=1", false),
            (loopback, "https://127.0.0.1:1/cb?a=1", false),
            (loopback, "http://x@127.0.0.1:1/cb?a=1", false),
            (loopback, "http://127.0.0.1:2/x/../cb?a=1", false),
            (loopback, "http://127.0.0.1:2/%2e/cb?a=1", false),
            (loopback, "http://2130706433:2/cb?a=1", false),
            (loopback, "http://127.1:2/cb?a=1", false),
            (loopback, "HTTP://127.0.0.1:2/cb?a=1", false),
            ("http://[::1]/cb", "http://[::1]:2/cb", true),
            ("http://[::1]:1/cb", "http://[0:0::1]:2/cb", false),
            ("http://localhost:1", "http://localhost:2", true),
            ("http://localhost:1", "http://localhost:2/", false),
            (site, site, true),
            (site, "https://app.example:443/cb", false),
            (site, "https://app.example:444/cb", false),
            (site, "https://app.example/cb/", false),
            (site, "https://app.example/cb?a", false),
            (site, "https://APP.example/cb", false),
        ] {
            assert_eq!(is_same(registered, asked), same, "{registered} {asked}");
        }
    }

    #[test]
    fn an_answer_keeps_the_query_of_its_uri_and_the_policy_names_its_place() {
        let fields = [("code", "a b"), ("state", "&")];
        assert_eq!(with("a:/b", &fields), "a:/b?code=a+b&state=%26");
        assert_eq!(with("a:/b?c", &fields), "a:/b?c&code=a+b&state=%26");
        for (uri, place) in [
            ("http://127.0.0.1:8/cb", "http://127.0.0.1:8"),
            ("https://app.example/cb", "https://app.example"),
            ("http://[::1]:8/cb", "http:"),
            ("cursor://a/b", "cursor:"),
            ("https://a;sandbox/cb", "https:"),
            ("https://a,b/cb", "https:"),
        ] {
            assert_eq!(source(uri), place);
        }
    }
}
