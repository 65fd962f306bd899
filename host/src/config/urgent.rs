//! The parts of a configuration that are needed while a host runs. They can be read even if another
//! part of the file is wrong, because a denial is urgent, and the running host may still serve by
//! an earlier version.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::reader::{ConfigError, Problems, Section};
use super::{operations, server};
use crate::audit;
use crate::denials::DenialFile;

/// What `bailiwick deny` needs to know.
pub struct DenySettings {
    /// The files of the denials.
    pub file: DenialFile,
    /// The journal, whose folder is in use while a host runs.
    pub journal: audit::Settings,
    /// The folder of its keys.
    pub keys: PathBuf,
    /// The issuers: each alias with its issuer.
    pub issuers: Vec<(String, String)>,
}

/// Reads what `bailiwick deny` needs from the configuration in `file`.
///
/// # Errors
/// Fails if `[server]`, `[envelope]` or `[audit]` is wrong, or if others may change the file.
pub fn deny_settings(file: &Path) -> Result<DenySettings, ConfigError> {
    reading(file, settings)
}

/// Reads where the host in `file` says how it is: at `[operations]`, or at its front door.
///
/// # Errors
/// Fails if `[server]` or `[operations]` is wrong.
pub fn health_address(file: &Path) -> Result<SocketAddr, ConfigError> {
    reading(file, |root| {
        let front = server::server(root)?.listen;
        if !root.has("operations") {
            return Some(front);
        }
        operations::operations(root, Some(front)).map(|operations| operations.listen)
    })
}

fn reading<T>(file: &Path, read: impl FnOnce(&Section<'_>) -> Option<T>) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|cause| ConfigError::one(file, format!("it cannot be read: {cause}")))?;
    let problems = Problems::new(file, &text);
    let settings = match DeTable::parse(&text) {
        Ok(table) => read(&Section::root(&table, &problems)),
        Err(error) => {
            problems.at(error.span().map_or(0, |span| span.start), error.message());
            None
        }
    };
    settings.ok_or_else(|| problems.into_error())
}

fn settings(root: &Section<'_>) -> Option<DenySettings> {
    let server = server::server(root);
    let before = root.problems();
    root.check_file();
    if root.problems() > before {
        return None;
    }
    let envelope = server::envelope(root);
    let audit = server::audit(root, envelope.as_ref());
    let issuer = |section: Section<'_>| {
        let alias = section.text("alias").unwrap_or_else(|| "default".into());
        Some((alias, section.text("issuer")?))
    };
    let issuers = root.sections("issuers").into_iter().filter_map(issuer);
    let issuers = issuers.collect();
    let (server, envelope, audit) = (server?, envelope?, audit?);
    Some(DenySettings {
        file: server.denials(&audit),
        journal: server::journal(&server, &envelope, &audit),
        keys: envelope.keys,
        issuers,
    })
}
