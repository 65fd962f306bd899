//! A component's imports and its parts, read before a byte of it is compiled.
//!
//! Linking is not a policy: an import of types alone links silently. So the names are compared
//! here, and a component that asks for anything else does not load.

mod needs;
mod parts;

use wasmparser::{BinaryReaderError, ComponentExternalKind, ComponentTypeRef, Encoding, Payload};

use crate::characters::printable;
use crate::sandbox::Tier;
use crate::sandbox::wasi;
use needs::Needs;

/// The findings in an acceptable component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Its imports, all of `bailiwick:tool` or of the compatibility tier.
    pub imports: Vec<String>,
    /// True if it imports WASI.
    pub wasi: bool,
    /// The engine that suits it.
    pub tier: Tier,
}

/// The reasons for which a file is no component that this host runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file is not WebAssembly, or is precompiled.
    #[error("it is not a WebAssembly component")]
    NotWasm,
    /// The file is a core module.
    #[error("it is a core module, not a component; `bailiwick build` makes components")]
    CoreModule,
    /// The file is malformed.
    #[error("it is malformed: {0}")]
    Malformed(String),
    /// The component was built for another version of the interface.
    #[error(
        "it was built for bailiwick:tool@{found}, and this host runs 0.2: rebuild it with version \
         0.2 of the SDK, or {or}"
    )]
    Version {
        /// The version that the component names.
        found: String,
        /// The other way out.
        or: &'static str,
    },
    /// The component has an import outside the world.
    #[error("it imports {name}, which no tool gets{hint}")]
    Import {
        /// The name of the import.
        name: String,
        /// Advice on doing without it.
        hint: &'static str,
    },
    /// The component has nothing to ask for.
    #[error("it does not export the tools, resources or prompts of bailiwick:tool@0.2.0")]
    NoTargets,
}

impl From<BinaryReaderError> for Refused {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error.message().to_owned())
    }
}

/// Reads the imports and exports of `bytes`.
///
/// # Errors
/// Fails if they are no component of the interface.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, Refused> {
    if !bytes.starts_with(b"\0asm") {
        return Err(Refused::NotWasm);
    }
    let mut found = Surface::default();
    parts::visit(bytes, |depth, part| found.add(depth, part))?;
    if !found.has_targets {
        return Err(Refused::NoTargets);
    }
    let wasi = found.imports.iter().any(|name| wasi::is_granted(name));
    Ok(Inspected {
        tier: found.needs.tier(wasi),
        imports: found.imports,
        wasi,
    })
}

#[derive(Default)]
struct Surface {
    imports: Vec<String>,
    /// True if it exports something that a client can ask for.
    has_targets: bool,
    needs: Needs,
}

impl Surface {
    fn add(&mut self, depth: usize, part: Payload<'_>) -> Result<(), Refused> {
        match part {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 1 => Err(Refused::CoreModule),
            Payload::ComponentImportSection(section) if depth == 1 => self.imports(section),
            Payload::ComponentExportSection(section) if depth == 1 => self.exports(section),
            other => Ok(self.needs.count(depth, other)?),
        }
    }

    fn imports(
        &mut self,
        section: wasmparser::ComponentImportSectionReader<'_>,
    ) -> Result<(), Refused> {
        for import in section {
            let import = import?;
            let name = import.name.name;
            refuse_other_version(name)?;
            let instance = matches!(import.ty, ComponentTypeRef::Instance(_));
            let known =
                IMPORTS.iter().any(|known| is_version_of(name, known)) || wasi::is_granted(name);
            if !instance || import.name.implements.is_some() || !known {
                return Err(Refused::Import {
                    name: printable(name),
                    hint: hint(name),
                });
            }
            self.imports.push(name.to_owned());
        }
        Ok(())
    }

    fn exports(
        &mut self,
        section: wasmparser::ComponentExportSectionReader<'_>,
    ) -> Result<(), Refused> {
        for export in section {
            let export = export?;
            refuse_other_version(export.name.name)?;
            let instance = export.kind == ComponentExternalKind::Instance;
            let is_target = |known: &&str| is_version_of(export.name.name, known);
            self.has_targets |= instance && TARGETS.iter().any(is_target);
        }
        Ok(())
    }
}

/// Refuses a component that names an interface of ours in another version than 0.2. Until 1.0 the
/// host knows one version at a time, because the records of two versions do not fit together.
fn refuse_other_version(name: &str) -> Result<(), Refused> {
    let version = name
        .strip_prefix("bailiwick:tool/")
        .and_then(|rest| rest.split_once('@'))
        .map(|(_, version)| version);
    match version {
        Some(version) if !version.starts_with("0.2.") => Err(Refused::Version {
            found: printable(version),
            or: if version.starts_with("0.1.") {
                "against wit/ of this release"
            } else {
                "update the host"
            },
        }),
        _ => Ok(()),
    }
}

