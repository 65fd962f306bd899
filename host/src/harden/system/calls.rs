//! The lists of system calls.
//!
//! Invariant: what serving needs (files, sockets, threads, memory, signals, time) is in neither
//! [`NEVER`] nor [`PROGRAMS`].

use libc as c;

/// Calls that neither serving nor compiling ever needs: other processes' memory, kernel internals,
/// mounts and namespaces, keys of the kernel, and calls that do their work past this filter.
pub(super) const NEVER: [i64; 61] = [
    // Other processes.
    c::SYS_ptrace,
    c::SYS_process_vm_readv,
    c::SYS_process_vm_writev,
    c::SYS_pidfd_getfd,
    c::SYS_kcmp,
    c::SYS_move_pages,
    c::SYS_migrate_pages,
    // Kernel internals.
    c::SYS_bpf,
    c::SYS_perf_event_open,
    c::SYS_userfaultfd,
    c::SYS_init_module,
    c::SYS_finit_module,
    c::SYS_delete_module,
    c::SYS_kexec_load,
    c::SYS_kexec_file_load,
    c::SYS_reboot,
    c::SYS_syslog,
    c::SYS_acct,
    c::SYS_swapon,
    c::SYS_swapoff,
    c::SYS_quotactl,
    c::SYS_quotactl_fd,
    c::SYS_nfsservctl,
    c::SYS_vhangup,
    c::SYS_personality,
    c::SYS_lookup_dcookie,
    c::SYS_fanotify_init,
    c::SYS_settimeofday,
    c::SYS_clock_settime,
    c::SYS_clock_adjtime,
    c::SYS_adjtimex,
    c::SYS_sethostname,
    c::SYS_setdomainname,
    // Mounts and namespaces.
    c::SYS_mount,
    c::SYS_umount2,
    c::SYS_pivot_root,
    c::SYS_chroot,
    c::SYS_move_mount,
    c::SYS_open_tree,
    c::SYS_fsopen,
    c::SYS_fsconfig,
    c::SYS_fsmount,
    c::SYS_fspick,
    c::SYS_mount_setattr,
    c::SYS_unshare,
    c::SYS_setns,
    c::SYS_mknodat,
    // Files by handle, past the permissions of folders.
    c::SYS_name_to_handle_at,
    c::SYS_open_by_handle_at,
    // Keys of the kernel.
    c::SYS_add_key,
    c::SYS_request_key,
    c::SYS_keyctl,
    // Calls that do their work past this filter.
    c::SYS_io_uring_setup,
    c::SYS_io_uring_enter,
    c::SYS_io_uring_register,
    c::SYS_remap_file_pages,
    // Memory that other calls cannot account for.
    c::SYS_mbind,
    c::SYS_set_mempolicy,
    c::SYS_get_mempolicy,
    c::SYS_set_mempolicy_home_node,
    c::SYS_process_mrelease,
];

/// The calls that start a program, and on x86-64 the older ones that start a process.
#[cfg(target_arch = "x86_64")]
pub(super) const PROGRAMS: [i64; 4] = [c::SYS_execve, c::SYS_execveat, c::SYS_fork, c::SYS_vfork];
/// The calls that start a program.
#[cfg(target_arch = "aarch64")]
pub(super) const PROGRAMS: [i64; 2] = [c::SYS_execve, c::SYS_execveat];

/// The calls for computing with threads. `read`, `write`, `mmap`, `mprotect`, `clone` and `prctl`
/// are allowed elsewhere, with conditions, and `clone3` has a filter of its own. Nothing here
/// opens, connects or names anything.
pub(super) const COMPUTING: [i64; 29] = [
    c::SYS_exit,
    c::SYS_exit_group,
    c::SYS_munmap,
    c::SYS_mremap,
    c::SYS_madvise,
    c::SYS_brk,
    c::SYS_futex,
    c::SYS_set_robust_list,
    c::SYS_rseq,
    c::SYS_clone3,
    c::SYS_membarrier,
    c::SYS_sigaltstack,
    c::SYS_rt_sigaction,
    c::SYS_rt_sigprocmask,
    c::SYS_rt_sigreturn,
    c::SYS_restart_syscall,
    c::SYS_sched_yield,
    c::SYS_sched_getaffinity,
    c::SYS_getrandom,
    c::SYS_getpid,
    c::SYS_gettid,
    c::SYS_tgkill,
    c::SYS_clock_gettime,
    c::SYS_clock_nanosleep,
    c::SYS_nanosleep,
    c::SYS_sysinfo,
    c::SYS_close,
    c::SYS_getcpu,
    c::SYS_set_tid_address,
];

/// The bit that x32 adds to the number of a call.
pub(super) const X32: i64 = 0x4000_0000;
/// x32's own numbers for calls of the lists above: `execve`, `ptrace`, `kexec_load`, `move_pages`,
/// `process_vm_readv`, `process_vm_writev`, `execveat`.
pub(super) const X32_ONLY: [i64; 7] = [520, 521, 528, 533, 539, 540, 545];
