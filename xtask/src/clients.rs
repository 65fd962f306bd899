//! Independent MCP clients and servers, JOSE libraries, authorization servers and API descriptions,
//! for the stories that meet them.
//!
//! Needs Node with npm, Python, and Chromium or Debian's packages. If one is missing or cannot
//! install, its stories are left out and a line says so. Invariant: nothing is installed outside
//! `target/clients`, and nothing twice.

mod browser;
mod descriptions;
pub(crate) mod keycloak;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::packages::{install_node, install_python};
use crate::step::{run, say, step};

/// A variable for the stories, and its value.
type Variable = (&'static str, PathBuf);

/// A folder of `tests/clients` that can be installed or left out by itself.
struct Client {
    /// The variable with the folder of what is installed.
    variable: &'static str,
    folder: &'static str,
    install: fn(&Path, &Path) -> Result<()>,
}

/// The clients of the gate.
const CLIENTS: [Client; 6] = [
    NODE,
    Client {
        variable: "BAILIWICK_PYTHON_CLIENTS",
        folder: "python",
        install: install_python,
    },
    Client {
        variable: "BAILIWICK_RUST_CLIENT",
        folder: "rust",
        install: build_rust,
    },
    Client {
        variable: "BAILIWICK_INSPECTOR",
        folder: "inspector",
        // It also runs on older Node than it asks for.
        install: |from, to| install_node(from, to, &["ci"]),
    },
    SUITE,
    Client {
        variable: "BAILIWICK_DESCRIPTIONS",
        folder: "descriptions",
        install: descriptions::fetch,
    },
];

/// The clients on Node, and an authorization server.
const NODE: Client = Client {
    variable: "BAILIWICK_NODE_CLIENTS",
    folder: "node",
    install: |from, to| install_node(from, to, &["ci", "--engine-strict"]),
};

/// The official conformance suite.
const SUITE: Client = Client {
    variable: "BAILIWICK_CONFORMANCE",
    folder: "conformance",
    install: |from, to| install_node(from, to, &["ci"]),
};

/// The clients of `cargo xtask deep clients`.
const OLD: [Client; 3] = [
    Client {
        variable: "BAILIWICK_OLD_NODE_CLIENTS",
        folder: "old",
        install: |from, to| install_node(from, to, &["ci", "--engine-strict"]),
    },
    Client {
        variable: "BAILIWICK_OLD_PYTHON_CLIENTS",
        folder: "old-python",
        install: install_python,
    },
    FASTMCP,
];

/// `FastMCP`, as a client and as a server.
const FASTMCP: Client = Client {
    variable: "BAILIWICK_FASTMCP",
    folder: "fastmcp",
    install: install_python,
};

/// The servers of `cargo xtask deep remote`.
const REMOTE: [Client; 2] = [
    FASTMCP,
    Client {
        variable: "BAILIWICK_REMOTE_SERVERS",
        folder: "servers",
        install: |from, to| install_node(from, to, &["ci", "--engine-strict"]),
    },
];

/// Installs what can be installed for the gate; returns the variables for the stories.
pub(crate) fn set_up(root: &Path) -> Vec<Variable> {
    let mut there = installed(root, &CLIENTS);
    there.extend(browser::set_up(root));
    there
}

/// Installs what the conformance suite needs, if it can be; returns the variables for its stories.
pub(crate) fn set_up_suite(root: &Path) -> Vec<Variable> {
    installed(root, &[NODE, SUITE])
}

/// Returns true if nothing of the gate was left out.
pub(crate) fn is_whole(there: &[Variable]) -> bool {
    there.len() > CLIENTS.len()
}

/// Installs what can be installed for the section `clients`; returns the variables for the stories.
pub(crate) fn set_up_old(root: &Path) -> Vec<Variable> {
    installed(root, &OLD)
}

/// Installs what can be installed for the section `remote`; returns the variables for the stories.
pub(crate) fn set_up_remote(root: &Path) -> Vec<Variable> {
    installed(root, &REMOTE)
}

fn installed(root: &Path, clients: &[Client]) -> Vec<Variable> {
    let mut there = Vec::new();
    for client in clients {
        let from = root.join("tests/clients").join(client.folder);
        let to = root.join("target/clients").join(client.folder);
        match (client.install)(&from, &to) {
            Ok(()) => there.push((client.variable, to)),
            Err(error) => say(&format!(
                "  left out: the stories that need tests/clients/{} ({error:#})",
                client.folder
            )),
        }
    }
    there
}

/// Builds with cargo, which knows itself what is built.
fn build_rust(from: &Path, to: &Path) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(from)
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(to)
        .stdin(Stdio::null());
    step("building the Rust client", || run(&mut cargo))
}
