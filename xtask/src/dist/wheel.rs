//! A wheel, which carries the programs to wherever Python packages go.
//!
//! <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::{File, Product, below, zip};

/// Packs the programs; returns the name of the wheel, which says where it runs, and the wheel.
pub(super) fn packed(product: &Product) -> Result<(String, Vec<u8>)> {
    let tag = format!("py3-none-{}", platform(product)?);
    let name = format!("bailiwick-{}", product.about.version);
    let mut files: Vec<File> = below(&format!("{name}.data/scripts"), &product.programs).collect();
    files.extend(below(&format!("{name}.data/data/share"), &product.shared));
    let notes = format!("{name}.dist-info");
    files.extend(below(&format!("{notes}/licenses"), &licences(product)));
    files.push(File::text(
        &format!("{notes}/METADATA"),
        &metadata(product)?,
    ));
    let wheel = format!(
        "Wheel-Version: 1.0\nGenerator: bailiwick ({})\nRoot-Is-Purelib: false\nTag: {tag}\n",
        product.about.version
    );
    files.push(File::text(&format!("{notes}/WHEEL"), &wheel));
    let record = format!("{notes}/RECORD");
    let listed = listed(&files, &record)?;
    files.push(File::text(&record, &listed));
    Ok((format!("{name}-{tag}.whl"), zip::packed(&files)?))
}

/// Returns the licences among the texts.
fn licences(product: &Product) -> Vec<File> {
    let mut licences = product.texts.clone();
    licences.retain(|file| file.path.starts_with("LICENSE"));
    licences
}

/// Returns what the package index shows.
fn metadata(product: &Product) -> Result<String> {
    let about = &product.about;
    let mut text = format!(
        "Metadata-Version: 2.4\nName: bailiwick\nVersion: {}\nSummary: {}\n\
         License-Expression: {}\n",
        about.version, about.description, about.license
    );
    for licence in licences(product) {
        writeln!(text, "License-File: {}", licence.path)?;
    }
    let readme = product.texts.iter().find(|file| file.path == "README.md");
    let readme = readme.context("there is no README.md")?;
    text.push_str("Description-Content-Type: text/markdown\n\n");
    text.push_str(str::from_utf8(&readme.bytes)?);
    Ok(text)
}

/// Returns the list of a wheel's files with their sums, and itself without one.
fn listed(files: &[File], own: &str) -> Result<String> {
    let mut lines = String::new();
    for File { path, bytes, .. } in files {
        let sum = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        writeln!(lines, "{path},sha256={sum},{}", bytes.len())?;
    }
    writeln!(lines, "{own},,")?;
    Ok(lines)
}

/// Returns the tag of the machines that have all that the programs need (PEP 600).
fn platform(product: &Product) -> Result<String> {
    let needed = product
        .programs
        .iter()
        .filter_map(|file| glibc(&file.bytes));
    let newest = needed
        .max()
        .context("no program names a version of glibc")?;
    let (machine, _) = product.target.split_once('-').unwrap_or_default();
    Ok(format!("manylinux_2_{}_{machine}", newest.max(OLDEST)))
}

/// Returns the newest version of glibc that a program names: 34 for `GLIBC_2.34`.
fn glibc(program: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    let minor = |at: usize| {
        let rest = program.get(at + MARK.len()..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.count();
        str::from_utf8(rest.get(..length)?).ok()?.parse().ok()
    };
    memmem::find_iter(program, MARK).filter_map(minor).max()
}

/// The oldest glibc for which Rust compiles.
const OLDEST: u32 = 17;

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::dist::sbom::About;

    /// Returns a product of two programs with these bytes.
    pub(crate) fn product(program: &[u8]) -> Product {
        Product {
            about: About {
                version: "1.2.3".to_owned(),
                description: "a host".to_owned(),
                license: "MIT OR Apache-2.0".to_owned(),
            },
            target: "x86_64-unknown-linux-gnu".to_owned(),
            programs: vec![
                File::program("bailiwick", program.to_vec()),
                File::program("bailiwick-dev", program.to_vec()),
            ],
            shared: vec![File::text("man/man1/bailiwick.1", ".TH")],
            texts: vec![
                File::text("LICENSE-MIT", "may"),
                File::text("README.md", "# Bailiwick"),
            ],
        }
    }

    #[test]
    fn the_name_says_which_glibc_the_programs_need() {
        for (program, expected) in [
            (&b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0"[..], "2_34"),
            (b"GLIBC_2.3", "2_17"),
            (b"GLIBC_2.\0GLIBC_2.18", "2_18"),
        ] {
            let (name, _) = packed(&product(program)).unwrap();
            let wanted = format!("bailiwick-1.2.3-py3-none-manylinux_{expected}_x86_64.whl");
            assert_eq!(name, wanted);
        }
        assert!(packed(&product(b"static")).is_err());
        let other = Product {
            target: "aarch64-unknown-linux-gnu".to_owned(),
            ..product(b"GLIBC_2.34")
        };
        let (name, _) = packed(&other).unwrap();
        assert_eq!(name, "bailiwick-1.2.3-py3-none-manylinux_2_34_aarch64.whl");
        assert_eq!(other.name(), "bailiwick-1.2.3-aarch64-unknown-linux-gnu");
    }

    #[test]
    fn a_wheel_is_the_same_each_time_and_lists_its_files() {
        let product = product(b"GLIBC_2.34");
        assert_eq!(packed(&product).unwrap(), packed(&product).unwrap());
        let files = [File::text("a", "text")];
        assert_eq!(
            listed(&files, "RECORD").unwrap(),
            "a,sha256=mC2ePrmW9VnmM_TRlN7zdh2Qn1o7ZH0ahR_q1nwyydE,4\nRECORD,,\n"
        );
        let metadata = metadata(&product).unwrap();
        for line in ["License-File: LICENSE-MIT\n", "\n\n# Bailiwick"] {
            assert!(metadata.contains(line), "{metadata}");
        }
    }
}
