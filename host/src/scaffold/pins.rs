//! Every package that a new project installs is pinned by a hash.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::{LIST, PYTHON_SDK, TYPESCRIPT_SDK, TYPESCRIPT_TEMPLATE};

fn file(files: &[(&str, &'static str)], name: &str) -> &'static str {
    files.iter().find(|(file, _)| *file == name).unwrap().1
}

/// Returns the packages of a list of npm that have no hash. The SDK is a folder of the project.
fn without_integrity(list: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(list).unwrap();
    let packages = list["packages"].as_object().unwrap();
    let pinned = |package: &Value| {
        let hash = package["integrity"].as_str().unwrap_or_default();
        let is_own = package["resolved"] == "file:vendor/bailiwick-sdk";
        hash.starts_with("sha512-") || is_own
    };
    let unpinned = packages
        .iter()
        .filter(|(name, package)| !name.is_empty() && !pinned(package));
    unpinned.map(|(name, _)| name.clone()).collect()
}

/// Returns the names in a list of pip, and the requirements that have no version or no hash.
fn requirements(list: &str) -> (BTreeSet<String>, Vec<String>) {
    let list = list.replace("\\\n", " ");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let (mut names, mut unpinned) = (BTreeSet::new(), Vec::new());
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match line.split_once("==") {
            Some((name, rest)) if rest.contains("--hash=sha256:") => {
                names.insert(name.to_owned());
            }
            _ => unpinned.push(line.to_owned()),
        }
    }
    (names, unpinned)
}

#[test]
fn each_package_of_npm_has_a_hash() {
    let list = file(TYPESCRIPT_TEMPLATE, LIST);
    assert_eq!(without_integrity(list), [""; 0]);
    assert!(!list.contains("https://registry."), "whose registry it is");
    let broken = list.replacen("\"integrity\"", "\"other\"", 1);
    assert_eq!(without_integrity(&broken).len(), 1, "one is missed");
}

#[test]
fn the_list_of_npm_is_that_of_the_manifests() {
    let list: Value = serde_json::from_str(file(TYPESCRIPT_TEMPLATE, LIST)).unwrap();
    let manifest = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let template = file(TYPESCRIPT_TEMPLATE, "package.json");
    let template = manifest(&template.replace("{{sdk}}", "file:vendor/bailiwick-sdk"));
    let sdk = manifest(file(TYPESCRIPT_SDK, "package.json"));
    for (name, manifest, members) in [
        ("", template, ["dependencies", "devDependencies"]),
        (
            "node_modules/bailiwick-sdk",
            sdk,
            ["version", "dependencies"],
        ),
    ] {
        for member in members {
            let listed = &list["packages"][name][member];
            assert_eq!(*listed, manifest[member], "npm run lock: {name} {member}");
        }
    }
}

#[test]
fn each_package_of_pip_has_a_version_and_a_hash() {
    let list = file(PYTHON_SDK, "requirements.txt");
    let (names, unpinned) = requirements(list);
    assert_eq!(unpinned, [""; 0]);
    for needed in ["componentize-py", "editables", "hatchling", "pytest"] {
        assert!(names.contains(needed), "{needed}");
    }
    for broken in ["\npip\n", "\npip==1\n", "\npip>=1 --hash=sha256:0\n"] {
        let (_, unpinned) = requirements(&format!("{list}{broken}"));
        assert_eq!(unpinned, [broken.trim()]);
    }
    let project: toml::Table = toml::from_str(file(PYTHON_SDK, "pyproject.toml")).unwrap();
    let compiler = &project["project"]["optional-dependencies"]["build"][0];
    let compiler = compiler.as_str().unwrap();
    assert!(list.contains(&format!("\n{compiler} ")), "{compiler}");
}
