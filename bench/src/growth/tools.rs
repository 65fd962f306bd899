//! Hosts with few and many tools. All are called but the second of `echo`, which computes forever,
//! and, at one level, those of other components: it shows what tools cost that no one calls.

use bailiwick_dev::Issuer;

use super::side_by_side;
use crate::contest::{as_shipped, echo};
use crate::host::Setup;
use crate::plan::Plan;
use crate::rounds::Row;

pub(super) async fn measure(plan: &Plan, issuer: &Issuer) -> anyhow::Result<Vec<Row>> {
    let mut hosts = Vec::new();
    let two = echo(plan, issuer, "2 tools", (&plan.bailiwick, &plan.work))?;
    hosts.push(two.start().await?);
    let (_, ten) = plan.component("ten")?;
    for (name, many, called) in LEVELS {
        let setup = Setup {
            name,
            bailiwick: &plan.bailiwick,
            place: &plan.work,
            issuer,
            components: (0..many).map(|number| copy(&ten, number)).collect(),
            secrets: Vec::new(),
            configure: &as_shipped,
            tools: (0..called).flat_map(names).collect(),
            arguments: crate::plan::ARGUMENTS,
            scopes: &[],
            users: crate::contest::USERS,
        };
        hosts.push(setup.start().await?);
    }
    side_by_side(plan, "tools", hosts).await
}

/// Copies the component, with other names of its tools.
fn copy(ten: &[u8], number: usize) -> (String, Vec<u8>) {
    let name = prefix(number);
    let mut bytes = Vec::with_capacity(ten.len());
    let mut rest = ten;
    while let Some(at) = rest
        .windows(PLACEHOLDER.len())
        .position(|window| window == PLACEHOLDER.as_bytes())
    {
        let (before, found) = rest.split_at(at);
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(name.as_bytes());
        rest = found.get(PLACEHOLDER.len()..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
    (format!("{name}.wasm"), bytes)
}

/// Returns the names of a copy's ten tools.
fn names(number: usize) -> impl Iterator<Item = String> {
    (0..10).map(move |digit| format!("{}_{digit}", prefix(number)))
}

/// Returns the beginning of the names: as long as the placeholder, so that no offset changes.
fn prefix(number: usize) -> String {
    format!("measured_number_{number:04}")
}

/// The numbers of components with ten tools each, and how many of these are called in turn.
const LEVELS: [(&str, usize, usize); 4] = [
    ("10 tools", 1, 1),
    ("100 tools", 10, 10),
    ("1,000 tools", 100, 100),
    ("1,000 tools, 10 called", 100, 1),
];
/// The beginning of the names in the component `ten`.
const PLACEHOLDER: &str = "measured_number_aaaa";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_replaced_by_one_of_the_same_length() {
        let (file, bytes) = copy(b"<measured_number_aaaa_0measured_number_aaaa_1>", 7);
        assert_eq!(file, "measured_number_0007.wasm");
        assert_eq!(bytes, b"<measured_number_0007_0measured_number_0007_1>");
        assert!(names(7).eq((0..10).map(|digit| format!("measured_number_0007_{digit}"))));
    }
}
