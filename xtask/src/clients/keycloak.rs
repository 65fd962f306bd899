//! Keycloak's distribution, from Maven Central.
//!
//! Needs Maven, which verifies what it downloads, Python to unpack it, and Java to run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::Variable;
use crate::step::{run, say, step};

const VERSION: &str = "26.7.3";

/// Installs Keycloak unless it is there; returns the variable for the stories, if there is one.
pub(crate) fn set_up(root: &Path) -> Option<Variable> {
    let to = root.join("target/clients/keycloak");
    let folder = to.join(format!("keycloak-{VERSION}"));
    let installed = if folder.is_dir() {
        Ok(())
    } else {
        step("installing Keycloak", || install(&to))
    };
    match installed {
        Ok(()) => Some(("BAILIWICK_KEYCLOAK", folder)),
        Err(error) => {
            say(&format!(
                "  left out: the story that needs Keycloak ({error:#})"
            ));
            None
        }
    }
}

fn install(to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    run(quiet("java").arg("-version"))?;
    let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip");
    let mut maven = quiet("mvn");
    maven.args(["-q", "-B", "dependency:copy", &artifact]);
    run(maven.arg(format!("-DoutputDirectory={}", to.display())))?;
    let zip = to.join(format!("keycloak-quarkus-dist-{VERSION}.zip"));
    let mut python = quiet("python3");
    run(python.args(["-m", "zipfile", "-e"]).arg(&zip).arg(to))?;
    fs::remove_file(&zip)?;
    let program = to.join(format!("keycloak-{VERSION}/bin/kc.sh"));
    ensure!(program.is_file(), "the archive has no bin/kc.sh");
    Ok(())
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
