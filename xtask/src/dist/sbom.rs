//! What the programs are made of, as a bill of materials (`CycloneDX` 1.6).
//!
//! Invariant: it lists the packages whose code is in the programs, with the features of a release,
//! and none that only builds or tests them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::Project;
use crate::step::read;

/// What cargo knows about the package `bailiwick`.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) version: String,
    pub(super) description: String,
    /// As an SPDX expression.
    pub(super) license: String,
}

/// A package: its name and its version.
type Package = (String, String);

/// Returns what is known about the first of the packages, and the bill of them all.
pub(super) fn bill(project: &Project, target: &str, roots: &[&str]) -> Result<(About, String)> {
    let mut cargo = project.cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    let known = serde_json::from_str(&read(cargo.args(["--filter-platform", target]))?)?;
    let mut cargo = project.cargo();
    cargo.args(["tree", "--locked", "--prefix", "none", "--format", "{p}"]);
    cargo.args(["--edges", "normal,no-proc-macro", "--target", target]);
    for root in roots {
        cargo.args(["--package", root]);
    }
    let (about, bill) = of(&known, &shipped(&read(&mut cargo)?), roots)?;
    Ok((about, format!("{bill:#}\n")))
}

/// Reads the packages that `cargo tree` prints, each as `name vVERSION`.
fn shipped(tree: &str) -> BTreeSet<Package> {
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some((name.to_owned(), version.to_owned()))
    };
    tree.lines().filter_map(package).collect()
}

/// Returns the bill of some packages out of all that cargo knows.
fn of(known: &Value, shipped: &BTreeSet<Package>, roots: &[&str]) -> Result<(About, Value)> {
    let mut packages: Vec<(Package, &Value)> = list(known, "/packages")
        .iter()
        .map(|package| (named(package), package))
        .collect();
    packages.retain(|(package, _)| shipped.contains(package));
    packages.sort_by(|(one, _), (other, _)| one.cmp(other));
    ensure!(
        packages.len() == shipped.len(),
        "cargo lists {} packages of the programs, but knows {}",
        shipped.len(),
        packages.len()
    );
    let mut needs = Vec::new();
    for (package, value) in &packages {
        let mut needed = needed(known, value.get("id"));
        needed.retain(|other| shipped.contains(other));
        let needed: Vec<String> = needed.iter().map(reference).collect();
        needs.push(json!({"ref": reference(package), "dependsOn": needed}));
    }
    let mut own: Vec<&Package> = Vec::new();
    for root in roots {
        let found = packages.iter().find(|((name, _), _)| name == root);
        let (package, _) = found.with_context(|| format!("cargo does not know {root}"))?;
        own.push(package);
    }
    let first = packages
        .iter()
        .find(|(package, _)| own.first() == Some(&package));
    let (_, first) = first.context("no package is shipped")?;
    let about = about(first)?;
    own.sort();
    let own: Vec<String> = own.into_iter().map(reference).collect();
    needs.insert(0, json!({"ref": PROGRAMS, "dependsOn": own}));
    let components: Vec<Value> = packages
        .iter()
        .map(|(package, value)| component(package, value))
        .collect();
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "bom-ref": PROGRAMS,
            "name": "bailiwick",
            "version": about.version,
            "description": about.description,
            "licenses": [{"expression": about.license}],
        }},
        "components": components,
        "dependencies": needs,
    });
    Ok((about, bill))
}

fn about(package: &Value) -> Result<About> {
    let text = |key: &str| {
        let text = package.get(key).and_then(Value::as_str).map(str::to_owned);
        text.with_context(|| format!("the package bailiwick has no {key}"))
    };
    Ok(About {
        version: text("version")?,
        description: text("description")?,
        license: text("license")?,
    })
}

/// Describes a package. One that is in no registry has no URL of it.
fn component((name, version): &Package, package: &Value) -> Value {
    let reference = reference(&(name.clone(), version.clone()));
    let known = [
        ("type", "library"),
        ("bom-ref", &reference),
        ("name", name),
        ("version", version),
    ];
    let known = known.map(|(key, value)| (key.to_owned(), Value::from(value)));
    let mut component = Map::from_iter(known);
    if package.get("source").is_some_and(Value::is_string) {
        let version = version.replace('+', "%2B");
        let url = format!("pkg:cargo/{name}@{version}");
        component.insert("purl".to_owned(), url.into());
    }
    if let Some(license) = package.get("license").and_then(Value::as_str) {
        // Older packages write the choice in a way that is no SPDX expression.
        let words: Vec<&str> = license.split('/').map(str::trim).collect();
        let license = json!([{"expression": words.join(" OR ")}]);
        component.insert("licenses".to_owned(), license);
    }
    component.into()
}

