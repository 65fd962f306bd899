#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bailiwick_journal::chain;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::import::RemoteWay;

/// Asks a server that answers each message as `says` says, by its method (MCP's, or `DELETE`) and
/// its body. Returns the list, and each method that was heard with the revision beside it.
async fn read(
    token: Option<&[u8]>,
    says: impl Fn(&str, &Value) -> Reply,
) -> (Result<RemoteListing, ListingError>, Vec<String>) {
    let endpoint = RemoteEndpoint::new("https://mcp.example/a", &RemoteWay::default()).unwrap();
    let mut heard = Vec::new();
    let ask = async |message: RemoteMessage| {
        let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let method = body["method"].as_str().unwrap_or(message.method.as_str());
        let revision = message.headers.get("mcp-protocol-version");
        let revision = revision.map_or("", |value| value.to_str().unwrap());
        heard.push(format!("{method} {revision}").trim_end().to_owned());
        Ok(says(method, &body))
    };
    let listing = RemoteListing::read(endpoint, token, ask).await;
    (listing, heard)
}

fn reply(status: u16, media: &'static str, body: impl Into<hyper::body::Bytes>) -> Reply {
    let media = HeaderValue::from_static(media);
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, media)]),
        body: body.into(),
    }
}

fn result(asked: &Value, result: &Value) -> Reply {
    let message = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
    reply(200, "application/json", message.to_string())
}

/// A server with one tool, in one revision.
#[derive(Clone, Copy)]
struct Speaker {
    revision: &'static str,
    /// Whether it lists its tools before the handshake too.
    lenient: bool,
    session: Option<&'static str>,
}

impl Speaker {
    fn says(self, method: &str, asked: &Value) -> Reply {
        let tools = json!([{"name": "find", "inputSchema": {"type": "object"}}]);
        let is_latest = asked["params"].get("_meta").is_some();
        match (method, self.revision) {
            ("tools/list", "2026-07-28") if is_latest => {
                result(asked, &json!({"resultType": "complete", "tools": tools}))
            }
            ("tools/list", _) if !is_latest || self.lenient => {
                result(asked, &json!({"tools": tools}))
            }
            ("initialize", "") => reply(200, "text/html", "<p>Welcome</p>"),
            ("initialize", revision) => {
                let mut reply = result(asked, &json!({"protocolVersion": revision}));
                if let Some(session) = self.session {
                    let session = HeaderValue::from_static(session);
                    reply.headers.insert("mcp-session-id", session);
                }
                reply
            }
            ("notifications/initialized", _) => reply(202, "text/plain", ""),
            ("DELETE", _) => reply(405, "text/plain", "no"),
            _ => reply(400, "text/plain", "what?"),
        }
    }
}

