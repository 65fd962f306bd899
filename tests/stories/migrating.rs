//! The way of `docs/migrating.md`: a server with a key in its environment becomes a tool without
//! one.
//!
//! Needs the packages that `cargo xtask sdks` installs. Without them, a line says so.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::folder::digest;
use bailiwick_dev::http::Answer;
use bailiwick_dev::process;
use bailiwick_tests::{Plan, World, bailiwick, claims_of, ensure_eq};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The key of the service, which a world keeps in `secrets/exchange`.
const KEY: &str = "a secret of the host & only of it";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds the tool of the document; `None`, with a line, if the SDK's packages are not installed.
async fn shop() -> Result<Option<Vec<u8>>> {
    let sdk = fs::canonicalize(root().join("guest-sdk/typescript"))?;
    let installed = sdk.join("node_modules");
    if !installed.join("zod").is_dir() {
        // The other end of standard error may be closed.
        let _ = writeln!(
            std::io::stderr(),
            "left out: `cargo xtask sdks` has not installed the SDK's packages"
        );
        return Ok(None);
    }
    let folder = TempDir::new()?;
    let project = folder.path().join("shop");
    let (from, packages) = (
        root().join("docs/examples/migrating/after"),
        project.join("node_modules"),
    );
    fs::create_dir_all(project.join("src"))?;
    fs::create_dir_all(packages.join(".bin"))?;
    for file in ["package.json", "tsconfig.json", "src/tool.ts"] {
        fs::copy(from.join(file), project.join(file))?;
    }
    for name in ["zod", "typescript"] {
        symlink(installed.join(name), packages.join(name))?;
    }
    symlink(&sdk, packages.join("bailiwick-sdk"))?;
    let program = packages.join(".bin/bailiwick-sdk-build");
    symlink(sdk.join("dist/build.js"), program)?;
    let out = folder.path().join("tools");
    let [from, to] = [&project, &out].map(|path| path.to_string_lossy());
    let built = process::run(&bailiwick()?, &["build", &from, "--out", &to]).await?;
    ensure!(built.status.success(), "{built:?}");
    Ok(Some(fs::read(out.join("shop.wasm"))?))
}

/// Returns the service of the first step, at this address and with the world's key.
fn with_a_key(url: &str) -> Result<String> {
    let file = fs::read_to_string(root().join("docs/examples/migrating/service.toml"))?;
    let from = file.find("[services.orders_api]").context("no service")?;
    let to = file.find("[components.shop]").context("no component")?;
    let service = file.get(from..to).context("another order")?;
    let here = format!("{url}\"\nprivate_addresses = [\"127.0.0.0/8\"]");
    Ok(service
        .replace("https://orders.example.com/v1\"", &here)
        .replace("secrets/orders-api", "secrets/exchange"))
}

async fn order(world: &World, user: &str, id: &str) -> Result<bailiwick_dev::mcp::Answer> {
    let arguments = json!({ "orderId": id });
    let token = world.token(user)?;
    world.call(&token, "order_status", &arguments).await
}

/// Returns the files in which the key is, by their names below the folder.
fn holding_the_key(folder: &Path, below: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{below}{name}");
        if path.is_dir() {
            found.extend(holding_the_key(&path, &format!("{name}/"))?);
        } else if String::from_utf8_lossy(&fs::read(&path)?).contains(KEY) {
            found.push(name);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_server_with_a_key_becomes_a_tool_whose_key_only_the_host_has() -> Result<()> {
    let Some(component) = shop().await? else {
        return Ok(());
    };
    let code = digest(&component);
    let mut plan = Plan::mode("service_identity");
    plan.components = vec![("shop.wasm".to_owned(), component)];
    plan.orders = |settings| settings.bearer = false;
    plan.config = Box::new(move |config| {
        let url = config.services.split('"').nth(1).unwrap_or_default();
        config.services = with_a_key(url).unwrap_or_default();
        *config = config
            .clone()
            .grant("shop", &code, &[("orders_api", "service_identity")]);
    });
    let world = World::with(plan).await?;
    let known = json!({"id": "A-1001", "status": "shipped"});
    let answer = Answer::json(StatusCode::OK, &known);
    world.orders.answer_with(answer);
    let answer = order(&world, "alice", "A-1001").await?;
    ensure!(answer.is_success(), "{}\n{}", answer.raw, world.host.said());
    ensure_eq(answer.structured(), &known, "the order")?;
    let requests = world.orders.requests();
    let request = requests.first().context("no request")?;
    ensure_eq(request.header("x-api-key"), Some(KEY), "the key")?;
    let remains = world.stop().await?;
    ensure!(!remains.said.contains(KEY), "the key is in the log");
    let held = holding_the_key(remains.folder.path(), "")?;
    ensure_eq(held, vec!["secrets/exchange".to_owned()], "the key is in")
}

#[tokio::test]
async fn the_same_code_then_acts_for_the_user_who_asks() -> Result<()> {
    let Some(component) = shop().await? else {
        return Ok(());
    };
    let code = digest(&component);
    let plan = Plan {
        components: vec![("shop.wasm".to_owned(), component)],
        config: Box::new(move |config| {
            *config = config
                .clone()
                .grant("shop", &code, &[("orders_api", "on_behalf_of")]);
        }),
        ..Plan::default()
    };
    let world = World::with(plan).await?;
    let own = order(&world, "alice", "A-1001").await?;
    ensure!(own.is_success(), "{}\n{}", own.raw, world.host.said());
    let requests = world.orders.requests();
    let request = requests.first().context("no request")?;
    let claims = claims_of(request, "authorization");
    ensure_eq(claims.get("sub"), Some(&Value::from("alice")), "for whom")?;
    let foreign = order(&world, "bob", "A-1001").await?;
    ensure!(foreign.is_tool_error(), "{}", foreign.raw);
    Ok(())
}
