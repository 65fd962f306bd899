//! The features of the engine, as cargo resolves them: a dependency could turn on one that no
//! member asks for.

#![expect(clippy::panic, reason = "what cannot be asked has failed")]

#[path = "../src/targets.rs"]
mod targets;

use std::path::Path;
use std::process::Command;

use targets::TARGETS;

/// The packages that are built: the workspace, or the shipped part of it.
const WORKSPACE: &[&str] = &["--workspace"];
const SHIPPED: &[&str] = &["--package", "bailiwick"];

/// Returns the built packages with this name, each as `name vVERSION feature,feature`.
///
/// Asks for the platforms that `cargo xtask test` fetched. For others, a new machine has not
/// downloaded the crates.
fn resolved(package: &str, members: &[&str], edges: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root)
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(members);
    cargo.args([
        "--edges", edges, "--format", "{p} {f}", "--invert", package, "--depth", "0",
    ]);
    for target in TARGETS {
        cargo.args(["--target", target]);
    }
    let output = cargo
        .output()
        .unwrap_or_else(|error| panic!("cargo cannot be run: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{error}\n`cargo xtask test` fetches what this needs"
    );
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.retain(|line| line.starts_with(package));
    lines.sort();
    lines.dedup();
    lines
}

/// Returns the version and features of the only package with this name.
fn only(package: &str, edges: &str) -> (Vec<u64>, Vec<String>) {
    let lines = resolved(package, WORKSPACE, edges);
    let [line] = lines.as_slice() else {
        panic!("not one {package}: {lines:?}")
    };
    let mut words = line.split_whitespace().skip(1);
    let version = words
        .next()
        .unwrap_or_default()
        .trim_start_matches('v')
        .split('.');
    let version = version
        .map(|number| number.parse().unwrap_or_default())
        .collect();
    let features = words
        .next()
        .unwrap_or_default()
        .split(',')
        .map(str::to_owned)
        .collect();
    (version, features)
}

#[test]
fn the_engine_has_no_feature_that_is_not_used() {
    for edges in ["normal,build", "normal,build,dev"] {
        for (package, allowed) in ALLOWED {
            let (_, features) = only(package, edges);
            let more: Vec<_> = features
                .iter()
                .filter(|name| !allowed.contains(&name.as_str()))
                .collect();
            assert!(
                more.is_empty(),
                "{package} has {more:?}; find who asks: cargo tree -e features -i {package}"
            );
        }
    }
}

#[test]
fn the_engine_is_of_the_line_that_gets_security_fixes() {
    for (package, _) in ALLOWED {
        let (version, _) = only(package, "normal,build,dev");
        assert!(
            version >= vec![48, 0, 8] && version < vec![49],
            "{package} {version:?}"
        );
    }
}

#[test]
fn what_ships_has_no_crate_that_only_tests_need() {
    for package in ["instant", "wasm-mutate"] {
        assert_eq!(
            resolved(package, SHIPPED, "normal,build"),
            Vec::<String>::new()
        );
        assert!(
            !resolved(package, WORKSPACE, "normal,build,dev").is_empty(),
            "{package} is not there at all"
        );
    }
}

#[test]
fn a_macro_that_no_one_maintains_is_not_in_the_program() {
    let lines = |edges| resolved("paste", SHIPPED, edges);
    let [line] = &*lines("normal,build") else {
        panic!("{:?}", lines("normal,build"));
    };
    assert!(line.contains("(proc-macro)"), "{line}");
    assert_eq!(lines("normal,build,no-proc-macro"), Vec::<String>::new());
}

/// Not among them, on purpose: `component-model-async`, `gc`, `threads`, `stack-switching`, `wat`,
/// `cache`, `winch`, `debug`, `profiling`, `coredump`, and anything that `default` adds.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "wasmtime",
        &[
            "async",
            "component-model",
            "cranelift",
            "once_cell",
            "parallel-compilation",
            "pooling-allocator",
            "runtime",
            "std",
            "wasmtime-jit-icache-coherence",
        ],
    ),
    ("wasmtime-wasi", &["p2"]),
];
