//! `bailiwick build`: a project becomes a component, which is inspected as `bailiwick inspect`
//! does.

use std::path::PathBuf;

use bailiwick::answers::inspect::inspect;
use bailiwick::build::{BuildRequest, build, module, write_whole};

use super::compile::compiler_for;
use super::page::Page;
use super::wait;

/// The command line of `bailiwick build`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The project's folder, with a Cargo.toml, package.json or pyproject.toml; or a component that
    /// another tool made, whose modules are linked.
    #[arg(value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// The folder for the component.
    #[arg(long, value_name = "DIR", default_value = "tools", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// The folder for cargo's build products, for a crate.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    target_dir: Option<PathBuf>,
    /// The folder where `bailiwick dev` keeps compiled code: that of the component is kept there,
    /// and a project may get a development build.
    #[arg(long, value_name = "CODE", hide = true)]
    development: Option<PathBuf>,
    /// Write the module of a crate to this file, and no component. `bailiwick import` joins one.
    #[arg(long, value_name = "FILE", hide = true)]
    module: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  bailiwick build . --out tools
  bailiwick build shop --out /srv/bailiwick/tools

Files: the manifest says the component's name, and in Rust its memory ([package.metadata.bailiwick]).
The component is DIR/NAME.wasm, written only if all went well. What compilers and package managers
need and make stays in the project.

Exit codes: 0 if there is a component, also one that a host would refuse, which is said as a
warning; otherwise there is none.";

pub(crate) fn run(args: Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    if let Some(file) = &args.module {
        write_whole(file, &module(&args.path, args.target_dir.as_deref())?)?;
        page.line(&file.display().to_string())?;
        return Ok(());
    }
    let built = build(&BuildRequest {
        path: args.path,
        out: args.out,
        target_dir: args.target_dir,
        development: args.development.is_some(),
    })?;
    page.line(&format!(
        "{} ({} bytes, {})",
        built.component.display(),
        built.bytes,
        built.digest
    ))?;
    let code = args.development.as_deref();
    let base = built.base.as_deref();
    let found = wait(async { inspect(&built.component, base, compiler_for(code)?).await })?;
    if let Some(reason) = &found.reason {
        page.line(&format!("warning: a host would refuse it: {reason}"))?;
    }
    for warning in &found.warnings {
        page.line(&format!("warning: {warning}"))?;
    }
    Ok(())
}
