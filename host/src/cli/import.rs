//! `bailiwick import`: an API description, or the tools of a remote MCP server, become a component,
//! with the lines that grant its requests beside it.
//!
//! Invariant: nothing is written unless this host would load the component, and nothing is replaced
//! but what an import made.

mod difference;
mod files;
mod mcp;
mod openapi;
mod rows;

use std::path::PathBuf;

use anyhow::ensure;
use bailiwick::build::digest;
use bailiwick::import::{ImportPlan, ImportRequest, ImportRules, OperationChoice, check_place};
use bailiwick::intake::is_component_name;

use super::page::Page;
use files::{ImportedFiles, ImportedPlace};

/// The commands for descriptions and servers.
#[derive(clap::Subcommand)]
pub(crate) enum ImportCommand {
    /// Make a component of the operations of an OpenAPI description (3.0 or 3.1, JSON or YAML).
    #[command(after_help = openapi::EXAMPLES)]
    Openapi(openapi::Args),
    /// Make a component of the tools of a remote MCP server, with their definitions pinned.
    #[command(after_help = mcp::EXAMPLES)]
    Mcp(mcp::Args),
}

/// What every import takes.
#[derive(clap::Args)]
struct UsualArgs {
    /// The name of the service in the configuration, and of the component.
    #[arg(long, value_name = "NAME")]
    service: String,
    /// The name of the component, if it is another one.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Take only these operations or remote tools, by their names there or those of the tools here,
    /// with commas between them.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Send no such parameter, and describe arguments without such a member.
    #[arg(long, value_name = "PARAMETER")]
    drop: Vec<String>,
    /// Take a parameter, or a member of an argument, although it is called as an identity or a
    /// credential: it is something else, such as the subject of a message.
    #[arg(long, value_name = "PARAMETER")]
    allow: Vec<String>,
    /// Describe the answers too. A call fails if the service answers otherwise.
    #[arg(long)]
    output_schemas: bool,
    /// Show what would be imported, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The folder for the component and the lines that grant it; it is made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "tools", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
}

pub(crate) fn run(command: ImportCommand, page: &mut Page<'_>) -> anyhow::Result<()> {
    match command {
        ImportCommand::Openapi(args) => openapi::run(&args, page),
        ImportCommand::Mcp(args) => mcp::run(&args, page),
    }
}

impl UsualArgs {
    /// Returns the name of the component.
    fn component(&self) -> anyhow::Result<&str> {
        let name = self.name.as_ref().unwrap_or(&self.service);
        ensure!(
            is_component_name(name),
            "{name:?} cannot be a component's name: use letters, digits, `_`, `.` and `-` (--name)"
        );
        Ok(name)
    }

    /// Returns what these arguments ask for.
    fn request(&self) -> ImportRequest {
        let mut rules = ImportRules::default();
        rules.drops.extend(self.drop.iter().cloned());
        rules.allowed.extend(self.allow.iter().cloned());
        ImportRequest {
            service: self.service.clone(),
            choice: OperationChoice {
                only: self.only.clone(),
                ..OperationChoice::default()
            },
            rules,
            output_schemas: self.output_schemas,
        }
    }

    /// Shows a plan, and writes what it makes unless that is only to be shown.
    fn carry_out(&self, plan: &ImportPlan, page: &mut Page<'_>) -> anyhow::Result<()> {
        let name = self.component()?;
        rows::show(plan, page)?;
        let place = ImportedPlace::new(&self.out, name);
        let may = plan
            .check_count()
            .and_then(|()| check_place(&place.component, &place.lines));
        if self.dry_run {
            if let Err(why) = may {
                page.line(&format!("An import would write nothing: {why}"))?;
            }
            return Ok(());
        }
        may?;
        let component = plan.component()?;
        let settings = plan.settings(name, &digest(&component))?;
        let files = ImportedFiles {
            component,
            settings,
            allowed: plan.allowed(),
        };
        files.write(&place, page)
    }
}
