//! A project that the workbench builds: at the start, and after each change of its sources.
//!
//! `bailiwick build` does it, as a child in a process group of its own, because it starts
//! compilers. What they print goes to this program's standard output as it comes, and after a
//! failure to the operator's page.
//!
//! Invariant: one build runs at a time, and none outlives the workbench; the folder of components
//! has what the last good build made, and nothing else.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal as _};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::options::Options;
use super::overheard::Overheard;
use super::watching::{Pace, Sources};
use crate::code::Code;
use crate::teller::Teller;

/// The project, and the build of it that runs.
pub(super) struct Project {
    folder: PathBuf,
    bailiwick: PathBuf,
    /// Cargo's target folder, if the author chose one.
    target: Option<PathBuf>,
    code: Code,
    /// Where a build puts its component.
    fresh: PathBuf,
    /// Where the component of the last good build is.
    built: PathBuf,
    sources: Sources,
    pace: Pace,
    looked: Instant,
    pause: Duration,
    /// Whether the last look failed, which is said once.
    blind: bool,
    build: Option<Build>,
    good: bool,
    /// What the last build said, if it failed.
    failure: Option<String>,
}

impl Project {
    /// Returns the project in the author's folder; `None` if that is a folder of components.
    ///
    /// # Errors
    /// The project cannot be watched, or an option is for projects only.
    pub(super) fn of(
        options: &Options,
        code: &Code,
        temporary: &Path,
    ) -> anyhow::Result<Option<Self>> {
        let folder = &options.folder;
        if !Self::is_in(folder) {
            ensure!(
                options.target_dir.is_none(),
                "--target-dir is for a project, and {} has none of {}",
                folder.display(),
                MANIFESTS.join(", ")
            );
            return Ok(None);
        }
        let folder = fs::canonicalize(folder).with_context(|| folder.display().to_string())?;
        let built = temporary.join("built");
        fs::create_dir(&built).with_context(|| built.display().to_string())?;
        let mut pace = Pace::default();
        let now = Instant::now();
        // Nothing is built yet, which is as good as a change.
        pace.due(true, false, now);
        Ok(Some(Self {
            sources: Sources::of(&folder)?,
            folder,
            bailiwick: options.bailiwick.clone(),
            target: options.target_dir.clone(),
            code: code.clone(),
            fresh: temporary.join("fresh"),
            built,
            pace,
            looked: now,
            pause: BETWEEN_LOOKS,
            blind: false,
            build: None,
            good: false,
            failure: None,
        }))
    }

    /// Returns true if a folder has a project.
    pub(super) fn is_in(folder: &Path) -> bool {
        let is_there = |manifest: &&str| folder.join(manifest).is_file();
        MANIFESTS.iter().any(is_there)
    }

    /// Returns the folder with the component of the last good build.
    pub(super) fn built(&self) -> &Path {
        &self.built
    }

    /// Returns true if a build has made a component.
    pub(super) fn has_component(&self) -> bool {
        self.good
    }

    /// Returns what there is to read about the last build, if it failed.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Returns the process group of the build that runs.
    pub(super) fn group(&self) -> Option<Pid> {
        self.build.as_ref().and_then(Build::group)
    }

    /// Reports a build that has ended, and begins the one that is due. Returns true if there is
    /// another build than before, or none.
    ///
    /// # Errors
    /// The build cannot be started, or its component not be moved.
    pub(super) fn look(&mut self, teller: &mut Teller) -> anyhow::Result<bool> {
        let ended = self.finish(teller)?;
        if self.looked.elapsed() < self.pause {
            return Ok(ended);
        }
        let began = Instant::now();
        let changed = self.has_changed(teller);
        self.looked = Instant::now();
        // Looking takes a small part of one processor, however many files there are.
        self.pause = BETWEEN_LOOKS.max((self.looked - began) * 20);
        let Some(since) = self.pace.due(changed, self.build.is_none(), self.looked) else {
            return Ok(ended);
        };
        absent(fs::remove_dir_all(&self.fresh))
            .with_context(|| self.fresh.display().to_string())?;
        self.build = Some(Build::start(self.command(), since)?);
        Ok(true)
    }

    /// Ends the build that runs, and waits for its end.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub(super) async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(mut build) = self.build.take() {
            build.kill();
            build.child.wait().await?;
        }
        Ok(())
    }

    fn has_changed(&mut self, teller: &mut Teller) -> bool {
        let changed = self.sources.changed();
        let was_blind = mem::replace(&mut self.blind, changed.is_err());
        if let Err(error) = &changed
            && !was_blind
        {
            teller.check("the sources are watched", false, &format!("{error:#}"));
        }
        changed.unwrap_or(false)
    }

    fn finish(&mut self, teller: &mut Teller) -> anyhow::Result<bool> {
        let Some(build) = &mut self.build else {
            return Ok(false);
        };
        let Some(status) = build.child.try_wait()? else {
            return Ok(false);
        };
        if !build.heard.is_over() {
            return Ok(false);
        }
        let seconds = build.since.elapsed().as_secs_f64();
        let said = build.heard.text();
        self.build = None;
        if status.success() {
            replace(&self.built, &self.fresh).with_context(|| self.built.display().to_string())?;
            self.good = true;
            self.failure = None;
            teller.check(&format!("built in {seconds:.1} s"), true, "");
        } else {
            let meanwhile = if self.good {
                "the last good version goes on serving"
            } else {
                "nothing is served yet"
            };
            let failed = format!("the build failed: {meanwhile}");
            self.failure = Some(format!("{failed}\n{said}"));
            teller.check(&failed, false, "waiting for a change");
        }
        Ok(true)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.bailiwick);
        command.arg("build").arg(&self.folder);
        command.arg("--out").arg(&self.fresh);
        command.arg("--development").arg(self.code.folder());
        if let Some(target) = &self.target {
            command.arg("--target-dir").arg(target);
        }
        command
    }
}

