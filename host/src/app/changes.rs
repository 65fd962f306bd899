//! The journal's records about components: loaded, changed, refused or removed.
//!
//! Invariant: a component that changed is one record with both digests and the changes of its
//! definitions. No text of a definition is in it, only digests of the texts.

use std::collections::BTreeMap;
use std::error::Error;

use bailiwick_journal::chain;
use serde_json::{Map, Value};

use super::detail;
use crate::audit::{ComponentLoaded, ComponentRefused, ComponentRemoved, Detail, Journal};
use crate::call::Policy;
use crate::dispatch::{Catalog, OfferError, Outline};
use crate::intake::{ComponentId, LoadError, Refused};
use crate::observe::Meters;
use crate::reason::LoadReason;

/// A component that serves.
pub(super) struct Served {
    pub(super) component: ComponentId,
    /// Its definitions, as digests.
    outline: Outline,
}

/// Returns the components of a catalog, by name.
pub(super) fn served(catalog: &Catalog) -> BTreeMap<String, Served> {
    let served = |(component, outline): (&ComponentId, &Outline)| {
        let served = Served {
            component: component.clone(),
            outline: outline.clone(),
        };
        (component.name.clone(), served)
    };
    catalog.components().map(served).collect()
}

/// Records the differences between the components of `policy` and those of `previous`.
pub(super) async fn record_changes(
    policy: &Policy,
    previous: Option<&Policy>,
    journal: &Journal,
    meters: &Meters,
) -> anyhow::Result<()> {
    let before = previous
        .map(|policy| served(&policy.catalog))
        .unwrap_or_default();
    let now = served(&policy.catalog);
    for (name, new) in &now {
        let old = before.get(name);
        if old.is_some_and(|old| old.component == new.component) {
            continue;
        }
        meters.loaded(name, "loaded");
        let digest = new.component.digest.as_str();
        tracing::info!(component = name, digest, "a component is loaded");
        let loaded = ComponentLoaded {
            component: digest.into(),
            detail: loaded(new, old).into(),
        };
        journal.record(loaded).await?;
    }
    for (name, old) in before.iter().filter(|(name, _)| !now.contains_key(*name)) {
        meters.loaded(name, "removed");
        let digest = old.component.digest.as_str();
        tracing::info!(component = name, digest, "a component is removed");
        let removed = ComponentRemoved {
            component: digest.into(),
            detail: Detail::from_iter([("name", name.as_str())]),
        };
        journal.record(removed).await?;
    }
    Ok(())
}

fn loaded(new: &Served, old: Option<&Served>) -> Map<String, Value> {
    let definitions = new.outline.digest();
    let mut members = detail([
        ("name", &new.component.name),
        ("tools", &tools(&new.outline)),
        ("definitions", &definitions),
    ]);
    if let Some(signed) = &new.component.signed {
        members.extend(detail([
            ("signer", &signed.by),
            ("signer_key", &signed.key.id()),
        ]));
    }
    if let Some(old) = old {
        members.extend(detail([
            ("previous", &old.component.digest),
            ("previous_tools", &tools(&old.outline)),
        ]));
        members.insert(
            "changes".to_owned(),
            new.outline.changes_from(&old.outline).into(),
        );
    }
    members
}

fn tools(outline: &Outline) -> String {
    outline.names().collect::<Vec<_>>().join(" ")
}

/// Logs that a component is refused, and returns the record of it.
pub(super) fn refused(
    name: &str,
    digest: Option<String>,
    error: &(dyn Error + 'static),
    meters: &Meters,
) -> ComponentRefused {
    let cause = chain(error);
    tracing::error!(component = name, cause, "a component is refused");
    let error = error.downcast_ref::<OfferError>();
    meters.loaded(name, reason(error).as_str());
    let mut members = detail([("name", name), ("cause", &cause)]);
    if let Some(OfferError::Unaccepted(unaccepted)) = error {
        members.extend(detail([("definitions", &unaccepted.digest)]));
        members.insert("changes".to_owned(), unaccepted.changes.clone().into());
    }
    let component = digest.map(Into::into);
    ComponentRefused::new(component, reason(error), members.into())
}

/// Logs that components beyond the bound are left out, and returns the one record for all of them.
pub(super) fn left_out(count: usize, first: &str, most: usize) -> ComponentRefused {
    let cause = format!(
        "the tools folder has {count} components beyond the limit of {most} \
         (limits.components); the first one left out is {first}"
    );
    tracing::error!(
        count,
        first,
        "components are left out: there are more than limits.components"
    );
    let members = detail([("name", first), ("cause", &cause)]);
    ComponentRefused::new(None, LoadReason::NotLoadable, members.into())
}

/// Returns the reason in records. A component that is refused for anything but an [`OfferError`]
/// clashes with another.
fn reason(error: Option<&OfferError>) -> LoadReason {
    let Some(error) = error else {
        return LoadReason::NameClash;
    };
    match error {
        OfferError::Code(LoadError::Refused(Refused::Import { .. })) => LoadReason::ImportRefused,
        OfferError::Code(LoadError::Digest { .. }) => LoadReason::DigestMismatch,
        OfferError::Code(LoadError::Signature(_)) => LoadReason::SignatureRefused,
        OfferError::Definition(_) | OfferError::Stray(_) | OfferError::Families { .. } => {
            LoadReason::DefinitionRefused
        }
        OfferError::Unaccepted(_) => LoadReason::DefinitionChanged,
        OfferError::Code(_) | OfferError::Count { .. } | OfferError::Nothing => {
            LoadReason::NotLoadable
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::dispatch::StrayTool;

    fn record(name: &str, error: &(dyn Error + 'static)) -> Value {
        let refused = refused(name, Some("sha256:1".into()), error, &Meters::default());
        serde_json::to_value(refused).unwrap()
    }

    #[test]
    fn a_refused_component_is_recorded_with_its_cause_and_its_reason() {
        let digest = LoadError::Digest {
            name: "orders".into(),
            found: "sha256:1".into(),
            wanted: "sha256:2".into(),
        };
        for (error, reason, cause) in [
            (
                OfferError::Code(digest),
                LoadReason::DigestMismatch,
                "sha256:2",
            ),
            (
                OfferError::Code(LoadError::TooLarge(7)),
                LoadReason::NotLoadable,
                "7 bytes",
            ),
            (
                OfferError::Nothing,
                LoadReason::NotLoadable,
                "neither tools",
            ),
            (
                OfferError::Stray(StrayTool {
                    component: "orders".into(),
                    table: "tools.refnud".into(),
                    expected: "expected refund".into(),
                }),
                LoadReason::DefinitionRefused,
                "[components.orders.tools.refnud] restricts what this component does not \
                 have; expected refund; correct the name, or remove the table",
            ),
        ] {
            let record = record("orders", &error);
            assert_eq!(record["reason"], reason.as_str());
            assert_eq!(record["component"], "sha256:1");
            assert_eq!(record["detail"]["name"], "orders");
            let found = record["detail"]["cause"].as_str().unwrap();
            assert!(found.contains(cause), "{found}");
        }
    }

    #[test]
    fn components_beyond_the_limit_are_one_record() {
        let record = serde_json::to_value(left_out(3, "zeta", 2)).unwrap();
        assert_eq!(record["detail"]["name"], "zeta");
        let cause = record["detail"]["cause"].as_str().unwrap();
        assert!(
            cause.contains("3 components beyond the limit of 2"),
            "{cause}"
        );
    }
}
