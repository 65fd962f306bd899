//! The filters of system calls on Linux, and the settings of `prctl`.
//!
//! Trusts the kernel to apply a filter to every thread at once. There are two kinds of filter. The
//! serving process and the spawner lose the calls in a list, because a resolver or a C library may
//! need new calls after an update. The worker keeps the calls in a list, because it only computes.
//!
//! Invariant: a filter is never installed for some threads only, and always with no-new-privileges.

mod calls;

use std::collections::BTreeMap;

use rustix::process::{
    DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::{HardenError, setting};

/// System calls, each with alternative conditions; an empty list means always.
type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// Denies the calls that nothing here needs, and every way to start a process or program.
pub(super) fn no_new_programs() -> Result<(), HardenError> {
    let mut denied = all(&calls::NEVER);
    denied.extend(all(&calls::PROGRAMS));
    denied.insert(libc::SYS_clone, vec![without_flag(0, libc::CLONE_THREAD)?]);
    let denied = with_other_numbers(denied);
    install(denied, SeccompAction::Allow, denial())?;
    no_clone3()
}

/// Denies the calls that nothing here needs.
pub(super) fn few_calls() -> Result<(), HardenError> {
    install(
        with_other_numbers(all(&calls::NEVER)),
        SeccompAction::Allow,
        denial(),
    )
}

/// Allows only the calls for computing with threads, reading standard input and writing standard
/// output.
pub(super) fn only_compute() -> Result<(), HardenError> {
    // First, because the filter after it denies the installation of another.
    no_clone3()?;
    let mut allowed = all(&calls::COMPUTING);
    allowed.insert(libc::SYS_read, vec![equal(0, 0)?]);
    for write in [libc::SYS_write, libc::SYS_writev] {
        allowed.insert(write, vec![equal(0, 1)?, equal(0, 2)?]);
    }
    // Its own memory, which is never code, and no file that it may have inherited.
    let memory = [
        condition_without(2, libc::PROT_EXEC)?,
        condition_with(3, libc::MAP_ANONYMOUS)?,
    ];
    allowed.insert(libc::SYS_mmap, vec![rule(memory.to_vec())?]);
    allowed.insert(libc::SYS_mprotect, vec![without_flag(2, libc::PROT_EXEC)?]);
    allowed.insert(libc::SYS_clone, vec![with_flag(0, libc::CLONE_THREAD)?]);
    allowed.insert(
        libc::SYS_prctl,
        vec![equal(0, unsigned(libc::PR_SET_NAME))?],
    );
    install(allowed, denial(), SeccompAction::Allow)
}

/// Prevents processes of the same user from attaching to this one and reading its memory.
pub(super) fn close_to_others() -> Result<(), HardenError> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(setting("that memory is closed to other processes"))
}

/// Makes the kernel kill this process when its parent ends.
pub(super) fn end_with_parent() -> Result<(), HardenError> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(setting("the end with the parent process"))
}

/// Makes `clone3` fail as if the kernel were older. Its flags are in memory, where a filter cannot
/// see them. C libraries then use `clone`, whose flags it can see.
fn no_clone3() -> Result<(), HardenError> {
    install(
        all(&[libc::SYS_clone3]),
        SeccompAction::Allow,
        SeccompAction::Errno(code(libc::ENOSYS)),
    )
}

fn all(calls: &[i64]) -> Calls {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// Adds x32's numbers of the same calls, which a kernel on x86-64 may also accept.
fn with_other_numbers(mut calls: Calls) -> Calls {
    if cfg!(target_arch = "x86_64") {
        let others: Calls = calls
            .iter()
            .map(|(call, rules)| (call | calls::X32, rules.clone()))
            .collect();
        calls.extend(others);
        calls.extend(all(&calls::X32_ONLY.map(|call| call | calls::X32)));
    }
    calls
}

fn install(
    calls: Calls,
    otherwise: SeccompAction,
    these: SeccompAction,
) -> Result<(), HardenError> {
    let target = TargetArch::try_from(std::env::consts::ARCH).map_err(filter)?;
    let rules = SeccompFilter::new(calls, otherwise, these, target).map_err(filter)?;
    let program = BpfProgram::try_from(rules).map_err(filter)?;
    apply_filter_all_threads(&program).map_err(filter)
}

fn equal(argument: u8, value: u64) -> Result<SeccompRule, HardenError> {
    rule(vec![condition(argument, SeccompCmpOp::Eq, value)?])
}

fn with_flag(argument: u8, flag: i32) -> Result<SeccompRule, HardenError> {
    rule(vec![condition_with(argument, flag)?])
}

fn without_flag(argument: u8, flag: i32) -> Result<SeccompRule, HardenError> {
    rule(vec![condition_without(argument, flag)?])
}

fn condition_with(argument: u8, flag: i32) -> Result<SeccompCondition, HardenError> {
    condition(
        argument,
        SeccompCmpOp::MaskedEq(unsigned(flag)),
        unsigned(flag),
    )
}

fn condition_without(argument: u8, flag: i32) -> Result<SeccompCondition, HardenError> {
    condition(argument, SeccompCmpOp::MaskedEq(unsigned(flag)), 0)
}

fn condition(
    argument: u8,
    compare: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, HardenError> {
    // The kernel looks at these arguments as 32 bits.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value).map_err(filter)
}

/// Makes a rule that holds if all of the conditions do.
fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, HardenError> {
    SeccompRule::new(conditions).map_err(filter)
}

fn denial() -> SeccompAction {
    SeccompAction::Errno(code(libc::EPERM))
}

fn code(error: i32) -> u32 {
    error.unsigned_abs()
}

fn unsigned(flag: i32) -> u64 {
    u64::from(flag.unsigned_abs())
}

fn filter(cause: impl std::error::Error + Send + Sync + 'static) -> HardenError {
    HardenError::Filter(Box::new(cause))
}

#[cfg(test)]
mod tests;
