//! Steps, each announced and timed.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// Announces a step, takes it, and reports the time that it took.
pub(crate) fn step<T>(label: &str, take: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("→ {label}"));
    let started = Instant::now();
    let taken = take().with_context(|| label.to_owned())?;
    say(&format!(
        "  done in {:.1} s",
        started.elapsed().as_secs_f32()
    ));
    Ok(taken)
}

/// Writes a line for the user; what programs print is their own.
pub(crate) fn say(line: &str) {
    // The other end of standard error may be closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if status.success() {
        return Ok(());
    }
    bail!("{program}: {status}")
}

/// Runs programs side by side to their ends. What each printed comes in one piece.
pub(crate) fn run_all(commands: impl Iterator<Item = Command>) -> Result<()> {
    let ran = thread::scope(|scope| {
        let running = commands.map(|mut command| scope.spawn(move || output(&mut command)));
        let running: Vec<_> = running.collect();
        let ends = running.into_iter().map(ScopedJoinHandle::join);
        ends.collect::<Vec<_>>()
    });
    for end in ran {
        let Ok(end) = end else {
            bail!("a thread ended early")
        };
        let (said, status) = end?;
        say(said.trim_end());
        if let Some(status) = status {
            bail!("{status}")
        }
    }
    Ok(())
}

/// Runs a program to its end; returns what it printed on both streams, and how it failed.
fn output(command: &mut Command) -> Result<(String, Option<String>)> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let said = [output.stderr, output.stdout].concat();
    let failed = !output.status.success();
    Ok((
        String::from_utf8_lossy(&said).into_owned(),
        failed.then(|| format!("{program}: {}", output.status)),
    ))
}

/// Runs a program to its end; returns what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!("{program}: {}: {}", output.status, said.trim())
}

/// Becomes another program.
#[cfg(unix)]
pub(crate) fn replace(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    let program = command.get_program().to_string_lossy().into_owned();
    Err(command.exec()).with_context(|| format!("cannot run {program}"))
}

/// Runs another program to its end, in place of this one.
#[cfg(not(unix))]
pub(crate) fn replace(command: &mut Command) -> Result<ExitCode> {
    run(command).map(|()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::run_all;

    #[test]
    fn programs_side_by_side_end_well_only_together() {
        let shell = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            shell
        };
        assert!(run_all([shell("true"), shell("true")].into_iter()).is_ok());
        let ran = run_all([shell("true"), shell("exit 3")].into_iter());
        let error = ran.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("sh: exit status: 3"), "{error}");
    }
}
