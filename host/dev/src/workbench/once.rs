//! `bailiwick call`: one call of one tool, as a sample user, and its answer.
//!
//! The tool runs in a host of its own, started for this call on a port that no one knows: the same
//! sandbox, the same refusals and the same record as in `bailiwick serve`. Keys, issuer and
//! services are those of the workbench, never those of a configuration that serves.
//!
//! Invariant: the answer is on standard output, everything else on standard error.

mod print;
mod server;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;

use super::options::beside;
use super::services::{self, Services, ServicesFile, Traffic};
use super::shelf::{self, Shelf};
use super::sweeper::Sweeper;
use super::{config, host_folder, issuer_settings, tell};
use crate::folder::Folder;
use crate::issuer::{Issuer, TokenSpec, User};
use crate::mcp::Answer;
use crate::process::{self, Host, Interrupts};
use crate::terminal::shown;

/// Calls a tool once, as a sample user, in the sandbox in which it will be served.
///
/// The tool's services are those of services.toml or --services, or else samples (`orders_api`,
/// `billing_api`, `reports_api`). For development only.
#[derive(Parser, Debug)]
#[command(name = "bailiwick call", bin_name = "bailiwick call", after_help = EXAMPLES)]
pub struct Call {
    /// The tool's name.
    #[arg(required_unless_present_any = ["resource", "prompt"])]
    tool: Option<String>,
    /// The arguments: key=text, or key:=JSON.
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// Read the resource of this URI, in place of a tool's call.
    #[arg(long, value_name = "URI", conflicts_with_all = ["prompt", "tool"])]
    resource: Option<String>,
    /// Get the prompt of this name, with arguments key=text.
    #[arg(long, value_name = "NAME")]
    prompt: Option<String>,
    /// The user who asks: a sample user, or any other name; by default alice. With --url, a user of
    /// the `bailiwick dev` that serves there.
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// The scopes of the user's token, separated by commas; by default, what the tool requires.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// A component that has the tool.
    #[arg(long, value_name = "FILE", conflicts_with = "tools")]
    file: Option<PathBuf>,
    /// A folder of components, one of which has the tool.
    #[arg(long, value_name = "DIR", default_value = "tools")]
    tools: PathBuf,
    /// The services, as for `bailiwick dev`; by default services.toml in the folder of the
    /// components or beside it, if there is one.
    #[arg(long, value_name = "FILE")]
    services: Option<PathBuf>,
    /// Call the tool of a server that runs, in place of a component.
    #[arg(long, value_name = "URL", conflicts_with_all = ["file", "tools", "services"])]
    url: Option<String>,
    /// The file with the token for --url; without it and --as, there is none.
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with_all = ["user", "scopes"])]
    token_file: Option<PathBuf>,
    /// Print the whole result as JSON.
    #[arg(long)]
    json: bool,
    /// The host; by default, `bailiwick` beside this program.
    #[arg(long, value_name = "PATH", hide = true)]
    bailiwick: Option<PathBuf>,
}

const EXAMPLES: &str = concat!(
    include_str!("once/call.txt"),
    "\n\
It ends with 0 after an answer, with 1 if the tool says that it failed, and with 2 if it was not
called. The answer is on standard output; the tool's log lines, and what services.toml lacks, are on
standard error."
);

/// Makes the call and prints the answer; returns how the program ends.
///
/// # Errors
/// The tool was not called: it does not exist, or the host refused it or the call.
pub async fn call(options: &Call) -> anyhow::Result<ExitCode> {
    let mut interrupts = Interrupts::listen(false)?;
    let answer = tokio::select! {
        answer = answer(options) => answer?,
        () = interrupts.next() => bail!("interrupted"),
    };
    print::print(&answer, options.json)
}

async fn answer(options: &Call) -> anyhow::Result<Answer> {
    if let Some(url) = &options.url {
        return server::call(url, options).await;
    }
    let mut place = Place::set_up(options).await?;
    let answer = place.call(options).await;
    let cleared = place.clear().await;
    let answer = answer?;
    cleared?;
    Ok(answer)
}

/// A host for one call, with everything around it.
struct Place {
    issuer: Issuer,
    services: Services,
    folder: Folder,
    host: Host,
    scopes: Vec<String>,
    sweeper: Sweeper,
}

