#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::future::pending;
use std::task::{Wake, Waker};
use std::thread::ThreadId;

use futures_util::FutureExt as _;

use super::*;

/// Runs `work` on a core, and returns its result.
async fn on_a_core<T: Send + 'static>(
    cores: &Cores,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    cores.deal().runtime().spawn(work).await.unwrap()
}

fn here() -> (ThreadId, String) {
    let thread = thread::current();
    (thread.id(), thread.name().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_stays_on_its_core_until_it_asks_to_leave() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let work = async {
        let begun = here();
        tokio::task::yield_now().await;
        let waited = here();
        leave().await;
        (begun, waited, here())
    };
    let (begun, waited, left) = on_a_core(&cores, movable(work)).await.unwrap();
    assert!(begun.1.starts_with("core-"), "{begun:?}");
    assert_eq!(begun, waited);
    assert!(!left.1.starts_with("core-"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nothing_moves_goes_on_where_it_is() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let alone = on_a_core(&cores, async {
        leave().await;
        here()
    });
    assert!(alone.await.1.starts_with("core-"));
    // What it asked for is not taken for the wish of the work that is polled next.
    let next = on_a_core(&cores, async {
        leave().await;
        movable(async {
            tokio::task::yield_now().await;
            here()
        })
        .await
    });
    assert!(next.await.unwrap().1.starts_with("core-"));
    assert!(movable(async { leave().await }).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_computes_leaves_its_core_to_its_neighbours() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let core = cores.deal();
    let (stop, spinning) = (CancellationToken::new(), CancellationToken::new());
    let spin = {
        let (stop, spinning) = (stop.clone(), spinning.clone());
        async move {
            leave().await;
            spinning.cancel();
            block_in_place(|| while !stop.is_cancelled() {});
        }
    };
    let spun = core.runtime().spawn(movable(spin));
    spinning.cancelled().await;
    // The loop runs for as long as the neighbour, on the same core, has not answered.
    core.runtime()
        .spawn(async move { stop.cancel() })
        .await
        .unwrap();
    spun.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_to_the_core_with_the_fewest() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let each = 3;
    let held: Vec<_> = (0..cores.each().count() * each)
        .map(|_| cores.deal())
        .collect();
    let loads = || -> Vec<usize> {
        let load = |core: &Core| core.load.load(Ordering::Relaxed);
        cores.each().map(load).collect()
    };
    assert_eq!(loads(), vec![each; cores.each().count()]);
    drop(held);
    assert_eq!(loads(), vec![0; cores.each().count()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cores_end_with_their_owner() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let endless = cores.deal().runtime().spawn(pending::<()>());
    drop(cores);
    assert!(endless.await.unwrap_err().is_cancelled());
}

/// A waker that panics in the hands of the runtime, outside every task.
struct Faulty;

impl Wake for Faulty {
    fn wake(self: Arc<Self>) {
        panic!("a defect");
    }
}

fn fail() {
    panic!("a task");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_whose_thread_ends_is_missed_and_one_whose_task_panics_is_not() {
    let cores = Cores::start(&Bell::default()).unwrap();
    let core = cores.deal();
    let failed = core.runtime().spawn(async { fail() }).await;
    assert!(failed.is_err_and(|error| error.is_panic()));
    assert_eq!(core.runtime().spawn(async { 7 }).await.unwrap(), 7);
    assert!(cores.lost().now_or_never().is_none());
    core.runtime().spawn(async {
        let mut timer = Box::pin(tokio::time::sleep(Duration::from_millis(1)));
        let waker = Waker::from(Arc::new(Faulty));
        let polled = timer.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        pending::<()>().await;
    });
    let long = Duration::from_secs(20);
    tokio::time::timeout(long, cores.lost()).await.unwrap();
}
