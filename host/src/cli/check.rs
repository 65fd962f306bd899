//! `bailiwick check`: prints every fault of a configuration and its tools.

use std::path::PathBuf;

use bailiwick::answers::Folder;
use bailiwick::answers::check::{CheckReport, CheckedService, CheckedTool, Finding};
use bailiwick::answers::doctor::online;
use bailiwick::config::{self, ConfigError};
use bailiwick_journal::chain;
use serde_json::{Value, json};

use super::compile::compiler;
use super::doctor::mark;
use super::page::{Page, Tone, counted};
use super::table::Table;
use super::wait;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Also ask issuers, authorization servers and services, as `bailiwick doctor` does.
    #[arg(long)]
    pub(super) online: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let report = match report(args) {
        Ok(report) => report,
        Err(error) => {
            if args.json {
                page.value(&unusable(&error))?;
            }
            return Err(error);
        }
    };
    if args.json {
        page.value(&report)?;
    } else {
        as_text(&report, page)?;
    }
    let errors = report.errors.len();
    anyhow::ensure!(
        errors == 0,
        "{}: {}",
        args.config.display(),
        counted(errors, "error")
    );
    if args.json {
        return Ok(());
    }
    let verdict = match report.warnings.len() {
        0 => "in order".to_owned(),
        warnings => counted(warnings, "warning"),
    };
    page.say(&[
        (Tone::Plain, &format!("{}: ", args.config.display())),
        (Tone::Good, &verdict),
    ])?;
    Ok(())
}

fn report(args: &Args) -> anyhow::Result<CheckReport> {
    let config = config::load(&args.config)?;
    let folder = wait(async { Folder::load(&config, compiler()?).await })?;
    let mut report = CheckReport::of(&config, &folder);
    if args.online {
        report.add(wait(async { Ok(online(&config).await) })?);
    }
    Ok(report)
}

/// Returns the report of a configuration that cannot be compared with its tools, as JSON.
fn unusable(error: &anyhow::Error) -> Value {
    let Some(wrong) = error.downcast_ref::<ConfigError>() else {
        return json!({"errors": [{"finding": "unusable", "text": chain(error.as_ref())}]});
    };
    let problem = |(line, text): (Option<usize>, &str)| json!({"finding": "configuration", "file": wrong.file(), "line": line, "text": text});
    json!({"errors": wrong.problems().map(problem).collect::<Vec<_>>()})
}

fn as_text(report: &CheckReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    overview(report, page)?;
    tools(report, page)?;
    scopes(report, page)?;
    asked(report, page)?;
    findings("errors", Tone::Bad, &report.errors, page)?;
    findings("warnings", Tone::Warning, &report.warnings, page)?;
    Ok(page.line("")?)
}

fn overview(report: &CheckReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    let derived = "derived from the address, since server.resource is not set";
    let services = report.services.join(", ");
    page.field("listen", &report.listen)?;
    page.field("resource", report.resource.as_deref().unwrap_or(derived))?;
    page.field("issuers", &report.issuers.join(", "))?;
    page.field("services", or(&services, "none"))?;
    page.field("tools", &report.folder.display().to_string())?;
    let (loaded, refused) = (report.loaded.len(), report.refused.len());
    page.field("components", &format!("{loaded} loaded, {refused} refused"))?;
    if let Some(lowered) = &report.lowered {
        page.field("limits", lowered)?;
    }
    Ok(())
}

fn tools(report: &CheckReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    if report.loaded.is_empty() {
        page.heading("tools")?;
        page.line(if report.refused.is_empty() {
            "none: put components (`bailiwick build CRATE --out FOLDER`) into the tools folder"
        } else {
            "none is loaded; see errors"
        })?;
    }
    for (heading, column, some) in [
        ("tools", "TOOL", &report.tools),
        ("resources", "RESOURCE", &report.resources),
        ("prompts", "PROMPT", &report.prompts),
    ] {
        if !some.is_empty() {
            page.heading(heading)?;
            listed(column, some, page)?;
        }
    }
    Ok(())
}

fn listed(column: &'static str, some: &[CheckedTool], page: &mut Page<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&[column, "COMPONENT", "SIGNED BY", "NEEDS SCOPES", "REACHES"]);
    for one in some {
        let scopes = one.scopes.join(" ");
        table.row(vec![
            (Tone::Strong, one.name.clone()),
            (Tone::Plain, one.component.clone()),
            (Tone::Plain, one.signed_by.clone().unwrap_or_default()),
            (Tone::Plain, or(&scopes, "none").to_owned()),
            (Tone::Plain, reaches(one)),
        ]);
    }
    Ok(table.write(page)?)
}

fn reaches(tool: &CheckedTool) -> String {
    let reach = |service: &CheckedService| {
        let mode = service.mode.map_or("not granted", |mode| mode.as_str());
        format!("{} ({mode})", service.name)
    };
    let services: Vec<_> = tool.services.iter().map(reach).collect();
    or(&services.join(", "), "nothing").to_owned()
}

/// Lists what each scope opens, and what is open to every token.
fn scopes(report: &CheckReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    let mut table = Table::new(&["SCOPE", "IS NEEDED FOR"]);
    for used in &report.scopes {
        let tools = used.tools.join(", ");
        table.row(match &used.scope {
            Some(scope) => vec![(Tone::Strong, scope.clone()), (Tone::Plain, tools)],
            None => vec![
                (Tone::Faint, "(none)".to_owned()),
                (Tone::Plain, format!("{tools}: every admitted token")),
            ],
        });
    }
    if !report.scopes.is_empty() {
        page.heading("scopes")?;
    }
    Ok(table.write(page)?)
}

/// Lists what was asked on the network, good or bad. Remedies are with the errors.
fn asked(report: &CheckReport, page: &mut Page<'_>) -> anyhow::Result<()> {
    if report.online.is_empty() {
        return Ok(());
    }
    page.heading("asked on the network")?;
    for one in &report.online {
        let text = format!("{}: {}", one.about, one.found);
        let (tone, mark) = mark(one.condition);
        page.say(&[(tone, &format!("  {mark}")), (Tone::Plain, &text)])?;
    }
    Ok(())
}

fn findings(
    heading: &str,
    tone: Tone,
    findings: &[Finding],
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    page.heading(heading)?;
    for finding in findings {
        page.say(&[(tone, "- "), (Tone::Plain, &finding.to_string())])?;
    }
    Ok(())
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

#[cfg(test)]
mod tests;
