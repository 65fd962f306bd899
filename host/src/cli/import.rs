//! `bailiwick import`: an API description becomes a component, with the lines that grant its
//! requests beside it.
//!
//! Invariant: nothing is written unless this host would load the component.

mod difference;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bailiwick::answers::inspect::{ComponentReport, Verdict, inspect_each};
use bailiwick::build::{digest, write_whole};
use bailiwick::import::{
    ActorFact, ApiDocument, ApiMethod, ImportPlan, ImportRequest, ImportRow, ImportRules,
    OperationChoice,
};
use bailiwick::intake::is_component_name;

use super::compile::compiler;
use super::page::{Page, Tone};
use super::wait;

/// The commands for descriptions.
#[derive(clap::Subcommand)]
pub(crate) enum ImportCommand {
    /// Make a component of the operations of an OpenAPI description (3.0 or 3.1, JSON).
    #[command(after_help = EXAMPLES)]
    Openapi(Args),
}

/// The command line of `bailiwick import openapi`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The description.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// The name of the service in the configuration, and of the component.
    #[arg(long, value_name = "NAME")]
    service: String,
    /// The name of the component, if it is another one.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Take these operations only, by the name of the operation or of its tool.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Take operations with this tag only.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Take operations with this method only, such as get.
    #[arg(long = "method", value_name = "METHOD", value_parser = method)]
    methods: Vec<ApiMethod>,
    /// Let the host fill a parameter in: actor.sub, actor.tenant or actor.iss.
    #[arg(long, value_name = "PARAMETER=actor.sub", value_parser = binding)]
    bind: Vec<(String, ActorFact)>,
    /// Send no such parameter, and describe bodies without such a member.
    #[arg(long, value_name = "PARAMETER")]
    drop: Vec<String>,
    /// Take a parameter, or a member of a body, although it is called as an identity or a
    /// credential: it is something else, such as the subject of a message.
    #[arg(long, value_name = "PARAMETER")]
    allow: Vec<String>,
    /// Describe the answers too. A call fails if the service answers otherwise.
    #[arg(long)]
    output_schemas: bool,
    /// Show what would be imported, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The folder for the component.
    #[arg(long, value_name = "DIR", default_value = "tools", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  bailiwick import openapi orders.json --service orders_api --dry-run
  bailiwick import openapi orders.json --service orders_api --method get --out tools
  bailiwick import openapi orders.json --service orders_api --bind customer=actor.sub

Files: DIR/NAME.wasm is the component, DIR/NAME.toml the lines for the configuration that grant its
requests. Both are written only if this host would load the component; they replace older ones.

Exit codes: 0 if there is a component, or with --dry-run; otherwise nothing is written.";

pub(crate) fn run(command: ImportCommand, page: &mut Page<'_>) -> anyhow::Result<()> {
    let ImportCommand::Openapi(args) = command;
    let name = args.name.as_ref().unwrap_or(&args.service).clone();
    ensure!(
        is_component_name(&name),
        "{name:?} cannot be a component's name: use letters, digits, `_`, `.` and `-` (--name)"
    );
    let shown = args.file.display().to_string();
    let bytes = fs::read(&args.file).with_context(|| shown.clone())?;
    let document = ApiDocument::read(&bytes).with_context(|| shown.clone())?;
    let plan = ImportPlan::of(&document, &request(&args))?;
    table(&plan, page)?;
    if args.dry_run {
        return Ok(());
    }
    let component = plan.component()?;
    let settings = plan.settings(&name, &digest(&component))?;
    let files = ImportedFiles {
        component,
        settings,
        allowed: plan.allowed(),
    };
    files.write(&args.out, &name, page)
}

fn request(args: &Args) -> ImportRequest {
    let mut rules = ImportRules::default();
    rules.bindings.extend(args.bind.iter().cloned());
    rules.drops.extend(args.drop.iter().cloned());
    rules.allowed.extend(args.allow.iter().cloned());
    ImportRequest {
        service: args.service.clone(),
        choice: OperationChoice {
            only: args.only.clone(),
            tags: args.tags.clone(),
            methods: args.methods.clone(),
        },
        rules,
        output_schemas: args.output_schemas,
    }
}

