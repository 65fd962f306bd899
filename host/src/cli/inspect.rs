//! `bailiwick inspect`: prints what a component is, what it asks for, and what it cannot do.

use std::path::PathBuf;

use anyhow::Context as _;
use bailiwick::answers::inspect::{
    ComponentReport, OfferedHints, OfferedPrompt, OfferedResource, OfferedTool, Verdict, inspect,
};
use serde_json::Value;

use super::compile::compiler_for;
use super::page::{Page, Tone};
use super::wait;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The component.
    #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The folder where `bailiwick dev` keeps compiled code.
    #[arg(long, value_name = "CODE", hide = true)]
    development: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let inspection =
        wait(async { inspect(&args.file, None, compiler_for(args.development.as_deref())?).await })
            .with_context(|| args.file.display().to_string())?;
    if args.json {
        page.value(&inspection)?;
    } else {
        as_text(&inspection, page)?;
    }
    anyhow::ensure!(
        inspection.verdict == Verdict::Loads,
        "{}: this host would not load it",
        args.file.display()
    );
    Ok(())
}

fn as_text(inspection: &ComponentReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.field("component", &inspection.component)?;
    page.field("digest", &inspection.digest)?;
    page.field("size", &format!("{} bytes", inspection.bytes))?;
    page.field("signature", &signature(inspection))?;
    page.field("imports", &or_none(&inspection.imports))?;
    for tool in &inspection.tools {
        about(tool, page)?;
    }
    for resource in &inspection.resources {
        about_resource(resource, page)?;
    }
    for prompt in &inspection.prompts {
        about_prompt(prompt, page)?;
    }
    page.heading("verdict")?;
    match &inspection.reason {
        None => page.toned("loads", Tone::Good, "this host would load it")?,
        Some(reason) => page.toned("refused", Tone::Bad, reason)?,
    }
    for warning in &inspection.warnings {
        page.toned("warning", Tone::Warning, warning)?;
    }
    if let Some(cannot) = &inspection.cannot {
        page.line(&format!("  {cannot}"))?;
    }
    grant(inspection, page)
}

/// Names the keys of the signature. The configuration decides which keys are trusted.
fn signature(inspection: &ComponentReport) -> String {
    match (&inspection.signers_named, &inspection.signature_error) {
        (Some(keys), _) => format!(
            "names {} (not verified here: `bailiwick check` does)",
            keys.join(", ")
        ),
        (None, Some(error)) => error.clone(),
        (None, None) => "none".to_owned(),
    }
}

fn about(tool: &OfferedTool, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading(&format!("tool {}", tool.name))?;
    described(tool.title.as_ref(), Some(&tool.description), page)?;
    page.field("scopes", &or_none(&tool.scopes))?;
    page.field("services", &or_none(&tool.services))?;
    page.field("hints", &or_none(&hints(tool.annotations)))?;
    page.field("input", &schema(&tool.input_schema))?;
    if let Some(output) = &tool.output_schema {
        page.field("output", &schema(output))?;
    }
    Ok(())
}

fn about_resource(resource: &OfferedResource, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading(&format!("resource {}", resource.uri))?;
    page.field("name", &resource.name)?;
    described(resource.title.as_ref(), resource.description.as_ref(), page)?;
    if let Some(mime_type) = &resource.mime_type {
        page.field("type", mime_type)?;
    }
    page.field("scopes", &or_none(&resource.scopes))?;
    page.field("services", &or_none(&resource.services))?;
    Ok(())
}

fn about_prompt(prompt: &OfferedPrompt, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading(&format!("prompt {}", prompt.name))?;
    described(prompt.title.as_ref(), Some(&prompt.description), page)?;
    page.field("needs", &or_none(&prompt.required))?;
    page.field("takes", &or_none(&prompt.optional))?;
    page.field("scopes", &or_none(&prompt.scopes))?;
    page.field("services", &or_none(&prompt.services))?;
    Ok(())
}

fn described(
    title: Option<&String>,
    description: Option<&String>,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    if let Some(title) = title {
        page.field("title", title)?;
    }
    let lines = description.iter().flat_map(|text| text.trim().lines());
    for (index, line) in lines.enumerate() {
        page.field(if index == 0 { "description" } else { "" }, line)?;
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

/// Lists the annotations that are set, in the spelling of the SDK's attribute.
fn hints(hints: OfferedHints) -> Vec<String> {
    let all = [
        ("read_only", hints.read_only_hint),
        ("destructive", hints.destructive_hint),
        ("idempotent", hints.idempotent_hint),
        ("open_world", hints.open_world_hint),
    ];
    let hint = |(name, value): (&str, Option<bool>)| {
        let no = if value? { "" } else { " = false" };
        Some(format!("{name}{no}"))
    };
    all.into_iter().filter_map(hint).collect()
}

/// Returns a schema on one line. A schema that is not JSON is shown as it is.
fn schema(schema: &Value) -> String {
    match schema {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Prints the grant to write for a component that asks for services.
fn grant(inspection: &ComponentReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    if inspection.asks_for.is_empty() {
        return Ok(());
    }
    page.heading("to grant what it asks for, in the configuration (choose the modes)")?;
    let modes: Vec<_> = inspection
        .asks_for
        .iter()
        .map(|name| format!("{} = \"on_behalf_of\"", key(name)))
        .collect();
    page.line(&format!("  [components.{}]", key(&inspection.component)))?;
    page.line(&format!("  digest = \"{}\"", inspection.digest))?;
    page.line(&format!("  services = {{ {} }}", modes.join(", ")))?;
    Ok(())
}

/// Returns a TOML key, quoted where it has to be.
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

#[cfg(test)]
mod tests;
