//! `bailiwick sign`: states with a key that a file is the component of its name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bailiwick::envelope::{make_key, read_key};
use bailiwick::intake::{is_component_name, sign, signature_of, signer_key};
use bailiwick::owned;
use bailiwick::seams::SystemRandom;
use bailiwick_envelope::SigningKey;

use super::page::Page;

/// The command line of `bailiwick sign`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The components to sign.
    #[arg(value_name = "FILE.wasm", required_unless_present = "new_key", value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The private key to sign with.
    #[arg(long, value_name = "KEYFILE", required_unless_present = "new_key", value_hint = clap::ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Make a private key in this new file, and print its section of the configuration.
    #[arg(long, value_name = "KEYFILE", conflicts_with_all = ["files", "key"], value_hint = clap::ValueHint::FilePath)]
    new_key: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    if let Some(path) = &args.new_key {
        return new_key(path, page);
    }
    let key = read_key(args.key.as_deref().context("--key is missing")?)?;
    // All files are read before one is signed, so that a bad name leaves no signature behind.
    let read: Vec<_> = args
        .files
        .iter()
        .map(|file| component(file))
        .collect::<anyhow::Result<_>>()?;
    for (file, (name, bytes)) in args.files.iter().zip(read) {
        let beside = signature_of(file);
        // A watching host sees the old signature or the new one.
        owned::replace(&beside, sign(&name, &bytes, &key)?.as_bytes())
            .with_context(|| format!("{} cannot be written", beside.display()))?;
        page.line(&format!("{} signs {name}", beside.display()))?;
    }
    page.line(&format!("with the key {}", signer_key(&key)?))?;
    Ok(())
}

fn new_key(path: &Path, page: &mut Page<'_>) -> anyhow::Result<()> {
    ensure!(
        !path.exists(),
        "{} already exists; a key is never replaced",
        path.display()
    );
    let key = make_key(path, &SystemRandom)?;
    // A key whose section was never printed would only be in the way of the next attempt.
    section(path, &key, page).inspect_err(|_| _ = fs::remove_file(path))
}

/// Prints the configuration's section for a key.
fn section(path: &Path, key: &SigningKey, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.line(&format!(
        "{} is a private key: anyone who has it can sign. In the configuration:",
        path.display()
    ))?;
    page.line("")?;
    page.line("[signers.NAME]")?;
    page.line(&format!("key = \"{}\"", signer_key(key)?))?;
    page.line("components = [\"...\"]")?;
    page.line("services = []")?;
    page.flush()?;
    Ok(())
}

/// Reads a component, and returns its name and bytes.
fn component(file: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_suffix(".wasm"));
    let name = name
        .filter(|name| is_component_name(name))
        .with_context(|| {
            format!(
                "{} is not named like a component; expected 1 to 64 of [A-Za-z0-9_.-] and .wasm",
                file.display()
            )
        })?;
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(
        bytes.starts_with(b"\0asm"),
        "{} is not WebAssembly",
        file.display()
    );
    Ok((name.to_owned(), bytes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn said(args: &Args) -> anyhow::Result<String> {
        let mut bytes = Vec::new();
        run(args, &mut Page::new(&mut bytes, false))?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_new_key_is_private_never_replaced_and_signs_under_the_name_that_it_says() {
        let temp = tempfile::tempdir().unwrap();
        let (path, file) = (
            temp.path().join("release.pem"),
            temp.path().join("orders.wasm"),
        );
        let made = || {
            said(&Args {
                files: vec![],
                key: None,
                new_key: Some(path.clone()),
            })
        };
        let told = made().unwrap();
        let line = told
            .lines()
            .find_map(|line| line.strip_prefix("key = "))
            .unwrap()
            .trim_matches('"')
            .to_owned();
        assert!(line.starts_with("bailiwick-component+"), "{told}");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(made().unwrap_err().to_string().contains("never replaced"));

        fs::write(&file, b"\0asm and so on").unwrap();
        let signed = said(&Args {
            files: vec![file.clone()],
            key: Some(path.clone()),
            new_key: None,
        })
        .unwrap();
        assert!(
            signed.contains("signs orders") && signed.contains(&line),
            "{signed}"
        );
        let note = fs::read_to_string(signature_of(&file)).unwrap();
        assert!(
            note.starts_with("bailiwick component signature v1\norders\nsha256:"),
            "{note}"
        );
    }

    #[test]
    fn a_key_whose_section_cannot_be_printed_is_not_left_behind() {
        struct Closed;
        impl std::io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("release.pem");
        let args = Args {
            files: vec![],
            key: None,
            new_key: Some(path.clone()),
        };
        assert!(run(&args, &mut Page::new(&mut Closed, false)).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn what_is_not_a_component_is_not_signed_and_nothing_else_is_either() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        said(&Args {
            files: vec![],
            key: None,
            new_key: Some(at("k")),
        })
        .unwrap();
        fs::write(at("good.wasm"), b"\0asm").unwrap();
        fs::write(at("text.wasm"), b"#!/bin/sh").unwrap();
        for name in ["text.wasm", "absent.wasm", "good.txt", ".wasm"] {
            let args = Args {
                files: vec![at("good.wasm"), at(name)],
                key: Some(at("k")),
                new_key: None,
            };
            assert!(said(&args).is_err(), "{name}");
            assert!(!at("good.wasm.sig").exists(), "{name}");
        }
    }
}
