//! One file, looked at without serving it: what it is, what it asks for, and whether it would load.
//!
//! Apart from the story of a call: an author or an operator asks. It goes the same way as loading,
//! so the verdict is the host's own; what it adds is what a refused component says of itself.

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
use crate::sandbox::RawDefinition;

/// What there is to know about a file, with a verdict on it: at first whether it becomes code, then,
/// after `dispatch` has looked at its tools, whether this host would offer them.
pub struct Examined<V = Result<Loaded, LoadError>> {
    /// The component's name: the file's without `.wasm`.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Its size, bytes.
    pub bytes: u64,
    /// The keys that its `.sig` file names, if there is one; nothing of it is verified.
    pub signers: Option<Result<Vec<String>, SignatureError>>,
    /// Everything that it imports, as far as it can be read; text from outside.
    pub imports: Vec<String>,
    /// Its tools as it describes them, if it got that far; text from outside.
    pub tools: Vec<RawDefinition>,
    /// Whether this host would load it, without any grant and whoever signed it.
    pub verdict: V,
}

impl<V> Examined<V> {
    /// The same file with a verdict that follows from the present one.
    pub fn judged<W>(self, judge: impl FnOnce(V) -> W) -> Examined<W> {
        Examined {
            name: self.name,
            digest: self.digest,
            bytes: self.bytes,
            signers: self.signers,
            imports: self.imports,
            tools: self.tools,
            verdict: judge(self.verdict),
        }
    }
}

/// Why a file cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// Its name is not one that the host would take up.
    #[error(
        "its name is not 1 to 64 characters of [A-Za-z0-9_.-] and `.wasm`, so the host passes it over; rename it"
    )]
    Name,
}

/// Looks at the component in `path`.
///
/// # Errors
/// There is nothing to look at.
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
    // The person who names a file answers for the folder that it is in.
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
        tools: intake
            .known(&digest)
            .map(|stored| stored.tools)
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

/// The names of all imports, of a component or of a module.
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
