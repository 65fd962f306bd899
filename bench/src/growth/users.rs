//! Hosts that know few and many users, all of whom call.

use bailiwick_dev::Issuer;

use super::{side_by_side, without_rates};
use crate::contest::echo;
use crate::host::Setup;
use crate::plan::Plan;
use crate::rounds::Row;

pub(super) async fn measure(plan: &Plan, issuer: &Issuer) -> anyhow::Result<Vec<Row>> {
    let mut hosts = Vec::new();
    for (name, users) in LEVELS {
        let setup = Setup {
            users,
            configure: &without_rates,
            ..echo(plan, issuer, name, (&plan.bailiwick, &plan.work))?
        };
        hosts.push(setup.start().await?);
    }
    side_by_side(plan, "users", hosts).await
}

const LEVELS: [(&str, usize); 5] = [
    ("1 user", 1),
    ("100 users", 100),
    ("1,000 users", 1_000),
    ("10,000 users", 10_000),
    ("100,000 users", 100_000),
];
