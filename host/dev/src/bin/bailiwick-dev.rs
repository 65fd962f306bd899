//! `bailiwick-dev`, which `bailiwick dev` runs: a host, an issuer and sample users around the
//! folder of tools in development. For development only.

use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use bailiwick_dev::workbench::{self, Options, SWEEP, USAGE};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        // The output may be closed.
        let _unheard = writeln!(stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unheard = writeln!(stderr(), "bailiwick-dev: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    if let [first, folder] = arguments.as_slice()
        && first == SWEEP
    {
        return workbench::sweep(Path::new(folder));
    }
    workbench::run(&Options::parse(arguments)?).await
}
