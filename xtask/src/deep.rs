//! `cargo xtask deep`: the tests that look for rare faults for as long as the time allows, with
//! figures at the end.
//!
//! Each section is a test of the gate with a larger number, which the environment carries. A
//! variable that is already set keeps its value, so a section can be tried in a minute. The output
//! of a section is in `target/deep/`. Invariant: a section that ran no test has failed.

mod first;
mod fuzz;
mod outcome;
mod sections;
#[cfg(test)]
mod tests;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::step::{run as run_program, say, step};
use crate::{Project, clients, crates, dist, release};
use outcome::{Outcome, report};
use sections::{CLIENTS, KEYCLOAK, REMOTE, SECONDS, SECTIONS, Section, Work};

/// Runs every section, or the named one.
pub(crate) fn run(project: &Project, only: Option<&str>) -> Result<ExitCode> {
    let chosen: Vec<&Section> = SECTIONS
        .iter()
        .filter(|section| only.is_none_or(|only| only == section.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
        bail!("no such section; there are {}", names.join(", "));
    }
    let folder = project.target().join("deep");
    fs::create_dir_all(&folder)?;
    let outcomes: Vec<Outcome> = chosen
        .into_iter()
        .map(|section| outcome(project, section, &folder))
        .collect();
    report(&outcomes, &folder)?;
    let failed = outcomes.iter().any(|outcome| outcome.failure.is_some());
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs one section to its end. A failure is part of the outcome, so that the others still run.
fn outcome(project: &Project, section: &'static Section, folder: &Path) -> Outcome {
    let started = Instant::now();
    let figures = match section.work {
        Work::Tests { arguments, figures } => {
            tests(project, section, arguments, folder).and_then(|log| {
                let mut found = settings(section);
                found.extend(outcome::figures(&log, figures)?);
                Ok(found)
            })
        }
        Work::Fuzz => fuzz::all(project, &setting(section, SECONDS), folder),
        Work::Demo => first::demo(project),
        Work::Release => shipped(project),
        Work::Dist => dist::install::all(project),
        Work::Crates => crates::pack(project, true),
    };
    let (figures, failure) = match figures {
        Ok(figures) => (figures, None),
        Err(error) => (settings(section), Some(format!("{error:#}"))),
    };
    if let Some(failure) = &failure {
        say(&format!("  {} failed: {failure}", section.name));
    }
    Outcome {
        section,
        minutes: started.elapsed().as_secs_f64() / 60.0,
        figures,
        failure,
    }
}

/// Runs the tests of a section; returns their output.
fn tests(
    project: &Project,
    section: &Section,
    arguments: &[&str],
    folder: &Path,
) -> Result<String> {
    let log = folder.join(section.name).with_extension("log");
    let (mut tests, _) = project.tests()?;
    match section.name {
        CLIENTS => tests.envs(clients::set_up_old(&project.root)),
        REMOTE => tests.envs(clients::set_up_remote(&project.root)),
        KEYCLOAK => tests.envs(clients::keycloak::set_up(&project.root)),
        _ => &mut tests,
    };
    tests.args(arguments);
    if !arguments.contains(&"--") {
        tests.arg("--");
    }
    tests.arg("--nocapture");
    tests.envs(
        section
            .environment
            .iter()
            .filter(|(name, _)| env::var_os(name).is_none())
            .copied(),
    );
    let label = format!("{}: {} (to {})", section.name, section.does, log.display());
    let ran = step(&label, || run_program(into(&mut tests, &log)?));
    let said = fs::read(&log).with_context(|| log.display().to_string())?;
    let said = String::from_utf8_lossy(&said).into_owned();
    ran.with_context(|| outcome::end_of(&said))?;
    Ok(said)
}

/// Sends everything that a program prints to a file.
fn into<'c>(command: &'c mut Command, log: &PathBuf) -> Result<&'c mut Command> {
    let file = File::create(log)?;
    Ok(command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file))
}

/// Returns the numbers with which a section runs.
fn settings(section: &Section) -> Vec<String> {
    let names = section.environment.iter().map(|(name, _)| name);
    names
        .map(|name| format!("{name}={}", setting(section, name)))
        .collect()
}

/// Returns one of these numbers: that of the environment, or else the usual one.
fn setting(section: &Section, name: &str) -> String {
    let usual = section.environment.iter().find(|(other, _)| *other == name);
    let usual = usual.map_or("", |(_, value)| value);
    let set = env::var_os(name).map(|set| set.to_string_lossy().into_owned());
    set.unwrap_or_else(|| usual.to_owned())
}

/// Builds what is shipped.
fn shipped(project: &Project) -> Result<Vec<String>> {
    let bytes = fs::metadata(release::build(project)?)?.len();
    Ok(vec![format!("the binary has {} MiB", bytes >> 20)])
}