/// A build that runs, with everything that it has started.
struct Build {
    child: Child,
    /// When its sources had changed.
    since: Instant,
    heard: Overheard,
}

impl Build {
    fn start(mut command: Command, since: Instant) -> anyhow::Result<Self> {
        if io::stdout().is_terminal() {
            command.envs(OF_TERMINAL);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start {}", command.as_std().get_program().display())
            })?;
        let heard = Overheard::of(&mut child);
        Ok(Self {
            child,
            since,
            heard,
        })
    }

    /// Returns its process group, until its end is known.
    fn group(&self) -> Option<Pid> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw)
    }

    fn kill(&self) {
        if let Some(group) = self.group() {
            // The only possible error is that all of it has ended.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What makes cargo print as on a terminal, although it prints to a pipe.
const OF_TERMINAL: [(&str, &str); 3] = [
    ("CARGO_TERM_COLOR", "always"),
    ("CARGO_TERM_PROGRESS_WHEN", "always"),
    ("CARGO_TERM_PROGRESS_WIDTH", "80"),
];

/// Moves the files of `fresh` to `built`, and removes the others there.
fn replace(built: &Path, fresh: &Path) -> io::Result<()> {
    for old in fs::read_dir(built)? {
        let old = old?;
        if !fresh.join(old.file_name()).exists() {
            fs::remove_file(old.path())?;
        }
    }
    for new in fs::read_dir(fresh)? {
        let new = new?;
        fs::rename(new.path(), built.join(new.file_name()))?;
    }
    Ok(())
}

/// Returns the result of a removal, where nothing to remove is no error.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The files that make a folder a project, as `bailiwick build` knows them.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "package.json", "pyproject.toml"];

/// The shortest time between two looks at the sources.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::ffi::OsStr;

    use tokio::io::{AsyncBufReadExt as _, BufReader};

    use super::*;
    use crate::process::Other;

    fn project(folder: &Path, more: &str) -> anyhow::Result<Option<Project>> {
        let line = format!("{} --bailiwick /b {more}", folder.display());
        let options = Options::parse(line.split_whitespace().map(std::ffi::OsString::from))?;
        let temporary = tempfile::tempdir()?;
        let code = Code::open(&temporary.path().join("code"))?;
        Project::of(&options, &code, temporary.path())
    }

    #[test]
    fn a_folder_with_a_manifest_is_a_project_and_any_other_one_of_components() {
        for (file, is_project) in [
            ("Cargo.toml", true),
            ("package.json", true),
            ("pyproject.toml", true),
            ("orders.wasm", false),
            ("setup.py", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(file), "").unwrap();
            let found = project(folder.path(), "").unwrap();
            assert_eq!(found.is_some(), is_project, "{file}");
            let found = project(folder.path(), "--target-dir t");
            assert_eq!(found.is_ok(), is_project, "{file}");
            if let Err(error) = found {
                assert!(error.to_string().contains("Cargo.toml"), "{error:#}");
            }
        }
    }

    #[test]
    fn a_build_is_asked_for_what_the_author_chose() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        for (more, expected) in [("", None), ("--target-dir t", Some("t"))] {
            let project = project(folder.path(), more).unwrap().unwrap();
            let command = project.command();
            let arguments: Vec<_> = command.as_std().get_args().collect();
            assert_eq!(arguments.first().unwrap(), &"build");
            let after = |option| {
                let at = arguments.iter().position(|word| *word == option);
                at.and_then(|at| arguments.get(at + 1)).copied()
            };
            assert_eq!(after("--target-dir"), expected.map(OsStr::new), "{more}");
            let code = after("--development").unwrap();
            assert!(Path::new(code).ends_with("code"), "{more}");
        }
    }

    #[test]
    fn the_last_good_build_takes_the_place_of_all_others() {
        let temp = tempfile::tempdir().unwrap();
        let [built, fresh] = ["built", "fresh"].map(|name| temp.path().join(name));
        for (folder, name, text) in [
            (&built, "old.wasm", "one"),
            (&built, "shop.wasm", "one"),
            (&fresh, "shop.wasm", "two"),
            (&fresh, "new.wasm", "two"),
        ] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), text).unwrap();
        }
        replace(&built, &fresh).unwrap();
        let read = |name: &str| fs::read_to_string(built.join(name)).ok();
        let two = Some("two".to_owned());
        assert_eq!(
            ["old.wasm", "shop.wasm", "new.wasm"].map(read),
            [None, two.clone(), two]
        );
        assert_eq!(fs::read_dir(&fresh).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_a_build_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let ids = folder.path().join("ids");
        rustix::fs::mkfifoat(rustix::fs::CWD, &ids, rustix::fs::Mode::RWXU).unwrap();
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg("sleep 600 & echo $! >\"$0\"; wait")
            .arg(&ids);
        let build = Build::start(command, Instant::now()).unwrap();
        let ids = tokio::fs::File::open(&ids).await.unwrap();
        let id = BufReader::new(ids).lines().next_line().await.unwrap();
        let started = Other::of(id.unwrap().parse().unwrap()).unwrap();
        drop(build);
        assert!(started.ends(Duration::from_secs(60)).unwrap());
    }
}
