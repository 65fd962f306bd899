//! The program's allocator, and its figures.
//!
//! Calls allocate on one thread and often free on another, which jemalloc does with fewer locks and
//! leaves fewer holes than the C library's. Only this program chooses it: the library and
//! `bailiwick-audit` leave that to whoever links them. C code, such as aws-lc, keeps the C
//! library's. Without the feature `jemalloc`, which takes a minute to build, so does the program,
//! and it has no figures.

use bailiwick::observe::MemoryUse;
#[cfg(feature = "jemalloc")]
use tikv_jemalloc_ctl::{background_thread, epoch, max_background_threads, stats};

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Lets a thread of the allocator give freed memory back to the system. Without it, a thread that
/// freed and then sleeps keeps what it freed.
pub(crate) fn give_back() {
    #[cfg(feature = "jemalloc")]
    let _kept = max_background_threads::write(1).and_then(|()| background_thread::write(true));
}

/// Returns the memory that this process uses through the allocator; `None` if it keeps no figures.
#[cfg(not(feature = "jemalloc"))]
pub(crate) fn memory() -> Option<MemoryUse> {
    None
}

/// Returns the memory that this process uses through the allocator; `None` if it keeps no figures.
#[cfg(feature = "jemalloc")]
pub(crate) fn memory() -> Option<MemoryUse> {
    // The figures are those of the last time that the epoch was advanced.
    epoch::advance().ok()?;
    Some(MemoryUse {
        allocated: stats::allocated::read().ok()?,
        active: stats::active::read().ok()?,
        resident: stats::resident::read().ok()?,
        mapped: stats::mapped::read().ok()?,
    })
}

#[cfg(all(test, feature = "jemalloc"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn one_thread_gives_memory_back() {
        give_back();
        assert!(background_thread::read().unwrap());
        assert_eq!(max_background_threads::read().unwrap(), 1);
    }

    #[test]
    fn the_figures_follow_what_is_allocated() {
        let before = memory().unwrap();
        let held = vec![1_u8; 64 << 20];
        let after = memory().unwrap();
        let grown = after.allocated - before.allocated;
        // Other tests allocate and free beside this one.
        assert!((32 << 20..128 << 20).contains(&grown), "{grown}");
        assert!(after.allocated <= after.active && after.active <= after.resident);
        assert!(after.active <= after.mapped, "{after:?}");
        assert_eq!(held.len(), 64 << 20);
    }
}
