//! Generates requests: most of each is as it must be, and some part is not.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

/// Random choices for each part of a request, the same in every run.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = usize::try_from(self.0 >> 33).unwrap_or(0) % choices.len();
        choices[index].clone()
    }

    /// Draws the first choice mostly, so that enough requests get past the first checks.
    fn mostly<T: Clone>(&mut self, choices: &[T]) -> T {
        if self.of(&[true, true, true, false]) {
            choices[0].clone()
        } else {
            self.of(choices)
        }
    }

    fn headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let both = "application/json, text/event-stream";
        let accept = self.mostly(&[
            vec![both],
            vec![],
            vec!["*/*"],
            vec!["application/json"],
            vec!["application/json", "text/event-stream;q=0.1"],
            vec!["application/json;q=0, text/event-stream"],
            vec!["text/x;a=\"application/json\", text/event-stream"],
        ]);
        let json = "application/json";
        let sent = self.mostly(&[
            vec![json],
            vec![],
            vec!["text/plain"],
            vec!["Application/JSON; charset=utf-8"],
        ]);
        let method = self.mostly(&[
            vec!["tools/call"],
            vec![],
            vec!["tools/list"],
            vec!["tools/call", "tools/call"],
        ]);
        let name = self.mostly(&[
            vec!["a"],
            vec![],
            vec!["=?base64?YQ==?="],
            vec!["b"],
            vec!["=?base64?!"],
        ]);
        let region = self.of(&[
            vec![],
            vec!["eu"],
            vec!["us"],
            vec!["eu", "eu"],
            vec!["=?base64?ZXU=?="],
        ]);
        for (header, values) in [
            ("accept", accept),
            ("content-type", sent),
            ("mcp-method", method),
            ("mcp-name", name),
            ("mcp-param-region", region),
        ] {
            for value in values {
                headers.append(
                    HeaderName::from_static(header),
                    HeaderValue::from_static(value),
                );
            }
        }
        headers
    }

    pub(super) fn request(&mut self) -> (HeaderMap, String) {
        let mut headers = self.headers();
        let new = "2026-07-28";
        let version = self.mostly(&[
            Some(new),
            None,
            Some("2025-11-25"),
            Some("2025-03-26"),
            Some("2024-11-05"),
            Some("2099-01-01"),
            Some("1999-01-01"),
            Some("nonsense"),
        ]);
        if let Some(version) = version {
            headers.insert("mcp-protocol-version", HeaderValue::from_static(version));
        }
        let mut meta = Map::new();
        let named = self.mostly(&[
            version.map(Value::from),
            None,
            Some(json!("2025-11-25")),
            Some(json!(new)),
            Some(json!("2099-01-01")),
            Some(json!(7)),
        ]);
        meta.extend(named.map(|named| ("io.modelcontextprotocol/protocolVersion".into(), named)));
        let capabilities = self.mostly(&[
            Some(json!({})),
            None,
            Some(json!(7)),
            Some(json!({"roots": {}})),
        ]);
        meta.extend(
            capabilities.map(|it| ("io.modelcontextprotocol/clientCapabilities".into(), it)),
        );
        let token = self.of(&[None, Some(json!("t")), Some(json!(5)), Some(json!({}))]);
        meta.extend(token.map(|token| ("progressToken".into(), token)));
        let arguments = self.of(&[json!({}), json!({"region": "eu"}), json!({"region": "us"})]);
        let (id, name) = (self.of(&[json!(1), json!("a b")]), self.mostly(&["a", "b"]));
        let params = json!({"name": name, "arguments": arguments, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        (headers, body.to_string())
    }
}
