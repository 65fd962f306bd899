//! Texts of a tool that mean another target to some program, in a path of several segments.

use bailiwick_envelope::{Actor, ActorKind};
use http::Uri;

use super::{SERVICE, settings};
use crate::delegation::Template;
use crate::delegation::asker::KnownActor;
use crate::delegation::planned::absolute;
use crate::downstream::{DownstreamError, Part, Piece, Request};

/// Texts that mean another host, another path or another request to some program.
const HOSTILE: [&str; 48] = [
    "http://169.254.169.254/",
    "//169.254.169.254/",
    "\\\\169.254.169.254\\",
    "@169.254.169.254",
    ":80@169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "localhost",
    "127.1",
    "0",
    "metadata.google.internal.",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "xn--mnchen-3ya",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_SET",
    "javascript:alert(1)",
    ".",
    "..",
    "../admin",
    "..%2fadmin",
    "%2e%2e/admin",
    "%2e%2e%2fadmin",
    "%252e%252e%252fadmin",
    "..;/admin",
    "..\\admin",
    "%5c..%5cadmin",
    "/admin",
    "//admin",
    "%2fadmin",
    "a/../../admin",
    "a?admin=1",
    "a%3fadmin=1",
    "a#admin",
    "a%23admin",
    "a&admin=1",
    "a;admin=1",
    "a b",
    "a\tb",
    "a\r\nHost: evil.example\r\n\r\n",
    "a%0d%0aHost:%20evil.example",
    "a\u{560a}\u{560d}Host: evil.example",
    "a\0b",
    "a%00b",
    "\u{202e}nimda",
    "",
];

#[test]
fn whatever_a_tool_puts_into_several_segments_stays_below_the_text_before_them() {
    let (base, who) = (settings().url, alice());
    let (mut sent, mut tried) = (0, 0);
    for text in HOSTILE {
        for (template, path) in [
            (
                "GET /files/{**}",
                vec![vec!["files"], vec!["a"], vec![text]],
            ),
            (
                "GET /files/{**}",
                vec![vec!["files"], vec![text], vec!["b"]],
            ),
            ("GET /files/{**}", vec![vec!["files"], vec!["a", text]]),
            (
                "GET /files/{**}/b",
                vec![vec!["files"], vec![text], vec!["b"]],
            ),
            (
                "GET /files/{**}:x",
                vec![vec!["files"], vec!["a"], vec![text, ":x"]],
            ),
            ("GET /files/{}:x", vec![vec!["files"], vec![text, ":x"]]),
        ] {
            tried += 1;
            let request = get(path.iter().map(Vec::as_slice));
            let template: Template = template.parse().unwrap();
            let Ok(Some(target)) = template.fill(&request, &who) else {
                continue;
            };
            let target = absolute(&base, &target).unwrap();
            assert!(
                has_segments(&target, "files", path.len()),
                "{text:?}: {target}"
            );
            let end = if template.to_string().ends_with(":x") {
                ":x"
            } else {
                ""
            };
            assert!(target.path().ends_with(end), "{text:?}: {target}");
            sent += 1;
        }
    }
    println!("of {tried} hostile targets {sent} were harmless");
    assert!(sent > 0 && sent < tried);
}

#[test]
fn a_path_has_a_bounded_number_of_segments() {
    let (settings, who) = (settings(), alice());
    let known = KnownActor {
        actor: &who,
        alias: "corp",
    };
    let cover = |count| settings.cover(&get(std::iter::repeat_n(["a"].as_slice(), count)), known);
    let refused = cover(257);
    assert!(
        matches!(refused, Err(DownstreamError::InvalidRequest(_))),
        "{refused:?}"
    );
    let refused = cover(256);
    assert!(
        matches!(refused, Err(DownstreamError::NotGranted(_))),
        "{refused:?}"
    );
}

fn alice() -> Actor {
    Actor {
        acr: None,
        auth_time: None,
        iss: "https://idp.example".into(),
        sub: "alice".into(),
        tenant: None,
        kind: ActorKind::User,
    }
}

/// Returns a request whose path has these segments, each of these pieces.
fn get<'p>(path: impl Iterator<Item = &'p [&'p str]>) -> Request {
    let piece = |text: &&str| Piece::Text((*text).to_owned());
    Request {
        service: SERVICE.into(),
        method: "GET".into(),
        path: path
            .map(|pieces| Part(pieces.iter().map(piece).collect()))
            .collect(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// Returns true if an address, as browsers read it, is the service's and has so many segments, the
/// first of them this one.
fn has_segments(target: &Uri, first: &str, count: usize) -> bool {
    let url = url::Url::parse(&target.to_string()).unwrap();
    let segments: Vec<&str> = url.path_segments().unwrap().collect();
    url.host_str() == Some("orders.example")
        && url.username().is_empty()
        && segments.len() == count
        && segments.first() == Some(&first)
        && url.query().is_none()
        && url.fragment().is_none()
}
