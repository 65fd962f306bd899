//! A page of `attacker.example`, whose name leads to 127.0.0.1: the browser lets it read what it
//! believes is its own server.
//!
//! The page chooses its name and so `Host`; the browser adds `Origin` to all but plain reads. Here
//! it even has the user's token.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_tests::{Plan, World, ensure_eq};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// The headers `Host` and `Origin` of one request, in which `PORT` is the host's own.
type Named = (&'static [&'static str], &'static [&'static str]);

#[tokio::test]
async fn a_page_that_rebinds_its_name_reaches_nothing_whatever_it_calls_itself() -> Result<()> {
    let world = World::with(Plan::config(|config| {
        config.server.push_str(
            "allowed_hosts = [\"mcp.example\"]\n\
             allowed_origins = [\"https://page.example\"]\n",
        );
    }))
    .await?;
    let before = world.records()?.len();
    for (refused, origins) in REFUSED {
        for (method, path) in EVERYTHING {
            let answer = ask(&world, (method, path), refused, origins).await?;
            let status = status(&answer)?;
            ensure!(
                matches!(status, 400 | 403),
                "{method} {path} {refused:?}: {answer}"
            );
            tells_nothing(&answer, refused)?;
        }
    }
    // The documents are public: a page of any name may read them where the server is known.
    for (_, origins) in REFUSED_PAGES {
        for (method, path) in [("POST", "/mcp"), ("OPTIONS", "/mcp"), ("GET", "/mcp")] {
            let answer = ask(&world, (method, path), &["127.0.0.1:PORT"], origins).await?;
            ensure_eq(
                status(&answer)?,
                403,
                &format!("{method} {path} {origins:?}"),
            )?;
            tells_nothing(&answer, origins)?;
        }
    }
    let records = world.records()?;
    let events = records
        .iter()
        .skip(before)
        .map(|record| text(record, "event"));
    let events: Vec<_> = events.filter(|event| *event != "checkpoint").collect();
    ensure!(events.is_empty(), "no caller was asked for: {events:?}");

    for (hosts, origins) in ACCEPTED {
        let answer = ask(&world, ("POST", "/mcp"), hosts, origins).await?;
        ensure_eq(
            status(&answer)?,
            200,
            &format!("{hosts:?} {origins:?}: {answer}"),
        )?;
        ensure!(answer.contains("alice"), "{answer}");
        let readable = answer.contains("access-control-allow-origin: https://page.example\r\n");
        ensure_eq(readable, !origins.is_empty(), "what the page may read")?;
    }
    Ok(())
}

/// Health is the one answer to every name, because probes use addresses; it is one word.
#[tokio::test]
async fn a_page_that_rebinds_its_name_learns_only_that_something_is_alive() -> Result<()> {
    let world = World::start().await?;
    for (path, said) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = ask(&world, ("GET", path), &["attacker.example"], &[]).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        ensure_eq(body.trim(), said, path)?;
        ensure!(!answer.contains("access-control-"), "{answer}");
    }
    Ok(())
}

fn tells_nothing(answer: &str, named: &[&str]) -> Result<()> {
    let lower = answer.to_ascii_lowercase();
    for secret in [
        "access-control-",
        "alice",
        "whoami",
        "keys",
        "authorization_servers",
    ] {
        ensure!(
            !lower.contains(secret),
            "{named:?} is told of {secret}: {answer}"
        );
    }
    Ok(())
}

fn status(answer: &str) -> Result<u16> {
    let word = answer.split(' ').nth(1).context("no status")?;
    Ok(word.parse()?)
}

/// Sends one request with these names and the user's token; returns the whole answer.
async fn ask(
    world: &World,
    (method, path): (&str, &str),
    hosts: &[&str],
    origins: &[&str],
) -> Result<String> {
    let url = world.host.url();
    let address = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .context("no address")?;
    let (_, port) = address.rsplit_once(':').context("no port")?;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}"#;
    let body = if method == "POST" { body } else { "" };
    let headers = |name: &str, values: &[&str]| -> String {
        let line = |value: &&str| format!("{name}: {}\r\n", value.replace("PORT", port));
        values.iter().map(line).collect()
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{}{}Authorization: Bearer {}\r\nConnection: close\r\n\
         Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
         Access-Control-Request-Method: POST\r\nContent-Length: {}\r\n\r\n{body}",
        headers("Host", hosts),
        headers("Origin", origins),
        world.token("alice")?,
        body.len(),
    )
    .replace("PORT", port);
    let mut stream = TcpSocket::new_v4()?.connect(address.parse()?).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// All that a page could want.
