//! Encodes a compiled module as a component, and checks it before it is written.

use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use super::{BuildError, direct, linked};

/// Advice for the author of a crate that imports something else.
pub(super) const HOW_WITHOUT: &str = "\
A tool has no operating system. Usual causes: a crate that expects a browser (turn off its default
features, such as `wasmbind` of chrono or `js` of uuid and getrandom), getrandom 0.2 (use 0.3 or
later), or C code.
Time comes from `Call::now`, random bytes from `Call::random`.";

/// Encodes a module that was built with `bailiwick-sdk`.
pub(super) fn from_module(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let names = Names::of(module)?;
    refuse_old(&names)?;
    refuse_strangers(&names.imports, |import| import.starts_with(PACKAGE))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Encode {
            source: error.into(),
        })?;
    let names = Names::of(&component)?;
    refuse_old(&names)?;
    refuse_strangers(&names.imports, is_offered)?;
    let offers = |export: &String| interface(export).is_some_and(|name| TARGETS.contains(&name));
    if names.exports.iter().any(offers) {
        let direct = direct::without_detours(&component);
        let same = direct.filter(|direct| Names::of(direct).is_ok_and(|direct| direct == names));
        return Ok(same.unwrap_or(component));
    }
    Err(BuildError::NothingOffered)
}

/// Returns true if these bytes begin as a component does.
pub(super) fn is_component(bytes: &[u8]) -> bool {
    Parser::is_component(bytes)
}

/// Returns a component of a language's tool with its modules linked, if they can be.
pub(super) fn linked(component: Vec<u8>) -> Vec<u8> {
    let same = |linked: &Vec<u8>| {
        let names = Names::read(linked).ok().zip(Names::read(&component).ok());
        names.is_some_and(|(linked, component)| linked == component)
    };
    match linked::linked(&component).filter(same) {
        Some(linked) => linked,
        None => component,
    }
}

/// Refuses what an older SDK made: its records do not fit those of this host.
fn refuse_old(names: &Names) -> Result<(), BuildError> {
    let version = |name: &String| {
        let (_, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        let version = version.split('#').next().unwrap_or(version);
        version.starts_with(OLD_VERSION).then(|| version.to_owned())
    };
    match names.imports.iter().chain(&names.exports).find_map(version) {
        Some(found) => Err(BuildError::OldSdk { found }),
        None => Ok(()),
    }
}

fn refuse_strangers(imports: &[String], known: fn(&str) -> bool) -> Result<(), BuildError> {
    let strangers = imports.iter().filter(|name| !known(name));
    let imports: Vec<String> = strangers.take(MOST_NAMED).cloned().collect();
    if imports.is_empty() {
        Ok(())
    } else {
        Err(BuildError::Imports { imports })
    }
}

/// Returns whether the host offers this interface to every component.
fn is_offered(import: &str) -> bool {
    interface(import).is_some_and(|interface| OFFERED.contains(&interface))
}

/// Returns the interface's name: `log` of `bailiwick:tool/log@0.1.0`.
fn interface(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    version.starts_with(VERSION).then_some(interface)
}

/// The names at the outer level of a module or component.
#[derive(Default, PartialEq)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    fn of(binary: &[u8]) -> Result<Self, BuildError> {
        Self::read(binary).map_err(|error| BuildError::Encode {
            source: error.into(),
        })
    }

    fn read(binary: &[u8]) -> wasmparser::Result<Self> {
        let (mut names, mut depth) = (Self::default(), 0_usize);
        for payload in Parser::new(0).parse_all(binary) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 0 => names.add(payload)?,
                _ => {}
            }
        }
        Ok(names)
    }

    fn add(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.imports
                        .push(format!("{}#{}", import.module, import.name));
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The package that a tool is written against.
const PACKAGE: &str = "bailiwick:tool/";
/// Every version with this beginning is compatible.
const VERSION: &str = "0.2.";
/// The version before, whose components must be rebuilt.
const OLD_VERSION: &str = "0.1.";
/// A crate made for browsers can import hundreds of functions; the first few say enough.
const MOST_NAMED: usize = 8;
/// What a component must export, at least one of them.
const TARGETS: [&str; 3] = ["tools", "resources", "prompts"];
/// What a component may import, and nothing else.
const OFFERED: [&str; 9] = [
    "types",
    "identity",
    "client",
    "downstream",
    "log",
    "progress",
    "clock",
    "random",
    "settings",
];

#[cfg(test)]
mod tests {
    use super::{BuildError, from_module, is_offered};

    #[test]
    fn only_the_interfaces_of_this_version_are_offered() {
        assert!(is_offered("bailiwick:tool/log@0.2.0") && is_offered("bailiwick:tool/types@0.2.7"));
        for stranger in [
            "bailiwick:tool/log",
            "bailiwick:tool/log@0.1.0",
            "bailiwick:tool/log@0.3.0",
            "bailiwick:tool/tools@0.2.0",
            "bailiwick:tool-2/log@0.2.0",
            "wasi:http/outgoing-handler@0.2.6",
        ] {
            assert!(!is_offered(stranger), "{stranger}");
        }
    }

    #[test]
    fn a_module_that_wants_more_is_refused_by_name() {
        let module = wat::parse_str(r#"(module (import "env" "open" (func)))"#).unwrap_or_default();
        let error = from_module(&module).err();
        assert!(
            matches!(&error, Some(BuildError::Imports { imports }) if imports == &["env#open"])
        );
    }

    #[test]
    fn a_module_of_an_older_sdk_is_refused_with_what_to_change() {
        let text =
            r#"(module (import "bailiwick:tool/log@0.1.0" "write" (func (param i32 i32 i32))))"#;
        let module = wat::parse_str(text).unwrap_or_default();
        let error = from_module(&module).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(
            error.contains("bailiwick:tool@0.1.0: depend on version 0.2 of bailiwick-sdk"),
            "{error}"
        );
    }

    #[test]
    fn what_is_not_webassembly_is_refused() {
        assert!(matches!(
            from_module(b"#!/bin/sh"),
            Err(BuildError::Encode { .. })
        ));
    }
}
