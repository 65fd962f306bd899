//! Proof that a call cannot find data that another user's call left behind.
//!
//! Every turn is a fresh store and instance with the engine, limits and pool as shipped. It
//! searches all of its memory, table, globals and frames, and then leaves its user's canary in each
//! of them for the next turn to find.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::component::{Component, Instance, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store, bail, ensure};

use super::engine::{self, Tier};
use super::growth::{Budget, Owner};
use super::log::Log;
use super::state::{CallState, Purpose, Surroundings, store};
use super::ticker::Ticker;
use crate::limits::Limits;
use crate::seams::{SystemClock, SystemRandom};

/// The engine, with enough components that slots in its pool pass from one to another.
struct Hunting {
    engine: Engine,
    linker: Linker<CallState>,
    components: Vec<Component>,
    limits: Limits,
    budget: Arc<Budget>,
    ticker: Arc<Ticker>,
}

/// A canary that one turn found and should not have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    memory: u64,
    table: u64,
    globals: u64,
    stack: u64,
}

/// The amount that a turn searches and fills.
#[derive(Clone, Copy)]
struct Reach {
    pages: u32,
    elements: u32,
}

/// The way in which a turn ends.
#[derive(Clone, Copy)]
enum End {
    Returns,
    Traps,
    IsCancelled,
}

impl Hunting {
    fn new(tier: Tier, components: usize) -> Result<Self> {
        // The limits as shipped, except for time: a busy machine is not what this tests.
        let limits = Limits {
            cpu: PATIENCE,
            time: PATIENCE,
            ..Limits::default()
        };
        let engine = engine::start(tier, &limits)?.engine;
        ensure!(
            engine.pooling_allocator_metrics().is_some(),
            "there is no pool to hunt in"
        );
        let text = include_str!("canary.wat");
        let bytes = match tier {
            Tier::Resident => wat::parse_str(text.replace("(memory 1)", "(memory 145)"))?,
            _ => wat::parse_str(text)?,
        };
        let compile = |_| Component::from_binary(&engine, &bytes);
        let components = (0..components).map(compile).collect::<Result<_>>()?;
        let budget = Budget::new(&limits);
        let ticker = Ticker::start(&[&engine])?;
        Ok(Self {
            linker: Linker::new(&engine),
            components,
            limits,
            budget,
            ticker,
            engine,
        })
    }

