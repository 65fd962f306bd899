//! Gives every server its turn at every number of connections, round after round; then takes the
//! median of the rounds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client::{Target, Turn, load};
use crate::plan::Plan;
use crate::report::say;

/// One server at one number of connections: the median of its turns.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) server: String,
    pub(crate) connections: usize,
    pub(crate) calls_per_s: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the server for each call; `None` for one that does not run here.
    pub(crate) cpu_us: Option<f64>,
    /// Calls that the server refused because its places were taken; not among the others.
    pub(crate) busy: usize,
}

/// Runs all rounds.
pub(crate) async fn run(plan: &Plan, targets: &[Target]) -> anyhow::Result<Vec<Measured>> {
    let mut turns: BTreeMap<(usize, usize), Vec<Turn>> = BTreeMap::new();
    if plan.only_inside {
        return Ok(Vec::new());
    }
    for round in 1..=plan.rounds {
        say(&format!("  round {round} of {}", plan.rounds));
        for connections in &plan.connections {
            for (index, target) in targets.iter().enumerate() {
                let turn = load(target, *connections, plan.warm_up(), plan.turn()).await?;
                turns.entry((*connections, index)).or_default().push(turn);
            }
        }
    }
    let name = |index: usize| {
        targets
            .get(index)
            .map_or_else(String::new, |target| target.name.clone())
    };
    Ok(turns
        .iter()
        .map(|((connections, index), turns)| Measured::of(name(*index), *connections, turns))
        .collect())
}

impl Measured {
    fn of(server: String, connections: usize, turns: &[Turn]) -> Self {
        let middle = |value: &dyn Fn(&Turn) -> f64| median(turns.iter().map(value).collect());
        Self {
            server,
            connections,
            calls_per_s: middle(&|turn| turn.calls_per_s),
            p50_us: middle(&|turn| turn.percentile_us(50)),
            p99_us: middle(&|turn| turn.percentile_us(99)),
            cpu_us: turns
                .iter()
                .map(Turn::cpu_us)
                .collect::<Option<_>>()
                .map(median),
            busy: turns.iter().map(|turn| turn.busy).sum(),
        }
    }
}

/// Returns the middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
