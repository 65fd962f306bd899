//! The host's journal, and the records of its own start.

use std::sync::Arc;

use crate::audit::{self, ConfigLoaded, Detail, HostStarted, Journal};
use crate::config::Config;
use crate::envelope::JournalKeys;
use crate::observe::Meters;
use crate::seams::Clock;
use crate::transport::Resource;

/// Says first that the audit folder is in use, if it is: then a port that is taken is taken by the
/// same host, started before.
pub(super) fn second_of(config: &Config, error: anyhow::Error) -> anyhow::Error {
    let folder = &config.audit.folder;
    if !audit::is_in_use(folder) {
        return error;
    }
    let folder = folder.display();
    error.context(format!(
        "the audit folder {folder} is in use by another process"
    ))
}

/// Opens the journal. Returns it with the last change of the denials that it records.
pub(super) fn open_journal(
    config: &Config,
    keys: JournalKeys,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Journal, u64)> {
    let (journal, opened) = Journal::open(config.journal(), keys, Arc::clone(clock))?;
    tracing::info!(
        journal.records = opened.records,
        journal.closed = opened.closed,
        journal.cut = opened.cut_bytes,
        "the journal is open"
    );
    Ok((journal, opened.change))
}

pub(super) async fn record_start(
    journal: &Journal,
    resource: &Resource,
    config_digest: &str,
) -> anyhow::Result<()> {
    let detail = Detail::from_iter([
        ("version", env!("CARGO_PKG_VERSION")),
        ("resource", resource.uri()),
    ]);
    journal.record(HostStarted { detail }).await?;
    journal.record(config_loaded(config_digest)).await?;
    Ok(())
}

/// Returns the record of a configuration whose file has this SHA-256.
pub(super) fn config_loaded(digest: &str) -> ConfigLoaded {
    ConfigLoaded {
        detail: Detail::from_iter([("config", format!("sha256:{digest}"))]),
    }
}

/// Lets `meters` measure the journal's batches.
pub(super) fn measure(journal: &Journal, meters: &Meters) {
    let meters = meters.clone();
    journal.observe(move |synced| meters.synced(synced.records, synced.took));
}
