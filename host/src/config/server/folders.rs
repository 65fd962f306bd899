//! The folders of the configuration, which must be apart from each other.

use std::path::{Path, PathBuf};

use super::super::reader::Section;
use super::{AuditSettings, EnvelopeSettings, ServerSettings};

/// Checks that the journal is not in the tools folder, and that neither keys nor compiled code are
/// in either.
pub(in crate::config) fn check_folders(
    root: &Section<'_>,
    server: &ServerSettings,
    audit: &AuditSettings,
    envelope: &EnvelopeSettings,
) {
    let cache = server.cache(envelope);
    let named = [
        ("server.tools", &server.tools),
        ("audit.folder", &audit.folder),
        ("envelope.keys", &envelope.keys),
        ("server.cache", &cache),
    ];
    for (index, (name, path)) in named.iter().enumerate() {
        for (other_name, other) in named.iter().skip(index + 1) {
            if overlap(path, other) {
                root.problem(
                    0,
                    format!("{name} and {other_name} overlap; they must be separate folders"),
                );
            }
        }
    }
    for (name, other) in [
        ("server.tools", &server.tools),
        ("audit.folder", &audit.folder),
        ("server.cache", &cache),
    ] {
        if audit.memory != envelope.keys && overlap(&audit.memory, other) {
            root.problem(
                0,
                format!("audit.memory and {name} overlap; {MEMORY_APART}"),
            );
        }
    }
    if let Some(denials) = &server.denials {
        let near = [
            ("server.tools", &server.tools),
            ("audit.folder", &audit.folder),
            ("server.cache", &cache),
        ];
        for (name, _) in near.iter().filter(|(_, folder)| overlap(folder, denials)) {
            root.problem(
                0,
                format!("server.denials lies in {name}; keep it in a folder of its own"),
            );
        }
    }
    if overlap(&server.tools, &server.accepted) {
        root.problem(
            0,
            "server.accepted lies in server.tools: anyone who may add a component could accept it",
        );
    }
}

fn overlap(a: &Path, b: &Path) -> bool {
    let (a, b) = (real(a), real(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// Resolves a path, past links, even if its end does not exist yet.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let resolved = |above: &Path| {
        Some(
            above
                .canonicalize()
                .ok()?
                .join(whole.strip_prefix(above).ok()?),
        )
    };
    whole
        .ancestors()
        .find_map(resolved)
        .unwrap_or_else(|| whole.clone())
}

const MEMORY_APART: &str = "the memory of the journal must be where no one else writes";
