//! One host with few and many open connections. At most as many as at the other levels call; the
//! others called once and are idle.

use std::fs;

use bailiwick_dev::{Config, Issuer};

use super::CALLING;
use crate::client::Load;
use crate::contest::{echo, end, introduce, order};
use crate::host::Setup;
use crate::plan::Plan;
use crate::report::say;
use crate::rounds::{self, Place, Row};

pub(super) async fn measure(plan: &Plan, issuer: &Issuer) -> anyhow::Result<Vec<Row>> {
    let setup = Setup {
        configure: &from_one_address,
        ..echo(plan, issuer, "bailiwick", (&plan.bailiwick, &plan.work))?
    };
    let hosts = vec![setup.start().await?];
    let targets = order(&[], &hosts);
    introduce(&targets).await?;
    // The host takes half of its descriptors for connections.
    let most = descriptors() / 2;
    let loads: Vec<Load> = LEVELS
        .into_iter()
        .filter(|&many| many <= most)
        .map(|many| load(plan, many))
        .collect();
    if loads.len() < LEVELS.len() {
        say(&format!(
            "left out: more than {most} connections (`ulimit -n` is {})",
            descriptors()
        ));
    }
    let rounds = rounds::run("connections", &targets, &loads, plan.rounds).await?;
    end(Vec::new(), hosts).await?;
    Ok(rounds.rows(|place| Place {
        load: BASE,
        ..place
    }))
}

fn load(plan: &Plan, many: usize) -> Load {
    let calling = many.min(CALLING);
    Load {
        idle: many - calling,
        ..plan.load(calling)
    }
}

/// Trusts loopback as if it were a proxy, so that one address may have all connections.
fn from_one_address(mut config: Config) -> Config {
    config
        .server
        .push_str("trusted_proxies = [\"127.0.0.0/8\"]\n");
    config
}

/// Returns how many files a process may have open.
fn descriptors() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(1024)
}

/// The level with which the others are compared: the first at which as many call as at the others.
const BASE: usize = 1;
const LEVELS: [usize; 5] = [1, CALLING, 256, 1_024, 4_096];