/// Prints a line for each chosen operation, and below it what is not as in the description.
fn table(plan: &ImportPlan, page: &mut Page<'_>) -> anyhow::Result<()> {
    let wide = |row: &ImportRow| row.tool.chars().count();
    let width = plan.rows().iter().map(wide).max().unwrap_or_default();
    for row in plan.rows() {
        let (tone, does) = match (&row.outcome, row.reads) {
            (Err(_), _) => (Tone::Bad, "left out"),
            (Ok(_), true) => (Tone::Good, "reads"),
            (Ok(_), false) => (Tone::Warning, "writes"),
        };
        let tool = format!("{:width$}  ", row.tool);
        page.say(&[
            (tone, &format!("{does:<8}  ")),
            (Tone::Strong, &tool),
            (Tone::Plain, &row.operation),
        ])?;
        match &row.outcome {
            Ok(notes) => {
                for note in notes {
                    page.say(&[(Tone::Faint, &format!("            {note}"))])?;
                }
            }
            Err(why) => page.line(&format!("            {why}"))?,
        }
    }
    let left_out = plan.rows().len() - plan.tools();
    page.heading(&format!(
        "{} of {} chosen operations can be imported, {left_out} cannot; {} are not chosen",
        plan.tools(),
        plan.rows().len(),
        plan.unchosen
    ))?;
    Ok(())
}

/// What an import writes.
struct ImportedFiles<'p> {
    component: Vec<u8>,
    settings: String,
    allowed: &'p [String],
}

impl ImportedFiles<'_> {
    /// Writes the files, if this host would load the component.
    fn write(&self, out: &Path, name: &str, page: &mut Page<'_>) -> anyhow::Result<()> {
        let file = out.join(format!("{name}.wasm"));
        // A host may watch the folder, so what it would refuse is never there.
        let apart = out.join(format!(".{name}.import"));
        let candidate = apart.join(format!("{name}.wasm"));
        write_whole(&candidate, &self.component)?;
        let held = file.is_file().then_some(file.as_path());
        let paths: Vec<&Path> = held.into_iter().chain([candidate.as_path()]).collect();
        let reports = wait(async { inspect_each(&paths, self.allowed, compiler()?).await });
        let removed = fs::remove_dir_all(&apart);
        let reports = reports?;
        removed.with_context(|| apart.display().to_string())?;
        let (new, old) = reports.split_last().context("a report of the component")?;
        let reason = new.reason.clone().unwrap_or_default();
        ensure!(
            new.verdict == Verdict::Loads,
            "this host would not load the component: {reason}"
        );
        write_whole(&file, &self.component)?;
        let lines = out.join(format!("{name}.toml"));
        write_whole(&lines, self.settings.as_bytes())?;
        told(&file, &lines, (old.first(), new), page)
    }
}

/// Says what was written, and what that changes.
fn told(
    file: &Path,
    lines: &Path,
    (old, new): (Option<&ComponentReport>, &ComponentReport),
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    page.line(&format!(
        "{} ({} tools, {} bytes, {})",
        file.display(),
        new.tools.len(),
        new.bytes,
        new.digest
    ))?;
    page.line(&format!("{} (what to grant)", lines.display()))?;
    for warning in &new.warnings {
        page.line(&format!("warning: {warning}"))?;
    }
    if let Some(old) = old {
        difference::show(old, new, page)?;
    }
    Ok(())
}

fn method(text: &str) -> Result<ApiMethod, String> {
    let method = ApiMethod::named(&text.to_ascii_lowercase());
    method.ok_or_else(|| "expected get, head, post, put, patch or delete".to_owned())
}

fn binding(text: &str) -> Result<(String, ActorFact), String> {
    let (name, fact) = text.rsplit_once('=').unwrap_or_default();
    let fact = ActorFact::named(fact).filter(|_| !name.is_empty());
    let fact = fact.ok_or_else(|| {
        "expected PARAMETER=actor.sub, PARAMETER=actor.tenant or PARAMETER=actor.iss".to_owned()
    })?;
    Ok((name.to_owned(), fact))
}
