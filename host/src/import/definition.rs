//! The definition of an imported tool, checked by the host's own rules before it is joined.
//!
//! Invariant: a definition that is handed on is accepted by a host that grants nothing.

use bailiwick_journal::chain;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::body::{ApiBody, accepted};
use super::left_out::LeftOut;
use super::operation::ApiOperation;
use super::parameters::{ApiArgument, BODY};
use super::program::DefinitionText;
use super::references::ApiReferences;
use super::schemas::{ApiSchemas, SchemaSide};
use super::text::cleaned;
use super::{ImportError, ImportRules};
use crate::dispatch::{ComponentGrant, Definition, DefinitionError};
use crate::sandbox::{Annotations, RawDefinition, RawFacets};

/// The arguments of a tool, and what its answers are.
pub(super) struct DescribedOperation<'o, 'd> {
    pub(super) operation: &'o ApiOperation<'d>,
    pub(super) arguments: &'o [ApiArgument<'d>],
    pub(super) body: Option<&'o ApiBody<'d>>,
    pub(super) answer: Option<&'d Value>,
    pub(super) service: &'o str,
    pub(super) rules: &'o ImportRules,
}

/// How much of the document a definition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SchemaDetail {
    /// Everything.
    Whole,
    /// No texts within schemas.
    Undescribed,
    /// No schema of the body either.
    AnyBody,
}

impl<'d> DescribedOperation<'_, 'd> {
    /// Returns the definition with as much of the document as the host accepts, and adds a note if
    /// that is not all.
    pub(super) fn definition(
        &self,
        references: ApiReferences<'d>,
        notes: &mut Vec<String>,
    ) -> Result<RawDefinition, LeftOut> {
        let mut refused = LeftOut::Malformed("schema");
        for detail in [
            SchemaDetail::Whole,
            SchemaDetail::Undescribed,
            SchemaDetail::AnyBody,
        ] {
            let checked = self.raw(references, detail).and_then(|raw| {
                self.check(&raw)?;
                Ok(raw)
            });
            match checked {
                Ok(raw) => {
                    notes.extend(detail.note(&refused));
                    return Ok(self.with_answer(raw, references, notes));
                }
                Err(identity @ LeftOut::IdentityMember(_)) => return Err(identity),
                Err(other) => refused = other,
            }
        }
        Err(refused)
    }

    fn raw(
        &self,
        references: ApiReferences<'d>,
        detail: SchemaDetail,
    ) -> Result<RawDefinition, LeftOut> {
        let operation = self.operation;
        let method = operation.method()?;
        let line = operation.line();
        let texts = [operation.text("description"), operation.text("summary")];
        let mut texts = texts
            .into_iter()
            .flatten()
            .map(|text| cleaned(text, MAX_TEXT));
        let description = texts
            .find(|text| !text.is_empty())
            .unwrap_or_else(|| line.clone());
        let title = operation
            .text("summary")
            .map(|text| cleaned(text, MAX_TITLE));
        Ok(RawDefinition {
            name: operation.tool.clone(),
            title: title.filter(|title| !title.is_empty()),
            description: cleaned(&description, MAX_TEXT),
            input_schema: self.input(references, detail)?.to_string(),
            output_schema: None,
            annotations: Annotations {
                read_only: Some(method.reads()),
                destructive: method.is_destructive(),
                idempotent: Some(method.is_idempotent()),
                open_world: None,
            },
            scopes: Vec::new(),
            services: vec![self.service.to_owned()],
            meta: None,
            facets: RawFacets::default(),
        })
    }

    /// Returns the schema of the arguments: closed, whatever the document says.
    fn input(&self, references: ApiReferences<'d>, detail: SchemaDetail) -> Result<Value, LeftOut> {
        let described = detail == SchemaDetail::Whole;
        let mut schemas = ApiSchemas::new(references, SchemaSide::Request, described);
        schemas.leave_out(&self.rules.drops);
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for argument in self.arguments {
            let mut schema = match argument.schema {
                Some(schema) => schemas.written(schema)?,
                None => json!({"type": ["string", "number", "boolean"]}),
            };
            if let (Value::Object(members), Some(most)) = (&mut schema, argument.most) {
                members.insert("maxItems".to_owned(), most.into());
            }
            describe(&mut schema, argument.description.filter(|_| described));
            properties.insert(argument.name.clone(), schema);
            if argument.required {
                required.push(argument.name.clone());
            }
        }
        if let Some(body) = self.body {
            let mut schema = match body.schema {
                Some(schema) if detail != SchemaDetail::AnyBody => schemas.written(schema)?,
                _ => json!({}),
            };
            describe(&mut schema, body.description.filter(|_| described));
            properties.insert(BODY.to_owned(), schema);
            if body.required {
                required.push(BODY.to_owned());
            }
        }
        let mut input = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        let definitions = schemas.definitions();
        if let (Value::Object(members), false) = (&mut input, definitions.is_empty()) {
            members.insert("$defs".to_owned(), definitions.into());
        }
        Ok(input)
    }

    /// Adds the schema of the answers, if there is one that the host accepts.
    fn with_answer(
        &self,
        raw: RawDefinition,
        references: ApiReferences<'d>,
        notes: &mut Vec<String>,
    ) -> RawDefinition {
        let Some(answer) = self.answer else {
            return raw;
        };
        let output = output(answer, references);
        let with = output.map(|output| RawDefinition {
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
}

impl DescribedOperation<'_, '_> {
    /// Checks a definition as a host does that allows the parameters and grants nothing.
    fn check(&self, raw: &RawDefinition) -> Result<(), LeftOut> {
        let grant = ComponentGrant {
            allow_parameters: self.rules.allowed.iter().cloned().collect(),
            ..ComponentGrant::default()
        };
        match Definition::check(raw.clone(), &grant) {
            Ok(_) => Ok(()),
            Err(DefinitionError::IdentityParameter { parameter, .. }) => {
                Err(LeftOut::IdentityMember(parameter))
            }
            Err(other) => Err(LeftOut::Definition(chain(&other))),
        }
    }
}

impl SchemaDetail {
    fn note(self, refused: &LeftOut) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Undescribed => Some(format!("without the texts in its schema: {refused}")),
            Self::AnyBody => Some(format!("any JSON as its body: {refused}")),
        }
    }
}

