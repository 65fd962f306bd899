//! The length of a campaign, and the seed that repeats each of its cases.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::seams::{Random as _, SystemRandom};

/// One campaign.
pub(super) struct Campaign {
    name: &'static str,
    seconds: u64,
    first: u64,
    fates: BTreeMap<&'static str, u64>,
    slowest: (Duration, u64),
}

impl Campaign {
    /// Makes a campaign with the seed and the budget in the environment, or else a random seed and
    /// ten seconds.
    pub(super) fn new(name: &'static str) -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
        let mut random = [0; 8];
        SystemRandom.fill(&mut random);
        let first =
            number("BAILIWICK_CAMPAIGN_SEED").unwrap_or_else(|| u64::from_le_bytes(random) >> 16);
        // Written past the capture of test output, so that it survives even if the process dies.
        let _ = writeln!(
            std::io::stderr(),
            "campaign {name}: BAILIWICK_CAMPAIGN_SEED={first}"
        );
        let seconds = number("BAILIWICK_CAMPAIGN_SECONDS").unwrap_or(10);
        Self {
            name,
            seconds,
            first,
            fates: BTreeMap::new(),
            slowest: (Duration::ZERO, first),
        }
    }

    /// Runs cases until the time is over. A case takes its seed and returns its fate.
    pub(super) fn run(mut self, mut case: impl FnMut(u64) -> &'static str) {
        let started = Instant::now();
        for seed in self.first.. {
            self.one(seed, || case(seed));
            if started.elapsed() >= Duration::from_secs(self.seconds) {
                break;
            }
        }
        self.tell();
    }

    /// Runs `cases` in an order that is even, however many of them there is time for.
    pub(super) fn through(mut self, cases: u64, mut case: impl FnMut(u64) -> &'static str) {
        let started = Instant::now();
        let step = stride(cases);
        let mut next = self.first % cases.max(1);
        for _ in 0..cases {
            self.one(next, || case(next));
            next = (next + step) % cases;
            if started.elapsed() >= Duration::from_secs(self.seconds) {
                break;
            }
        }
        self.tell();
    }

    fn one(&mut self, seed: u64, case: impl FnOnce() -> &'static str) {
        let started = Instant::now();
        let fate = catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|panic| {
            println!("campaign {}: to repeat: BAILIWICK_CAMPAIGN_SEED={seed} BAILIWICK_CAMPAIGN_SECONDS=0", self.name);
            resume_unwind(panic)
        });
        self.slowest = self.slowest.max((started.elapsed(), seed));
        *self.fates.entry(fate).or_default() += 1;
    }

    fn tell(&self) {
        let cases: u64 = self.fates.values().sum();
        let (time, seed) = self.slowest;
        println!(
            "campaign {}: {cases} cases, {:?}, the slowest {time:?} (seed {seed})",
            self.name, self.fates
        );
    }
}

/// Returns a step that meets every case once: odd, near the golden section, without a common
/// divisor.
fn stride(cases: u64) -> u64 {
    let divisor = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let golden = cases * 618 / 1000;
    (golden..=golden + cases)
        .find(|step| divisor(*step, cases) == 1)
        .unwrap_or(1)
}

/// Returns the processor time of this thread so far, which leaves out everything else on the
/// machine.
pub(super) fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        told.split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok())
            .unwrap_or_default(),
    )
}

/// Returns reproducible bytes (`SplitMix64`).
pub(super) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| next().to_le_bytes())
        .take(length / 8 + 1)
        .flatten()
        .collect();
    bytes.truncate(length);
    bytes
}
