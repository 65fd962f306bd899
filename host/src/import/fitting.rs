//! How much of a description a definition has: as much as the host's own rules accept.
//!
//! Invariant: a definition that is handed on is accepted by a host that grants nothing.

use std::cell::Cell;

use bailiwick_journal::chain;
use serde_json::Value;
use serde_json::value::RawValue;

use super::left_out::LeftOut;
use super::program::DefinitionText;
use super::references::ApiReferences;
use super::schemas::{ApiSchemas, SchemaSide};
use super::search::MemberSearch;
use super::{ImportError, ImportRules};
use crate::dispatch::{ComponentGrant, Definition, DefinitionError};
use crate::sandbox::RawDefinition;
use crate::schema::names_identity;

/// How much of a description a definition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaDetail {
    /// Everything.
    Whole,
    /// No texts within schemas.
    Undescribed,
    /// No schema of the largest part either.
    Untyped,
}

/// What may still be spent on the definitions of one import. Operations can share a schema, so the
/// size of a description says little.
pub(super) struct ImportEffort(Cell<usize>);

impl ImportEffort {
    /// Starts with all of it.
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_EFFORT))
    }

    /// Takes away what was spent: one for each value that was written or checked.
    pub(super) fn spend(&self, cost: usize) {
        self.0.set(self.0.get().saturating_sub(cost));
    }

    /// Returns true if nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// Fits one definition.
pub(super) struct Fitting<'r> {
    pub(super) rules: &'r ImportRules,
    pub(super) effort: &'r ImportEffort,
    /// What a definition without types has, such as `any JSON as its body`.
    pub(super) untyped: &'static str,
}

