//! Texts of a tool that mean another target to some program.

use bailiwick_envelope::{Actor, ActorKind};

use super::{SERVICE, settings};
use crate::delegation::asker::KnownActor;
use crate::delegation::planned::absolute;
use crate::downstream::{Part, Piece, Request};

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
fn whatever_a_tool_puts_into_a_path_goes_to_the_path_that_the_operator_named() {
    let settings = settings();
    let who = Actor {
        acr: None,
        auth_time: None,
        iss: "https://idp.example".into(),
        sub: "alice".into(),
        tenant: None,
        kind: ActorKind::User,
    };
    let (mut tried, mut refused, mut wrongly) = (0, 0, 0);
    for text in HOSTILE {
        for path in [
            vec!["orders", text],
            vec![text, "1"],
            vec!["orders", text, "x"],
            vec![text],
        ] {
            tried += 1;
            let text_of = |text: &&str| Part(vec![Piece::Text((*text).to_owned())]);
            let request = Request {
                service: SERVICE.into(),
                method: "GET".into(),
                path: path.iter().map(text_of).collect(),
                query: Vec::new(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            let known = KnownActor {
                actor: &who,
                alias: "corp",
            };
            let covered = settings.cover(&request, known);
            let target = covered.and_then(|(_, target)| absolute(&settings.url, &target));
            let Ok(target) = target else {
                refused += 1;
                continue;
            };
            let url = url::Url::parse(&target.to_string()).unwrap();
            let segments: Vec<&str> = url.path_segments().unwrap().collect();
            let is_meant = url.host_str() == Some("orders.example")
                && url.username().is_empty()
                && segments.len() == 2
                && segments.first() == Some(&"orders")
                && url.query().is_none()
                && url.fragment().is_none();
            if !is_meant {
                wrongly += target.to_string().len();
            }
        }
    }
    println!("hostile targets: {tried} tried, {refused} refused, {wrongly} bytes left wrongly");
    assert_eq!(wrongly, 0);
    assert!(refused < tried, "a harmless text is no target at all");
}
