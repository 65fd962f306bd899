//! `bailiwick check`: everything that is wrong with a configuration and its tools, at once.
//!
//! Invariant: it opens no port, writes no journal and makes no keys; it can run beside the host.

mod findings;

use std::path::PathBuf;

use bailiwick::config::{self, Config};
use bailiwick::dispatch::Tool;
use bailiwick::limits::Room;

use super::folder::Folder;
use super::page::{Page, Tone, counted};
use super::table::Table;
use super::wait;
use findings::Findings;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config: PathBuf,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let config = config::load(&args.config)?;
    let folder = wait(Folder::load(&config))?;
    let findings = Findings::of(&config, &folder);
    overview(&config, &folder, page)?;
    tools(&folder, page)?;
    scopes(&folder, page)?;
    told("errors", Tone::Bad, &findings.errors, page)?;
    told("warnings", Tone::Warning, &findings.warnings, page)?;
    page.line("")?;
    let (errors, warnings) = (findings.errors.len(), findings.warnings.len());
    anyhow::ensure!(
        errors == 0,
        "{}: {}",
        args.config.display(),
        counted(errors, "error")
    );
    let verdict = if warnings == 0 {
        "in order".to_owned()
    } else {
        counted(warnings, "warning")
    };
    page.say(&[
        (Tone::Plain, &format!("{}: ", args.config.display())),
        (Tone::Good, &verdict),
    ])?;
    Ok(())
}

fn overview(config: &Config, folder: &Folder, page: &mut Page<'_>) -> anyhow::Result<()> {
    let issuers: Vec<_> = config
        .issuers
        .iter()
        .map(|issuer| issuer.settings.issuer.as_str())
        .collect();
    let services: Vec<_> = config
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    page.field("listen", &config.server.listen.to_string())?;
    let derived = "derived from the address, since server.resource is not set";
    page.field(
        "resource",
        config.server.resource.as_deref().unwrap_or(derived),
    )?;
    page.field("issuers", &issuers.join(", "))?;
    page.field(
        "services",
        &if services.is_empty() {
            "none".to_owned()
        } else {
            services.join(", ")
        },
    )?;
    page.field("tools", &config.server.tools.display().to_string())?;
    page.field(
        "components",
        &format!(
            "{} loaded, {} refused",
            folder.loaded.len(),
            folder.refused.len()
        ),
    )?;
    if let Some(lowered) = config.limits.lowered(Room::here()) {
        page.field("limits", &lowered)?;
    }
    Ok(())
}

fn tools(folder: &Folder, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading("tools")?;
    let mut table = Table::new(&["TOOL", "COMPONENT", "SIGNED BY", "NEEDS SCOPES", "REACHES"]);
    for tool in folder.catalog.tools() {
        table.row(vec![
            (Tone::Strong, tool.definition.name.clone()),
            (Tone::Plain, tool.backing.component.name.clone()),
            (
                Tone::Plain,
                tool.backing
                    .component
                    .signed
                    .as_ref()
                    .map(|signed| signed.by.clone())
                    .unwrap_or_default(),
            ),
            (Tone::Plain, scopes_of(tool)),
            (Tone::Plain, reaches(tool)),
        ]);
    }
    if folder.catalog.tools().next().is_none() {
        page.line(
            "none: put components (`bailiwick build CRATE --out FOLDER`) into the tools folder",
        )?;
    }
    Ok(table.write(page)?)
}

fn scopes_of(tool: &Tool) -> String {
    if tool.definition.scopes.is_empty() {
        "none".to_owned()
    } else {
        tool.definition.scopes.join(" ")
    }
}

fn reaches(tool: &Tool) -> String {
    let mut services: Vec<_> = tool
        .backing
        .services
        .iter()
        .map(|(name, mode)| format!("{name} ({})", mode.as_str()))
        .collect();
    let missing = tool
        .definition
        .services
        .iter()
        .filter(|name| !tool.backing.services.contains_key(*name));
    services.extend(missing.map(|name| format!("{name} (not granted)")));
    if services.is_empty() {
        "nothing".to_owned()
    } else {
        services.join(", ")
    }
}

/// What each scope opens, and what is open to every token.
fn scopes(folder: &Folder, page: &mut Page<'_>) -> anyhow::Result<()> {
    let all: std::collections::BTreeSet<&str> = folder
        .catalog
        .tools()
        .flat_map(|tool| &tool.definition.scopes)
        .map(String::as_str)
        .collect();
    let mut table = Table::new(&["SCOPE", "IS NEEDED FOR"]);
    let tools = |wanted: &dyn Fn(&Tool) -> bool| {
        let names = folder
            .catalog
            .tools()
            .filter(|tool| wanted(tool))
            .map(|tool| tool.definition.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    for scope in all {
        let names = tools(&|tool| tool.definition.scopes.iter().any(|one| one == scope));
        table.row(vec![(Tone::Strong, scope.to_owned()), (Tone::Plain, names)]);
    }
    let open = tools(&|tool| tool.definition.scopes.is_empty());
    if !open.is_empty() {
        table.row(vec![
            (Tone::Faint, "(none)".to_owned()),
            (Tone::Plain, format!("{open}: every admitted token")),
        ]);
    }
    if folder.catalog.tools().next().is_some() {
        page.heading("scopes")?;
    }
    Ok(table.write(page)?)
}

fn told(heading: &str, tone: Tone, findings: &[String], page: &mut Page<'_>) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    page.heading(heading)?;
    for finding in findings {
        page.say(&[(tone, "- "), (Tone::Plain, finding)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
