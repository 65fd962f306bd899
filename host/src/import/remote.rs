//! The plan of an import of a remote MCP server: each chosen tool as a tool that calls it.
//!
//! Trusts nothing in a definition: it is rewritten as one of an API is, and closed. What is pinned
//! is the definition as the server has it, so a change that nobody would see here is a change too.

use serde_json::{Map, Value, json};

use super::described::DescribedNames;
use super::fitting::{Fitting, ImportEffort, SchemaDetail, answer_schema};
use super::left_out::LeftOut;
use super::listing::RemoteListing;
use super::names::tool_names;
use super::plan::{ImportPlan, ImportRow, PlanSource, PlannedTool};
use super::program::{GuestProgram, GuestRemoteCall};
use super::references::ApiReferences;
use super::schemas::{ApiSchemas, SchemaSide};
use super::support::check_line;
use super::text::{MAX_TEXT, MAX_TITLE, cleaned};
use super::{ImportError, ImportRequest};
use crate::remote::{RemoteTool, TOOLS_CALL};
use crate::sandbox::{Annotations, RawDefinition, RawFacets};
use crate::schema::check_texts;

impl ImportPlan {
    /// Plans the import of a remote server's tools, of which the request chooses some by name.
    ///
    /// # Errors
    /// The request asks for a tool that the server does not list.
    pub fn of_remote(
        listing: &RemoteListing,
        request: &ImportRequest,
    ) -> Result<Self, ImportError> {
        let all = ListedTool::all(listing);
        let only = &request.choice.only;
        for name in only {
            if !all.iter().any(|tool| tool.is_named(name)) {
                return Err(ImportError::Unknown(name.clone()));
            }
        }
        let schemas = all.iter().filter_map(|tool| tool.input_schema().ok());
        DescribedNames::of_schemas(schemas)?.check(&request.rules)?;
        let source = PlanSource::Remote {
            place: listing.endpoint.keys().clone(),
            revision: listing.revision,
        };
        let mut plan = Self::new(request, source)?;
        let (chosen, others): (Vec<_>, Vec<_>) = all
            .iter()
            .partition(|tool| only.is_empty() || only.iter().any(|name| tool.is_named(name)));
        plan.unchosen = others.len();
        let effort = ImportEffort::new();
        for tool in chosen {
            plan.add(tool.planned(request, &effort), |outcome| ImportRow {
                operation: tool.line(),
                tool: tool.name.clone(),
                reads: tool.hint("readOnlyHint") == Some(true),
                outcome,
                tags: Vec::new(),
            })?;
            if effort.is_spent() {
                return Err(ImportError::TooLarge);
            }
        }
        Ok(plan)
    }
}

/// A tool of the list, with the name that it gets here.
struct ListedTool<'l> {
    remote: &'l RemoteTool,
    name: String,
    /// True if arguments may have to go into headers too, which only some revisions know.
    mirrors: bool,
}

impl<'l> ListedTool<'l> {
    fn all(listing: &'l RemoteListing) -> Vec<Self> {
        let same = |tool: &RemoteTool| (tool.name.clone(), tool.name.clone());
        let wanted: Vec<_> = listing.tools.iter().map(same).collect();
        let named = listing.tools.iter().zip(tool_names(&wanted));
        let tool = |(remote, name)| Self {
            remote,
            name,
            mirrors: !listing.revision.has_handshake(),
        };
        named.map(tool).collect()
    }