impl Place {
    async fn set_up(options: &Call) -> anyhow::Result<Self> {
        let bailiwick = match &options.bailiwick {
            Some(path) => path.clone(),
            None => beside()?,
        };
        let mut sweeper = Sweeper::start()?;
        let (folder, code) = host_folder(&sweeper)?;
        let mut settings = issuer_settings(0);
        if settings
            .users
            .iter()
            .all(|known| known.sub != options.user())
        {
            settings.users.push(User::new(options.user()));
        }
        let issuer = Issuer::start_with(settings).await?;
        let mut services = Services::start(options.services(), Traffic::default(), &issuer).await?;
        let names = if let Some(file) = &options.file {
            vec![copy(file, &folder)?]
        } else {
            let mut shelf = Shelf::new(&options.tools).context(
                "which component has the tool? Build it (bailiwick build PROJECT), or name it with \
                 --file, its folder with --tools, or a host that serves it with --url",
            )?;
            shelf.copy_to(&folder)?;
            shelf.names()
        };
        let mut asks = tell::Asks::default();
        for name in &names {
            let asked = tell::inspect(&bailiwick, (&folder, &code), name).await?;
            asks.add(asked.unwrap_or_default());
        }
        for lack in services.stand_in(&asks.services, &issuer).await? {
            say(&lack);
        }
        let config = config(&issuer, &services, &folder, 0, &names)?;
        folder.write_config(&code.configure(config))?;
        let mut command = process::serve(&bailiwick, &folder.config());
        command.env("NO_COLOR", "1");
        let host = Host::start_command(command).await?;
        sweeper.wait_for(&host).await?;
        Ok(Self {
            issuer,
            services,
            folder,
            host,
            scopes: asks.scopes.into_iter().collect(),
            sweeper,
        })
    }

    async fn call(&mut self, options: &Call) -> anyhow::Result<Answer> {
        let scopes: Vec<&str> = options
            .scopes
            .as_ref()
            .unwrap_or(&self.scopes)
            .iter()
            .map(String::as_str)
            .collect();
        let url = self.host.url();
        let spec = TokenSpec::of(options.user()).client(tell::AGENT);
        let spec = spec.audience(&url).scopes(&scopes);
        let token = self.issuer.token(&spec)?;
        let started = Instant::now();
        let answer = server::at(&url, Some(&token), options).await;
        let milliseconds = started.elapsed().as_millis();
        self.report(options.user(), options.target().name(), milliseconds);
        // A host does not say so: it offers a tool only to those who may call it.
        let needed = self.scopes.iter().map(String::as_str);
        let lacking: Vec<&str> = needed.filter(|scope| !scopes.contains(scope)).collect();
        if lacking.is_empty() {
            return answer;
        }
        let left_out = lacking.join(",");
        answer
            .with_context(|| format!("--scopes leaves out {left_out}, which something here needs"))
    }

    /// Reports the host's words about the call, such as the lines that the tool logs.
    fn report(&self, user: &str, tool: &str, milliseconds: u128) {
        let said = self.host.said_since(0);
        let (_, after) = said.split_once("listening on").unwrap_or_default();
        let mut err = std::io::stderr().lock();
        // The output may be closed.
        let lines = after.lines().skip(1);
        // The host's own line about the call says less than this program.
        for line in lines.filter(|line| !line.contains(services::CALL_ENDED)) {
            let _unheard = writeln!(err, "{}", shown(line));
        }
        let refused = self.services.refusals(&self.folder, &mut 0);
        for note in self.services.notes().into_iter().chain(refused) {
            let _unheard = writeln!(err, "{}", shown(&note));
        }
        if let Some(file) = self.services.file() {
            let _unheard = writeln!(err, "the services are those of {}", file.display());
        }
        let _unheard = writeln!(err, "{tool} for {user}: {milliseconds} ms");
    }

    async fn clear(mut self) -> anyhow::Result<()> {
        self.host.stop().await?;
        self.sweeper.finish().await
    }
}

/// Copies a component; returns its name.
fn copy(file: &Path, folder: &Folder) -> anyhow::Result<String> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| name.strip_suffix(".wasm"));
    // The name becomes a part of the host's configuration.
    let name = name.filter(shelf::is_plain).with_context(|| {
        format!(
            "{} cannot be a component; expected a file NAME.wasm, with a name of [A-Za-z0-9_.-]",
            file.display()
        )
    })?;
    folder.add_tool(file)?;
    Ok(name.to_owned())
}

/// What is asked for.
enum Target<'c> {
    Tool(&'c str),
    Resource(&'c str),
    /// A prompt, and the words of its arguments.
    Prompt(&'c str, Vec<String>),
}

impl Target<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Tool(name) | Self::Resource(name) | Self::Prompt(name, _) => name,
        }
    }
}

impl Call {
    fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("alice")
    }

    fn target(&self) -> Target<'_> {
        let tool = self.tool.as_deref();
        match (&self.resource, &self.prompt) {
            (Some(uri), _) => Target::Resource(uri),
            (None, None) => Target::Tool(tool.unwrap_or_default()),
            (None, Some(name)) => {
                // The first word is an argument then.
                let first = tool.map(str::to_owned).into_iter();
                let words = first.chain(self.arguments.iter().cloned());
                Target::Prompt(name, words.collect())
            }
        }
    }

    /// Returns the file of services: the one that is named, or one beside the components.
    fn services(&self) -> ServicesFile {
        if let Some(named) = &self.services {
            return ServicesFile::Named(named.clone());
        }
        let tools = self.file.as_deref().and_then(Path::parent);
        ServicesFile::of_tools(tools.unwrap_or(&self.tools))
    }
}

/// Says something that is no part of the answer.
fn say(words: &str) {
    // The output may be closed.
    let _unheard = writeln!(std::io::stderr().lock(), "{}", shown(words));
}
