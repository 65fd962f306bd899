//! The bounds on headers, and the callers to whom they apply.

use std::time::Duration;

use anyhow::{Result, ensure};
use bailiwick_dev::mcp;
use bailiwick_tests::{World, count, ensure_eq};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{dial, head, read_until, request};

#[tokio::test]
async fn a_header_line_that_ends_with_lf_alone_is_refused() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let good = request(&world, &token, "whoami", &json!({}));
    let body = mcp::message("tools/call", &json!({"name": "whoami"})).to_string() + "\n";
    let in_body = head(&world, &token, "whoami", body.len()) + &body;
    for (what, text, status) in [
        ("as it should be", good.clone(), "HTTP/1.1 200"),
        (
            "a header in a header",
            good.replacen("Accept:", "X: a\nAccept:", 1),
            "HTTP/1.1 400",
        ),
        (
            "the end of the request line",
            good.replacen("HTTP/1.1\r\n", "HTTP/1.1\n", 1),
            "HTTP/1.1 400",
        ),
        (
            "the end of the head",
            good.replacen("\r\n\r\n", "\r\n\n", 1),
            "HTTP/1.1 400",
        ),
        ("in the body", in_body, "HTTP/1.1 200"),
    ] {
        let mut stream = dial(&world, 1).await?;
        stream.write_all(text.as_bytes()).await?;
        let answer = read_until(&mut stream, "\r\n\r\n").await?;
        ensure!(answer.starts_with(status), "{what}: {answer}");
    }
    ensure_eq(count(&world.records()?, "call.opened"), 2, "calls")?;
    // A second request in one piece with the first is checked as well.
    let mut stream = dial(&world, 1).await?;
    let second = good.replacen("Accept:", "X: a\nAccept:", 1);
    stream.write_all((good + &second).as_bytes()).await?;
    let answers = read_until(&mut stream, "LF instead").await?;
    ensure!(
        answers.starts_with("HTTP/1.1 200") && answers.contains("HTTP/1.1 400"),
        "{answers}"
    );
    Ok(())
}

#[tokio::test]
async fn a_large_header_is_for_those_who_have_shown_a_good_token() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    let good = request(&world, &token, "whoami", &json!({}));
    let large = good.replacen(
        "Accept:",
        &format!("X-Large: {}\r\nAccept:", "x".repeat(40_000)),
        1,
    );
    let mut stranger = dial(&world, 1).await?;
    // The host may close the connection before the end.
    let _ = stranger.write_all(large.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), stranger.read_to_end(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    ensure_eq(count(&world.records()?, "call.opened"), 0, "calls")?;
    let mut known = dial(&world, 1).await?;
    for text in [&good, &large] {
        known.write_all(text.as_bytes()).await?;
        let answer = read_until(&mut known, "\"isError\":false").await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    Ok(())
}
