//! The server is as strict as real ones.

use super::*;

/// Returns a message of a method as a good client sends it to this revision.
fn good(revision: &str, method: &str, headers: &str) -> Message {
    let params = match (revision, method) {
        (MODERN, "tools/call") => json!({"name": "search", "_meta": meta()}),
        (MODERN, _) => json!({"_meta": meta()}),
        _ => json!({}),
    };
    let name = if (revision, method) == (MODERN, "tools/call") {
        "Mcp-Name: search\r\n"
    } else {
        ""
    };
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    Message::read(&format!(
        "POST /mcp HTTP/1.1\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: {revision}\r\nMcp-Method: {method}\r\n{name}{headers}\r\n{body}"
    ))
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn status(state: &mut State, message: &Message) -> String {
    let said = String::from_utf8_lossy(&state.answer(message).bytes).into_owned();
    said.get(9..12).unwrap_or_default().to_owned()
}

#[test]
fn a_message_that_a_real_server_refuses_is_refused() {
    for script in Script::ways() {
        let (revision, sessions) = (script.revision, script.sessions);
        let name = script.name();
        let mut state = State {
            script,
            sessions: BTreeMap::from([("mine".into(), String::new())]),
            opened: 0,
        };
        let other = if revision == MODERN { LEGACY } else { MODERN };
        let own = if sessions {
            "Mcp-Session-Id: mine\r\n"
        } else {
            ""
        };
        for method in ["tools/list", "tools/call"] {
            let asked = good(revision, method, own);
            assert_eq!(status(&mut state, &asked), "200", "{name}: {method}");
            let asked = good(other, method, own);
            assert_eq!(status(&mut state, &asked), "400", "{name}: {method}");
        }
        let expected = if sessions { "404" } else { "200" };
        let stranger = if sessions {
            "Mcp-Session-Id: theirs\r\n"
        } else {
            ""
        };
        let asked = good(revision, "tools/list", stranger);
        assert_eq!(status(&mut state, &asked), expected, "{name}");
        let expected = if revision == MODERN { "400" } else { "200" };
        let asked = good(revision, "initialize", "");
        assert_eq!(status(&mut state, &asked), expected, "{name}");
    }
}
