//! The part on this machine: keys, folders, journal, denials.

use std::fs;
use std::io;
use std::path::Path;

use bailiwick_journal::chain;

use super::Checkup;
use crate::audit::{self, Examined};
use crate::config::Config;
use crate::denials::DenialsError;
use crate::envelope::{journal_keys, look_at_keys};
use crate::intake;
use crate::owned::Trust;
use crate::seams::{Clock as _, SystemClock, SystemRandom};

/// Examines a site whose disks have the room that `room` knows, in bytes.
pub(super) fn local(config: &Config, room: impl Fn(&Path) -> Option<u64>) -> Vec<Checkup> {
    let trust = &config.server.trust;
    let mut found = keys(&config.envelope.keys, trust);
    found.extend(folders(config, room));
    found.push(tools(config));
    let (journal, change) = journal(config);
    found.extend([journal, denials(config, change)]);
    found
}

/// Looks at the keys that are there. The rest is made by the first start.
fn keys(folder: &Path, trust: &Trust) -> Vec<Checkup> {
    let about = "keys";
    let place = folder.display();
    if is_missing(folder) {
        let found = format!("{place} does not exist yet; the first start makes it and the keys");
        return vec![Checkup::good(about, found)];
    }
    let looked = look_at_keys(folder, trust);
    let fault = |error| {
        Checkup::bad(
            about,
            chain(&error),
            "let it belong to the host's user alone, with mode 0600, or restore it from the backup",
        )
    };
    let mut found: Vec<_> = looked.faults.into_iter().map(fault).collect();
    let (missing, all) = (&looked.missing, KEYS);
    if !missing.is_empty() && missing.len() < all {
        let names = missing.join(", ");
        let text = format!(
            "{place} has {} of {all} keys, not {names}",
            all - missing.len()
        );
        let remedy = "restore the others from the backup; a start makes new ones in their place";
        found.push(Checkup::doubtful(about, text, remedy));
    }
    if found.is_empty() {
        found.push(Checkup::good(
            about,
            format!("{place} has {} keys", all - missing.len()),
        ));
    }
    found
}

/// Returns the bytes that the host's user can still write on the disk of this folder.
pub(super) fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Looks at the folders that the host writes to.
fn folders(config: &Config, room: impl Fn(&Path) -> Option<u64>) -> Vec<Checkup> {
    let cache = config.server.cache(&config.envelope);
    let named = [
        ("audit.folder", &config.audit.folder),
        ("audit.memory", &config.audit.memory),
        ("server.cache", &cache),
    ];
    named
        .into_iter()
        .map(|(name, path)| folder(name, path, &room))
        .collect()
}

fn folder(name: &str, path: &Path, room: impl Fn(&Path) -> Option<u64>) -> Checkup {
    let place = path.display();
    // The nearest folder that exists says whether it can be made.
    let Some(there) = path.ancestors().find(|above| above.is_dir()) else {
        return Checkup::bad(
            name,
            format!("{place} cannot be made"),
            "name another folder",
        );
    };
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    if let Err(error) = rustix::fs::access(there, access) {
        return Checkup::bad(
            name,
            format!("{} cannot be written: {error}", there.display()),
            "let it belong to the host's user, or mount it writable",
        );
    }
    match room(there) {
        Some(left) if left < LITTLE_ROOM => Checkup::doubtful(
            name,
            format!("{place} has {} MiB left", left >> 20),
            if name == "server.cache" {
                "make room: without it, code is compiled anew at each start"
            } else {
                "make room: a journal that cannot be written stops every call"
            },
        ),
        _ => Checkup::good(name, format!("{place} can be written")),
    }
}

fn tools(config: &Config) -> Checkup {
    let (about, place) = ("server.tools", config.server.tools.display());
    match intake::candidates(&config.server.tools, &config.server.trust) {
        Ok(found) => match found.len() {
            0 => Checkup::doubtful(
                about,
                format!("{place} has no components"),
                "build one: bailiwick build CRATE --out FOLDER",
            ),
            count => {
                let files = if count == 1 {
                    "1 file".to_owned()
                } else {
                    format!("{count} files")
                };
                let told = format!("{place} has {files}; `bailiwick check` says whether they load");
                Checkup::good(about, told)
            }
        },
        Err(error) => Checkup::bad(
            about,
            format!("{place} cannot be used: {}", chain(&error)),
            "make the folder, and let no one else write it",
        ),
    }
}

/// Finds out what a start would say of the journal, with the host's own keys and memory. Returns
/// the last change of the denials that it records, too.
fn journal(config: &Config) -> (Checkup, u64) {
    let (about, folder) = ("journal", &config.audit.folder);
    let place = folder.display();
    if audit::is_in_use(folder) {
        let found = format!("{place} is in use: a host runs");
        return (Checkup::good(about, found), 0);
    }
    let (keys, trust) = (&config.envelope.keys, &config.server.trust);
    let keys = match journal_keys(keys, &SystemRandom, trust) {
        Ok(keys) => keys,
        Err(error) => {
            let found = format!("{place} cannot be verified: {}", chain(&error));
            return (Checkup::bad(about, found, "mend the keys first"), 0);
        }
    };
    match audit::examine(&config.journal(), keys, &SystemClock) {
        Ok(Some(Examined { report, change })) => {
            let found = format!(
                "{place} verifies, and a host can go on after record {}",
                report.records
            );
            (Checkup::good(about, found), change)
        }
        Ok(None) => {
            let found = format!("{place} has no journal yet; the first start begins one");
            (Checkup::good(about, found), 0)
        }
        Err(error) => {
            let remedy = "no host starts on it; see docs/journal.md, \"When something fails\"";
            (Checkup::bad(about, chain(&error), remedy), 0)
        }
    }
}

/// Reads the denials, which must not be older than change `least`.
fn denials(config: &Config, least: u64) -> Checkup {
    let (about, file) = ("denials", config.denials());
    match file.read(least) {
        Ok(list) => {
            let now_ms = SystemClock.now_ms();
            let denials = list.denials.iter().filter(|one| one.is_in_effect(now_ms));
            Checkup::good(about, format!("{} in effect", denials.count()))
        }
        Err(error) => {
            let remedy = match error {
                DenialsError::File(..) => {
                    "let it belong to the host's user, with mode 0644; until then a host refuses \
                     every call"
                }
                _ => {
                    "restore it from the backup, or run `bailiwick deny --adopt` and deny again \
                     what the list lacks; until then a host refuses every call"
                }
            };
            Checkup::bad(about, chain(&error), remedy)
        }
    }
}

fn is_missing(path: &Path) -> bool {
    matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

const KEYS: usize = 6;
/// A few hours of a busy host.
const LITTLE_ROOM: u64 = 1 << 30;
