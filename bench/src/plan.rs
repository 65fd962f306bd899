//! The plan: what is measured, for how long, and where the results go.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::client::Load;

/// The arguments of `measure`; `cargo xtask bench` fills in the paths.
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The program `bailiwick`.
    #[arg(long)]
    pub(crate) bailiwick: PathBuf,
    /// Another build of it, measured in the same rounds: on a busy machine, only one run shows the
    /// effect of a change.
    #[arg(long)]
    pub(crate) before: Option<PathBuf>,
    /// The folder with the components `echo`, `ten`, `orders` and `imported`.
    #[arg(long)]
    pub(crate) components: PathBuf,
    /// The program that measures in process.
    #[arg(long)]
    pub(crate) inside: PathBuf,
    /// The folder with the servers on other MCP libraries, `python` and `node`; those that are not
    /// there are left out.
    #[arg(long)]
    pub(crate) peers: PathBuf,
    /// A folder on a disk, for the hosts and their journals.
    #[arg(long)]
    pub(crate) work: PathBuf,
    /// The file for the results.
    #[arg(long)]
    pub(crate) json: PathBuf,
    /// A file for the tables, in Markdown.
    #[arg(long)]
    pub(crate) markdown: Option<PathBuf>,
    /// A file for a chart.
    #[arg(long)]
    pub(crate) svg: Option<PathBuf>,
    /// The commit that is measured, for the results.
    #[arg(long, default_value = "unknown")]
    pub(crate) commit: String,
    /// The command that started this, for the results.
    #[arg(long, default_value = "bailiwick-bench measure")]
    pub(crate) command: String,
    #[command(flatten)]
    pub(crate) other: Other,
    /// What is measured.
    #[arg(
        long,
        value_delimiter = ',',
        value_enum,
        default_value = "http,service,imported,growth,inside"
    )]
    pub(crate) only: Vec<Part>,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "1,32,128")]
    pub(crate) connections: Vec<usize>,
    /// Turns of each server at each number of connections.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Milliseconds of a turn; a fifth of that goes before it to warm up.
    #[arg(long, default_value_t = 1500)]
    pub(crate) turn_ms: u64,
    /// The most records of a growing journal. Ten million take about ten minutes and 8 GB.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) records: u64,
}

/// A part of the measurements.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The host beside other servers.
    Http,
    /// A tool with a service, beside two plain HTTP hops.
    Service,
    /// An imported operation, beside a tool in Rust that makes the same request.
    Imported,
    /// The cost by the number of tools, users, connections and records.
    Growth,
    /// The steps of a call, in process.
    Inside,
}

/// Another MCP server, which runs already.
#[derive(clap::Args)]
pub(crate) struct Other {
    /// The URL of another MCP server, measured in the same rounds.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Its name in the results.
    #[arg(long, default_value = "other", requires = "url")]
    pub(crate) name: String,
    /// A bearer token for it.
    #[arg(long, requires = "url")]
    pub(crate) token: Option<String>,
    /// The process id of it, if it runs on this machine.
    #[arg(long, requires = "url")]
    pub(crate) process: Option<u32>,
    /// The tool to call there.
    #[arg(long, default_value = "echo", requires = "url")]
    pub(crate) tool: String,
    /// The tool's arguments, as a JSON object.
    #[arg(long, default_value = ARGUMENTS, requires = "url")]
    pub(crate) arguments: String,
}

impl Other {
    /// Makes a call of a tool without a token.
    pub(crate) fn calling(tool: &str, arguments: &str) -> Self {
        Self {
            url: None,
            name: tool.to_owned(),
            token: None,
            process: None,
            tool: tool.to_owned(),
            arguments: arguments.to_owned(),
        }
    }
}

impl Plan {
    /// Returns whether a part is measured.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.contains(&part)
    }

    /// Reads a component; returns the name of its file, and its bytes.
    pub(crate) fn component(&self, name: &str) -> anyhow::Result<(String, Vec<u8>)> {
        let file = format!("{name}.wasm");
        let path = self.components.join(&file);
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        Ok((file, bytes))
    }

    /// Returns a load in which all connections call.
    pub(crate) fn load(&self, connections: usize) -> Load {
        let turn = Duration::from_millis(self.turn_ms);
        Load {
            calling: connections,
            idle: 0,
            warm_up: turn / 5,
            turn,
        }
    }
}

/// The arguments of the measured tool.
pub(crate) const ARGUMENTS: &str = r#"{"message":"the quick brown fox jumps over the lazy dog"}"#;
