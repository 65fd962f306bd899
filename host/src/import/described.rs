//! The names that a description has for what is sent: those that the operator can bind, drop and
//! allow.
//!
//! Invariant: an option that names nothing is an error, so that no protection is lost by a slip of
//! the finger.

use std::collections::{BTreeSet, HashSet};
use std::ptr;

use serde_json::Value;

use super::near::near;
use super::operation::ApiOperation;
use super::references::ApiReferences;
use super::search::MemberSearch;
use super::{ImportError, ImportRules};

/// The names of parameters, and of members of arguments.
#[derive(Debug, Default)]
pub(super) struct DescribedNames<'d> {
    parameters: BTreeSet<&'d str>,
    members: BTreeSet<&'d str>,
}

impl<'d> DescribedNames<'d> {
    /// Returns the names of operations.
    pub(super) fn of<'o>(
        operations: impl IntoIterator<Item = &'o ApiOperation<'d>>,
        references: ApiReferences<'d>,
    ) -> Result<Self, ImportError>
    where
        'd: 'o,
    {
        let mut names = Self::default();
        let mut search = MemberSearch::new(references, MAX_LOOKS);
        // Operations can share a list.
        let mut seen = HashSet::new();
        for operation in operations {
            let lists = [
                operation.item.first("parameters"),
                operation.value.get("parameters"),
            ];
            let lists = lists.into_iter().flatten();
            let new = lists.filter(|list| seen.insert(ptr::from_ref::<Value>(list)));
            for parameter in new.filter_map(Value::as_array).flatten() {
                let followed = references.followed(parameter).unwrap_or(parameter);
                names
                    .parameters
                    .extend(followed.get("name").and_then(Value::as_str));
                names.add_members(followed, &mut search)?;
            }
            if let Some(body) = operation.value.get("requestBody") {
                names.add_members(body, &mut search)?;
            }
        }
        Ok(names)
    }

    /// Returns the names in the schemas of remote tools' arguments.
    pub(super) fn of_schemas(
        schemas: impl Iterator<Item = &'d Value>,
    ) -> Result<Self, ImportError> {
        let mut names = Self::default();
        for schema in schemas {
            let mut search = MemberSearch::new(ApiReferences::new(schema), MAX_LOOKS);
            names.add_members(schema, &mut search)?;
        }
        Ok(names)
    }

    fn add_members(
        &mut self,
        holder: &'d Value,
        search: &mut MemberSearch<'d>,
    ) -> Result<(), ImportError> {
        let found = search.first(holder, |name| {
            self.members.insert(name);
            false
        });
        found.map(|_| ()).map_err(|_| ImportError::TooLarge)
    }

    /// Checks that everything that is dropped or allowed is there.
    ///
    /// # Errors
    /// Names what is not, and what is near it.
    pub(super) fn check(&self, rules: &ImportRules) -> Result<(), ImportError> {
        for (option, names) in [("--drop", &rules.drops), ("--allow", &rules.allowed)] {
            for name in names {
                let is = |known: &BTreeSet<&str>| known.contains(name.as_str());
                if !is(&self.parameters) && !is(&self.members) {
                    let known = self.parameters.union(&self.members).copied();
                    return Err(ImportError::Undescribed {
                        option,
                        name: name.clone(),
                        near: near(name, known),
                    });
                }
            }
        }
        Ok(())
    }

    /// Checks that every parameter that is bound is there.
    ///
    /// # Errors
    /// Names the one that is not, and what is near it.
    pub(super) fn check_bindings(&self, rules: &ImportRules) -> Result<(), ImportError> {
        let known = &self.parameters;
        let mut unbound = rules.bindings.keys();
        match unbound.find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(ImportError::Unbound {
                name: name.clone(),
                near: near(name, known.iter().copied()),
            }),
            None => Ok(()),
        }
    }
}

/// More than a description can have.
const MAX_LOOKS: usize = 1 << 24;
