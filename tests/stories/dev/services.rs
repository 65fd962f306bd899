//! The services of an author's file: what tools get from them, and what their author reads when
//! something is missing.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use bailiwick_dev::{client, mcp};
use bailiwick_tests::{bailiwick, ensure_eq};
use serde_json::json;
use tokio::process::Command;

use super::{Bench, DEADLINE, scene};

const FILE: &str = r#"
[[services.orders_api.answers]]
request = "GET /orders/A-7"
users = ["alice"]
json = { id = "A-7", status = "lost" }
"#;

/// Asks for an order as a user; returns the text of the answer.
async fn order(bench: &Bench, url: &str, user: &str, id: &str) -> Result<String> {
    let mint = format!("{}/mint", bench.issuer()?);
    let form = [("user", user), ("as", "text")];
    let token = client::form(&mint, None, &form).await?.text();
    let arguments = json!({"order_id": id});
    let answer = mcp::call(url, Some(token.trim()), "get_order_status", &arguments).await?;
    Ok(answer.text())
}

#[tokio::test]
async fn tools_get_what_the_file_beside_them_says_as_it_is_now() -> Result<()> {
    let (folder, temporary) = scene(&["orders.wasm"])?;
    let file = folder.path().join("services.toml");
    fs::write(&file, FILE)?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    let url = bench.serves("get_order_status").await?;
    ensure!(bench.printed.contains("services.toml (orders_api)"));
    let text = order(&bench, &url, "alice", "A-7").await?;
    ensure!(text.contains("lost"), "{text}");
    let text = order(&bench, &url, "bob", "A-7").await?;
    ensure!(text.contains("403"), "{text}");
    bench.prints("its answers are for alice").await?;
    let text = order(&bench, &url, "bob", "A-8").await?;
    ensure!(text.contains("404"), "{text}");
    bench
        .prints("no answer to GET /orders/A-8; it has: GET /orders/A-7")
        .await?;
    bench.prints("request = \"GET /orders/A-8\"").await?;

    fs::write(&file, FILE.replace("request", "requset"))?;
    bench
        .prints("services.toml:3: unknown field `requset`")
        .await?;
    let text = order(&bench, &url, "alice", "A-7").await?;
    ensure!(
        text.contains("lost"),
        "what was before does not stay: {text}"
    );
    fs::write(&file, FILE.replace("A-7", "A-8").replace("alice", "bob"))?;
    bench.prints("services: orders_api").await?;
    let text = order(&bench, &url, "bob", "A-8").await?;
    ensure!(text.contains("lost"), "{text}");

    // The host itself refuses what the file allows nobody to ask.
    let closed = format!("[services.orders_api]\nallow = [\"GET /customers/{{}}\"]\n{FILE}");
    fs::write(&file, closed)?;
    bench.prints("a change is in effect").await?;
    let text = order(&bench, &url, "alice", "A-7").await?;
    ensure!(text.contains("not granted"), "{text}");
    bench.prints("allowed are: GET /customers/{}").await?;
    bench.stop().await
}

#[tokio::test]
async fn a_service_that_the_file_lacks_is_named_with_the_lines_to_add() -> Result<()> {
    let (folder, temporary) = scene(&["orders.wasm"])?;
    let file = folder.path().join("services.toml");
    fs::write(&file, "[services.crm]\n")?;
    let mut bench = Bench::start(folder.path(), temporary.path(), &[])?;
    bench.prints("no service orders_api for").await?;
    bench.prints("[[services.orders_api.answers]]").await?;
    let url = bench.serves("get_order_status").await?;
    let text = order(&bench, &url, "alice", "A-7").await?;
    ensure!(text.contains("501"), "{text}");
    bench.prints("request = \"GET /orders/A-7\"").await?;
    fs::write(&file, FILE)?;
    bench.prints("services: orders_api").await?;
    let text = order(&bench, &url, "alice", "A-7").await?;
    ensure!(text.contains("lost"), "{text}");
    bench.stop().await
}

/// Runs `bailiwick call` with the tools for orders in a folder; returns its code, output and
/// remarks.
async fn call(folder: &Path, words: &[&str]) -> Result<(Option<i32>, String, String)> {
    let command = Command::new(bailiwick()?)
        .args(["call", "--file", "orders.wasm"])
        .args(words)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join(".caches"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, command).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    ))
}

#[tokio::test]
async fn one_call_reads_the_same_file_and_says_the_same_of_it() -> Result<()> {
    let (folder, _temporary) = scene(&["orders.wasm"])?;
    let file = folder.path().join("services.toml");
    for (text, order, code, out, err) in [
        (FILE, "A-7", 0, "lost", "the services are those of"),
        (FILE, "A-8", 1, "404", "request = \"GET /orders/A-8\""),
        ("", "A-7", 1, "501", "request = \"GET /orders/A-7\""),
        ("[x]", "A-7", 2, "", "services.toml:1: only [services.*]"),
    ] {
        fs::write(&file, text)?;
        let order = format!("order_id={order}");
        let said = call(folder.path(), &["get_order_status", &order]).await?;
        ensure_eq(said.0, Some(code), &format!("{said:?}"))?;
        ensure!(said.1.contains(out) && said.2.contains(err), "{said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn one_call_reads_a_resource_or_gets_a_prompt_or_says_why_not() -> Result<()> {
    let (folder, _temporary) = scene(&["orders.wasm"])?;
    for (words, code, out) in [
        (&["--resource", "orders://orders/A-1001"][..], 0, "shipped"),
        (
            &["--prompt", "complain", "order=A-1001"],
            0,
            "user: Write to the shop",
        ),
        (&["--resource", "orders://orders/A-2001"], 2, ""),
        (
            &["--resource", "orders://orders/A-1001", "--scopes", "x"],
            2,
            "",
        ),
        (&["--prompt", "complain"], 2, ""),
        (&["--prompt", "absent"], 2, ""),
    ] {
        let said = call(folder.path(), words).await?;
        ensure_eq(said.0, Some(code), &format!("{words:?}: {said:?}"))?;
        ensure!(
            said.1.contains(out) && said.1.is_empty() == (code == 2),
            "{said:?}"
        );
    }
    Ok(())
}
