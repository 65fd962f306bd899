//! The power fails: at any moment, with any part of the unsynced bytes on the disk.
//!
//! A recorder writes down the journal's requests to the disk. Every beginning of that record is a
//! moment at which the power may fail, and dice choose which unsynced parts are left: pages,
//! lengths and names each on their own. The journal then starts on the remains, and the judge
//! compares the result with the promises. Then the next life begins on the same disk, so that power
//! also fails during recovery.
//!
//! `BAILIWICK_POWER_SEEDS=100000 cargo test --lib power -- --nocapture` plays longer. A failure
//! names its seed; `BAILIWICK_POWER_SEED=17` plays that one alone.

mod dice;
mod disk;
mod judge;
mod life;
mod recorder;

use std::fmt;

use super::*;
use dice::Dice;
use disk::Left;
use life::Life;
use recorder::Flush;

/// Seeds that every run of the tests plays.
const SEEDS: u64 = 300;

/// Seeds of which every moment is tried.
const THOROUGH: u64 = 3;

/// The most lives of a journal on one disk.
const LIVES: u64 = 4;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long to play is for whoever runs it to say"
)]
fn whatever_part_of_a_write_survives_a_loss_of_power_the_journal_starts_and_keeps_its_promises() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("BAILIWICK_POWER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BAILIWICK_POWER_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        play(seed, None).unwrap_or_else(|failure| unreachable!("{failure}"));
    }
}

#[test]
fn there_is_no_moment_of_writing_at_which_power_may_not_fail() {
    for seed in 0..THOROUGH {
        every_moment(seed).unwrap_or_else(|failure| unreachable!("{failure}"));
    }
}

#[test]
fn a_journal_that_forgets_one_sync_is_found_out() {
    for flush in Flush::NEEDED {
        assert!(
            (0..SEEDS).any(|seed| play(seed, Some(flush)).is_err()),
            "{flush:?} is never missed"
        );
    }
}

/// Plays some lives on one disk, each ended by a loss of power.
fn play(seed: u64, omitted: Option<Flush>) -> Result<(), Failure> {
    let mut dice = Dice::new(seed);
    let mut left = Left::default();
    let mut kept = Vec::new();
    for number in 0..=dice.below(LIVES) {
        let failure = |moment, what| Failure {
            seed,
            life: number,
            moment,
            what,
        };
        let life = Life::lead(&left, kept, &mut dice, omitted).map_err(|what| failure(0, what))?;
        let moment = life.last_moment(&mut dice);
        left = life.power_fails(&left, moment, &mut dice);
        kept = judge::judge(&left, &life, moment).map_err(|what| failure(moment, what))?;
    }
    Ok(())
}

/// Plays one life in which every moment is its last, several times with other dice.
fn every_moment(seed: u64) -> Result<(), Failure> {
    let mut dice = Dice::new(seed);
    let failure = |life, moment, what| Failure {
        seed,
        life,
        moment,
        what,
    };
    let first = Life::lead(&Left::default(), Vec::new(), &mut dice, None)
        .map_err(|what| failure(0, 0, what))?;
    let torn = first.power_fails(&Left::default(), first.steps.len(), &mut dice);
    let kept = judge::judge(&torn, &first, first.steps.len())
        .map_err(|what| failure(0, first.steps.len(), what))?;
    let second = Life::lead(&torn, kept, &mut dice, None).map_err(|what| failure(1, 0, what))?;
    for (number, before, life) in [(0, &Left::default(), &first), (1, &torn, &second)] {
        for moment in 0..=life.steps.len() {
            for _ in 0..2 {
                let left = life.power_fails(before, moment, &mut dice);
                judge::judge(&left, life, moment).map_err(|what| failure(number, moment, what))?;
            }
        }
    }
    Ok(())
}

/// A promise that was broken, with the seed that repeats it.
struct Failure {
    seed: u64,
    life: u64,
    moment: usize,
    what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            life,
            moment,
            what,
        } = self;
        write!(f, "power fails in life {life} after {moment} steps: {what}")?;
        write!(
            f,
            "\nto repeat: BAILIWICK_POWER_SEED={seed} cargo test -p bailiwick --lib power"
        )
    }
}
