//! A save in a project of each language, until the change is served.
//!
//! The gate takes TypeScript, with the packages of the SDK's own tests; without them a line says
//! so. `cargo xtask deep newcomer` takes all languages, and prints the seconds.

use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{client, mcp, process};
use bailiwick_tests::{bailiwick, ensure_eq};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::dev::Bench;

/// What an author changes in a new project.
struct Edits {
    language: &'static str,
    source: &'static str,
    tool: &'static str,
    arguments: fn() -> Value,
    /// A text of the definition, which a client sees.
    text: &'static str,
    /// A word that the compiler needs, and the place of the error without it.
    needed: (&'static str, &'static str),
    /// Where a call can fail: the text before, what is put behind it, and the place in the log.
    failing: Option<(&'static str, &'static str, &'static str)>,
}

const EDITS: [Edits; 3] = [
    Edits {
        language: "rust",
        source: "src/lib.rs",
        tool: "greet",
        arguments: || json!({"greeting": "Hello"}),
        text: "Greets",
        needed: ("fn greet", "src/lib.rs:"),
        failing: None,
    },
    Edits {
        language: "typescript",
        source: "src/tool.ts",
        tool: "get_order_status",
        arguments: || json!({"orderId": "A-1001"}),
        text: "Says where",
        needed: ("description:", "src/tool.ts:"),
        failing: Some((
            "({ identity, input, services }) => {\n",
            "    if (input.orderId === \"A-1001\") throw new RangeError(\"boom\");\n",
            "RangeError: boom (src/tool.ts:27)",
        )),
    },
    Edits {
        language: "python",
        source: "src/orders.py",
        tool: "get_order_status",
        arguments: || json!({"order_id": "A-1001"}),
        text: "Says where",
        needed: ("read_only=True", "orders.py:19"),
        failing: Some((
            "\"\"\"Tells where an order is.\"\"\"\n",
            "    raise LookupError(\"boom\")\n",
            "at orders.py:25 in get_order_status: raise LookupError(\"boom\")",
        )),
    },
];

/// Makes the project; returns `None` if its packages are not there.
async fn project(edits: &Edits, folder: &Path, installs: bool) -> Result<Option<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let sdk = root
        .context("the tests lie in the workspace")?
        .join("guest-sdk");
    let project = folder.join("shop");
    let [dir, own] = [&project, &sdk].map(|path| path.to_string_lossy());
    let mut new = vec!["new", "shop", "--lang", edits.language, "--dir", &*dir];
    if edits.language == "rust" {
        new.extend(["--sdk", &own]);
    }
    let made = process::run(&bailiwick()?, &new).await?;
    ensure!(made.status.success(), "{made:?}");
    if edits.language == "typescript" && !installs {
        let (from, to) = (sdk.join("typescript"), project.join("node_modules"));
        let Ok(packages) = fs::read_dir(from.join("node_modules")) else {
            return Ok(None);
        };
        fs::create_dir_all(to.join(".bin"))?;
        for package in packages {
            let package = package?;
            let name = package.file_name();
            if !name.to_string_lossy().starts_with('.') {
                symlink(package.path(), to.join(name))?;
            }
        }
        symlink(&from, to.join("bailiwick-sdk"))?;
        let program = from.join("dist/build.js");
        symlink(program, to.join(".bin/bailiwick-sdk-build"))?;
    }
    Ok(Some(project))
}

/// Calls the tool as alice.
async fn called(edits: &Edits, bench: &Bench, url: &str) -> Result<mcp::Answer> {
    let mint = format!("{}/mint", bench.issuer()?);
    let form = [("user", "alice"), ("as", "text")];
    let token = client::form(&mint, None, &form).await?.text();
    mcp::call(url, Some(token.trim()), edits.tool, &(edits.arguments)()).await
}

