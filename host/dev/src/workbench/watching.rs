//! The sources of a project, and when a change of them is due to be built.
//!
//! A change is a file that is new, gone, or of another modification time or length. What builds,
//! package managers and editors write does not count, so that no build causes the next one.
//!
//! Invariant: links are not followed, so nothing outside the project's folder is looked at.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, ensure};

/// The files of a project's folder as they were seen last.
pub(super) struct Sources {
    folder: PathBuf,
    seen: Files,
}

/// The modification time and the length of each file.
type Files = BTreeMap<PathBuf, (SystemTime, u64)>;

impl Sources {
    /// Looks at a project for the first time.
    ///
    /// # Errors
    /// A folder in it cannot be read, or it has more than [`MOST`] files and folders.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            seen: files(folder, MOST)?,
        })
    }

    /// Looks again; returns true if there is a change since the last look.
    ///
    /// # Errors
    /// As [`Sources::of`]; what was seen before stays.
    pub(super) fn changed(&mut self) -> anyhow::Result<bool> {
        let now = files(&self.folder, MOST)?;
        let changed = now != self.seen;
        self.seen = now;
        Ok(changed)
    }
}

/// Says when to build: after a change, when the files are still and no other build runs.
#[derive(Default)]
pub(super) struct Pace {
    /// The first change that is not built.
    since: Option<Instant>,
}

impl Pace {
    /// Takes what a look has found. Returns the time of the first change that is not built if a
    /// build is due; the caller begins it.
    pub(super) fn due(&mut self, changed: bool, idle: bool, now: Instant) -> Option<Instant> {
        if changed {
            self.since.get_or_insert(now);
        }
        // Who writes all the time is not waited for.
        let since = self.since?;
        let still = !changed || now.duration_since(since) >= RESTLESS;
        if idle && still {
            self.since.take()
        } else {
            None
        }
    }
}

/// Returns the sources in a folder. What disappears during the look is not there.
fn files(project: &Path, most: usize) -> anyhow::Result<Files> {
    let (mut found, mut count) = (Files::new(), 0);
    let mut folders = vec![project.to_owned()];
    while let Some(folder) = folders.pop() {
        let named = || folder.display().to_string();
        let entries = present(fs::read_dir(&folder)).with_context(named)?;
        for entry in entries.into_iter().flatten() {
            let entry = entry.with_context(named)?;
            if is_left_out(&entry.file_name(), folder == project) {
                continue;
            }
            count += 1;
            ensure!(
                count <= most,
                "{} has more than {most} files beside what builds make, too many to watch: name \
                 the folder of one project, and keep in it what belongs to its sources",
                project.display()
            );
            // Of the link itself, where it is one.
            let Some(about) = present(entry.metadata()).with_context(named)? else {
                continue;
            };
            if about.is_dir() {
                folders.push(entry.path());
            } else if about.is_file() {
                found.insert(entry.path(), (about.modified()?, about.len()));
            }
        }
    }
    Ok(found)
}

/// Returns what was found, or nothing if it is not there.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns true if a file or folder of this name is no source.
fn is_left_out(name: &OsStr, at_top: bool) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(['.', '#'])
        || name.ends_with('~')
        || ANYWHERE.contains(&&*name)
        || (at_top && AT_TOP.contains(&&*name))
}

/// What is left out wherever it is, beside hidden files and editors' copies.
const ANYWHERE: [&str; 2] = ["node_modules", "__pycache__"];

/// What is left out in the project's own folder: what builds make, and the lock files that they
/// bring up to date. Deeper, such a name can be a module's.
const AT_TOP: [&str; 5] = ["target", "tools", "dist", "Cargo.lock", "package-lock.json"];

/// The most files and folders of a project.
const MOST: usize = 5000;

