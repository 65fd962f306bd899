//! The `bailiwick` command: a table of commands.

mod allocator;
mod cli;

use std::process::ExitCode;

use bailiwick::transport::TokenRefused;
use clap::{Parser, Subcommand};

/// An MCP server host that runs every tool as a WebAssembly component. A tool learns for whom it
/// acts, and holds no keys.
#[derive(Parser)]
#[command(name = "bailiwick", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the tools of a folder as an MCP server.
    #[command(after_help = cli::examples::SERVE)]
    Serve(cli::serve::Args),
    /// Check a configuration and the tools folder, without serving.
    #[command(after_help = cli::examples::CHECK)]
    Check(cli::check::Args),
    /// Look at everything that a host needs here, on this machine and on the network.
    Doctor(cli::doctor::Args),
    /// Ask the running host whether it is well.
    Health(cli::health::Args),
    /// Explain whether a token may make a call, without making it.
    #[command(after_help = cli::examples::EXPLAIN)]
    Explain(cli::explain::Args),
    /// Read the audit journal.
    #[command(subcommand)]
    Audit(cli::audit::AuditCommand),
    /// Start a tool: a project in Rust, TypeScript or Python with an example in it.
    New(cli::new::Args),
    /// Build a project into a component for the tools folder.
    Build(cli::build::Args),
    /// Make a component of an API description or a remote MCP server, without a compiler.
    #[command(subcommand)]
    Import(cli::import::ImportCommand),
    /// Describe a component: what it is, what it asks for, and whether this host would load it.
    Inspect(cli::inspect::Args),
    /// Sign components, or make a key to sign them with.
    #[command(after_help = cli::examples::SIGN)]
    Sign(cli::sign::Args),
    /// Accept the definitions of a component's tools.
    Accept(cli::accept::Args),
    /// Stop a user, agent, client, tenant, tool or component at once, or lift that again.
    #[command(after_help = cli::examples::DENY)]
    Deny(cli::deny::Args),
    /// The former name of `accept`.
    #[command(hide = true, disable_help_flag = true)]
    Approve(cli::accept::FormerArgs),
    /// Call a tool once, in its sandbox, as a sample user (runs `bailiwick-dev`).
    #[command(disable_help_flag = true, after_help = cli::dev::CALL)]
    Call(cli::dev::Args),
    /// Try tools on this machine: a host with an issuer and sample users (runs `bailiwick-dev`).
    #[command(disable_help_flag = true, after_help = cli::dev::DEV)]
    Dev(cli::dev::Args),
    /// Tell a client about a host: its settings, printed or written (runs `bailiwick-dev`).
    #[command(disable_help_flag = true, after_help = cli::dev::CLIENT)]
    Client(cli::dev::Args),
    /// Print the completions for a shell.
    Completions(cli::completions::Args),
    /// Write the manual pages of all commands; packages have them.
    #[command(hide = true)]
    Man(cli::man::Args),
    /// Keep a process that starts compile workers; the host runs this.
    #[command(hide = true)]
    CompileKeeper,
    /// Start compile workers; the keeper runs this.
    #[command(hide = true)]
    CompileSpawner,
    /// Compile one component; the spawner runs this.
    #[command(hide = true)]
    CompileWorker(cli::compile::Args),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let result = cli::on_stdout(|page| match command {
        Command::Serve(args) => cli::serve::run(&args),
        Command::Check(args) => cli::check::run(&args, page),
        Command::Doctor(args) => cli::doctor::run(&args, page),
        Command::Health(args) => cli::health::run(&args, page),
        Command::Explain(args) => cli::explain::run(&args, page),
        Command::Audit(command) => cli::audit::run(&command, page),
        Command::New(args) => cli::new::run(&args, page),
        Command::Build(args) => cli::build::run(args, page),
        Command::Import(command) => cli::import::run(command, page),
        Command::Inspect(args) => cli::inspect::run(&args, page),
        Command::Sign(args) => cli::sign::run(&args, page),
        Command::Accept(args) => cli::accept::run(&args, page),
        Command::Deny(args) => cli::deny::run(&args, page),
        Command::Approve(args) => cli::accept::former(&args),
        Command::Call(args) => cli::dev::call(&args),
        Command::Dev(args) => cli::dev::run(&args),
        Command::Client(args) => cli::dev::client(&args),
        Command::Completions(args) => cli::completions::run(&args, page),
        Command::Man(args) => cli::man::run(&args),
        Command::CompileKeeper => cli::compile::keeper(),
        Command::CompileSpawner => cli::compile::spawner(),
        Command::CompileWorker(args) => cli::compile::worker(&args),
    });
    let refused = |error: &anyhow::Error| error.is::<TokenRefused>();
    let is_refused = result.as_ref().err().is_some_and(refused);
    let code = cli::conclude(result);
    if is_refused {
        return ExitCode::from(TOKEN_REFUSED);
    }
    code
}

/// The exit code of a session that ended because its token was refused: `EX_NOPERM` of sysexits.
const TOKEN_REFUSED: u8 = 77;