    async fn instance(&self, component: usize) -> Result<(Store<CallState>, Instance)> {
        let log = Log::new("canary", "", &self.limits);
        let surroundings = Surroundings {
            limits: &self.limits,
            share: self.budget.share(Owner::Host),
            ticking: self.ticker.run(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        };
        let state = CallState::new(Purpose::Describe, log, surroundings);
        let mut store = store(&self.engine, state);
        let component = self
            .components
            .get(component % self.components.len())
            .context("no component")?;
        let instance = self.linker.instantiate_async(&mut store, component).await?;
        Ok((store, instance))
    }

    /// Runs one call of one user in an instance of its own.
    async fn turn(&self, turn: u64, reach: Reach, end: End) -> Result<Found> {
        let (mut store, instance) = self.instance(usize::try_from(turn / 2)?).await?;
        let found = hunt(&mut store, &instance, reach).await?;
        leave(&mut store, &instance, turn, end).await?;
        Ok(found)
    }
}

async fn hunt(store: &mut Store<CallState>, instance: &Instance, reach: Reach) -> Result<Found> {
    let hunt = instance.get_typed_func::<(u32, u32), (u64,)>(&mut *store, "hunt")?;
    let (hits,) = hunt
        .call_async(store, (reach.pages, reach.elements))
        .await?;
    let of = |place: u32| hits >> (16 * place) & 0xffff;
    Ok(Found {
        memory: of(0),
        table: of(1),
        globals: of(2),
        stack: of(3),
    })
}

/// Leaves sixteen bytes of this turn's user everywhere.
async fn leave(
    store: &mut Store<CallState>,
    instance: &Instance,
    turn: u64,
    end: End,
) -> Result<()> {
    let user: u64 = if turn.is_multiple_of(2) {
        0xa11c_ea11_cea1_1cea
    } else {
        0xb0bb_0bb0_bb0b_b0bb
    };
    let name = match end {
        End::Returns => "leave",
        End::Traps => "leave-and-trap",
        End::IsCancelled => "leave-and-linger",
    };
    let leave = instance.get_typed_func::<(u64, u64), ()>(&mut *store, name)?;
    let call = leave.call_async(store, (user, turn | 1 << 63));
    let patience = if matches!(end, End::IsCancelled) {
        LINGER
    } else {
        PATIENCE
    };
    match (end, tokio::time::timeout(patience, call).await) {
        (End::Returns, Ok(Ok(()))) | (End::Traps, Ok(Err(_))) | (End::IsCancelled, Err(_)) => {
            Ok(())
        }
        (_, Ok(ended)) => ended.context("it ended in another way"),
        (_, Err(_)) => bail!("it took too long"),
    }
}

/// Takes turns from several tasks at once until `turns` were taken.
async fn alternate(hunting: Arc<Hunting>, turns: u64, reach: Reach) -> Result<()> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (hunting, taken) = (Arc::clone(&hunting), Arc::clone(&taken));
        tasks.spawn(async move {
            loop {
                let turn = taken.fetch_add(1, Ordering::Relaxed);
                if turn >= turns {
                    return Ok(());
                }
                let end = match turn % 500 {
                    7 => End::IsCancelled,
                    n if n % 10 == 3 => End::Traps,
                    _ => End::Returns,
                };
                let found = hunting.turn(turn, reach, end).await?;
                ensure!(
                    found == Found::default(),
                    "turn {turn} found what others left: {found:?}"
                );
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_cannot_find_what_another_users_call_left_behind() -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "how long to hunt, in a test")]
    let turns = std::env::var("BAILIWICK_CANARY_CALLS")
        .ok()
        .map(|calls| calls.parse())
        .transpose()?;
    // More components than stay warm, so that a slot also passes from one component to another.
    let turns = turns.unwrap_or(100_000);
    alternate(
        Arc::new(Hunting::new(Tier::Compact, 300)?),
        turns,
        BEYOND_RESIDENT,
    )
    .await?;
    alternate(
        Arc::new(Hunting::new(Tier::Script, 50)?),
        turns / 10,
        BEYOND_RESIDENT,
    )
    .await?;
    let large = Arc::new(Hunting::new(Tier::Resident, 50)?);
    alternate(large, turns / 500, BEYOND_LARGE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_when_it_uses_all_the_memory_that_it_may() -> Result<()> {
    for tier in Tier::ALL {
        let hunting = Arc::new(Hunting::new(tier, 2)?);
        let pages = u32::try_from(hunting.limits.memory >> 16)?;
        alternate(
            hunting,
            40,
            Reach {
                pages,
                elements: 20_000,
            },
        )
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_while_the_system_moves_and_takes_pages() -> Result<()> {
    let calm = Arc::new(AtomicBool::new(false));
    let pressed = Arc::clone(&calm);
    let pressure = std::thread::spawn(move || press(&pressed));
    let mut hunted = Ok(());
    for (tier, turns, reach) in [
        (Tier::Compact, 5_000, BEYOND_RESIDENT),
        (Tier::Script, 2_000, BEYOND_RESIDENT),
        (Tier::Resident, 200, BEYOND_LARGE),
    ] {
        let hunting = Arc::new(Hunting::new(tier, 20)?);
        hunted = hunted.and(alternate(hunting, turns, reach).await);
    }
    calm.store(true, Ordering::Relaxed);
    ensure!(pressure.join().is_ok(), "the pressure ended early");
    hunted
}

/// Makes the kernel move pages together, and take what it can from this process, until it is
/// `calm`. Without the rights for that it only says so.
#[expect(clippy::print_stdout, reason = "what is left out is said")]
fn press(calm: &AtomicBool) {
    let group = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::"));
    let reclaim = format!("/sys/fs/cgroup{}/memory.reclaim", group.unwrap_or_default());
    let mut done = 0_u32;
    while !calm.load(Ordering::Relaxed) {
        for (path, what) in [(COMPACT, "1"), (reclaim.as_str(), "64M")] {
            // Opened without creating it. Taking less than was asked for is an error, and no
            // matter.
            let file = std::fs::OpenOptions::new().write(true).open(path);
            done += u32::from(file.is_ok());
            let _less = file.and_then(|mut file| file.write_all(what.as_bytes()));
        }
        std::thread::park_timeout(LINGER);
    }
    if done == 0 {
        println!("left out: this process may not put pressure on memory");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hunt_finds_what_is_left_in_a_store_that_is_shared() -> Result<()> {
    let hunting = Hunting::new(Tier::Compact, 1)?;
    let (mut store, instance) = hunting.instance(0).await?;
    ensure!(
        hunt(&mut store, &instance, BEYOND_RESIDENT).await? == Found::default(),
        "a fresh one is not empty"
    );
    leave(&mut store, &instance, 0, End::Returns).await?;
    let found = hunt(&mut store, &instance, BEYOND_RESIDENT).await?;
    ensure!(
        found.memory >= u64::from(BEYOND_RESIDENT.pages) << 10,
        "memory: {found:?}"
    );
    ensure!(
        found.table == u64::from(BEYOND_RESIDENT.elements) - 1,
        "table: {found:?}"
    );
    ensure!(found.globals > 0, "globals: {found:?}");
    Ok(())
}

/// Beyond what the compact tier's pool keeps resident and clears by writing (512 KiB of a memory,
/// 16 KiB of a table), so that the rest, which it gives back to the system, is searched as well.
const BEYOND_RESIDENT: Reach = Reach {
    pages: 9,
    elements: 9_000,
};

/// Beyond the 10 MiB that the resident engine resets by writing.
const BEYOND_LARGE: Reach = Reach {
    pages: 170,
    elements: 9_000,
};

/// Makes the kernel move the pages of all processes together.
const COMPACT: &str = "/proc/sys/vm/compact_memory";

/// The time until a lingering call is dropped.
const LINGER: Duration = Duration::from_millis(20);

/// The time that a busy machine has to start a turn.
const PATIENCE: Duration = Duration::from_secs(60);
