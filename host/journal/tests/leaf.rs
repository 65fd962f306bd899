//! The journal is a leaf: an auditor need not build, or trust, a sandbox or a network.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// Crates that must not be in the tree. Each stands for its family, such as `wasmtime-wasi`.
const FORBIDDEN: [&str; 11] = [
    "wasmtime",
    "wasmparser",
    "cranelift",
    "rmcp",
    "hyper",
    "http",
    "rustls",
    "h2",
    "reqwest",
    "mio",
    "socket2",
];

#[test]
fn neither_a_sandbox_nor_a_network_is_in_its_tree() {
    let asked = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            "bailiwick-journal",
        ])
        .args([
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{lib}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success(), "{said}");
    let tree = String::from_utf8(asked.stdout).unwrap();
    let names: Vec<_> = tree.lines().map(|name| name.replace('_', "-")).collect();
    assert!(
        names.iter().any(|name| name == "bailiwick-envelope"),
        "{tree}"
    );
    let is_one_of = |name: &str, family: &str| {
        let rest = name.strip_prefix(family);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let found: Vec<_> = names
        .iter()
        .filter(|name| FORBIDDEN.iter().any(|family| is_one_of(name, family)))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