    /// Returns true if it is called so, here or there.
    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.remote.name == name
    }

    /// Returns the line of the grant.
    fn line(&self) -> String {
        format!("{TOOLS_CALL} {}", self.remote.name)
    }

    fn planned(
        &self,
        request: &ImportRequest,
        effort: &ImportEffort,
    ) -> Result<PlannedTool, LeftOut> {
        let line = self.line();
        check_line(&line)?;
        let fitting = Fitting {
            rules: &request.rules,
            effort,
            untyped: "any JSON in its arguments",
        };
        // The schema as the server has it, so that none is too large for the rule.
        let schema = self.input_schema()?;
        fitting.check_identities(schema, ApiReferences::new(schema))?;
        if self.mirrors && self.remote.mirrored().is_err() {
            return Err(LeftOut::Mirrored);
        }
        let mut notes = self.notes(request);
        let raw = |detail| self.raw((request, effort), detail);
        let (raw, detail) = fitting.fitted(raw, &mut notes)?;
        if detail == SchemaDetail::Untyped {
            notes.extend(self.still_sent(&fitting)?);
        }
        let answer = self
            .member("outputSchema")
            .filter(|_| request.output_schemas);
        let definition = match answer.map(|schema| (schema, ApiReferences::new(schema))) {
            Some((schema, within)) => {
                let schema = answer_schema(schema, within, effort);
                fitting.with_answer(raw, schema, &mut notes)
            }
            None => raw,
        };
        let call = GuestRemoteCall {
            service: request.service.clone(),
            tool: self.remote.name.clone(),
            structured: definition.output_schema.is_some(),
        };
        Ok(PlannedTool {
            definition,
            program: GuestProgram::Remote(call),
            line,
            scopes: Vec::new(),
            pin: Some((self.remote.name.clone(), self.remote.pin())),
            notes,
        })
    }

    /// Says which member is dropped from an argument that is any JSON.
    fn still_sent(&self, fitting: &Fitting<'_>) -> Result<Option<String>, LeftOut> {
        let given = self.input_schema()?;
        let arguments = given.get("properties").and_then(Value::as_object);
        for (name, schema) in arguments.into_iter().flatten() {
            if !fitting.rules.drops.contains(name)
                && let Some(note) = fitting.still_sent(schema, ApiReferences::new(given))?
            {
                return Ok(Some(note));
            }
        }
        Ok(None)
    }

    /// Says what is not as the server has it, whatever the host accepts.
    fn notes(&self, request: &ImportRequest) -> Vec<String> {
        let mut notes = Vec::new();
        let texts = ["title", "description", "inputSchema"].map(|name| self.member(name));
        if texts
            .into_iter()
            .flatten()
            .any(|text| check_texts(text).is_err())
        {
            notes.push("without characters of its texts that hide or reorder others".to_owned());
        }
        if self
            .text("description")
            .is_some_and(|text| text.len() > MAX_TEXT)
        {
            notes.push(format!("its description is cut off after {MAX_TEXT} bytes"));
        }
        let input = self.input_schema().ok();
        let arguments = input.and_then(|input| input.get("properties"));
        for name in &request.rules.drops {
            if arguments.is_some_and(|arguments| arguments.get(name).is_some()) {
                notes.push(format!("without the argument {name:?}: it is dropped"));
            }
        }
        if input.is_some_and(is_open) {
            notes.push("it takes the arguments that are described, and no others".to_owned());
        }
        notes
    }

    fn raw(
        &self,
        (request, effort): (&ImportRequest, &ImportEffort),
        detail: SchemaDetail,
    ) -> Result<RawDefinition, LeftOut> {
        let annotations = self.member("annotations");
        let inner = annotations.and_then(|hints| hints.get("title"));
        let title = self.text("title").or(inner.and_then(Value::as_str));
        let title = title.map(|title| cleaned(title, MAX_TITLE));
        let title = title.filter(|title| !title.is_empty());
        let description = self.text("description").map(|text| cleaned(text, MAX_TEXT));
        let description = description.filter(|text| !text.is_empty());
        let described = description.or_else(|| title.clone());
        Ok(RawDefinition {
            name: self.name.clone(),
            title,
            description: described.unwrap_or_else(|| cleaned(&self.line(), MAX_TEXT)),
            input_schema: self.input((request, effort), detail)?.to_string(),
            output_schema: None,
            annotations: Annotations {
                read_only: self.hint("readOnlyHint"),
                destructive: self.hint("destructiveHint"),
                idempotent: self.hint("idempotentHint"),
                open_world: self.hint("openWorldHint"),
            },
            scopes: Vec::new(),
            services: vec![request.service.clone()],
            meta: None,
            facets: RawFacets::default(),
        })
    }

    /// Returns the schema of the arguments: closed, whatever the server says.
    fn input(
        &self,
        (request, effort): (&ImportRequest, &ImportEffort),
        detail: SchemaDetail,
    ) -> Result<Value, LeftOut> {
        let given = self.input_schema()?;
        if detail == SchemaDetail::Untyped {
            return Ok(untyped(given, request));
        }
        let within = ApiReferences::new(given);
        let described = detail == SchemaDetail::Whole;
        let mut schemas = ApiSchemas::new(within, SchemaSide::Request, described);
        schemas.leave_out(&request.rules.drops);
        let input = schemas.written(given);
        effort.spend(schemas.spent());
        let mut input = input?;
        if let Value::Object(members) = &mut input {
            close(members);
        }
        schemas.define(&mut input);
        Ok(input)
    }

    /// Returns the schema of the arguments as the server has it: of an object (MCP, `Tool`).
    fn input_schema(&self) -> Result<&'l Value, LeftOut> {
        let schema = self.member("inputSchema");
        let schema = schema.filter(|schema| schema.get("type") == Some(&json!("object")));
        schema.ok_or(LeftOut::Malformed("inputSchema"))
    }

    fn hint(&self, name: &str) -> Option<bool> {
        let hint = self.member("annotations").and_then(|hints| hints.get(name));
        hint.and_then(Value::as_bool)
    }

    fn text(&self, name: &str) -> Option<&'l str> {
        self.member(name).and_then(Value::as_str)
    }

    fn member(&self, name: &str) -> Option<&'l Value> {
        self.remote.definition.get(name)
    }
}

/// Returns true if a schema says that there may be arguments that it does not name. One that says
/// nothing means no others, for all that servers do.
fn is_open(schema: &Value) -> bool {
    let says = |name: &str| {
        let value = schema.get(name);
        value.is_some_and(|value| *value != Value::Bool(false))
    };
    says("additionalProperties") || says("unevaluatedProperties") || says("patternProperties")
}

/// Lets a schema take no arguments that it does not name. Names may also stand in the schemas that
/// it refers to or joins.
fn close(members: &mut Map<String, Value>) {
    for open in [
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
    ] {
        members.remove(open);
    }
    let joins = JOINING.iter().any(|keyword| members.contains_key(*keyword));
    let keyword = if joins {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    members.insert(keyword.to_owned(), Value::Bool(false));
}

/// Returns the schema of an object with the same arguments, each of which is any JSON.
fn untyped(given: &Value, request: &ImportRequest) -> Value {
    let is_kept = |name: &String| !request.rules.drops.contains(name);
    let named = given.get("properties").and_then(Value::as_object);
    let names = named
        .into_iter()
        .flat_map(Map::keys)
        .filter(|name| is_kept(name));
    let properties: Map<_, _> = names.map(|name| (name.clone(), json!({}))).collect();
    let required = given.get("required").and_then(Value::as_array);
    let is_known = |name: &&Value| {
        let name = name.as_str();
        name.is_some_and(|name| properties.contains_key(name))
    };
    let required: Vec<_> = required.into_iter().flatten().filter(is_known).collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Keywords whose schemas are for the same value (JSON Schema 2020-12 §10.2).
const JOINING: [&str; 7] = [
    "$ref",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "else",
    "if",
    "then",
];
