//! The goals for the host, and whether this run meets them.

use serde::Serialize;

use crate::contest::{BAILIWICK, Contest, HOPS, IMPORTED, IMPORTED_CONNECTIONS, NATIVE, WRITTEN};
use crate::figures::{Figures, Spread};
use crate::machine::Machine;
use crate::peers::{FASTMCP, TYPESCRIPT};
use crate::rounds::{Rounds, Value};
use crate::table::spread;

/// A goal, and its figure in this run.
#[derive(Serialize)]
pub(crate) struct Goal {
    name: &'static str,
    figure: Spread,
    bound: Bound,
    /// Nothing without a bound.
    met: Option<bool>,
}

#[derive(Clone, Copy, Serialize)]
enum Bound {
    Most(f64),
    Least(f64),
    None,
}

/// Returns the goals for which there are figures: of the host beside other servers, of a tool with
/// a service, and of an imported operation.
pub(crate) fn of(
    http: Option<&Contest>,
    (service, imported): (Option<&Contest>, Option<&Contest>),
    machine: &Machine,
) -> Vec<Goal> {
    let ratio = |of: &Contest, to, many, value| {
        compare(&of.rounds, (BAILIWICK, to), many, value, std::ops::Div::div)
    };
    let mut goals = Vec::new();
    for (name, to, many, value, bound) in RATIOS {
        let figure = http.and_then(|http| ratio(http, to, many, value));
        goals.extend(figure.map(|figure| Goal::of(name, figure, bound)));
    }
    let syncs = machine.sync_us + machine.sync_us_after;
    let added = http.and_then(|http| {
        compare(
            &http.rounds,
            (BAILIWICK, NATIVE),
            1,
            P50,
            std::ops::Sub::sub,
        )
    });
    goals.extend(added.map(|added| Goal::of(ADDED, added, Bound::Most(syncs + ALLOWED_US))));
    let hops = service.and_then(|service| ratio(service, HOPS, 1, P50));
    goals.extend(hops.map(|hops| Goal::of(SERVICE, hops, Bound::None)));
    let pair = (IMPORTED, WRITTEN);
    let cost = imported.and_then(|imported| {
        let rounds = &imported.rounds;
        compare(rounds, pair, IMPORTED_CONNECTIONS, CPU, std::ops::Div::div)
    });
    goals.extend(cost.map(|cost| Goal::of(OPERATION, cost, Bound::Most(1.5))));
    goals
}

impl Goal {
    fn of(name: &'static str, figure: Spread, bound: Bound) -> Self {
        let met = match bound {
            Bound::Most(bound) => Some(figure.median <= bound),
            Bound::Least(bound) => Some(figure.median >= bound),
            Bound::None => None,
        };
        Self {
            name,
            figure,
            bound,
            met,
        }
    }
}

fn compare(
    rounds: &Rounds,
    (of, to): (&str, &str),
    connections: usize,
    value: Value,
    combine: fn(f64, f64) -> f64,
) -> Option<Spread> {
    let pair = (
        rounds.place(of, connections)?,
        rounds.place(to, connections)?,
    );
    rounds.compare(pair, value, combine)
}

/// Returns the goals as a table.
pub(crate) fn table(goals: &[Goal]) -> Vec<String> {
    let mut lines = vec![
        "| goal | bound | figure | |".to_owned(),
        "|---|---:|---:|---|".to_owned(),
    ];
    lines.extend(goals.iter().map(|goal| {
        let met = match goal.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let bound = match goal.bound {
            Bound::Most(bound) => format!("≤ {bound:.1}"),
            Bound::Least(bound) => format!("≥ {bound:.1}"),
            Bound::None => String::new(),
        };
        let figure = spread(Some(goal.figure));
        format!("| {} | {bound} | {figure} | {met} |", goal.name)
    }));
    lines
}

const CALLS: Value = |of: &Figures| Some(of.calls_per_s);
const P50: Value = |of: &Figures| Some(of.p50_us);
const CPU: Value = |of: &Figures| of.used.cpu_us;
/// The allowance for a call beyond its two durable records.
const ALLOWED_US: f64 = 100.0;
const ADDED: &str = "added p50, 1 connection, µs (two syncs and 100)";
const OPERATION: &str = "processor time, an imported operation ÷ a tool in Rust, 32 connections";
const SERVICE: &str = "p50 of a call with one service ÷ two plain HTTP hops, 1 connection";
/// Each with the server it is compared with, and the connections.
const RATIOS: [(&str, &str, usize, Value, Bound); 6] = [
    (
        "processor time ÷ native, 32 connections",
        NATIVE,
        32,
        CPU,
        Bound::Most(1.9),
    ),
    (
        "calls/s ÷ native, 32 connections",
        NATIVE,
        32,
        CALLS,
        Bound::Least(0.5),
    ),
    (
        "calls/s ÷ native, 128 connections",
        NATIVE,
        128,
        CALLS,
        Bound::Least(0.7),
    ),
    (
        "calls/s ÷ FastMCP, 32 connections",
        FASTMCP,
        32,
        CALLS,
        Bound::Least(15.0),
    ),
    (
        "calls/s ÷ TypeScript SDK, 32 connections",
        TYPESCRIPT,
        32,
        CALLS,
        Bound::Least(8.0),
    ),
    (
        "p50 ÷ TypeScript SDK, 1 connection",
        TYPESCRIPT,
        1,
        P50,
        Bound::Most(1.0),
    ),
];
