//! `bailiwick import openapi`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use bailiwick::import::{ActorFact, ApiDocument, ApiMethod, ImportPlan};

use super::UsualArgs;
use crate::cli::page::Page;

/// The command line of `bailiwick import openapi`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The description: a file in JSON or YAML.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    usual: UsualArgs,
    /// Take operations with this tag only.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Take operations with this method only, such as get.
    #[arg(long = "method", value_name = "METHOD", value_parser = method)]
    methods: Vec<ApiMethod>,
    /// Let the host fill a parameter in: actor.sub, actor.tenant or actor.iss.
    #[arg(long, value_name = "PARAMETER=actor.sub", value_parser = binding)]
    bind: Vec<(String, ActorFact)>,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  bailiwick import openapi orders.json --service orders_api --dry-run
  bailiwick import openapi orders.yaml --service orders_api --method get --out tools
  bailiwick import openapi orders.json --service orders_api --bind customer=actor.sub

Files: DIR/NAME.wasm is the component, DIR/NAME.toml the lines for the configuration that grant its
requests. Both are written only if this host would load the component; they replace those of an
earlier import, and nothing else.

Exit codes: 0 if there is a component, or with --dry-run; otherwise nothing is written.";

pub(super) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    args.usual.component()?;
    let mut request = args.usual.request();
    request.choice.tags.clone_from(&args.tags);
    request.choice.methods.clone_from(&args.methods);
    request.rules.bindings.extend(args.bind.iter().cloned());
    let shown = args.file.display().to_string();
    ensure!(
        !shown.contains("://") || args.file.exists(),
        "{shown}: expected a file; download the description first"
    );
    let bytes = fs::read(&args.file).with_context(|| shown.clone())?;
    let document = ApiDocument::read(&bytes).with_context(|| shown.clone())?;
    let plan = ImportPlan::of(&document, &request)?;
    args.usual.carry_out(&plan, page)
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
