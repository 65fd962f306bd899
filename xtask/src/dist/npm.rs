//! A package for npm, whose commands are the programs themselves.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{File, Product, below, tar};

/// Packs the programs; returns the name of the package's file, and the file.
pub(super) fn packed(product: &Product) -> Result<(String, Vec<u8>)> {
    let mut files = vec![File::text("package.json", &manifest(product)?)];
    files.extend(below("bin", &product.programs));
    files.extend(product.texts.iter().cloned());
    // npm expects exactly this folder.
    let files: Vec<File> = below("package", &files).collect();
    let name = format!("bailiwick-{}-{}.tgz", product.about.version, cpu(product)?);
    Ok((name, tar::packed(&files)?))
}

/// Returns `package.json`. npm installs the package on no other kind of machine.
fn manifest(product: &Product) -> Result<String> {
    let commands: Map<String, Value> = product
        .programs
        .iter()
        .map(|file| (file.path.clone(), format!("bin/{}", file.path).into()))
        .collect();
    let manifest = json!({
        "name": "bailiwick",
        "version": product.about.version,
        "description": product.about.description,
        "license": product.about.license,
        "bin": commands,
        "os": ["linux"],
        "cpu": [cpu(product)?],
        "libc": ["glibc"],
    });
    Ok(format!("{manifest:#}\n"))
}

/// Returns npm's name of the kind of machine.
fn cpu(product: &Product) -> Result<&'static str> {
    let (machine, _) = product.target.split_once('-').unwrap_or_default();
    let known = [("x86_64", "x64"), ("aarch64", "arm64")];
    let cpu = known.iter().find(|(name, _)| *name == machine);
    let (_, cpu) = cpu.with_context(|| format!("npm has no name for {machine}"))?;
    Ok(cpu)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::dist::wheel::tests::product;

    #[test]
    fn npm_learns_every_program_and_the_kind_of_machine() {
        let manifest: Value = serde_json::from_str(&manifest(&product(b"")).unwrap()).unwrap();
        assert_eq!(
            manifest.get("bin"),
            Some(&json!({"bailiwick": "bin/bailiwick", "bailiwick-dev": "bin/bailiwick-dev"}))
        );
        assert_eq!(manifest.get("cpu"), Some(&json!(["x64"])));
        for (target, expected, file) in [
            ("x86_64-unknown-linux-gnu", "x64", "bailiwick-1.2.3-x64.tgz"),
            (
                "aarch64-unknown-linux-gnu",
                "arm64",
                "bailiwick-1.2.3-arm64.tgz",
            ),
        ] {
            let product = Product {
                target: target.to_owned(),
                ..product(b"")
            };
            assert_eq!(cpu(&product).unwrap(), expected);
            assert_eq!(packed(&product).unwrap().0, file);
        }
        let other = Product {
            target: "riscv64gc-unknown-linux-gnu".to_owned(),
            ..product(b"")
        };
        assert!(super::manifest(&other).is_err());
    }
}