/// Returns true if `name` is `interface@0.2.N`.
fn is_version_of(name: &str, interface: &str) -> bool {
    let patch = name
        .strip_prefix(interface)
        .and_then(|rest| rest.strip_prefix("@0.2."));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns advice on doing without an interface that no tool gets.
fn hint(name: &str) -> &'static str {
    let asks = |prefix: &str| name.starts_with(prefix);
    if asks("wasi:sockets") || asks("wasi:http") {
        "; a tool has no network: reach a service through bailiwick:tool/downstream, which acts for the call's user, \
         and build without it (Rust: `bailiwick build`; JavaScript: componentize-qjs --stub-wasi, or componentize-js \
         with disableFeatures 'http' and 'fetch-event'; Python: componentize-py --stub-wasi)"
    } else if asks("wasi:") {
        "; the compatibility tier has exactly the interfaces in docs/wasi.md, in version 0.2; build without it (Rust: \
         `bailiwick build`, which links no WASI; JavaScript and Python: --stub-wasi)"
    } else {
        "; a tool may import the interfaces of bailiwick:tool@0.2 and those in docs/wasi.md, and nothing else"
    }
}

/// The exports of which a component needs one.
const TARGETS: &[&str] = &[
    "bailiwick:tool/tools",
    "bailiwick:tool/resources",
    "bailiwick:tool/prompts",
];
const IMPORTS: &[&str] = &[
    "bailiwick:tool/types",
    "bailiwick:tool/identity",
    "bailiwick:tool/client",
    "bailiwick:tool/downstream",
    "bailiwick:tool/log",
    "bailiwick:tool/progress",
    "bailiwick:tool/clock",
    "bailiwick:tool/random",
    "bailiwick:tool/settings",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(wat: &str) -> String {
        let bytes = wat::parse_str(wat).unwrap_or_default();
        inspect(&bytes)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn anything_but_a_component_of_the_world_is_refused_with_what_it_asked_for() {
        for (wat, why) in [
            ("(module)", "core module"),
            ("(component)", "does not export"),
            (
                r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#,
                "wasi:sockets/tcp@0.2.0",
            ),
            (
                r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#,
                "downstream",
            ),
            (
                r#"(component (import "wasi:cli/run@0.2.0" (instance)))"#,
                "docs/wasi.md",
            ),
            (
                r#"(component (import "wasi:cli/environment@0.3.0" (instance)))"#,
                "environment@0.3.0",
            ),
            (
                r#"(component (import "wasi:io/streams@0.2.0-rc-2023" (instance)))"#,
                "rc-2023",
            ),
            (
                r#"(component (import "wasi:cli/environment@0.2.0" (func)))"#,
                "wasi:cli/environment",
            ),
            (
                r#"(component (import "bailiwick:tool/secrets@0.2.0" (instance)))"#,
                "secrets",
            ),
            (
                r#"(component (import "bailiwick:tool/log@0.3.0" (instance)))"#,
                "built for bailiwick:tool@0.3.0, and this host runs 0.2: rebuild it with version \
                 0.2 of the SDK, or update the host",
            ),
            (
                r#"(component (import "bailiwick:tool/log" (instance)))"#,
                "log",
            ),
            (
                r#"(component (import "bailiwick:tool/logs@0.2.0" (instance)))"#,
                "logs",
            ),
            (r#"(component (import "log" (func)))"#, "log"),
            (
                r#"(component (import "bailiwick:tool/log@0.2.0" (func)))"#,
                "log@0.2.0",
            ),
        ] {
            assert!(refused(wat).contains(why), "{wat}: {}", refused(wat));
        }
        assert_eq!(inspect(b"\x7fELF"), Err(Refused::NotWasm));
        assert_eq!(inspect(b""), Err(Refused::NotWasm));
        assert!(matches!(
            inspect(b"\0asm\x0d\0\x01\0\xff"),
            Err(Refused::Malformed(_))
        ));
    }

    #[test]
    fn a_component_for_an_older_interface_is_told_to_be_rebuilt() {
        for wat in [
            r#"(component (instance $none) (export "bailiwick:tool/tools@0.1.0" (instance $none)))"#,
            r#"(component (import "bailiwick:tool/identity@0.1.0" (instance)))"#,
            r#"(component (import "bailiwick:tool/log@0.1.7" (func)))"#,
        ] {
            let why = refused(wat);
            assert!(why.contains("built for bailiwick:tool@0.1."), "{why}");
            assert!(
                why.contains("rebuild it with version 0.2 of the SDK"),
                "{why}"
            );
            assert!(!why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn the_imports_of_inner_components_are_their_own_matter() {
        let wat = r#"(component
            (component (import "wasi:sockets/tcp@0.2.0" (instance)))
            (import "bailiwick:tool/log@0.2.0" (instance))
            (instance $none)
            (export "bailiwick:tool/tools@0.2.0" (instance $none)))"#;
        let bytes = wat::parse_str(wat).unwrap_or_default();
        let imports = vec!["bailiwick:tool/log@0.2.0".into()];
        assert_eq!(
            inspect(&bytes),
            Ok(Inspected {
                imports,
                wasi: false,
                tier: Tier::Compact
            })
        );
    }

    #[test]
    fn every_truncation_of_a_component_is_refused() {
        let wat = r#"(component
            (import "bailiwick:tool/log@0.2.0" (instance))
            (core module (func (result i32) i32.const 7) (func) (memory 1))
            (instance)
            (export "bailiwick:tool/tools@0.2.0" (instance 1)))"#;
        let bytes = wat::parse_str(wat).unwrap_or_default();
        assert!(inspect(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert!(inspect(bytes.get(..end).unwrap_or_default()).is_err());
        }
    }
}
