//! `bailiwick-demo`: tells the story of Bailiwick with a real host, a real issuer and a real
//! service, all on loopback.

use std::ffi::OsString;
use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bailiwick_dev::process::UNTIL_STDIN_CLOSES;
use bailiwick_dev::story::{self, Options};
use bailiwick_dev::terminal::shown;

const USAGE: &str = "usage: bailiwick-demo --bailiwick PATH --tools DIR --out DIR [--code DIR] [--once] [--until-stdin-closes]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The output may be closed; the exit code reports it too.
            let _unheard = writeln!(stderr(), "bailiwick-demo: {}", shown(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

async fn run() -> anyhow::Result<bool> {
    if std::env::args_os()
        .skip(1)
        .any(|argument| argument == "--help" || argument == "-h")
    {
        writeln!(stdout(), "{USAGE}")?;
        return Ok(true);
    }
    let options = parse(std::env::args_os().skip(1))?;
    story::tell(&options).await
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Options> {
    let (mut bailiwick, mut tools, mut out, mut code) = (None, None, None, None);
    let (mut once, mut until_stdin_closes) = (false, false);
    while let Some(argument) = arguments.next() {
        let slot = match argument.to_str().unwrap_or_default() {
            "--bailiwick" => &mut bailiwick,
            "--tools" => &mut tools,
            "--out" => &mut out,
            "--code" => &mut code,
            "--once" => {
                once = true;
                continue;
            }
            UNTIL_STDIN_CLOSES => {
                until_stdin_closes = true;
                continue;
            }
            _ => bail!("unknown argument {}\n{USAGE}", argument.display()),
        };
        let value = arguments
            .next()
            .with_context(|| format!("{} needs a value\n{USAGE}", argument.display()))?;
        *slot = Some(PathBuf::from(value));
    }
    let (bailiwick, tools, out) = (
        bailiwick.context(USAGE)?,
        tools.context(USAGE)?,
        out.context(USAGE)?,
    );
    Ok(Options {
        code: code.unwrap_or_else(|| out.join("code")),
        bailiwick,
        tools,
        out,
        once,
        until_stdin_closes,
    })
}
