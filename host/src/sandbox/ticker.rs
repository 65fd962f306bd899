//! The guests' clock: one thread that advances the epoch of all engines, and sleeps while no guest
//! runs.
//!
//! Invariant: while a [`Ticking`] exists, every engine's epoch advances every [`TICK`], so that a
//! guest that never yields is checked. An epoch has no meaning here; [`super::state`] decides what
//! a tick is worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

use super::engine::EngineError;

/// The thread, which lives as long as this value.
pub(super) struct Ticker {
    shared: Arc<GuestsRunning>,
    thread: Thread,
}

#[derive(Default)]
struct GuestsRunning {
    /// The number of guests that run.
    running: AtomicUsize,
    /// The ticks so far.
    ticks: AtomicU64,
    over: AtomicBool,
}

/// The guard that keeps the ticker going for one guest.
pub(super) struct Ticking(Arc<Ticker>);

impl Ticker {
    /// Starts the thread for these engines.
    pub(super) fn start(engines: &[&Engine]) -> Result<Arc<Self>, EngineError> {
        let shared = Arc::new(GuestsRunning::default());
        let engines: Vec<EngineWeak> = engines.iter().map(|engine| engine.weak()).collect();
        let thread = thread::Builder::new().name("epoch-ticker".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.tick(&engines)
        });
        let thread = thread
            .map_err(|error| EngineError(error.to_string()))?
            .thread()
            .clone();
        Ok(Arc::new(Self { shared, thread }))
    }

    /// Lets time pass until the returned guard is dropped.
    pub(super) fn run(self: &Arc<Self>) -> Ticking {
        // The thread reads the count before it sleeps, and a wake-up before that is remembered, so
        // none is lost.
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Ticking(Arc::clone(self))
    }
}

impl Ticking {
    /// Returns the number of ticks so far, of all guests.
    pub(super) fn ticks(&self) -> u64 {
        self.0.shared.ticks.load(Ordering::Relaxed)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl GuestsRunning {
    fn tick(&self, engines: &[EngineWeak]) {
        let mut idle = 0;
        while !self.over.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else if idle < PATIENCE {
                idle += 1;
            } else {
                thread::park();
                continue;
            }
            engines
                .iter()
                .filter_map(EngineWeak::upgrade)
                .for_each(|engine| engine.increment_epoch());
            self.ticks.fetch_add(1, Ordering::Relaxed);
            #[expect(
                clippy::disallowed_methods,
                reason = "this thread's only work is to keep time"
            )]
            thread::sleep(TICK);
        }
    }
}

/// The interval at which a running guest yields and is checked.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// The ticks without a guest before the thread sleeps: under load it is not woken for every call.
const PATIENCE: u32 = 250;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;

    /// Returns true if ticks end a guest that never yields within this time.
    fn passes(engine: &Engine, patience: Duration) -> bool {
        let mut store = wasmtime::Store::new(engine, ());
        store.set_epoch_deadline(TICKS);
        let module = r#"(module (func (export "f") (loop (br 0))))"#;
        let module = wasmtime::Module::new(engine, wat::parse_str(module).unwrap()).unwrap();
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        let endless = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        let (ended, end) = channel::<()>();
        let watchdog = thread::spawn({
            let engine = engine.clone();
            move || {
                let late = end.recv_timeout(patience).is_err();
                (0..TICKS).for_each(|_| engine.increment_epoch());
                !late
            }
        });
        assert!(endless.call(&mut store, ()).is_err());
        // The watchdog may have ended already.
        let _ = ended.send(());
        watchdog.join().unwrap()
    }

    /// More ticks than pass between two checks.
    const TICKS: u64 = 3;

    fn engine() -> Engine {
        Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap()
    }

    #[test]
    fn time_passes_on_every_engine_while_a_guest_runs_then_rests_and_passes_again() {
        let engines = [engine(), engine()];
        let ticker = Ticker::start(&[&engines[0], &engines[1]]).unwrap();
        for _ in 0..2 {
            let running = ticker.run();
            assert!(engines.iter().all(|engine| passes(engine, PATIENT)));
            drop(running);
            let begun = Instant::now();
            while engines.iter().any(|engine| passes(engine, TICK * 50)) {
                assert!(begun.elapsed() < PATIENT, "it never rests");
            }
        }
    }

    const PATIENT: Duration = Duration::from_secs(20);

    #[test]
    fn the_thread_ends_with_its_owner() {
        let engine = engine();
        let ticker = Ticker::start(&[&engine]).unwrap();
        let shared = Arc::downgrade(&ticker.shared);
        drop(ticker);
        let asked = Instant::now();
        while shared.strong_count() > 0 {
            assert!(asked.elapsed() < Duration::from_secs(5));
            thread::yield_now();
        }
    }
}
