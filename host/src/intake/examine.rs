//! One file, examined without serving it: its contents, its needs, and whether it would load.
//!
//! No part of a call's story: an author or an operator asks. The file goes the same way as in
//! loading, so the verdict is the host's own; this module adds the description that a refused
//! component gives of itself.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use wasmparser::{Parser, Payload};

use super::candidate::{Candidate, is_component_name};
use super::error::LoadError;
use super::loader::{Intake, Loaded};
use super::signature::{self, SignatureError, digest};
use super::signers::Signers;
use super::terms::CodeTerms;
use crate::note;
use crate::owned::Trust;
use crate::sandbox::Description;

/// The facts about a file, with a verdict on it: first whether it becomes code, then, once
/// `dispatch` has checked its tools, whether this host would offer them.
pub struct Examined<V = Result<Loaded, LoadError>> {
    /// The component's name: the file's without `.wasm`.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The keys that its `.sig` file names, if there is one; nothing of it is verified.
    pub signers: Option<Result<Vec<String>, SignatureError>>,
    /// All imports, as far as they can be read; text from outside.
    pub imports: Vec<String>,
    /// The component's description of itself, if it got that far; text from outside.
    pub description: Description,
    /// The verdict: would this host load it, without any grant and whatever its signature?
    pub verdict: V,
}

impl<V> Examined<V> {
    /// Returns the same file with a verdict that follows from the present one.
    pub fn judged<W>(self, judge: impl FnOnce(V) -> W) -> Examined<W> {
        Examined {
            name: self.name,
            digest: self.digest,
            bytes: self.bytes,
            signers: self.signers,
            imports: self.imports,
            description: self.description,
            verdict: judge(self.verdict),
        }
    }
}

/// The reasons for which a file cannot be examined.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The host would not accept the name.
    #[error("expected a file name of 1 to 64 characters of [A-Za-z0-9_.-] and `.wasm`; rename it")]
    Name,
}

/// Examines the component in `path`.
///
/// # Errors
/// Fails if there is no file to examine.
pub async fn examine(intake: &Intake, path: &Path) -> Result<Examined, ExamineError> {
    let file = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let bytes = fs::read(path).map_err(ExamineError::Read)?;
    let name = file
        .strip_suffix(".wasm")
        .filter(|name| is_component_name(name))
        .ok_or(ExamineError::Name)?;
    let candidate = Candidate {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    // The person who names a file answers for its folder.
    let folder = path.canonicalize().map_err(ExamineError::Read)?;
    let trust = Trust::default().and_folder(folder.parent().unwrap_or(Path::new("/")));
    let terms = CodeTerms {
        trust: &trust,
        signers: &Signers::default(),
        digest: None,
        services: BTreeSet::new(),
    };
    let verdict = intake.load_noted(&candidate, &terms, None).await;
    let digest = digest(&bytes);
    Ok(Examined {
        signers: signers(path, &trust),
        description: intake
            .known(&digest)
            .map(|stored| stored.description)
            .unwrap_or_default(),
        imports: imports(&bytes),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        name: candidate.name,
        digest,
        verdict: verdict.map_err(|refused| refused.cause),
    })
}

/// Returns the keys that the signature of the component in `path` names, if there is one.
fn signers(path: &Path, trust: &Trust) -> Option<Result<Vec<String>, SignatureError>> {
    let claimed = |note: String| note::claimed(&note).ok_or(SignatureError::Malformed);
    signature::read(path, trust)
        .transpose()
        .map(|note| note.and_then(claimed))
}

/// Returns the names of all imports, of a component or of a module.
fn imports(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::Version { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentImportSection(section)) if depth == 1 => {
                names.extend(
                    section
                        .into_iter()
                        .flatten()
                        .map(|import| import.name.name.to_owned()),
                );
            }
            Ok(Payload::ImportSection(section)) if depth == 1 => {
                let of =
                    |import: wasmparser::Import<'_>| format!("{}#{}", import.module, import.name);
                names.extend(section.into_imports().flatten().map(of));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_imports_are_named_and_inner_ones_are_not() {
        for (wat, named) in [
            ("(component)", &[][..]),
            (
                r#"(component (import "a:b/c@1.0.0" (instance)) (import "d" (func)))"#,
                &["a:b/c@1.0.0", "d"],
            ),
            (
                r#"(component (component (import "a:b/c@1.0.0" (instance))))"#,
                &[],
            ),
            (r#"(component (core module (import "x" "y" (func))))"#, &[]),
            (r#"(module (import "env" "open" (func)))"#, &["env#open"]),
        ] {
            assert_eq!(
                imports(&wat::parse_str(wat).unwrap_or_default()),
                named,
                "{wat}"
            );
        }
        assert!(imports(b"#!/bin/sh").is_empty());
    }
}
