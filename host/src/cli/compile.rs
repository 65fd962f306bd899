//! Compiling for the commands, and the two processes that nobody starts by hand.

use bailiwick::sandbox::{self, Compiler};

/// `bailiwick compile-spawner`: starts a worker for each component that the process above asks for.
pub(crate) fn spawner() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(sandbox::spawn_workers())
}

/// `bailiwick compile-worker`: compiles one component, from standard input to standard output.
pub(crate) fn worker() -> anyhow::Result<()> {
    Ok(sandbox::work()?)
}

/// A compiler for a command that looks and does not serve. Such a command starts nothing else, so it gives up the
/// right to, as the host does.
#[cfg(not(test))]
pub(super) fn compiler() -> anyhow::Result<Compiler> {
    let workers = sandbox::Workers::start()?;
    bailiwick::harden::serving()?;
    Ok(Compiler::new(workers))
}

/// The tests of the commands run in a program that has no such commands.
#[cfg(test)]
pub(super) fn compiler() -> anyhow::Result<Compiler> {
    struct Here;
    impl sandbox::Compile for Here {
        fn compile<'a>(&'a self, tier: sandbox::Tier, bytes: &'a [u8]) -> sandbox::Compiling<'a> {
            Box::pin(async move { sandbox::compile_here(tier, bytes) })
        }
    }
    Ok(Compiler::new(Here))
}
