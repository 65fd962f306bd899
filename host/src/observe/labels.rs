//! The labels, and the bound that keeps them few.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;

/// The label of everything that has no name in the catalog, and of names beyond [`MAX_NAMES`].
///
/// No tool, service or component can have this name: theirs have no parentheses.
pub const OTHER: &str = "(other)";

/// The most names of each kind (targets, services, components) over the life of the host.
pub const MAX_NAMES: usize = 4096;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) kind: &'static str,
    pub(super) target: Arc<str>,
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TargetLabels {
    pub(super) kind: &'static str,
    pub(super) target: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RefusalLabels {
    pub(super) kind: &'static str,
    pub(super) target: Arc<str>,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct NamedLabels {
    pub(super) name: Arc<str>,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct PartLabels {
    pub(super) part: &'static str,
}

/// The names seen so far.
#[derive(Default)]
pub(super) struct LabelNames(Mutex<BTreeSet<Arc<str>>>);

impl LabelNames {
    /// Returns the name, or [`OTHER`] once there are too many.
    ///
    /// Names come from the catalog and the configuration, so a client cannot add any. The bound is
    /// for a folder whose tools are renamed again and again while the host runs.
    pub(super) fn bounded(&self, name: &str) -> Arc<str> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get(name) {
            return Arc::clone(known);
        }
        if seen.len() >= MAX_NAMES {
            return OTHER.into();
        }
        let name: Arc<str> = name.into();
        seen.insert(Arc::clone(&name));
        name
    }
}
