//! An imported API: what its tools are, what they send, and what is left out.
#![expect(clippy::indexing_slicing, reason = "tests")]

mod descriptions;
mod replaced;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::http::Answer;
use bailiwick_dev::process;
use bailiwick_tests::{Plan, World, bailiwick, ensure_eq, tools};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs `bailiwick import openapi`; returns whether it succeeded, and all that it printed.
async fn import(file: &Path, arguments: &[&str]) -> Result<(bool, String)> {
    let file = file.to_str().context("a path in UTF-8")?;
    let whole = [&["import", "openapi", file], arguments].concat();
    let output = process::run(&bailiwick()?, &whole).await?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Ok((output.status.success(), said))
}

fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("descriptions/shop.json")
}

/// Imports the shop; returns the folder with the component and its lines.
async fn imported(arguments: &[&str]) -> Result<(TempDir, String)> {
    let out = TempDir::new()?;
    let folder = out.path().to_str().context("a path in UTF-8")?.to_owned();
    let usual = [
        "--service",
        "orders_api",
        "--name",
        "shop",
        "--out",
        &folder,
    ];
    let (good, said) = import(&shop(), &[&usual, arguments].concat()).await?;
    ensure!(good, "{said}");
    Ok((out, said))
}

/// Returns a world that serves the imported shop with the lines that were written for it.
async fn world() -> Result<World> {
    let (out, _) = imported(&["--bind", "customer=actor.sub"]).await?;
    let component = fs::read(out.path().join("shop.wasm"))?;
    let lines: toml::Table = fs::read_to_string(out.path().join("shop.toml"))?.parse()?;
    let allow = lines["services"]["orders_api"]["allow"].to_string();
    let digest = lines["components"]["shop"]["digest"]
        .as_str()
        .context("a digest")?
        .to_owned();
    let allow = allow
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    World::with(Plan {
        components: vec![("shop.wasm".into(), component)],
        config: Box::new(move |config| {
            *config = config
                .clone()
                .grant("shop", &digest, &[("orders_api", "on_behalf_of")]);
            let allow = format!("allow = [{allow}, ");
            config.services = config.services.replacen("allow = [", &allow, 1);
        }),
        ..Plan::default()
    })
    .await
}

/// What a call must send: method, path, query, body and some headers.
type Wire<'w> = (&'w str, &'w str, &'w str, &'w str, &'w [(&'w str, &'w str)]);

const JSON: (&str, &str) = ("accept", "application/json");

/// Calls of tools, and what each sends.
fn wire() -> [(&'static str, Value, Wire<'static>); 10] {
    [
        ("items_list", json!({}), ("GET", "/items", "", "", &[JSON])),
        (
            "items_list",
            json!({"page": 2, "ids": [1, 2], "tag": ["a&b", "c"], "where": {"a": "é"},
                "filter": {"status": "open", "kinds": ["x", "y"]}, "size": {"width": 2, "height": 3},
                "If-None-Match": "\"x\""}),
            (
                "GET",
                "/items",
                "page=2&ids=1%2C2&tag=a%26b&tag=c&where=%7B%22a%22%3A%22%C3%A9%22%7D\
                 &filter%5Bkinds%5D=x&filter%5Bkinds%5D=y&filter%5Bstatus%5D=open\
                 &size=height%2C3%2Cwidth%2C2",
                "",
                &[JSON, ("if-none-match", "\"x\"")],
            ),
        ),
        (
            "items_create",
            json!({"body": {"name": "n", "price": 1.5}}),
            (
                "POST",
                "/items",
                "",
                r#"{"name":"n","price":1.5}"#,
                &[JSON, ("content-type", "application/json")],
            ),
        ),
        (
            "items_create",
            json!({"body": {"name": "n", "price": null, "parts": [{"name": "p"}]}}),
            (
                "POST",
                "/items",
                "",
                r#"{"name":"n","parts":[{"name":"p"}],"price":null}"#,
                &[("content-type", "application/json")],
            ),
        ),
        (
            "items_archive",
            json!({"id": 7}),
            ("POST", "/items/7:archive", "", "", &[]),
        ),
        (
            "files_read",
            json!({"path": "a b/c%2e"}),
            ("GET", "/files/a%20b/c%252e", "", "", &[]),
        ),
        (
            "reports_list",
            json!({}),
            ("GET", "/reports/", "", "", &[JSON]),
        ),
        (
            "orders_mine",
            json!({}),
            ("GET", "/customers/alice/orders", "", "", &[JSON]),
        ),
        (
            "refunds_create",
            json!({"body": {"charge": "ch 1", "amount": 5, "expand": ["a", "b"],
                "metadata": {"who": "ü"}}}),
            (
                "POST",
                "/refunds",
                "",
                "amount=5&charge=ch+1&expand%5B0%5D=a&expand%5B1%5D=b&metadata%5Bwho%5D=%C3%BC",
                &[("content-type", "application/x-www-form-urlencoded")],
            ),
        ),
        (
            "refunds_create",
            json!({"body": {"charge": "ch_1"}}),
            ("POST", "/refunds", "", "charge=ch_1", &[JSON]),
        ),
    ]
}

