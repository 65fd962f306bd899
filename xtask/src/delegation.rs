//! `cargo xtask delegation`: the delegation suite, against a gateway by URL
//! (`docs/delegation-suite.md`).

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::step::replace;
use crate::{DEV, Project};

/// Builds the suite and becomes it; the arguments are its own.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    project.build_host(DEV)?;
    let mut suite = Command::new(project.binary("delegation-suite"));
    replace(suite.current_dir(&project.root).args(arguments))
}
