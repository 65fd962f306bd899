//! `bailiwick-dev`, which `bailiwick dev` runs: a host, an issuer and sample users around the
//! folder of tools in development. For development only.

use std::ffi::OsString;
use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use bailiwick_dev::connecting::{self, Clients};
use bailiwick_dev::terminal::shown;
use bailiwick_dev::workbench::{self, Call, Options, SWEEP, USAGE};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == CALL) {
        return call(&arguments).await;
    }
    if arguments.first().is_some_and(|first| first == CLIENT) {
        return client(&arguments);
    }
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        // The output may be closed.
        let _unheard = writeln!(stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    if arguments == ["--version"] {
        let _unheard = writeln!(stdout(), "bailiwick-dev {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => failed("bailiwick-dev", &error),
    }
}

/// Prints why a program did not do what it was asked for.
fn failed(program: &str, error: &anyhow::Error) -> ExitCode {
    // The output may be closed.
    let _unheard = writeln!(stderr(), "{program}: {}", shown(&format!("{error:#}")));
    ExitCode::from(2)
}

/// Runs `bailiwick call`: one call, and its answer.
async fn call(arguments: &[OsString]) -> ExitCode {
    let options = match Call::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    match workbench::call(&options).await {
        Ok(code) => code,
        Err(error) => failed("bailiwick call", &error),
    }
}

/// Runs `bailiwick client`.
fn client(arguments: &[OsString]) -> ExitCode {
    let asked = match Clients::try_parse_from(arguments) {
        Ok(asked) => asked,
        Err(error) => error.exit(),
    };
    match connecting::clients(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed("bailiwick client", &error),
    }
}

/// The first argument of `bailiwick call`.
const CALL: &str = "call";

/// The first argument of `bailiwick client`.
const CLIENT: &str = "client";

async fn run(arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    if let [first, folder] = arguments.as_slice()
        && first == SWEEP
    {
        workbench::sweep(Path::new(folder))?;
        return Ok(ExitCode::SUCCESS);
    }
    workbench::run(&Options::parse(arguments)?).await?;
    Ok(ExitCode::SUCCESS)
}