#[tokio::test]
async fn a_server_is_listed_in_the_revision_that_it_speaks() {
    let all = |chosen: &str, session: Option<&str>| {
        let of = |method: &str, revision: &str| format!("{method} {revision}");
        let mut heard = vec![of("tools/list", "2026-07-28"), "initialize".to_owned()];
        if chosen != "2025-11-25" {
            heard.extend(session.map(|_| of("DELETE", "2025-11-25")));
            heard.push("initialize".to_owned());
        }
        heard.push(of("notifications/initialized", chosen));
        heard.push(of("tools/list", chosen));
        heard.extend(session.map(|_| of("DELETE", chosen)));
        heard
    };
    for (revision, lenient) in [
        ("2026-07-28", false),
        ("2025-11-25", false),
        ("2025-11-25", true),
        ("2025-06-18", false),
        ("2025-03-26", true),
    ] {
        for session in [None, Some("s3ss10n")] {
            let speaker = Speaker {
                revision,
                lenient,
                session,
            };
            let (listing, heard) = read(None, |method, asked| speaker.says(method, asked)).await;
            let listing = listing.unwrap();
            assert_eq!(listing.revision.as_str(), revision);
            assert_eq!(listing.tools[0].name, "find");
            let mut expected = vec!["tools/list 2026-07-28".to_owned()];
            if revision != "2026-07-28" {
                expected = all(revision, session);
            }
            assert_eq!(heard, expected, "{revision} {lenient} {session:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_known_revision_is_told_so() {
    for (revision, why, offers) in [
        ("2024-11-05", "2026-07-28, 2025-11-25", 1),
        ("", "HTTP status 200", 1),
        ("2026-07-29", "no revision of MCP", 1),
    ] {
        let speaker = Speaker {
            revision,
            lenient: false,
            session: None,
        };
        let (listing, heard) = read(None, |method, asked| speaker.says(method, asked)).await;
        let said = chain(&listing.unwrap_err());
        assert!(said.contains(why), "{revision}: {said}");
        let heard = heard.iter().filter(|method| *method == "initialize");
        assert_eq!(heard.count(), offers);
    }
    // This one always chooses another revision than it is offered.
    let fickle = |method: &str, asked: &Value| {
        let offered = asked["params"]["protocolVersion"].as_str();
        let chosen = match offered {
            Some("2025-11-25") => "2025-06-18",
            _ => "2025-11-25",
        };
        match method {
            "initialize" => result(asked, &json!({"protocolVersion": chosen})),
            _ => reply(404, "text/plain", ""),
        }
    };
    let (listing, heard) = read(None, fickle).await;
    assert!(matches!(listing, Err(ListingError::Revision)));
    assert_eq!(heard.len(), 3);
}

/// What a server says to a message.
type Says<'s> = &'s dyn Fn(&Value) -> Reply;

#[tokio::test]
async fn an_answer_that_leads_elsewhere_or_never_ends_is_refused() {
    let tools = json!([{"name": "find", "description": "t0ken-t0ken-t0ken"}]);
    let listed = |asked: &Value, more: Value| {
        let mut page = json!({"resultType": "complete", "tools": tools});
        let more = more.as_object().cloned().unwrap_or_default();
        page.as_object_mut().unwrap().extend(more);
        result(asked, &page)
    };
    let number = |asked: &Value| asked["id"].as_u64().unwrap();
    let says: [(&str, Says<'_>, &str); 10] = [
        ("", &|asked| listed(asked, json!({})), ""),
        (
            "t0ken-t0ken-t0ken",
            &|asked| listed(asked, json!({})),
            "repeats the token",
        ),
        (
            "",
            &|_| reply(401, "application/json", "{}"),
            "--token-file",
        ),
        ("", &|_| reply(403, "text/plain", "no"), "--token-file"),
        ("", &|_| reply(302, "text/plain", ""), "not followed"),
        ("", &|_| reply(404, "text/plain", "?"), "no MCP endpoint"),
        (
            "",
            &|_| reply(200, "application/json", vec![b' '; MAX_BYTES + 1]),
            "larger than",
        ),
        (
            "",
            &|asked| {
                let name = format!("t{}", number(asked));
                let page = json!({"tools": [{"name": name}], "nextCursor": name});
                listed(asked, page)
            },
            "more than 64 pages",
        ),
        (
            "",
            &|asked| listed(asked, json!({"nextCursor": "again"})),
            "one name",
        ),
        (
            "",
            &|asked| {
                let many: Vec<_> = (0..2_000)
                    .map(|n| json!({"name": format!("t{n}")}))
                    .collect();
                listed(asked, json!({"tools": many}))
            },
            "more than 1024 tools",
        ),
    ];
    for (token, says, why) in says {
        let token = Some(token.as_bytes());
        let (listing, heard) = read(token, |_, asked| says(asked)).await;
        let said = listing.err().map(|error| chain(&error)).unwrap_or_default();
        assert!(
            said.contains(why) && said.is_empty() == why.is_empty(),
            "{why}: {said}"
        );
        assert!(heard.len() <= 64, "{why}");
    }
}