/// Returns the schema of the JSON answers of an operation, and their media type.
pub(super) fn answer<'d>(
    operation: &ApiOperation<'d>,
    references: ApiReferences<'d>,
) -> Option<(&'d str, Option<&'d Value>)> {
    let responses = operation.value.get("responses").and_then(Value::as_object);
    let mut responses = responses.into_iter().flatten();
    let (_, response) = responses.find(|(status, _)| status.starts_with('2'))?;
    let response = references.followed(response).ok()?;
    let content = response.get("content").and_then(Value::as_object)?;
    accepted(content).map(|(media, part)| (media, part.get("schema")))
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
        services: &raw.services,
    };
    Ok(serde_json::to_vec(&text)?)
}

fn output(answer: &Value, references: ApiReferences<'_>) -> Result<Value, LeftOut> {
    let mut schemas = ApiSchemas::new(references, SchemaSide::Answer, false);
    let mut output = schemas.written(answer)?;
    let definitions = schemas.definitions();
    match &mut output {
        Value::Object(members) if !definitions.is_empty() => {
            members.insert("$defs".to_owned(), definitions.into());
        }
        Value::Object(_) => {}
        _ => return Err(LeftOut::Malformed("schema")),
    }
    Ok(output)
}

/// Gives a schema the description of what it is for.
fn describe(schema: &mut Value, description: Option<&str>) {
    let text = description.map(|text| cleaned(text, MAX_ARGUMENT));
    if let (Value::Object(members), Some(text)) = (schema, text)
        && !text.is_empty()
    {
        members.insert("description".to_owned(), text.into());
    }
}

/// The most bytes of a description, of a title, and of the description of an argument.
const MAX_TEXT: usize = 4096;
const MAX_TITLE: usize = 256;
const MAX_ARGUMENT: usize = 1024;
