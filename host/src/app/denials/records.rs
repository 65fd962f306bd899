//! The records of changes of the denials.

use serde_json::Value;

use crate::audit::{DenialAdded, DenialLifted, DenialsFound, Detail, rfc3339};
use crate::denials::{Denial, DenialList};

/// Returns the record of a denial that came with `change`.
pub(super) fn added(denial: &Denial, change: u64) -> DenialAdded {
    let mut members = about(denial, change);
    members.push(("reason", denial.reason.clone().into()));
    if let Some(until) = denial.until {
        members.push(("until", rfc3339(until).into()));
    }
    DenialAdded {
        denial: (&denial.id).into(),
        detail: Detail::from_iter(members),
    }
}

/// Returns the record of a denial that went with `change`.
pub(super) fn lifted(denial: &Denial, expired: bool, change: u64) -> DenialLifted {
    let mut members = about(denial, change);
    let because = if expired { "expired" } else { "lifted" };
    members.push(("because", because.into()));
    DenialLifted {
        denial: (&denial.id).into(),
        detail: Detail::from_iter(members),
    }
}

/// Returns the record of a list that can be relied on again.
pub(super) fn found(list: &DenialList) -> DenialsFound {
    let denials = u64::try_from(list.denials.len()).unwrap_or(u64::MAX);
    DenialsFound {
        detail: Detail::from_iter([("change", list.serial), ("denials", denials)]),
    }
}

fn about(denial: &Denial, change: u64) -> Vec<(&'static str, Value)> {
    let mut members = vec![
        ("change", change.into()),
        ("of", denial.of.as_str().into()),
        ("name", denial.name.clone().into()),
    ];
    let issuer = denial.issuer.clone();
    members.extend(issuer.map(|issuer| ("issuer", issuer.into())));
    members
}