/// The time after which a build begins although files still change.
const RESTLESS: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::File;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Returns a project with one source.
    fn project() -> (TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/lib.rs"), "fn one() {}").unwrap();
        let sources = Sources::of(folder.path()).unwrap();
        (folder, sources)
    }

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text").unwrap();
    }

    #[test]
    fn a_file_that_is_new_gone_longer_or_later_is_a_change() {
        let (folder, mut sources) = project();
        let source = folder.path().join("src/lib.rs");
        let steps: [(&str, &dyn Fn()); 6] = [
            ("longer", &|| fs::write(&source, "fn another() {}").unwrap()),
            ("later", &|| {
                let file = File::options().write(true).open(&source).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            }),
            ("new", &|| write(&folder.path().join("src/tools/deep.rs"))),
            ("a manifest", &|| write(&folder.path().join("Cargo.toml"))),
            ("renamed", &|| {
                fs::rename(&source, folder.path().join("src/new.rs")).unwrap();
            }),
            ("gone", &|| {
                fs::remove_dir_all(folder.path().join("src")).unwrap();
            }),
        ];
        for (what, step) in steps {
            assert!(!sources.changed().unwrap(), "before: {what}");
            step();
            assert!(sources.changed().unwrap(), "{what}");
        }
        assert!(!sources.changed().unwrap());
    }

    #[test]
    fn what_builds_and_editors_write_is_no_change() {
        let (folder, mut sources) = project();
        for name in [
            "target/release/shop.wasm",
            "tools/shop.wasm",
            "dist/index.js",
            "node_modules/zod/index.js",
            "vendor/sdk/node_modules/zod/index.js",
            "src/__pycache__/shop.pyc",
            ".venv/bin/python",
            ".git/index",
            "src/.lib.rs.swp",
            "src/lib.rs~",
            "src/#lib.rs#",
            "Cargo.lock",
            "package-lock.json",
        ] {
            // A new folder is none, only the files in it.
            write(&folder.path().join(name));
            assert!(!sources.changed().unwrap(), "{name}");
        }
        for name in ["src/target/mod.rs", "src/dist.rs", "vendor/a/Cargo.lock"] {
            write(&folder.path().join(name));
            assert!(sources.changed().unwrap(), "{name}");
        }
    }

    #[test]
    fn links_are_not_followed() {
        let (folder, mut sources) = project();
        let other = tempfile::tempdir().unwrap();
        write(&other.path().join("other.rs"));
        symlink(other.path(), folder.path().join("src/other")).unwrap();
        symlink(other.path().join("other.rs"), folder.path().join("a.rs")).unwrap();
        symlink(folder.path(), folder.path().join("src/circle")).unwrap();
        assert!(!sources.changed().unwrap(), "links");
        write(&other.path().join("new.rs"));
        assert!(!sources.changed().unwrap(), "behind a link");
    }

    #[test]
    fn a_project_of_too_many_files_is_refused_with_the_way_out() {
        let (folder, _) = project();
        for name in ["src/a.rs", "src/b.rs", "target/many"] {
            write(&folder.path().join(name));
        }
        // The folder and three files; what is left out does not count.
        assert_eq!(files(folder.path(), 4).unwrap().len(), 3);
        let error = files(folder.path(), 3).unwrap_err().to_string();
        assert!(
            error.contains("more than 3 files") && error.contains("name the folder"),
            "{error}"
        );
    }

    #[test]
    fn a_build_is_due_when_files_are_still_and_no_other_runs() {
        let start = Instant::now();
        // What each look finds: seconds since the start, a change, no build; and what is due.
        let looks = [
            (0, false, true, None),
            (1, true, true, None),
            (2, false, true, Some(1)),
            (3, false, true, None),
            // During a build.
            (4, true, false, None),
            (5, false, false, None),
            (6, true, false, None),
            (7, false, true, Some(4)),
            // Changes without an end.
            (8, true, true, None),
            (9, true, true, None),
            (10, true, true, Some(8)),
        ];
        let mut pace = Pace::default();
        let at = |seconds| start + Duration::from_secs(seconds);
        for (second, changed, idle, expected) in looks {
            let due = pace.due(changed, idle, at(second));
            assert_eq!(due, expected.map(at), "at {second} s");
        }
    }
}