/// Returns the description that a client sees.
async fn described(edits: &Edits, bench: &Bench, url: &str) -> Result<String> {
    let mint = format!("{}/mint", bench.issuer()?);
    let form = [("user", "alice"), ("as", "text")];
    let token = client::form(&mint, None, &form).await?.text();
    let listed = mcp::list(url, Some(token.trim())).await?;
    let tools = listed.result().get("tools").and_then(Value::as_array);
    let mut tools = tools.into_iter().flatten();
    let tool = tools.find(|tool| tool["name"] == edits.tool);
    let text = tool.and_then(|tool| tool["description"].as_str());
    Ok(text.with_context(|| listed.raw.clone())?.to_owned())
}

async fn saves(edits: &Edits, installs: bool) -> Result<bool> {
    let (folder, temporary) = (TempDir::new()?, TempDir::new()?);
    let Some(project) = project(edits, folder.path(), installs).await? else {
        return Ok(false);
    };
    let source = project.join(edits.source);
    let first = fs::read_to_string(&source)?;
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-tools/target");
    let target = target.to_string_lossy();
    let more: &[&str] = match edits.language {
        "rust" => &["--target-dir", &target],
        _ => &[],
    };
    let mut bench = Bench::start(&project, temporary.path(), more)?;
    let url = bench.serves(edits.tool).await?;
    let answer = called(edits, &bench, &url).await?;
    ensure!(!answer.is_tool_error(), "{}", answer.raw);

    let second = first.replacen(edits.text, "Tells where", 1);
    ensure!(second != first, "another template:\n{first}");
    let saved = Instant::now();
    fs::write(&source, &second)?;
    bench.prints("a change is in effect").await?;
    let seconds = saved.elapsed().as_secs_f64();
    let text = described(edits, &bench, &url).await?;
    ensure!(text.contains("Tells where"), "{text}");
    let _unheard = writeln!(
        std::io::stderr(),
        "save to served in {}: {seconds:.1} s",
        edits.language
    );
    let answer = called(edits, &bench, &url).await?;
    ensure!(!answer.is_tool_error(), "{}", answer.raw);

    let (needed, place) = edits.needed;
    fs::write(&source, second.replacen(needed, "nothing", 1))?;
    bench.prints(place).await?;
    bench
        .prints("the last good version goes on serving")
        .await?;
    let text = described(edits, &bench, &url).await?;
    ensure!(text.contains("Tells where"), "{text}");

    if let Some((before, put, place)) = edits.failing {
        let third = second.replacen(before, &format!("{before}{put}"), 1);
        ensure!(third != second, "another template:\n{second}");
        fs::write(&source, &third)?;
        bench.prints("a change is in effect").await?;
        ensure!(called(edits, &bench, &url).await?.is_tool_error());
        bench.prints(place).await?;
    }
    bench.stop().await?;
    let left = fs::read_dir(temporary.path())?.count();
    ensure_eq(left, 0, "temporary files left")?;

    fs::write(&source, &second)?;
    let started = Instant::now();
    let mut bench = Bench::start(&project, temporary.path(), more)?;
    bench.serves(edits.tool).await?;
    let seconds = started.elapsed().as_secs_f64();
    let _unheard = writeln!(
        std::io::stderr(),
        "start to served again in {}: {seconds:.1} s",
        edits.language
    );
    ensure!(!bench.has_compiled(), "it compiles what is kept");
    bench.stop().await?;
    Ok(true)
}

#[tokio::test]
async fn a_change_is_served_soon_after_the_save_and_a_broken_one_is_not() -> Result<()> {
    let named = env::var_os("BAILIWICK_NEWCOMER");
    let installs = named.is_some();
    let named = named.unwrap_or_else(|| "typescript".into());
    let named = named.to_string_lossy();
    for language in named.split(',') {
        let edits = EDITS.iter().find(|edits| edits.language == language);
        let edits = edits.with_context(|| format!("no edits for {language}"))?;
        if !saves(edits, installs).await? {
            let _unheard = writeln!(
                std::io::stderr(),
                "skipped: there are no packages in guest-sdk/typescript (cargo xtask sdks)"
            );
        }
    }
    Ok(())
}