const EVERYTHING: [(&str, &str); 8] = [
    ("POST", "/mcp"),
    ("POST", "/mcp/"),
    ("GET", "/mcp"),
    ("OPTIONS", "/mcp"),
    ("POST", "http://attacker.example:PORT/mcp"),
    ("GET", "/.well-known/oauth-protected-resource/mcp"),
    ("GET", "/.well-known/oauth-protected-resource"),
    ("GET", "/.well-known/jwks.json"),
];

/// Requests by a name that is not this server's.
const REFUSED: &[Named] = &[
    (&["attacker.example"], &[]),
    (&["attacker.example:PORT"], &[]),
    (
        &["attacker.example:PORT"],
        &["http://attacker.example:PORT"],
    ),
    (&["attacker.example"], &["http://attacker.example"]),
    (&["attacker.example:PORT"], &["null"]),
    // Even as a page that may call.
    (&["attacker.example:PORT"], &["https://page.example"]),
    (&["ATTACKER.EXAMPLE:PORT"], &[]),
    (&["attacker.example.:PORT"], &[]),
    (&["127.0.0.1.attacker.example:PORT"], &[]),
    (&["mcp.example.attacker.example:PORT"], &[]),
    (&["127.0.0.1.nip.example:PORT"], &[]),
    // Names of this machine that are not this server's.
    (&["localhost.:PORT"], &[]),
    (&["localhost.attacker.example:PORT"], &[]),
    (&["0.0.0.0:PORT"], &[]),
    (&["127.0.0.2:PORT"], &[]),
    (&["[::ffff:127.0.0.1]:PORT"], &[]),
    (&["[::]:PORT"], &[]),
    (&["mcp.example.:PORT"], &[]),
    // Names with a known part.
    (&["mcp.example@attacker.example:PORT"], &[]),
    (&["attacker.example@127.0.0.1:PORT"], &[]),
    (&["user@127.0.0.1:PORT"], &[]),
    (&["127.0.0.1:PORT/attacker.example"], &[]),
    (&["127.0.0.1:PORT, attacker.example"], &[]),
    (&["attacker.example 127.0.0.1:PORT"], &[]),
    (&["127.0.0.1:99999"], &[]),
    (&["127.0.0.1:PORT", "attacker.example"], &[]),
    (&["attacker.example", "127.0.0.1:PORT"], &[]),
    (&["127.0.0.1:PORT", "127.0.0.1:PORT"], &[]),
    (&[""], &[]),
    (&[], &[]),
];

/// Pages that address this server by its name and may not call it.
const REFUSED_PAGES: &[Named] = &[
    (&[], &["http://attacker.example"]),
    (&[], &["http://attacker.example:PORT"]),
    (&[], &["null"]),
    (&[], &[""]),
    // The server is no page's own server: it has no pages.
    (&[], &["http://127.0.0.1:PORT"]),
    (&[], &["http://127.0.0.1:1"]),
    (&[], &["http://[::1]:PORT"]),
    (&[], &["http://mcp.example"]),
    (&[], &["http://page.example"]),
    (&[], &["https://page.example:8443"]),
    (&[], &["https://page.example."]),
    (&[], &["https://PAGE.example"]),
    (&[], &["HTTPS://page.example"]),
    (&[], &["https://page.example/"]),
    (&[], &["https://page.example.attacker.example"]),
    (&[], &["https://attacker.example@page.example"]),
    (&[], &["https://page.example@attacker.example"]),
    (&[], &["https://page.example https://attacker.example"]),
    (&[], &["https://page.example", "https://attacker.example"]),
    (&[], &["https://page.example", "https://page.example"]),
];

const ACCEPTED: &[Named] = &[
    (&["127.0.0.1:PORT"], &[]),
    (&["127.0.0.1"], &[]),
    (&["127.0.0.1:1"], &[]),
    (&["localhost:PORT"], &[]),
    (&["mcp.example"], &[]),
    (&["mcp.example:443"], &[]),
    (&["MCP.Example:PORT"], &[]),
    (&["[::1]:PORT"], &[]),
    (&["[0:0:0:0:0:0:0:1]:PORT"], &[]),
    (&["127.0.0.1:PORT"], &["https://page.example"]),
    (&["mcp.example"], &["https://page.example"]),
];