#[tokio::test]
async fn an_imported_tool_sends_exactly_what_the_description_says() -> Result<()> {
    let world = world().await?;
    let answer = json!({"ok": true});
    world
        .orders
        .answer_with(Answer::json(StatusCode::OK, &answer));
    for (tool, arguments, (method, path, query, body, headers)) in &wire() {
        let called = world.call(&world.token("alice")?, tool, arguments).await?;
        ensure!(called.is_success(), "{tool} {arguments}: {}", called.raw);
        let requests = world.orders.requests();
        let sent = requests.last().context("no request")?;
        let found = (
            sent.method.as_str(),
            sent.path.as_str(),
            sent.query.as_str(),
        );
        ensure_eq(found, (*method, *path, *query), tool)?;
        ensure_eq(String::from_utf8_lossy(&sent.body).as_ref(), *body, tool)?;
        for (name, value) in *headers {
            ensure_eq(sent.header(name), Some(*value), name)?;
        }
        ensure!(
            sent.header("authorization").is_some(),
            "{tool}: no credential"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_the_description_reaches_no_service() -> Result<()> {
    let world = world().await?;
    for (tool, arguments) in [
        ("items_list", json!({"page": 0})),
        ("items_list", json!({"page": "1&user_id=bob"})),
        ("items_list", json!({"filter": {"owner": "bob"}})),
        ("items_list", json!({"filter": {"range": {"from": 1}}})),
        ("items_list", json!({"size": {"depth": 1}})),
        ("items_list", json!({"api_key": "k"})),
        ("items_create", json!({})),
        ("items_create", json!({"body": {"price": 1}})),
        ("items_archive", json!({"id": "7/../8"})),
        ("files_read", json!({"path": "../customers/bob/orders"})),
        ("files_read", json!({"path": ""})),
        ("files_read", json!({"path": "a/"})),
        ("orders_mine", json!({"customer": "bob"})),
    ] {
        let called = world.call(&world.token("alice")?, tool, &arguments).await?;
        ensure!(!called.is_success(), "{tool} {arguments}: {}", called.raw);
    }
    ensure!(
        world.orders.requests().is_empty(),
        "the service heard something"
    );
    Ok(())
}

/// Checks that a dry run of the shop prints the table that the documents quote.
async fn is_shown_as_documented(file: &Path) -> Result<()> {
    let (good, said) = import(file, &["--service", "orders_api", "--dry-run"]).await?;
    ensure!(good, "{said}");
    let table = include_str!("../descriptions/shop.txt");
    ensure_eq(said.as_str(), table, "the table")
}

#[tokio::test]
async fn what_is_left_out_is_named_with_what_to_do() -> Result<()> {
    is_shown_as_documented(&shop()).await
}

#[tokio::test]
async fn a_description_in_yaml_gives_the_same_tools() -> Result<()> {
    let out = TempDir::new()?;
    let file = out.path().join("shop.yaml");
    // What is JSON is YAML too, and a comment makes it YAML alone.
    let json = fs::read_to_string(shop())?;
    fs::write(&file, format!("# The shop\n---\n{json}"))?;
    is_shown_as_documented(&file).await
}

#[tokio::test]
async fn a_changed_description_shows_what_changes() -> Result<()> {
    let (out, said) = imported(&["--only", "items/list,files/read"]).await?;
    ensure!(!said.contains("changed"), "{said}");
    let folder = out.path().to_str().context("a path in UTF-8")?;
    let text = fs::read_to_string(shop())?.replace("The page.", "The number of the page.");
    let changed = out.path().join("changed.json");
    fs::write(&changed, text)?;
    let usual = ["--service", "orders_api", "--name", "shop", "--out", folder];
    let (good, said) = import(&changed, &[&usual[..], &["--tag", "items"]].concat()).await?;
    ensure!(good, "{said}");
    for expected in [
        "changed items_list",
        "new     items_create",
        "gone    files_read",
        "bailiwick accept shop",
    ] {
        ensure!(said.contains(expected), "{expected}: {said}");
    }
    let same = import(&changed, &[&usual[..], &["--tag", "items"]].concat()).await?;
    ensure!(same.0 && !same.1.contains("gone"), "{}", same.1);
    Ok(())
}

#[tokio::test]
async fn a_description_that_cannot_be_imported_leaves_nothing() -> Result<()> {
    let out = TempDir::new()?;
    let folder = out.path().join("tools");
    let to = folder.to_str().context("a path in UTF-8")?;
    let file = out.path().join("description.json");
    for (text, arguments, why) in [
        (r#"{"swagger": "2.0"}"#, &[][..], "swagger2openapi"),
        (
            r#"{"openapi": "3.0.3", "paths": {}}"#,
            &[],
            "none of the operations can be imported",
        ),
        (
            r#"{"openapi": "3.0.3", "openapi": "3.0.3"}"#,
            &[],
            "duplicate member",
        ),
        (
            "openapi: 3.0.3\nopenapi: 3.0.3",
            &[],
            "line 2, column 1: duplicate member",
        ),
        ("openapi: &a [*a]", &[], "not acceptable YAML"),
        ("", &[], "it is empty"),
        ("title: Shop", &[], "it has no `openapi`"),
        (r#"{"openapi": "3.0.3"}"#, &["--only", "x"], "--only x"),
        (r#"{"openapi": "3.0.3"}"#, &["--tag", "x"], "--tag x"),
        (
            r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {}}}}"#,
            &["--method", "post"],
            "no operation is chosen",
        ),
        (r#"{"openapi": "3.0.3"}"#, &["--name", "../x"], "--name"),
    ] {
        fs::write(&file, text)?;
        let usual = ["--service", "orders_api", "--out", to];
        let (good, said) = import(&file, &[&usual[..], arguments].concat()).await?;
        ensure!(!good && said.contains(why), "{text}: {said}");
        ensure!(!folder.exists(), "{text}: something was written");
    }
    Ok(())
}

#[tokio::test]
async fn a_dry_run_says_what_an_import_would_not_write() -> Result<()> {
    let out = TempDir::new()?;
    let file = out.path().join("description.json");
    for (count, why) in [
        (0, Some("none of the operations can be imported")),
        (64, None),
        (65, Some("at most 64 tools: choose by --only")),
    ] {
        let path = |number: u32| (format!("/a{number}"), json!({"get": {}}));
        let paths: Value = (0..count).map(path).collect();
        fs::write(
            &file,
            json!({"openapi": "3.0.3", "paths": paths}).to_string(),
        )?;
        let (good, said) = import(&file, &["--service", "orders_api", "--dry-run"]).await?;
        ensure!(good, "{said}");
        let told = said.contains("An import would write nothing: ");
        ensure_eq(told, why.is_some(), &format!("{count}: {said}"))?;
        ensure!(said.contains(why.unwrap_or_default()), "{count}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn the_guest_of_imports_is_what_its_sources_make() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = tools()?
        .with_file_name("guests")
        .join("imported.module.wasm");
    let [source, target] = ["host/imported", "example-tools/target"].map(|path| root.join(path));
    let texts = [&source, &file, &target].map(|path| path.to_string_lossy().into_owned());
    let [source, module, target] = &texts;
    let arguments = ["build", source, "--module", module, "--target-dir", target];
    let output = process::run(&bailiwick()?, &arguments).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{said}");
    let held = fs::read(root.join("host/src/import/imported.wasm"))?;
    ensure!(
        fs::read(&file)? == held,
        "host/src/import/imported.wasm is not what host/imported makes: run cargo xtask imported"
    );
    Ok(())
}
