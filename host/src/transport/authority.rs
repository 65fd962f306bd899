//! The names by which requests address this server, and the pages that send them.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use super::answer::{HttpAnswer, plain};

/// The hosts by which requests may address this server.
pub(super) struct KnownHosts(Vec<String>);

impl KnownHosts {
    /// Knows these hosts, without ports. One that is not in canonical form matches no request.
    pub(super) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let canonical = |host: &String| host_of(host).as_ref() == Some(host);
        Self(hosts.into_iter().filter(canonical).collect())
    }

    /// Returns true if the host of this authority is one of these.
    pub(super) fn has(&self, authority: &str) -> bool {
        // Nearly every request has a known host as it is, perhaps with a port.
        self.0.iter().any(|host| begins(authority, host))
            || host_of(authority).is_some_and(|host| self.0.contains(&host))
    }
}

/// Returns true if the authority is this host, in any case, with or without a port.
fn begins(authority: &str, host: &str) -> bool {
    let Some((name, rest)) = authority.split_at_checked(host.len()) else {
        return false;
    };
    let is_port = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.is_empty() || digits && port.parse::<u16>().is_ok()
    };
    name.eq_ignore_ascii_case(host)
        && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Returns the host of an authority, in canonical form and without the port.
pub(super) fn host_of(authority: &str) -> Option<String> {
    if authority.contains(['@', '/', '?', '#', '\\']) {
        return None;
    }
    Url::parse(&format!("http://{authority}/"))
        .ok()?
        .host_str()
        .map(String::from)
}

/// Checks the name by which the client addresses this server. It must be known, or a page
/// elsewhere could reach the server by rebinding a name.
pub(super) fn check_host(hosts: &KnownHosts, parts: &Parts) -> Result<(), HttpAnswer> {
    let mut named = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        return Err(plain(
            StatusCode::BAD_REQUEST,
            "expected exactly one Host header",
        ));
    };
    let host = host.to_str().ok();
    let differs = |uri: &str| host.and_then(host_of) != host_of(uri);
    if parts
        .uri
        .authority()
        .is_some_and(|authority| differs(authority.as_str()))
    {
        return Err(plain(
            StatusCode::BAD_REQUEST,
            "the request target and the Host header differ",
        ));
    }
    if !host.is_some_and(|host| hosts.has(host)) {
        return Err(plain(
            StatusCode::FORBIDDEN,
            "this host name is not allowed (server.allowed_hosts)",
        ));
    }
    Ok(())
}

/// Returns the origin of the page that calls, if it is a page. It must be allowed.
pub(super) fn page_of<'h>(
    origins_allowed: &[String],
    headers: &'h HeaderMap,
) -> Result<Option<&'h HeaderValue>, HttpAnswer> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let allowed = |origin: &HeaderValue| {
        origins_allowed
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    };
    match (origins.next(), origins.next()) {
        (None, _) => Ok(None),
        (Some(origin), None) if allowed(origin) => Ok(Some(origin)),
        _ => Err(plain(
            StatusCode::FORBIDDEN,
            "this origin is not allowed (server.allowed_origins)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decides as a parser does that reads every authority.
    fn parsed(authority: &str) -> bool {
        host_of(authority).is_some_and(|host| KNOWN.contains(&host.as_str()))
    }

    fn known() -> KnownHosts {
        KnownHosts::new(KNOWN.map(String::from))
    }

    #[test]
    fn a_host_is_known_as_if_every_authority_was_parsed() {
        let hosts = known();
        let mut counts = [0, 0];
        for host in HOSTS {
            for host in [host.to_owned(), host.to_uppercase(), capitalized(host)] {
                for port in PORTS {
                    for (before, after) in AROUND {
                        let authority = format!("{before}{host}{port}{after}");
                        let expected = parsed(&authority);
                        assert_eq!(hosts.has(&authority), expected, "{authority:?}");
                        if let Some(count) = counts.get_mut(usize::from(expected)) {
                            *count += 1;
                        }
                    }
                }
            }
        }
        // Both answers are common in the table.
        assert!(counts.iter().all(|count| *count > 300), "{counts:?}");
    }

    #[test]
    fn a_name_that_is_not_canonical_matches_no_request() {
        let hosts = KnownHosts::new(["::1", "LOCALHOST", "a:1", "0x7f.1"].map(String::from));
        for authority in [
            "::1",
            "localhost",
            "LOCALHOST",
            "a:1",
            "a",
            "0x7f.1",
            "127.0.0.1",
        ] {
            assert!(!hosts.has(authority), "{authority}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn any_authority_is_known_as_if_it_was_parsed(
            host in prop::sample::select(HOSTS.to_vec()),
            port in "(:[0-9+ -]{0,6})?",
            change in proptest::option::of(("[ -~]", any::<prop::sample::Index>())),
        ) {
            let mut authority = format!("{host}{port}");
            if let Some((letter, at)) = change {
                let at = at.index(authority.len() + 1);
                if authority.is_char_boundary(at) {
                    authority.insert_str(at, &letter);
                }
            }
            prop_assert_eq!(known().has(&authority), parsed(&authority), "{:?}", authority);
        }
    }

    fn capitalized(host: &str) -> String {
        let upper = |(at, letter): (usize, char)| {
            if at % 2 == 0 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        };
        host.chars().enumerate().map(upper).collect()
    }

    const KNOWN: [&str; 8] = [
        "mcp.example",
        "mcp.example.",
        "xn--mnchen-3ya.example",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::a]",
        "under_score.example",
    ];
    const HOSTS: [&str; 34] = [
        "mcp.example",
        "mcp.example.",
        "mcp.example..",
        "mcp.exampl",
        "mcp.examples",
        "a.mcp.example",
        "mcp%2eexample",
        "mcp\u{3002}example",
        "xn--mnchen-3ya.example",
        "m\u{fc}nchen.example",
        "xn--a",
        "localhost",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.256",
        "[::1]",
        "::1",
        "[::1",
        "[0:0:0:0:0:0:0:1]",
        "[::0001]",
        "[::127.0.0.1]",
        "[2001:db8::a]",
        "[2001:0DB8:0::000A]",
        "[2001:db8::b]",
        "[fe80::1%25eth0]",
        "under_score.example",
        "",
        " ",
    ];
    const PORTS: [&str; 16] = [
        "", ":", ":0", ":80", ":443", ":8080", ":65535", ":65536", ":99999", ":000080", ":+80",
        ":-1", ": 80", ":8o", ":80:80", "::",
    ];
    const AROUND: [(&str, &str); 8] = [
        ("", ""),
        ("user@", ""),
        (" ", ""),
        ("", " "),
        ("", "\t"),
        ("", "/"),
        ("", "#"),
        ("\t", ""),
    ];
}
