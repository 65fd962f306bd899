//! Compiling for the commands, and the three processes that only the host starts.

use std::path::Path;

use bailiwick::envelope::cache_key;
use bailiwick::harden::CompileLimits;
use bailiwick::intake::{self, Cache, Compiler};
use bailiwick::owned::Trust;
use bailiwick::seams::SystemRandom;

/// The limits of a worker.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Processor time, seconds.
    cpu: u64,
    /// Address space, bytes.
    memory: u64,
}

/// Runs `bailiwick compile-keeper`: starts a spawner whenever the process above asks for one.
pub(crate) fn keeper() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(intake::keep_spawner())
}

/// Runs `bailiwick compile-spawner`: starts a worker for each component that the process above asks
/// for.
pub(crate) fn spawner() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(intake::spawn_workers())
}

/// Runs `bailiwick compile-worker`: compiles one component, from standard input to standard output.
pub(crate) fn worker(args: &Args) -> anyhow::Result<()> {
    Ok(intake::work(CompileLimits {
        address_space: args.memory,
        cpu: args.cpu,
    })?)
}

/// Makes a compiler for a command that looks and does not serve. Such a command starts nothing
/// else, so it gives up the right to, as the host does.
#[cfg(not(test))]
pub(super) fn compiler() -> anyhow::Result<Compiler> {
    show_warnings_of_components();
    let workers = intake::Workers::start()?;
    bailiwick::harden::serving()?;
    Ok(Compiler::new(workers))
}

/// Makes the same compiler for the workbench: it shares the code in this folder, and the key that
/// guards it, with the workbench's hosts, so that each component is compiled once. The workbench
/// has checked whose the folder is.
pub(super) fn compiler_for(code: Option<&Path>) -> anyhow::Result<Compiler> {
    let Some(code) = code else {
        return compiler();
    };
    let trust = Trust {
        folders: vec![code.to_owned()],
        ..Trust::default()
    };
    let key = cache_key(&code.join("keys"), &SystemRandom, &trust)?;
    let cache = Cache::open(&code.join("cache"), key, &trust);
    Ok(compiler()?.keeping(cache.map(|cache| cache.holding(MOST_CODE))))
}

/// The most code of development builds, in bytes: each save makes that of a whole engine.
const MOST_CODE: u64 = 512 << 20;

/// Shows on standard error what a component says while it describes itself, such as the panic that
/// ends it. The error itself names addresses alone.
#[cfg(not(test))]
fn show_warnings_of_components() {
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    use tracing_subscriber::util::SubscriberInitExt as _;

    let of_components = filter_fn(|metadata| {
        metadata.target() == "tool" && *metadata.level() <= tracing::Level::WARN
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .without_time()
        .with_ansi(false)
        .with_target(false);
    // A second compiler of one process finds it there.
    let _there = tracing_subscriber::registry()
        .with(lines.with_filter(of_components))
        .try_init();
}

/// Compiles in this process: the test program has no subcommands to start.
#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "outside of tests it can fail")]
pub(super) fn compiler() -> anyhow::Result<Compiler> {
    struct Here;
    impl intake::Compile for Here {
        fn compile<'a>(
            &'a self,
            tier: bailiwick::sandbox::Tier,
            bytes: &'a [u8],
            _: CompileLimits,
        ) -> intake::Compiling<'a> {
            Box::pin(async move { intake::compile_here(tier, bytes) })
        }
    }
    Ok(Compiler::new(Here))
}
