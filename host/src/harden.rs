//! Gives up rights before the program meets anything from outside: those that neither serving nor
//! compiling needs, so that code that escapes from WebAssembly finds less to use.
//!
//! Beside the story; `serve` and the two helper processes of the compiler call it first. Trusts the
//! kernel.
//!
//! Invariant: a function here returns `Ok` only if everything that it names is in force for every
//! thread of the process, present and future. No caller can ask for less.

#[cfg_attr(
    not(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "harden/elsewhere.rs"
)]
mod system;

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// A right that cannot be given up.
#[derive(Debug, thiserror::Error)]
pub enum HardenError {
    /// The kernel, or a filter around this process, refuses the filter.
    #[error(
        "the filter of system calls is refused, and the host does not run without it: allow the calls `seccomp` and `prctl` \
         (the profiles of container engines do by default) on a kernel with CONFIG_SECCOMP_FILTER"
    )]
    Filter(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A limit cannot be set.
    #[error("{what} cannot be set")]
    Setting {
        /// The limit.
        what: &'static str,
        /// The kernel's error.
        #[source]
        cause: std::io::Error,
    },
}

/// The resources that one compilation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space, bytes.
    pub address_space: u64,
    /// Processor time, seconds.
    pub cpu: u64,
}

/// Restricts the serving process, before it reads a secret: it starts no process or program,
/// inspects no other process and leaves no core file, and others of the same user cannot read its
/// memory.
///
/// # Errors
/// A right cannot be given up.
pub fn serving() -> Result<(), HardenError> {
    limit("the size of core files", Resource::Core, 0)?;
    system::close_to_others()?;
    system::no_new_programs()
}

/// Restricts the process that starts the compile workers: as [`serving`], except that it starts
/// processes. When memory runs out, the kernel ends it before the serving process.
///
/// # Errors
/// A right cannot be given up.
pub(crate) fn spawning() -> Result<(), HardenError> {
    limit("the size of core files", Resource::Core, 0)?;
    end_first(|score| i32::midpoint(score, MOST_EXPENDABLE));
    system::few_calls()
}

/// Restricts the process that compiles one component, before it reads a byte of it. It computes,
/// reads standard input and writes standard output, within `limits`. It ends with its parent, and
/// before any other process when memory runs out.
///
/// # Errors
/// A right cannot be given up.
pub(crate) fn compiling(limits: CompileLimits) -> Result<(), HardenError> {
    limit("the size of core files", Resource::Core, 0)?;
    end_first(|_| MOST_EXPENDABLE);
    limit("the size of files", Resource::Fsize, 0)?;
    limit("the number of open files", Resource::Nofile, MAX_FILES)?;
    limit("the address space", Resource::As, limits.address_space)?;
    // Two limits, so that the soft one ends it by the signal that names the cause.
    limit(
        "the processor time",
        Resource::Cpu,
        limits.cpu.saturating_add(2),
    )?;
    let most = getrlimit(Resource::Cpu).maximum;
    let cpu = Rlimit {
        current: most.map(|most| most.min(limits.cpu)),
        maximum: most,
    };
    setrlimit(Resource::Cpu, cpu).map_err(setting("the processor time"))?;
    // Only a courtesy; a service manager's own filter may deny it.
    let _ = setpriority_process(None, NICE);
    system::end_with_parent()?;
    system::only_compute()
}

/// Changes the score by which the kernel chooses which process to end when memory runs out. Every
/// process may raise its own. If the file is closed to this process, it goes on: it loses the
/// choice, not a protection from guests.
fn end_first(change: impl FnOnce(i32) -> i32) {
    let own = fs::read_to_string(SCORE)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let _ = fs::write(SCORE, change(own.unwrap_or_default()).to_string());
}

/// Sets a limit, unless a lower one is already set.
fn limit(what: &'static str, resource: Resource, most: u64) -> Result<(), HardenError> {
    let most = getrlimit(resource)
        .maximum
        .map_or(most, |already| already.min(most));
    setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    )
    .map_err(setting(what))
}

fn setting<E: Into<std::io::Error>>(what: &'static str) -> impl FnOnce(E) -> HardenError {
    move |cause| HardenError::Setting {
        what,
        cause: cause.into(),
    }
}

/// The adjustment to a process's share of memory, in thousandths. Children inherit it; -1000 means
/// never.
const SCORE: &str = "/proc/self/oom_score_adj";
const MOST_EXPENDABLE: i32 = 1000;
/// Serving has priority.
const NICE: i32 = 10;
/// The three standard files, and a little room.
const MAX_FILES: u64 = 16;
