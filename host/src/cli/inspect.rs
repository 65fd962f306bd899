//! `bailiwick inspect`: what a component is, what it asks for, and what it cannot do.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use bailiwick::dispatch::{Offer, OfferError, Terms};
use bailiwick::intake::{self, Intake};
use bailiwick::limits::{Limits, Room};
use bailiwick::sandbox::{RawDefinition, Sandbox};
use bailiwick::seams::{SystemClock, SystemRandom};
use serde_json::{Value, json};

use super::compile::compiler;
use super::page::{Page, Tone, listed};
use super::{chain, wait};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The component.
    #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Say it as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let examined = wait(async {
        let sandbox = Sandbox::new(
            Limits::within(Room::here()),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
        )?;
        let intake = Intake::new(Arc::new(sandbox), compiler()?);
        let examined = intake::examine(&intake, &args.file).await?;
        Ok(examined.judged(|loaded| Offer::check(loaded?, &Terms::default())))
    });
    let examined = examined.with_context(|| args.file.display().to_string())?;
    if args.json {
        page.json(&format!("{:#}", as_json(&examined)))?;
    } else {
        as_text(&examined, page)?;
    }
    match &examined.verdict {
        Ok(_) => Ok(()),
        Err(_) => anyhow::bail!("{}: this host would not load it", args.file.display()),
    }
}

type Examined = intake::Examined<Result<Offer, OfferError>>;

fn as_text(examined: &Examined, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.field("component", &examined.name)?;
    page.field("digest", &examined.digest)?;
    page.field("size", &format!("{} bytes", examined.bytes))?;
    page.field("signature", &signature(examined))?;
    page.field(
        "imports",
        &if examined.imports.is_empty() {
            "none".into()
        } else {
            examined.imports.join(", ")
        },
    )?;
    for tool in &examined.tools {
        about(tool, page)?;
    }
    page.heading("verdict")?;
    match &examined.verdict {
        Ok(_) => page.toned("loads", Tone::Good, "this host would load it")?,
        Err(error) => page.toned("refused", Tone::Bad, &chain(error))?,
    }
    if let Some(cannot) = cannot(examined) {
        page.line(&format!("  {cannot}"))?;
    }
    grant(examined, page)
}

/// Who is said to have signed it: whose word counts is for the configuration to say.
fn signature(examined: &Examined) -> String {
    match &examined.signers {
        None => "none".to_owned(),
        Some(Ok(keys)) => format!(
            "names {} (not verified here: `bailiwick check` does)",
            keys.join(", ")
        ),
        Some(Err(error)) => chain(error),
    }
}

fn about(tool: &RawDefinition, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading(&format!("tool {}", tool.name))?;
    if let Some(title) = &tool.title {
        page.field("title", title)?;
    }
    for (index, line) in tool.description.trim().lines().enumerate() {
        page.field(if index == 0 { "description" } else { "" }, line)?;
    }
    page.field("scopes", &or_none(&tool.scopes))?;
    page.field("services", &or_none(&tool.services))?;
    page.field("hints", &or_none(&hints(tool)))?;
    page.field("input", &compact(&tool.input_schema))?;
    if let Some(schema) = &tool.output_schema {
        page.field("output", &compact(schema))?;
    }
    Ok(())
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// The annotations that are set, as the attribute of the SDK spells them.
fn hints(tool: &RawDefinition) -> Vec<String> {
    let hints = &tool.annotations;
    let all = [
        ("read_only", hints.read_only),
        ("destructive", hints.destructive),
        ("idempotent", hints.idempotent),
        ("open_world", hints.open_world),
    ];
    let hint = |(name, value): (&str, Option<bool>)| {
        value.map(|value| {
            if value {
                name.to_owned()
            } else {
                format!("{name} = false")
            }
        })
    };
    all.into_iter().filter_map(hint).collect()
}

/// A schema on one line, if it is JSON at all.
fn compact(schema: &str) -> String {
    serde_json::from_str::<Value>(schema)
        .map_or_else(|_| schema.to_owned(), |value| value.to_string())
}

/// One sentence on what the component cannot do; of a file that is refused, only why it cannot be
/// linked.
fn cannot(examined: &Examined) -> Option<String> {
    if examined
        .imports
        .iter()
        .any(|name| !name.starts_with("bailiwick:tool/"))
    {
        let text = "What it asks for beyond bailiwick:tool is linked for no component, so it cannot be started here.";
        return Some(text.to_owned());
    }
    if examined.verdict.is_err() {
        return None;
    }
    let short = |name: &String| {
        let own = name
            .strip_prefix("bailiwick:tool/")
            .and_then(|name| name.split('@').next());
        own.unwrap_or(name).to_owned()
    };
    let imports: Vec<String> = examined.imports.iter().map(short).collect();
    let names: Vec<&str> = imports.iter().map(String::as_str).collect();
    let imports = match names.as_slice() {
        [] => "it imports nothing".to_owned(),
        names => format!("it imports nothing but {}", listed(names, "and")),
    };
    let reach = if names.contains(&"downstream") {
        "cannot open a socket, read a file, see a token or name a user"
    } else {
        "cannot open a socket, read a file, see a token, name a user or reach any service"
    };
    Some(format!("It {reach}: {imports}."))
}

/// What the operator writes for a component that asks for services.
fn grant(examined: &Examined, page: &mut Page<'_>) -> anyhow::Result<()> {
    let mut services: Vec<&str> = examined
        .tools
        .iter()
        .flat_map(|tool| &tool.services)
        .map(String::as_str)
        .collect();
    services.sort_unstable();
    services.dedup();
    if services.is_empty() || examined.verdict.is_err() {
        return Ok(());
    }
    page.heading("to grant what it asks for, in the configuration (choose the modes)")?;
    let modes: Vec<_> = services
        .iter()
        .map(|name| format!("{} = \"on_behalf_of\"", key(name)))
        .collect();
    page.line(&format!("  [components.{}]", key(&examined.name)))?;
    page.line(&format!("  digest = \"{}\"", examined.digest))?;
    page.line(&format!("  services = {{ {} }}", modes.join(", ")))?;
    Ok(())
}

/// A TOML key, quoted where it has to be.
fn key(name: &str) -> String {
    let bare = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

fn as_json(examined: &Examined) -> Value {
    let schema =
        |text: &String| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
    let tool = |tool: &RawDefinition| {
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "input_schema": schema(&tool.input_schema),
            "output_schema": tool.output_schema.as_ref().map(schema),
            "annotations": {
                "readOnlyHint": tool.annotations.read_only,
                "destructiveHint": tool.annotations.destructive,
                "idempotentHint": tool.annotations.idempotent,
                "openWorldHint": tool.annotations.open_world,
            },
            "scopes": tool.scopes,
            "services": tool.services,
        })
    };
    json!({
        "component": examined.name,
        "digest": examined.digest,
        "bytes": examined.bytes,
        "signers_named": examined.signers.as_ref().and_then(|signers| signers.as_ref().ok()),
        "imports": examined.imports,
        "tools": examined.tools.iter().map(tool).collect::<Vec<_>>(),
        "verdict": if examined.verdict.is_ok() { "loads" } else { "refused" },
        "reason": examined.verdict.as_ref().err().map(|error| chain(error)),
        "cannot": cannot(examined),
    })
}

#[cfg(test)]
mod tests;
