//! The bounds of one call (`[limits]`). Each has a default, and each is enforced.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one call may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Linear memory of all memories together, bytes.
    pub memory: usize,
    /// Processor time.
    pub cpu: Duration,
    /// Wall-clock time.
    pub time: Duration,
    /// Size of the result, bytes.
    pub output: usize,
    /// Size of a request body at the front door, bytes.
    pub input: usize,
    /// Downstream calls.
    pub downstream_calls: u32,
    /// Time of one downstream call.
    pub downstream_time: Duration,
    /// Body of one downstream answer or request, bytes.
    pub downstream_bytes: usize,
    /// Log lines.
    pub log_lines: u32,
    /// Calls at the same time, in the whole host.
    pub concurrent_calls: usize,
    /// Calls of one principal at the same time.
    pub concurrent_calls_per_user: usize,
    /// Size of a component, bytes.
    pub component: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu: Duration::from_millis(500),
            time: Duration::from_secs(10),
            output: 1 << 20,
            input: 1 << 20,
            downstream_calls: 16,
            downstream_time: Duration::from_secs(5),
            downstream_bytes: 1 << 20,
            log_lines: 64,
            concurrent_calls: 96,
            concurrent_calls_per_user: 48,
            component: 32 << 20,
        }
    }
}

/// Counts what one store grows to.
#[derive(Debug)]
pub(super) struct Growth {
    memory: usize,
    max_memory: usize,
    /// Whether a limit was hit, to tell why a guest failed.
    pub(super) exceeded: bool,
}

impl Growth {
    pub(super) fn new(max_memory: usize) -> Self {
        Self { memory: 0, max_memory, exceeded: false }
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.max_memory {
            self.exceeded = true;
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= MAX_TABLE_ELEMENTS;
        self.exceeded |= !fits;
        Ok(fits)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}

// What real components need at most (CPython has 38 core instances and 5,674 table elements),
// and what the pool is sized for.
pub(super) const MAX_TABLE_ELEMENTS: usize = 20_000;
pub(super) const MAX_INSTANCES: usize = 64;
pub(super) const MAX_MEMORIES: usize = 4;
pub(super) const MAX_TABLES: usize = 8;
/// Bytes of strings and lists that may cross the boundary in one host call.
pub(super) const MIN_HOSTCALL_FUEL: usize = 8 << 20;
/// Handles that a component may hold; the world has no resources.
pub(super) const MAX_HANDLES: usize = 64;
/// Calls that may be in the pool at once; the queue in front of it is shorter.
pub(super) const MAX_INSTANCES_AT_ONCE: u32 = 128;
