//! The definition of a tool for an operation: its texts, and the schema of its arguments.

use serde_json::{Map, Value, json};

use super::ImportRules;
use super::body::{ApiBody, accepted};
use super::fitting::{Fitting, ImportEffort, SchemaDetail, answer_schema};
use super::left_out::LeftOut;
use super::operation::ApiOperation;
use super::parameters::{ApiArgument, BODY};
use super::references::ApiReferences;
use super::schemas::{ApiSchemas, SchemaSide};
use super::shape::{ValueShape, shape};
use super::text::{MAX_TEXT, MAX_TITLE, cleaned};
use crate::sandbox::{Annotations, RawDefinition, RawFacets};

/// The arguments of a tool, and what its answers are.
pub(super) struct DescribedOperation<'o, 'd> {
    pub(super) operation: &'o ApiOperation<'d>,
    pub(super) arguments: &'o [ApiArgument<'d>],
    pub(super) body: Option<&'o ApiBody<'d>>,
    pub(super) answer: Option<&'d Value>,
    pub(super) service: &'o str,
    pub(super) rules: &'o ImportRules,
    pub(super) effort: &'o ImportEffort,
}

impl<'d> DescribedOperation<'_, 'd> {
    /// Returns the definition with as much of the document as the host accepts, and adds a note if
    /// that is not all.
    pub(super) fn definition(
        &self,
        references: ApiReferences<'d>,
        notes: &mut Vec<String>,
    ) -> Result<RawDefinition, LeftOut> {
        let fitting = Fitting {
            rules: self.rules,
            effort: self.effort,
            untyped: "any JSON as its body",
        };
        // A parameter that the host fills in may be a member here, which the host does not.
        let schemas = self.arguments.iter().filter_map(|argument| argument.schema);
        for schema in schemas.chain(self.body_schema()) {
            fitting.check_bindings(schema, references)?;
        }
        let raw = |detail| self.raw(references, (&fitting, detail));
        let (raw, detail) = fitting.fitted(raw, notes)?;
        if let (Some(schema), SchemaDetail::Untyped) = (self.body_schema(), detail) {
            notes.extend(fitting.still_sent(schema, references)?);
        }
        Ok(match self.answer {
            Some(answer) => {
                let schema = answer_schema(answer, references, self.effort);
                fitting.with_answer(raw, schema, notes)
            }
            None => raw,
        })
    }

    fn raw(
        &self,
        references: ApiReferences<'d>,
        (fitting, detail): (&Fitting<'_>, SchemaDetail),
    ) -> Result<RawDefinition, LeftOut> {
        // No schema is too large for the rule.
        if let (Some(schema), SchemaDetail::Untyped) = (self.body_schema(), detail) {
            fitting.check_identities(schema, references)?;
        }
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

    fn body_schema(&self) -> Option<&'d Value> {
        self.body.and_then(|body| body.schema)
    }

    /// Returns the schema of the arguments: closed, whatever the document says.
    fn input(&self, references: ApiReferences<'d>, detail: SchemaDetail) -> Result<Value, LeftOut> {
        let described = detail == SchemaDetail::Whole;
        let mut schemas = ApiSchemas::new(references, SchemaSide::Request, described);
        schemas.leave_out(&self.rules.drops);
        let input = self.written(&mut schemas, references, detail);
        self.effort.spend(schemas.spent());
        let mut input = input?;
        schemas.define(&mut input);
        Ok(input)
    }

    /// Returns the schema of the arguments without its definitions.
    fn written(
        &self,
        schemas: &mut ApiSchemas<'d>,
        references: ApiReferences<'d>,
        detail: SchemaDetail,
    ) -> Result<Value, LeftOut> {
        let described = detail == SchemaDetail::Whole;
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for argument in self.arguments {
            let mut schema = match argument.schema {
                Some(schema) => schemas.written(schema)?,
                None => json!({"type": ["string", "number", "boolean"]}),
            };
            if let (Value::Object(keywords), Some(members)) = (&mut schema, &argument.members) {
                let names = json!({"enum": members});
                keywords.insert("propertyNames".to_owned(), names);
                // In one value, a text could be an object with any members.
                if shape(argument.schema, references) == ValueShape::Object {
                    let types = || json!(["object", "null"]);
                    keywords.entry("type").or_insert_with(types);
                }
            }
            describe(&mut schema, argument.description.filter(|_| described));
            properties.insert(argument.name.clone(), schema);
            if argument.required {
                required.push(argument.name.clone());
            }
        }
        if let Some(body) = self.body {
            let mut schema = match body.schema {
                Some(schema) if detail != SchemaDetail::Untyped => schemas.written(schema)?,
                _ => json!({}),
            };
            describe(&mut schema, body.description.filter(|_| described));
            properties.insert(BODY.to_owned(), schema);
            if body.required {
                required.push(BODY.to_owned());
            }
        }
        Ok(json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }))
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

/// Gives a schema the description of what it is for.
fn describe(schema: &mut Value, description: Option<&str>) {
    let text = description.map(|text| cleaned(text, MAX_ARGUMENT));
    if let (Value::Object(members), Some(text)) = (schema, text)
        && !text.is_empty()
    {
        members.insert("description".to_owned(), text.into());
    }
}

/// The most bytes of the description of an argument.
const MAX_ARGUMENT: usize = 1024;
