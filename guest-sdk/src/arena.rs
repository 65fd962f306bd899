//! The allocator of a component: a bump pointer that can take its last step back.
//!
//! A call runs in a fresh instance, so freed memory hardly matters. It matters that a short call
//! never grows its memory: growing costs the host several times more than the call itself. The
//! arena is what the instance's memory has from the start, beyond the stack and the data
//! (`bailiwick build` sets its size); beyond it memory grows in large steps. On WASI that memory
//! belongs to the C library, so there the arena is empty at first. Invariant: [`Span`] only ever
//! hands out addresses between its `next` and `end`, each once until given back.

/// A range of free addresses.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    next: usize,
    end: usize,
}

impl Span {
    /// Takes `size` bytes at a multiple of `align`, a power of two; `None` if they do not fit.
    fn take(&mut self, size: usize, align: usize) -> Option<usize> {
        let start = self.next.checked_next_multiple_of(align)?;
        let next = start.checked_add(size).filter(|next| *next <= self.end)?;
        self.next = next;
        Some(start)
    }

    /// Gives a block back, if it was the last one.
    fn give_back(&mut self, start: usize, size: usize) {
        if start.checked_add(size) == Some(self.next) {
            self.next = start;
        }
    }

    /// Makes a block larger or smaller in place; `false` if it must move.
    fn resize(&mut self, start: usize, old: usize, new: usize) -> bool {
        if start.checked_add(old) != Some(self.next) {
            return new <= old;
        }
        match start.checked_add(new).filter(|next| *next <= self.end) {
            Some(next) => {
                self.next = next;
                true
            }
            None => false,
        }
    }

    /// Adds memory: to the end if it continues there, else in place of the rest.
    fn extend(&mut self, start: usize, len: usize) {
        if start != self.end {
            self.next = start;
        }
        self.end = start.saturating_add(len);
    }
}

#[cfg(target_arch = "wasm32")]
mod global {
    use std::alloc::{GlobalAlloc, Layout};
    use std::arch::wasm32::memory_grow;
    use std::cell::UnsafeCell;
    use std::num::NonZeroUsize;
    use std::ptr;

    use super::Span;

    /// A page of WebAssembly memory.
    const PAGE: usize = 64 * 1024;
    /// The fewest pages by which memory grows: 1 MiB.
    const STEP: usize = 16;

    #[global_allocator]
    static ALLOCATOR: Bump = Bump(UnsafeCell::new(None));

    struct Bump(UnsafeCell<Option<Span>>);

    // SAFETY: a component has one thread.
    #[expect(unsafe_code, reason = "a static must be Sync")]
    unsafe impl Sync for Bump {}

    impl Bump {
        /// Returns the free addresses; the arena at first.
        #[expect(
            unsafe_code,
            clippy::mut_from_ref,
            reason = "one thread, and no method calls another while it holds this"
        )]
        fn span(&self) -> &mut Span {
            // SAFETY: one thread; the borrow ends before the next call of `span`.
            let held = unsafe { &mut *self.0.get() };
            held.get_or_insert_with(arena)
        }

        /// Grows the memory by enough for `size` bytes.
        fn grow(&self, size: usize, align: usize) -> Option<()> {
            let pages = size.checked_add(align)?.div_ceil(PAGE).max(STEP);
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return None;
            }
            self.span().extend(before * PAGE, pages * PAGE);
            Some(())
        }

        /// Takes a block. Its address fits into a register, which `Option<usize>` does not: only a
        /// function that needs no stack can go with the memory into a module of its own, and that
        /// makes each call of the component cheaper (`bailiwick build` looks for it).
        fn take(&self, layout: Layout) -> Option<NonZeroUsize> {
            let (size, align) = (layout.size(), layout.align());
            if let Some(start) = self.span().take(size, align) {
                return NonZeroUsize::new(start);
            }
            self.grow(size, align)?;
            NonZeroUsize::new(self.span().take(size, align)?)
        }
    }

    /// Returns the memory that is free from the start.
    #[cfg(not(target_os = "wasi"))]
    fn arena() -> Span {
        #[expect(
            unsafe_code,
            reason = "the linker's symbol, whose address alone is used"
        )]
        unsafe extern "C" {
            /// The first address after the stack and the data, made by the linker. It has no value.
            static __heap_base: u8;
        }
        Span {
            next: (&raw const __heap_base).expose_provenance(),
            end: std::arch::wasm32::memory_size(0) * PAGE,
        }
    }

    /// Returns no memory: what is free from the start is the C library's.
    #[cfg(target_os = "wasi")]
    fn arena() -> Span {
        Span { next: 0, end: 0 }
    }

    // SAFETY: blocks come from `Span`, which never hands out an address twice, and from memory that
    // nothing else uses.
    #[expect(unsafe_code, reason = "the contract of an allocator")]
    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.take(layout).map_or(ptr::null_mut(), |start| {
                ptr::with_exposed_provenance_mut(start.get())
            })
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.span().give_back(block.addr(), layout.size());
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if self.span().resize(block.addr(), layout.size(), size) {
                return block;
            }
            let Some(start) = Layout::from_size_align(size, layout.align())
                .ok()
                .and_then(|new| self.take(new))
            else {
                return ptr::null_mut();
            };
            let moved = ptr::with_exposed_provenance_mut(start.get());
            // SAFETY: both blocks are live, disjoint, and at least the old size long (a block that
            // shrinks never moves).
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size()) };
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut span = Span {
            next: 1001,
            end: 1100,
        };
        assert_eq!(span.take(3, 1), Some(1001));
        assert_eq!(span.take(8, 8), Some(1008));
        assert_eq!(span.take(84, 1), Some(1016));
        assert_eq!(span.take(1, 1), None);
        assert_eq!(span.take(usize::MAX, 8), None);
    }

    #[test]
    fn only_the_last_block_comes_back() {
        let mut span = Span { next: 0, end: 100 };
        let (first, second) = (span.take(10, 1), span.take(10, 1));
        assert_eq!((first, second), (Some(0), Some(10)));
        span.give_back(0, 10);
        assert_eq!(span.next, 20);
        span.give_back(10, 10);
        assert_eq!(span.next, 10);
    }

    #[test]
    fn the_last_block_grows_in_place_until_the_end() {
        let mut span = Span { next: 0, end: 100 };
        assert_eq!(span.take(10, 1), Some(0));
        assert!(span.resize(0, 10, 100));
        assert!(!span.resize(0, 100, 101));
        assert!(span.resize(0, 100, 50));
        assert_eq!(span.take(10, 1), Some(50));
        assert!(span.resize(0, 50, 40), "a block that shrinks stays");
        assert!(!span.resize(0, 50, 60), "a block in the middle moves");
        assert_eq!(span.next, 60);
    }

    #[test]
    fn new_memory_continues_or_replaces() {
        let mut span = Span { next: 90, end: 100 };
        span.extend(100, 50);
        assert_eq!(span, Span { next: 90, end: 150 });
        span.extend(1000, 50);
        assert_eq!(
            span,
            Span {
                next: 1000,
                end: 1050
            }
        );
    }
}
