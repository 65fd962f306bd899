//! How the cost of a call grows with tools, users, connections and records.
//!
//! The levels are measured in turn in the same rounds, so a ratio of two is not one of two minutes.

mod connections;
mod records;
mod tools;
mod users;

use bailiwick_dev::{Config, Issuer};
use serde::Serialize;

use crate::contest::{end, introduce, order};
use crate::host::Running;
use crate::plan::Plan;
use crate::rounds::{self, Row, first_server};

pub(crate) use records::Stage;

/// The figures of every level.
#[derive(Serialize)]
pub(crate) struct Growth {
    pub(crate) tools: Vec<Row>,
    pub(crate) users: Vec<Row>,
    pub(crate) connections: Vec<Row>,
    pub(crate) records: Vec<Stage>,
}

/// Measures everything that grows.
pub(crate) async fn measure(plan: &Plan) -> anyhow::Result<Growth> {
    let issuer = Issuer::start().await?;
    Ok(Growth {
        tools: tools::measure(plan, &issuer).await?,
        users: users::measure(plan, &issuer).await?,
        connections: connections::measure(plan, &issuer).await?,
        records: records::measure(plan, &issuer).await?,
    })
}

/// Measures hosts in turn, and compares each with the first.
async fn side_by_side(plan: &Plan, what: &str, hosts: Vec<Running>) -> anyhow::Result<Vec<Row>> {
    let targets = order(&[], &hosts);
    introduce(&targets).await?;
    let rounds = rounds::run(what, &targets, &[plan.load(CALLING)], plan.rounds).await?;
    end(Vec::new(), hosts).await?;
    Ok(rounds.rows(first_server))
}

/// Lets one user call as often as the connections can.
fn without_rates(mut config: Config) -> Config {
    config.limits = "[limits]\ncalls_per_minute = 60000000\ncalls_burst = 1000000\n".into();
    config
}

/// The connections that call.
const CALLING: usize = 32;
