//! `cargo xtask hunt`: the hunt of the gate, with as many users and calls as wanted.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::Project;
use crate::step::{run as run_program, step};

/// Hunts, and prints users, calls and the values seen by another user. Fails if there is one.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    let numbers = numbers(arguments)?;
    let (mut tests, _) = project.tests()?;
    tests.args(["--test", "stories", "--", STORY, "--nocapture"]);
    tests.envs(numbers);
    step("hunting", || run_program(&mut tests))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the variables with the numbers of the command line.
fn numbers(arguments: &[String]) -> Result<Vec<(&'static str, String)>> {
    let mut numbers = Vec::new();
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let variable = match option.as_str() {
            "--users" => "BAILIWICK_HUNT_USERS",
            "--calls" => "BAILIWICK_HUNT_CALLS",
            other => bail!("expected --users or --calls and not {other:?}"),
        };
        let number = rest.next().and_then(|text| text.parse::<usize>().ok());
        let number = number.filter(|number| *number > 0);
        let number = number.with_context(|| format!("expected a number after {option}"))?;
        numbers.push((variable, number.to_string()));
    }
    Ok(numbers)
}

/// The story of the hunt.
const STORY: &str = "mixups::in_a_hunt";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_hunt_takes_its_numbers_from_the_command_line() {
        let read = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            numbers(&words)
        };
        let users = ("BAILIWICK_HUNT_USERS", "7".to_owned());
        let calls = ("BAILIWICK_HUNT_CALLS", "90".to_owned());
        assert_eq!(read(&[]).unwrap(), []);
        let both = read(&["--calls", "90", "--users", "7"]);
        assert_eq!(both.unwrap(), [calls, users]);
        for wrong in [
            &["--users"][..],
            &["--calls", "0"],
            &["--calls", "x"],
            &["7"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
