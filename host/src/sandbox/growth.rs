//! What one call's memories and tables grow to, and all calls' memories together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::ResourceLimiter;

use super::engine::{MAX_MEMORIES, MAX_TABLES};
use super::limits::Limits;

/// Linear memory of all calls together.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Bytes that calls have now.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// Counts what one store grows to. Gives it back when dropped.
pub(super) struct Growth {
    memory: usize,
    max_memory: usize,
    max_elements: usize,
    max_instances: usize,
    budget: Arc<Budget>,
    /// Which bound was hit last, to tell why a guest failed.
    pub(super) exceeded: Option<Exceeded>,
}

/// A bound that a guest hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// The call's own.
    Own,
    /// That of all calls together.
    Host,
}

impl Growth {
    pub(super) fn new(limits: &Limits, budget: Arc<Budget>) -> Self {
        Self {
            memory: 0,
            max_memory: limits.memory,
            max_elements: limits.table_elements,
            max_instances: limits.instances,
            budget,
            exceeded: None,
        }
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let total = self.memory.saturating_add(more);
        if total > self.max_memory {
            self.exceeded = Some(Exceeded::Own);
            return Ok(false);
        }
        if !self.budget.take(more) {
            self.exceeded = Some(Exceeded::Host);
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.max_elements;
        if !fits {
            self.exceeded = Some(Exceeded::Own);
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.memory, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_own_bound_and_all_calls_have_one_together() {
        let limits = Limits { memory: 100, ..Limits::default() };
        let budget = Budget::new(150);
        let mut one = Growth::new(&limits, Arc::clone(&budget));
        let mut other = Growth::new(&limits, Arc::clone(&budget));
        let grow = |growth: &mut Growth, from, to| growth.memory_growing(from, to, None).is_ok_and(|fits| fits);
        assert!(grow(&mut one, 0, 60) && grow(&mut one, 0, 40));
        assert!(!grow(&mut one, 40, 41));
        assert_eq!(one.exceeded, Some(Exceeded::Own));
        assert!(grow(&mut other, 0, 50));
        assert!(!grow(&mut other, 50, 51));
        assert_eq!(other.exceeded, Some(Exceeded::Host));
        drop(one);
        assert!(grow(&mut other, 50, 100));
        drop(other);
        assert_eq!(budget.used(), 0);
    }
}
