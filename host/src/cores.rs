//! The processors: one runtime with a single thread for each, on which connections are served.
//!
//! Everything that a short call does happens on the thread of its connection, so nothing wakes
//! another processor for it. Work that takes long must not hold up its neighbours there: it asks to
//! [`leave`], and what [`movable`] wraps then goes on in the shared runtime, whose threads take
//! work from each other. A piece of work that only computes goes [`apart`], to a thread of its own.
//!
//! Invariant: whatever asks to leave holds its thread for no longer than until then. A guest asks
//! at the first tick that comes while it runs; a large body and a costly check ask before they
//! begin.

mod apart;

use std::cell::{Cell, OnceCell};
use std::future::poll_fn;
use std::io;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bailiwick_journal::{Bell, wake_together};
use tokio::runtime::{self, Handle, RuntimeFlavor};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use apart::{Unwanted, apart};

/// The runtimes, which end with this value.
pub struct Cores {
    first: Core,
    others: Vec<Core>,
    next: AtomicUsize,
    lost: CancellationToken,
    _running: DropGuard,
}

/// The ends of the threads.
#[derive(Clone, Default)]
struct Ends {
    /// Fires when all must end.
    stop: CancellationToken,
    /// Fires when one has ended.
    lost: CancellationToken,
}

struct Core {
    runtime: Handle,
    // The connections that it serves.
    load: Arc<AtomicUsize>,
}

/// A place on one of the cores, given back when dropped.
pub struct OnCore {
    runtime: Handle,
    load: Arc<AtomicUsize>,
}

impl Cores {
    /// Starts a runtime for each processor that this process may use, which rings the journal's
    /// `bell` whenever it has nothing left to do. The runtime of the caller is the shared one.
    ///
    /// # Errors
    /// Fails if the system refuses a thread or its descriptors.
    pub fn start(bell: &Bell) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let ends = Ends::default();
        let shared = Handle::current();
        let core = |number| core(number, bell.clone(), shared.clone(), ends.clone());
        Ok(Self {
            first: core(0)?,
            others: (1..count).map(core).collect::<io::Result<_>>()?,
            next: AtomicUsize::new(0),
            lost: ends.lost,
            _running: ends.stop.drop_guard(),
        })
    }

    /// Waits until the thread of a core has ended before its owner. No task can cause that, because
    /// a panic ends only its task. But if a defect of the runtime does, the core counts as idle for
    /// ever, so every new connection would go where nothing serves it: the host must end.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Returns a place on the core with the fewest connections.
    pub fn deal(&self) -> OnCore {
        let count = 1 + self.others.len();
        let start = self.next.fetch_add(1, Ordering::Relaxed) % count;
        // Among equals the first of these wins, so each of them comes first in turn.
        let in_turn = self.each().cycle().skip(start).take(count);
        let core = in_turn
            .min_by_key(|core| core.load.load(Ordering::Relaxed))
            .unwrap_or(&self.first);
        core.load.fetch_add(1, Ordering::Relaxed);
        OnCore {
            runtime: core.runtime.clone(),
            load: Arc::clone(&core.load),
        }
    }

    fn each(&self) -> impl Iterator<Item = &Core> + Clone {
        iter::once(&self.first).chain(&self.others)
    }
}

impl OnCore {
    /// Returns the runtime of the core.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl Drop for OnCore {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts the thread of one core.
fn core(number: usize, bell: Bell, shared: Handle, ends: Ends) -> io::Result<Core> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || bell.ring())
        .build()?;
    let handle = runtime.handle().clone();
    let serve = move || {
        let _lost = ends.lost.drop_guard();
        // The thread is new, so nothing is set.
        let _ = SHARED.with(|known| known.set(shared));
        runtime.spawn(wake_together());
        runtime.block_on(ends.stop.cancelled());
        runtime.shutdown_timeout(LAST);
    };
    thread::Builder::new()
        .name(format!("core-{number}"))
        .spawn(serve)?;
    Ok(Core {
        runtime: handle,
        load: Arc::default(),
    })
}

/// Lets others go on. On a core, the work that [`movable`] wraps goes on in the shared runtime.
pub async fn leave() {
    LEAVING.set(true);
    tokio::task::yield_now().await;
}

/// Does `work` where it is polled, until it asks to [`leave`] a core.
///
/// # Errors
/// Fails if the work panicked in the shared runtime.
pub fn movable<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, JoinError>> + Send + 'static {
    // In its box from here on: a future of a call is large, and every move copies it.
    let mut at = At::Here(Some(Box::pin(work)));
    poll_fn(move |context| at.poll(context))
}

/// The runtime in which a piece of work goes on.
enum At<T> {
    /// The one of the caller. The work is absent only while it is handed over.
    Here(Option<Pin<Box<dyn Future<Output = T> + Send>>>),
    /// The shared one.
    There(JoinHandle<T>),
}

impl<T: Send + 'static> At<T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        if let Self::Here(work) = self {
            LEAVING.set(false);
            let polled = work.as_mut().map(|work| work.as_mut().poll(context));
            if let Some(Poll::Ready(done)) = polled {
                return Poll::Ready(Ok(done));
            }
            let Some(shared) = LEAVING.take().then(shared).flatten() else {
                return Poll::Pending;
            };
            let Some(work) = work.take() else {
                return Poll::Pending;
            };
            *self = Self::There(shared.spawn(work));
        }
        match self {
            Self::There(rest) => Pin::new(rest).poll(context),
            Self::Here(_) => Poll::Pending,
        }
    }
}

/// Does something that takes long. Other tasks of the shared runtime go on meanwhile.
pub fn block_in_place<T>(work: impl FnOnce() -> T) -> T {
    let shared = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

fn shared() -> Option<Handle> {
    SHARED.with(|shared| shared.get().cloned())
}

thread_local! {
    /// The shared runtime, known on the threads of cores alone.
    static SHARED: OnceCell<Handle> = const { OnceCell::new() };
    /// The work that is being polled on this thread asked to leave.
    static LEAVING: Cell<bool> = const { Cell::new(false) };
}

/// The time that a blocking task, such as a name look-up, may still take when its core ends.
const LAST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
