//! The prober: a guest whose tool `ask` makes the requests that its arguments say.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::{Config, folder, process};
use serde_json::{Value, json};

use crate::guests::guest;
use crate::world::{Plan, World, bailiwick};

/// Returns the usual world in which the prober too may ask the orders service, in this mode.
/// `change` is made to the configuration afterwards.
///
/// # Errors
/// Fails if the prober cannot be built.
pub async fn probing(
    mode: &'static str,
    change: impl FnOnce(&mut Config) + 'static,
) -> Result<Plan> {
    let prober = guest("prober").await?;
    let digest = folder::digest(&prober);
    Ok(Plan {
        mode,
        components: vec![("prober.wasm".into(), prober)],
        config: Box::new(move |config| {
            let granted = config.clone();
            *config = granted.grant("prober", &digest, &[("orders_api", mode)]);
            change(config);
        }),
        ..Plan::default()
    })
}

/// Lets the prober ask the orders service once, for the bearer of a token; returns the status, or
/// the name of the error and its text. Without a method among the arguments, it is a GET.
///
/// # Errors
/// Fails if the call itself does.
pub async fn probe(world: &World, token: &str, arguments: &Value) -> Result<String> {
    let mut whole = json!({"service": "orders_api", "method": "GET"});
    let members = whole.as_object_mut().context("an object")?;
    members.extend(arguments.as_object().context("an object")?.clone());
    let answer = world.call(token, "ask", &whole).await?;
    ensure!(answer.is_success(), "{arguments}: {}", answer.raw);
    let first = answer.structured().pointer("/each/0");
    let first = first.and_then(Value::as_str).context("no result")?;
    Ok(first.to_owned())
}

/// Returns what `bailiwick explain` says of a call of the prober by alice.
///
/// # Errors
/// Fails if the command does.
pub async fn explained(world: &World) -> Result<String> {
    // The resource that a token must name is known only while the host runs.
    let text = fs::read_to_string(world.folder.config())?;
    let resource = format!("[server]\nresource = \"{}\"", world.host.url());
    let [fixed, token] = ["fixed.toml", "token"].map(|name| world.folder.path().join(name));
    fs::write(&fixed, text.replacen("[server]", &resource, 1))?;
    fs::write(&token, world.token("alice")?)?;
    let [fixed, token] = [&fixed, &token].map(|file| file.to_string_lossy());
    let files = ["--config", &fixed, "--token-file", &token];
    let arguments = json!({"service": "orders_api", "method": "GET", "path": ["orders", "x"]});
    let call = ["--tool", "ask", "--arguments", &arguments.to_string()];
    let command = [&["explain"], &files[..], &call].concat();
    let ran = process::run(&bailiwick()?, &command).await?;
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    ensure!(ran.status.success(), "{said}");
    Ok(said)
}
