//! Gives every server its turn under every load, round after round.
//!
//! Every second round runs backwards, so that a machine that becomes slower or faster favours no
//! server.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client::{Load, Target, load};
use crate::figures::{Figures, Spread};
use crate::report::say;

/// All turns of some servers.
pub(crate) struct Rounds {
    names: Vec<String>,
    loads: Vec<Load>,
    turns: BTreeMap<Place, Vec<Figures>>,
}

/// A server under a load, both as numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) load: usize,
    pub(crate) target: usize,
}

/// The medians of a server under a load, and its ratios to another.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) connections: usize,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    pub(crate) ratios: Ratios,
}

/// The ratios of a row to the row that it is compared with.
#[derive(Serialize)]
pub(crate) struct Ratios {
    pub(crate) calls_per_s: Option<Spread>,
    pub(crate) p50_us: Option<Spread>,
    pub(crate) cpu_us: Option<Spread>,
    pub(crate) machine_us: Option<Spread>,
}

/// One of the figures.
pub(crate) type Value = fn(&Figures) -> Option<f64>;

/// Runs all rounds, after one turn of each server that does not count.
pub(crate) async fn run(
    what: &str,
    targets: &[Target],
    loads: &[Load],
    rounds: usize,
) -> anyhow::Result<Rounds> {
    let mut done = Rounds {
        names: targets.iter().map(|target| target.name.clone()).collect(),
        loads: loads.to_vec(),
        turns: BTreeMap::new(),
    };
    if let Some(last) = loads.last() {
        for target in targets {
            load(target, *last).await?;
        }
    }
    for round in 0..rounds {
        say(&format!("  {what}: round {} of {rounds}", round + 1));
        for place in done.places(round % 2 == 1) {
            let (Some(target), Some(with)) = (targets.get(place.target), loads.get(place.load))
            else {
                continue;
            };
            let figures = load(target, *with).await?;
            done.turns.entry(place).or_default().push(figures);
        }
    }
    Ok(done)
}

impl Rounds {
    fn places(&self, backwards: bool) -> Vec<Place> {
        let mut targets: Vec<usize> = (0..self.names.len()).collect();
        if backwards {
            targets.reverse();
        }
        (0..self.loads.len())
            .flat_map(|load| targets.iter().map(move |&target| Place { load, target }))
            .collect()
    }

    /// Returns the server of this name on so many connections.
    pub(crate) fn place(&self, name: &str, connections: usize) -> Option<Place> {
        Some(Place {
            load: self
                .loads
                .iter()
                .position(|load| load.connections() == connections)?,
            target: self.names.iter().position(|other| other == name)?,
        })
    }

    /// Combines a figure of two servers, round by round.
    pub(crate) fn compare(
        &self,
        (of, to): (Place, Place),
        value: Value,
        combine: fn(f64, f64) -> f64,
    ) -> Option<Spread> {
        let pairs = self.turns.get(&of)?.iter().zip(self.turns.get(&to)?);
        let values = pairs.map(|(of, to)| Some(combine(value(of)?, value(to)?)));
        Spread::of(values.collect::<Option<_>>()?)
    }

    /// Returns a row for each server under each load, compared with the place that `base` returns.
    pub(crate) fn rows(&self, base: impl Fn(Place) -> Place) -> Vec<Row> {
        let rows = self.turns.iter().filter_map(|(place, turns)| {
            let ratio = |value| self.compare((*place, base(*place)), value, std::ops::Div::div);
            Some(Row {
                name: self.names.get(place.target)?.clone(),
                connections: self.loads.get(place.load)?.connections(),
                figures: Figures::median(turns),
                ratios: Ratios {
                    calls_per_s: ratio(|of| Some(of.calls_per_s)),
                    p50_us: ratio(|of| Some(of.p50_us)),
                    cpu_us: ratio(|of| of.used.cpu_us),
                    machine_us: ratio(|of| of.used.machine_us),
                },
            })
        });
        rows.collect()
    }
}

/// Compares with the first server under the same load.
pub(crate) fn first_server(place: Place) -> Place {
    Place { target: 0, ..place }
}
