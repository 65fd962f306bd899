//! The figures of one turn, their median over the rounds, and ratios of two servers.
//!
//! Invariant: a ratio divides figures of the same round, so what the machine did in between does
//! not change it.

use std::time::Duration;

use serde::Serialize;

use crate::usage::{Reading, Used};

/// One turn of a server, or the median of its turns.
#[derive(Clone, Serialize)]
pub(crate) struct Figures {
    /// Successful calls a second.
    pub(crate) calls_per_s: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// What a call cost; nothing for a server that does not run here.
    #[serde(flatten)]
    pub(crate) used: Used,
    /// Calls that the server refused because its places were taken; not among the others.
    pub(crate) busy: usize,
}

/// A value of each round: the median, and the bounds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figures {
    /// Makes the figures of calls that took this long, of a turn in which a server went from one
    /// reading to another.
    pub(crate) fn of(
        mut took: Vec<Duration>,
        busy: usize,
        turn: Duration,
        read: Option<(Reading, Reading)>,
    ) -> anyhow::Result<Self> {
        took.sort_unstable();
        let calls = f64::from(u32::try_from(took.len())?);
        let percentile = |share: usize| {
            let at = (took.len() * share / 100).min(took.len().saturating_sub(1));
            took.get(at)
                .map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
        };
        Ok(Self {
            calls_per_s: calls / turn.as_secs_f64(),
            p50_us: percentile(50),
            p99_us: percentile(99),
            used: read.map_or_else(Used::default, |(before, after)| before.until(&after, calls)),
            busy,
        })
    }

    /// Takes the median of each figure.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let middle = |value: &dyn Fn(&Self) -> f64| median(rounds.iter().map(value).collect());
        let perhaps = |value: fn(&Used) -> Option<f64>| {
            let values: Vec<f64> = rounds.iter().filter_map(|of| value(&of.used)).collect();
            (!values.is_empty()).then(|| median(values))
        };
        Self {
            calls_per_s: middle(&|of| of.calls_per_s),
            p50_us: middle(&|of| of.p50_us),
            p99_us: middle(&|of| of.p99_us),
            used: Used::with(perhaps),
            busy: rounds.iter().map(|of| of.busy).sum(),
        }
    }
}

impl Spread {
    /// Returns the spread of some values; `None` without any.
    pub(crate) fn of(values: Vec<f64>) -> Option<Self> {
        let bound = |better: fn(f64, f64) -> f64| values.iter().copied().reduce(better);
        Some(Self {
            least: bound(f64::min)?,
            most: bound(f64::max)?,
            median: median(values),
        })
    }
}

/// Returns the middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
