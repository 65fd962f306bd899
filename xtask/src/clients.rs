//! Independent MCP clients, JOSE libraries and authorization servers, for the stories that meet
//! them.
//!
//! Needs Node with npm, and Python. If one is missing or cannot install, its stories are left out
//! and a line says so. Invariant: nothing is installed outside `target/clients`, and nothing twice.

use std::path::{Path, PathBuf};

use crate::packages::{install_node, install_python};
use crate::step::say;

/// The variable with the folder of the Node packages for the stories.
const NODE: &str = "BAILIWICK_NODE_CLIENTS";

/// The variable with the folder of the Python environment for the stories.
const PYTHON: &str = "BAILIWICK_PYTHON_CLIENTS";

/// Installs what can be installed; returns the variables for the stories.
pub(crate) fn set_up(root: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut there = Vec::new();
    for (variable, language) in [(NODE, "node"), (PYTHON, "python")] {
        let from = root.join("tests/clients").join(language);
        let to = root.join("target/clients").join(language);
        let installed = if variable == NODE {
            install_node(&from, &to, "ci")
        } else {
            install_python(&from, &to)
        };
        match installed {
            Ok(()) => there.push((variable, to)),
            Err(error) => say(&format!(
                "  left out: the stories that need {language} packages ({error:#})"
            )),
        }
    }
    there
}