/// Returns the packages that the code of one with this id uses.
fn needed(known: &Value, id: Option<&Value>) -> BTreeSet<Package> {
    let nodes = list(known, "/resolve/nodes");
    let uses = nodes.iter().filter(|node| node.get("id") == id);
    let uses = uses.flat_map(|node| list(node, "/deps")).filter(|used| {
        let kinds = list(used, "/dep_kinds");
        kinds
            .iter()
            .any(|kind| kind.get("kind") == Some(&Value::Null))
    });
    let package = |used: &Value| {
        let mut packages = list(known, "/packages").iter();
        packages.find(|package| package.get("id") == used.get("pkg"))
    };
    uses.filter_map(package).map(named).collect()
}

fn named(package: &Value) -> Package {
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("name").to_owned(), text("version").to_owned())
}

/// Returns what stands for a package within the bill.
fn reference((name, version): &Package) -> String {
    format!("{name}@{version}")
}

/// Returns the list at a path (RFC 6901), or an empty one.
fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    let list = value.pointer(path).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// What stands for the programs within the bill.
const PROGRAMS: &str = "programs";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn known() -> Value {
        let package = |name: &str, version: &str, license: &str, source: Value| {
            json!({
                "id": format!("{name}#{version}"), "name": name, "version": version,
                "license": license, "source": source, "description": "what it is",
            })
        };
        let normal = |id: &str| json!({"pkg": id, "dep_kinds": [{"kind": null}]});
        json!({
            "packages": [
                package("one", "1.0.0+x", "MIT/Apache-2.0", "registry".into()),
                package("host", "0.1.0", "MIT", Value::Null),
                package("maker", "3.0.0", "MIT", "registry".into()),
                package("one", "2.0.0", "ISC", "registry".into()),
            ],
            "resolve": {"nodes": [
                {"id": "host#0.1.0", "deps": [
                    normal("one#2.0.0"),
                    normal("one#1.0.0+x"),
                    {"pkg": "maker#3.0.0", "dep_kinds": [{"kind": "build"}]},
                ]},
                {"id": "one#2.0.0", "deps": [normal("one#1.0.0+x"), normal("maker#3.0.0")]},
            ]},
        })
    }

    const TREE: &str = "host v0.1.0 (/src/host)\none v2.0.0\none v1.0.0+x\n\none v1.0.0+x (*)\n";

    #[test]
    fn a_bill_has_what_is_in_the_programs_and_nothing_else() {
        let (about, bill) = of(&known(), &shipped(TREE), &["host"]).unwrap();
        assert_eq!(about.version, "0.1.0");
        assert_eq!(
            bill.get("components").unwrap(),
            &json!([
                {"type": "library", "bom-ref": "host@0.1.0", "name": "host", "version": "0.1.0",
                 "licenses": [{"expression": "MIT"}]},
                {"type": "library", "bom-ref": "one@1.0.0+x", "name": "one", "version": "1.0.0+x",
                 "purl": "pkg:cargo/one@1.0.0%2Bx",
                 "licenses": [{"expression": "MIT OR Apache-2.0"}]},
                {"type": "library", "bom-ref": "one@2.0.0", "name": "one", "version": "2.0.0",
                 "purl": "pkg:cargo/one@2.0.0", "licenses": [{"expression": "ISC"}]},
            ])
        );
        assert_eq!(
            bill.get("dependencies").unwrap(),
            &json!([
                {"ref": "programs", "dependsOn": ["host@0.1.0"]},
                {"ref": "host@0.1.0", "dependsOn": ["one@1.0.0+x", "one@2.0.0"]},
                {"ref": "one@1.0.0+x", "dependsOn": []},
                {"ref": "one@2.0.0", "dependsOn": ["one@1.0.0+x"]},
            ])
        );
    }

    #[test]
    fn a_package_that_cargo_does_not_know_is_not_left_out() {
        let tree = format!("{TREE}stranger v1.0.0\n");
        assert!(of(&known(), &shipped(&tree), &["host"]).is_err());
        assert!(of(&known(), &shipped(TREE), &["guest"]).is_err());
    }
}
