//! Imports of remote servers: what they ask, what they write, and what leaves nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Result, ensure};
use bailiwick_tests::recorder::Reaction;
use bailiwick_tests::remote::says::{answer, as_json, result};
use bailiwick_tests::remote::{LEGACY, MODERN, Message, Script};
use bailiwick_tests::{Recorder, RemoteServer, ensure_eq};
use serde_json::json;
use tempfile::TempDir;

use super::definitions::changed;
use super::methods;
use super::place::{Imported, TRACKER, import};

#[tokio::test]
async fn an_import_finds_the_revision_and_pins_what_it_saw() -> Result<()> {
    for script in Script::ways() {
        let (name, revision) = (script.name(), script.revision);
        let server = RemoteServer::start(script).await?;
        let imported = Imported::of(&server.url()).await?;
        let text = |member: &str| imported.service(member).and_then(toml::Value::as_str);
        ensure_eq(text("kind"), Some("mcp"), &name)?;
        ensure_eq(text("revision"), Some(revision), &name)?;
        let allow = imported.service("allow").and_then(toml::Value::as_array);
        let allow = allow.into_iter().flatten().filter_map(toml::Value::as_str);
        let mut allow: Vec<&str> = allow.collect();
        allow.sort_unstable();
        ensure_eq(
            allow,
            vec!["tools/call create_issue", "tools/call search"],
            &name,
        )?;
        let pins = imported
            .service("definitions")
            .and_then(toml::Value::as_table);
        let pins: Vec<(&str, &str)> = pins
            .into_iter()
            .flatten()
            .filter_map(|(tool, pin)| Some((tool.as_str(), pin.as_str()?)))
            .collect();
        ensure_eq(pins, PINS.to_vec(), &name)?;
        ensure!(server.sessions().is_empty(), "{name}: a session is left");
        let asked = server.messages(0);
        ensure!(
            !methods(&asked).contains(&"tools/call"),
            "{name}: it called"
        );
        ensure!(
            asked
                .iter()
                .all(|message| message.times("authorization") == 0),
            "{name}"
        );
    }
    Ok(())
}

/// The pins of the usual tools: `printf %s JSON | sha256sum`, where JSON is the RFC 8785 form of
/// the pinned members.
const PINS: [(&str, &str); 2] = [
    (
        "create_issue",
        "sha256:be495baf62b1fcb8a31de4a13c170648b724123909375ab484719e21a93c28a6",
    ),
    (
        "search",
        "sha256:6a1d8518a617d1521de8867b4e95c3b81402b615975169d8510fd90073f772d0",
    ),
];

#[tokio::test]
async fn an_import_shows_its_token_to_the_server_and_to_nobody_else() -> Result<()> {
    let elsewhere = Recorder::start(|_| Reaction::default()).await?;
    let at = elsewhere.address().to_string();
    let challenge = format!(
        "WWW-Authenticate: Bearer resource_metadata=\"http://{at}/metadata\"\r\n\
         Location: http://{at}/mcp\r\n"
    );
    let script = Script::new(MODERN).instead(move |message| {
        let is_known = message.bearer() == "a-token-of-the-vendor";
        (!is_known).then(|| answer("401 Unauthorized", &challenge, ""))
    });
    let server = RemoteServer::start(script).await?;
    let out = TempDir::new()?;
    let folder = out.path().to_string_lossy().into_owned();
    let file = out.path().join("token");
    fs::write(&file, "a-token-of-the-vendor\n")?;
    fs::set_permissions(&file, Permissions::from_mode(0o600))?;
    let (good, said) = import(&server.url(), &["--out", &folder]).await?;
    ensure!(!good && said.contains("401"), "{said}");
    ensure!(
        !out.path().join(format!("{TRACKER}.wasm")).exists(),
        "it wrote something"
    );
    let before = server.count();
    let file = file.to_string_lossy();
    let (good, said) = import(&server.url(), &["--out", &folder, "--token-file", &file]).await?;
    ensure!(good, "{said}");
    for message in server.messages(before) {
        ensure_eq(message.bearer(), "a-token-of-the-vendor", &message.method)?;
    }
    let written = fs::read_to_string(out.path().join(format!("{TRACKER}.toml")))?;
    ensure!(!written.contains("a-token-of-the-vendor"), "{written}");
    ensure_eq(elsewhere.heard().connections, 0, "connections elsewhere")
}

#[tokio::test]
async fn an_import_again_says_what_changed() -> Result<()> {
    let server = RemoteServer::start(Script::new(MODERN)).await?;
    let out = TempDir::new()?;
    let folder = out.path().to_string_lossy().into_owned();
    let (good, said) = import(&server.url(), &["--out", &folder]).await?;
    ensure!(good && !said.contains("changed "), "{said}");
    let mut new = changed(|tool| tool["description"] = json!("Creates one issue."));
    new.truncate(1);
    new.push(
        json!({"name": "close_issue", "description": "Closes an issue.",
        "inputSchema": {"type": "object"}}),
    );
    server.change(|script| script.tools = new);
    let (good, said) = import(&server.url(), &["--out", &folder]).await?;
    ensure!(good, "{said}");
    for expected in [
        "changed create_issue",
        "new     close_issue",
        "gone    search",
    ] {
        ensure!(said.contains(expected), "{expected}: {said}");
    }
    Imported::read(out.path())?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_be_imported_leaves_nothing() -> Result<()> {
    let endless = |message: &Message| {
        let cursor = message
            .body
            .pointer("/params/cursor")
            .and_then(serde_json::Value::as_str);
        let next = format!("{}x", cursor.unwrap_or_default());
        let page = json!({"tools": [], "nextCursor": next, "resultType": "complete"});
        (message.method == "tools/list").then(|| as_json(&result(message, &page)))
    };
    let hidden = changed(|tool| tool["description"] = json!("Creates\u{202e} an issue."));
    let many = (0..2000)
        .map(|number| json!({"name": format!("t{number}")}))
        .collect();
    let servers = [
        (
            "a list without an end",
            Script::new(MODERN).instead(endless),
        ),
        (
            "nothing",
            Script {
                tools: Vec::new(),
                ..Script::new(MODERN)
            },
        ),
        (
            "too many",
            Script {
                tools: many,
                ..Script::new(LEGACY)
            },
        ),
        (
            "a web page",
            Script::new(MODERN).instead(|_| {
                Some(answer(
                    "200 OK",
                    "Content-Type: text/html\r\n",
                    "<p>Hello</p>",
                ))
            }),
        ),
    ];
    for (name, script) in servers {
        let server = RemoteServer::start(script).await?;
        let out = TempDir::new()?;
        let folder = out.path().join("tools");
        let to = folder.to_string_lossy();
        let (good, said) = import(&server.url(), &["--out", &to]).await?;
        ensure!(!good, "{name}: {said}");
        ensure!(!folder.exists(), "{name}: something was written");
        ensure!(server.count() < 140, "{name}: {} messages", server.count());
    }
    let server = RemoteServer::start(Script {
        tools: hidden,
        ..Script::new(MODERN)
    })
    .await?;
    let (_, said) = import(&server.url(), &["--dry-run"]).await?;
    ensure!(
        !said.contains('\u{202e}'),
        "an invisible character is printed"
    );
    Ok(())
}