impl Fitting<'_> {
    /// Returns the definition with the most detail that the host accepts, and how much that is, and
    /// adds a note if it is not everything.
    pub(super) fn fitted(
        &self,
        raw: impl Fn(SchemaDetail) -> Result<RawDefinition, LeftOut>,
        notes: &mut Vec<String>,
    ) -> Result<(RawDefinition, SchemaDetail), LeftOut> {
        let mut refused = LeftOut::Malformed("schema");
        for detail in [
            SchemaDetail::Whole,
            SchemaDetail::Undescribed,
            SchemaDetail::Untyped,
        ] {
            let checked = raw(detail).and_then(|raw| {
                self.check(&raw)?;
                Ok(raw)
            });
            match checked {
                Ok(raw) => {
                    notes.extend(self.note(detail, &refused));
                    return Ok((raw, detail));
                }
                Err(identity @ LeftOut::IdentityMember(_)) => return Err(identity),
                Err(other) => refused = other,
            }
        }
        Err(refused)
    }

    /// Fails if a member in a schema, at any level, names an identity or a credential, and the
    /// operator has not said what becomes of it.
    pub(super) fn check_identities<'d>(
        &self,
        schema: &'d Value,
        references: ApiReferences<'d>,
    ) -> Result<(), LeftOut> {
        self.check_members(schema, references, names_identity)
    }

    /// Fails if a member in a schema, at any level, is called as a parameter that is bound, and the
    /// operator has said nothing else of it.
    pub(super) fn check_bindings<'d>(
        &self,
        schema: &'d Value,
        references: ApiReferences<'d>,
    ) -> Result<(), LeftOut> {
        let bindings = &self.rules.bindings;
        if bindings.is_empty() {
            return Ok(());
        }
        self.check_members(schema, references, |name| bindings.contains_key(name))
    }

    fn check_members<'d>(
        &self,
        schema: &'d Value,
        references: ApiReferences<'d>,
        is_identity: impl Fn(&str) -> bool,
    ) -> Result<(), LeftOut> {
        let rules = self.rules;
        let is_known = |name: &str| rules.allowed.contains(name) || rules.drops.contains(name);
        let is_unsaid = |name: &str| is_identity(name) && !is_known(name);
        match self.first(schema, references, is_unsaid)? {
            Some(name) => Err(LeftOut::IdentityMember(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Says which member is dropped from a schema that becomes any JSON.
    pub(super) fn still_sent<'d>(
        &self,
        schema: &'d Value,
        references: ApiReferences<'d>,
    ) -> Result<Option<String>, LeftOut> {
        let drops = &self.rules.drops;
        if drops.is_empty() {
            return Ok(None);
        }
        let found = self.first(schema, references, |name| drops.contains(name))?;
        Ok(found.map(|name| format!("{name:?} is dropped, and any JSON can have it all the same")))
    }

    fn first<'d>(
        &self,
        schema: &'d Value,
        references: ApiReferences<'d>,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<&'d str>, LeftOut> {
        let mut search = MemberSearch::new(references, MAX_LOOKS);
        let found = search.first(schema, fits);
        self.effort.spend(search.looks() / LOOKS_OF_ONE);
        found.map_err(|_| LeftOut::Unsearchable)
    }

    /// Adds the schema of the answers, if it is one that the host accepts.
    pub(super) fn with_answer(
        &self,
        raw: RawDefinition,
        answer: Result<Value, LeftOut>,
        notes: &mut Vec<String>,
    ) -> RawDefinition {
        let with = answer.map(|output| RawDefinition {
            output_schema: Some(output.to_string()),
            ..raw.clone()
        });
        match with.and_then(|with| self.check(&with).map(|()| with)) {
            Ok(with) => with,
            Err(why) => {
                notes.push(format!("without the schema of its answers: {why}"));
                raw
            }
        }
    }

    /// Checks a definition as a host does that allows the parameters and grants nothing.
    fn check(&self, raw: &RawDefinition) -> Result<(), LeftOut> {
        let grant = ComponentGrant {
            allow_parameters: self.rules.allowed.iter().cloned().collect(),
            ..ComponentGrant::default()
        };
        self.effort.spend(raw.input_schema.len() / BYTES_OF_ONE);
        match Definition::check(raw.clone(), &grant) {
            Ok(_) => Ok(()),
            Err(DefinitionError::IdentityParameter { parameter, .. }) => {
                Err(LeftOut::IdentityMember(parameter))
            }
            Err(other) => Err(LeftOut::Definition(chain(&other))),
        }
    }

    fn note(&self, detail: SchemaDetail, refused: &LeftOut) -> Option<String> {
        let what = match detail {
            SchemaDetail::Whole => return None,
            SchemaDetail::Undescribed => "without the texts in its schema",
            SchemaDetail::Untyped => self.untyped,
        };
        Some(format!("{what}: {refused}"))
    }
}

/// Returns the schema of answers as a definition has it.
pub(super) fn answer_schema(
    schema: &Value,
    references: ApiReferences<'_>,
    effort: &ImportEffort,
) -> Result<Value, LeftOut> {
    let mut schemas = ApiSchemas::new(references, SchemaSide::Answer, false);
    let output = schemas.written(schema);
    effort.spend(schemas.spent());
    let mut output = output?;
    if !output.is_object() {
        return Err(LeftOut::Malformed("schema"));
    }
    schemas.define(&mut output);
    Ok(output)
}

/// Returns a definition as the guest reads it.
pub(super) fn text(raw: &RawDefinition) -> Result<Vec<u8>, ImportError> {
    let schema = |text: &String| RawValue::from_string(text.clone());
    let text = DefinitionText {
        name: &raw.name,
        title: raw.title.as_deref(),
        description: &raw.description,
        input: schema(&raw.input_schema)?,
        output: raw.output_schema.as_ref().map(schema).transpose()?,
        read_only: raw.annotations.read_only,
        destructive: raw.annotations.destructive,
        idempotent: raw.annotations.idempotent,
        open_world: raw.annotations.open_world,
        services: &raw.services,
    };
    Ok(serde_json::to_vec(&text)?)
}

/// Many times what the largest description that is known takes.
const MAX_EFFORT: usize = 16_000_000;
/// The most values that are looked at for the members of one schema, of which so many cost as much
/// as a value to write.
const MAX_LOOKS: usize = 200_000;
const LOOKS_OF_ONE: usize = 8;
/// A definition of so many bytes costs as much to check as a value to write.
const BYTES_OF_ONE: usize = 64;
