//! The plan: servers, durations, and files for the results.

use std::path::PathBuf;
use std::time::Duration;

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
    /// The component with the tool `echo`.
    #[arg(long)]
    pub(crate) component: PathBuf,
    /// The program that measures in process.
    #[arg(long)]
    pub(crate) inside: PathBuf,
    /// A folder on the disk for the host and its journal; it is emptied.
    #[arg(long)]
    pub(crate) work: PathBuf,
    /// The file for the results.
    #[arg(long)]
    pub(crate) json: PathBuf,
    /// A file for a chart.
    #[arg(long)]
    pub(crate) svg: Option<PathBuf>,
    /// The URL of another MCP server, measured in the same rounds.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Its name in the results.
    #[arg(long, default_value = "other", requires = "url")]
    pub(crate) name: String,
    /// A bearer token for it.
    #[arg(long, requires = "url")]
    pub(crate) token: Option<String>,
    /// The tool to call there.
    #[arg(long, default_value = "echo", requires = "url")]
    pub(crate) tool: String,
    /// The tool's arguments, as a JSON object.
    #[arg(long, default_value = ARGUMENTS, requires = "url")]
    pub(crate) arguments: String,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,128")]
    pub(crate) connections: Vec<usize>,
    /// Turns of each server at each number of connections.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Milliseconds of a turn; a fifth of that goes before it to warm up.
    #[arg(long, default_value_t = 1500)]
    pub(crate) turn_ms: u64,
    /// Leave out the measurements in process.
    #[arg(long)]
    pub(crate) only_http: bool,
    /// Leave out the measurements over HTTP.
    #[arg(long)]
    pub(crate) only_inside: bool,
}

impl Plan {
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_millis(self.turn_ms)
    }

    pub(crate) fn warm_up(&self) -> Duration {
        self.turn() / 5
    }
}

/// The arguments of the measured tool.
pub(crate) const ARGUMENTS: &str = r#"{"message":"the quick brown fox jumps over the lazy dog"}"#;
