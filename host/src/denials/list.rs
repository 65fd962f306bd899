//! The list of denials, as the file has it.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::entry::{Denial, Unfitting};

/// All denials, with a number that grows with every change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialList {
    /// The number of the last change. An older list has a lower one.
    pub serial: u64,
    /// The denials, the oldest first.
    pub denials: Vec<Denial>,
}

/// The difference between two lists.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// The denials that only the new list has.
    pub added: Vec<Denial>,
    /// The denials that only the old list has.
    pub lifted: Vec<Denial>,
}

/// A text that is not a list of denials.
#[derive(Debug, thiserror::Error)]
pub enum NotAList {
    /// It has another form.
    #[error("it is not in the form that `bailiwick deny` writes")]
    Form(#[from] serde_json::Error),
    /// A denial in it cannot be relied on.
    #[error("its denial {0} cannot be relied on")]
    Denial(String, #[source] Unfitting),
    /// Two denials have one identifier.
    #[error("two of its denials have the id {0}")]
    Twice(String),
    /// There are too many.
    #[error("it has more than {MAX_DENIALS} denials, or more text than fits; lift some")]
    TooMany,
}

impl DenialList {
    /// Reads a list.
    ///
    /// # Errors
    /// Fails if one part of it cannot be relied on: then none can.
    pub(super) fn parse(text: &[u8]) -> Result<Self, NotAList> {
        let list: Self = serde_json::from_slice(text)?;
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), NotAList> {
        if self.denials.len() > MAX_DENIALS {
            return Err(NotAList::TooMany);
        }
        let mut ids = BTreeSet::new();
        for denial in &self.denials {
            let id: String = denial.id.escape_default().take(24).collect();
            denial
                .check()
                .map_err(|why| NotAList::Denial(id.clone(), why))?;
            if !ids.insert(&denial.id) {
                return Err(NotAList::Twice(id));
            }
        }
        Ok(())
    }

    /// Returns the difference between this list and a newer one.
    pub fn changes_to(&self, new: &Self) -> Changes {
        let only = |these: &Self, those: &Self| {
            let those = those.denials.iter().map(|one| (&*one.id, one));
            let those: HashMap<&str, &Denial> = those.collect();
            let is_missing = |one: &&Denial| {
                let same = those.get(&*one.id);
                !same.is_some_and(|same| same.is_recorded_as(one))
            };
            these.denials.iter().filter(is_missing).cloned().collect()
        };
        Changes {
            added: only(new, self),
            lifted: only(self, new),
        }
    }
}

/// The most denials. Far more stand for something that belongs into the authorization server.
const MAX_DENIALS: usize = 4096;
