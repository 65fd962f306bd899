//! Campaigns: many damaged or invented inputs, each with the seed that repeats it.
//!
//! ```sh
//! BAILIWICK_CAMPAIGN_SECONDS=300 cargo test --lib campaigns -- --nocapture
//! ```
//!
//! A failure names its seed; the same campaign with `BAILIWICK_CAMPAIGN_SEED` set to it begins with
//! that case.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a campaign is steered by the environment, and says how it went"
)]

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::seams::{Random as _, SystemRandom};

/// One campaign.
pub(crate) struct Campaign {
    name: &'static str,
    seconds: u64,
    first: u64,
    fates: BTreeMap<&'static str, u64>,
    slowest: (Duration, u64),
}

impl Campaign {
    /// Makes a campaign with the seed and the budget in the environment, or else a random seed and
    /// ten seconds.
    pub(crate) fn new(name: &'static str) -> Self {
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
        let seconds = number(SECONDS).unwrap_or(10);
        Self {
            name,
            seconds,
            first,
            fates: BTreeMap::new(),
            slowest: (Duration::ZERO, first),
        }
    }

    /// Takes only this many seconds, unless the environment says otherwise.
    pub(crate) fn of_seconds(mut self, seconds: u64) -> Self {
        if env::var_os(SECONDS).is_none() {
            self.seconds = seconds;
        }
        self
    }

    /// Runs cases until the time is over. A case takes its seed and returns its fate.
    ///
    /// Returns how many cases had each fate.
    pub(crate) fn run(
        mut self,
        mut case: impl FnMut(u64) -> &'static str,
    ) -> BTreeMap<&'static str, u64> {
        let started = Instant::now();
        for seed in self.first.. {
            self.one(seed, || case(seed));
            if started.elapsed() >= Duration::from_secs(self.seconds) {
                break;
            }
        }
        self.tell();
        self.fates
    }

    /// Runs `cases` in an order that is even, however many of them there is time for.
    pub(crate) fn through(mut self, cases: u64, mut case: impl FnMut(u64) -> &'static str) {
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

const SECONDS: &str = "BAILIWICK_CAMPAIGN_SECONDS";

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
pub(crate) fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        told.split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok())
            .unwrap_or_default(),
    )
}

/// Returns reproducible bytes (`SplitMix64`).
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
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

/// Returns one of the texts with one to eight changes: flipped bits, cuts, repetitions, pieces of
/// other texts, and words on which parsers differ. Half of the changes of a JSON text put such a
/// word where a value was, so that what comes after the parser is reached too.
pub(crate) fn mutated(seed: u64, texts: &[Vec<u8>]) -> Vec<u8> {
    let mut draws = Draws(seed);
    let mut text = draws.one(texts).clone();
    for _ in 0..=draws.below(8) {
        change(&mut text, texts, &mut draws);
    }
    text
}

fn change(text: &mut Vec<u8>, texts: &[Vec<u8>], draws: &mut Draws) {
    if let Some(changed) = draws.flip().then(|| with_word(text, draws)).flatten() {
        *text = changed;
        return;
    }
    let (from, at) = (draws.span(text), draws.below(text.len() + 1));
    match draws.below(5) {
        0 => {
            let bit = draws.below(8);
            text.get_mut(from.start)
                .into_iter()
                .for_each(|byte| *byte ^= 1 << bit);
        }
        1 => drop(text.drain(from)),
        2 => {
            let piece = text.get(from).unwrap_or_default().to_vec();
            insert(text, at, &piece);
        }
        3 => insert(text, at, draws.one(WORDS).as_bytes()),
        _ => {
            let other = draws.one(texts);
            let piece = draws.span(other);
            insert(text, at, other.get(piece).unwrap_or_default());
        }
    }
}

fn insert(text: &mut Vec<u8>, at: usize, piece: &[u8]) {
    text.splice(at..at, piece.iter().copied());
}

/// Replaces one value of a JSON text by a word, or adds a member. `None` if it is no JSON.
fn with_word(text: &[u8], draws: &mut Draws) -> Option<Vec<u8>> {
    // A string that no text has, so that what is no JSON can stand in its place.
    const MARK: &str = "\u{1}";
    let mut document: Value = serde_json::from_slice(text).ok()?;
    *place(&mut document, draws)? = MARK.into();
    let mark = serde_json::to_string(MARK).ok()?;
    Some(
        document
            .to_string()
            .replace(&mark, draws.one::<&str>(WORDS))
            .into(),
    )
}

/// Returns a value within this one, or a new member of it.
fn place<'v>(value: &'v mut Value, draws: &mut Draws) -> Option<&'v mut Value> {
    let (stays, adds) = (draws.below(4) == 0, draws.flip());
    if stays && adds && value.is_object() {
        let name = *draws.one::<&str>(NAMES);
        return Some(value.as_object_mut()?.entry(name).or_insert(Value::Null));
    }
    let inner = match value {
        Value::Object(members) => members.len(),
        Value::Array(values) => values.len(),
        _ => 0,
    };
    if stays || inner == 0 {
        return Some(value);
    }
    let at = draws.below(inner);
    let chosen = match value {
        Value::Object(members) => members.values_mut().nth(at),
        other => other.get_mut(at),
    };
    place(chosen?, draws)
}

/// Draws that follow from a seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let drawn = bytes(self.0, 8)
            .first_chunk()
            .copied()
            .map(u64::from_le_bytes);
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(drawn.unwrap_or_default() % bound).unwrap_or_default()
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn one<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        let at = self.below(among.len());
        among
            .get(at)
            .unwrap_or_else(|| unreachable!("there is one"))
    }

    /// Returns a span of up to 32 bytes of the text.
    fn span(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.below(text.len());
        start..(start + self.below(32)).min(text.len())
    }
}

/// Words on which parsers differ, or after which nothing is as it was.
const WORDS: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "1.0",
    "1e999",
    "-1",
    "1763715600.5",
    "18446744073709551616",
    "9007199254740993",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{202e}a\"",
    "\"a\u{301}\"",
    "[]",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
    "{\"a\":1,\"a\":2}",
    "[\"a\",\"a\"]",
    "[null]",
    "\u{feff}",
    ",",
    "\"none\"",
    "\"HS256\"",
    "\"sig\"",
    "\"https://idp.example\"",
    "\"http://idp.example\"",
    "\"https://mcp.example/mcp\"",
    "\"2.0\"",
    "\"tools/call\"",
    "\"a b\"",
];

/// Members that mean something to some reader.
const NAMES: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "scope",
    "scp",
    "client_id",
    "azp",
    "act",
    "cnf",
    "nonce",
    "typ",
    "token_use",
    "kid",
    "alg",
    "crit",
    "d",
    "use",
    "key_ops",
    "x5t",
    "keys",
    "jwks_uri",
    "issuer",
    "active",
    "token_type",
    "jsonrpc",
    "id",
    "method",
    "params",
    "arguments",
    "_meta",
    "result",
];
