//! A component's definition of a tool, checked before the host relies on it.
//!
//! Trusts nothing in it. Invariant: a definition that is accepted cannot deceive its reader by its
//! characters, cost too much to evaluate, or ask a model to name a user.

use std::sync::Arc;

use bailiwick_envelope::Authorization;
use serde_json::{Map, Value};

use super::grant::ComponentGrant;
use super::outline::{Outline, Parts};
use crate::characters::{Unfit, check_prose};
use crate::json::{self, MetaRule};
use crate::questions::QuestionRule;
use crate::sandbox::{Annotations, RawDefinition};
use crate::schema::{
    Portable, PortableOutput, Schema, SchemaError, check_texts, identity_parameter,
};

/// A checked definition.
#[derive(Debug)]
pub struct Definition {
    /// The tool's name: 1 to 64 characters of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for the model.
    pub description: String,
    /// The closed schema of the arguments.
    pub input: Schema,
    /// The schema of the structured result.
    pub output: Option<Arc<Schema>>,
    /// The schemas as clients get them.
    pub shown: ClientSchemas,
    /// The hints for clients.
    pub annotations: Annotations,
    /// The rights of a caller in a call of it: the scopes that it requires.
    pub authorization: Arc<Authorization>,
    /// The services that it asks for, sorted.
    pub services: Vec<String>,
    /// The `_meta` for clients.
    pub meta: Option<Map<String, Value>>,
    /// The members of `_meta` that its results may have.
    pub meta_rule: MetaRule,
    /// The questions that it may ask, beside forms.
    pub questions: QuestionRule,
    /// A digest of each part of the component's definition.
    pub parts: Parts,
}

/// The schemas of a tool in forms that every official client accepts: one definition that a client
/// cannot read would cost it all tools.
#[derive(Debug)]
pub struct ClientSchemas {
    /// The schema of the arguments.
    pub input: Portable,
    /// The schema of the structured result.
    pub output: Option<PortableOutput>,
}

/// The reason why a definition is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The name is not a tool's.
    #[error("the tool name {0:?} is not valid; expected 1 to 64 of [A-Za-z0-9_.-]")]
    Name(String),
    /// A text could deceive its reader.
    #[error("the {field} of tool {tool} is not accepted: {why}")]
    Text {
        /// The tool's name.
        tool: String,
        /// The text's name, such as `description`.
        field: &'static str,
        /// The reason.
        why: TextError,
    },
    /// A schema is not accepted.
    #[error("the {which} schema of tool {tool} is not accepted")]
    Schema {
        /// The tool's name.
        tool: String,
        /// `input` or `output`.
        which: &'static str,
        /// The reason.
        #[source]
        cause: SchemaError,
    },
    /// A model could name a user or pass a credential through a parameter.
    #[error(
        "the parameter {parameter:?} of tool {tool} names an identity or a credential, which only \
         the host may supply; take it from the call's identity instead, or rename it if it is \
         something else \
         (the operator can allow it: allow_parameters = [{parameter:?}])"
    )]
    IdentityParameter {
        /// The tool's name.
        tool: String,
        /// The parameter's name.
        parameter: String,
    },
    /// A scope or service has a name that cannot be matched.
    #[error("the {kind} {name:?} of tool {tool} is not valid; expected a name of visible ASCII")]
    Reference {
        /// The tool's name.
        tool: String,
        /// `scope` or `service`.
        kind: &'static str,
        /// The name in the definition.
        name: String,
    },
}

/// The reason why a text is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty, or has only white space.
    #[error("it is empty")]
    Empty,
    /// It is too long.
    #[error("it is longer than {MAX_TEXT} bytes")]
    Long,
    /// It is not a JSON object.
    #[error("expected a JSON object")]
    Json,
    /// It has a character that hides or reorders text.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl Definition {
    /// Checks a component's definition under the operator's grant.
    ///
    /// # Errors
    /// Fails if the definition is not accepted. The component is then not accepted either.
    pub fn check(raw: RawDefinition, grant: &ComponentGrant) -> Result<Self, DefinitionError> {
        if !is_tool_name(&raw.name) {
            return Err(DefinitionError::Name(raw.name));
        }
        let tool = raw.name.clone();
        let text_error = |field| {
            let tool = tool.clone();
            move |why| DefinitionError::Text { tool, field, why }
        };
        check_text(&raw.description).map_err(text_error("description"))?;
        raw.title
            .as_deref()
            .map_or(Ok(()), check_text)
            .map_err(text_error("title"))?;
        let schema_error = |which| {
            let tool = tool.clone();
            move |cause| DefinitionError::Schema { tool, which, cause }
        };
        let input = Schema::compile_closed(&raw.input_schema).map_err(schema_error("input"))?;
        let output = raw
            .output_schema
            .as_deref()
            .map(Schema::compile)
            .transpose()
            .map_err(schema_error("output"))?
            .map(Arc::new);
        if let Some(parameter) = identity_parameter(input.value(), &grant.allow_parameters) {
            return Err(DefinitionError::IdentityParameter { tool, parameter });
        }
        check_names(&tool, "scope", &raw.scopes)?;
        check_names(&tool, "service", &raw.services)?;
        let scopes = sorted(raw.scopes.iter().chain(grant.scopes_of(&tool)));
        let meta = raw
            .meta
            .as_deref()
            .map(meta)
            .transpose()
            .map_err(text_error("meta"))?;
        let parts = Parts::of(
            &raw,
            input.value(),
            output.as_deref().map(Schema::value),
            meta.as_ref(),
        );
        let shown = ClientSchemas {
            input: Portable::input(input.value()),
            output: output
                .as_ref()
                .map(|output| PortableOutput::of(output.value())),
        };
        Ok(Self {
            name: raw.name,
            title: raw.title,
            description: raw.description,
            shown,
            input,
            output,
            annotations: raw.annotations,
            authorization: Arc::new(Authorization { scopes }),
            services: sorted(raw.services.iter()),
            meta: meta
                .map(|members| grant.meta.outgoing(members))
                .filter(|members| !members.is_empty()),
            meta_rule: grant.meta.clone(),
            questions: grant.questions.clone(),
            parts,
        })
    }

    /// Returns what authors should know about the schemas, one line each: what clients get
    /// otherwise than the component describes it, and how deep a value may be.
    pub fn differences(&self) -> Vec<String> {
        let line =
            |schema: &str, note: &str| format!("the {schema} schema of tool {}: {note}", self.name);
        let depth = |schema: &str, levels: Option<usize>| {
            let told = |levels| {
                format!("it contains itself, so values of more than {levels} levels are refused")
            };
            levels.map(|levels| line(schema, &told(levels)))
        };
        let notes = |schema: &'static str, form: &Portable| -> Vec<String> {
            form.notes.iter().map(|note| line(schema, note)).collect()
        };
        let mut all = notes("input", &self.shown.input);
        all.extend(depth("input", self.input.levels()));
        if let Some(output) = &self.shown.output {
            all.extend(notes("output", &output.legacy));
            let current = notes("output", &output.current);
            let only_there: Vec<_> = current
                .into_iter()
                .filter(|note| !all.contains(note))
                .collect();
            all.extend(only_there);
        }
        all.extend(depth(
            "output",
            self.output.as_deref().and_then(Schema::levels),
        ));
        all
    }

    /// Returns the scopes that the tool requires, its own and the operator's, sorted.
    pub fn scopes(&self) -> &[String] {
        &self.authorization.scopes
    }
}

/// The outline of a component with these tools.
impl<'d> FromIterator<&'d Definition> for Outline {
    fn from_iter<I: IntoIterator<Item = &'d Definition>>(tools: I) -> Self {
        let named = |tool: &Definition| (tool.name.clone(), tool.parts.clone());
        tools.into_iter().map(named).collect()
    }
}

fn meta(text: &str) -> Result<Map<String, Value>, TextError> {
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    let value = json::parse(text.as_bytes(), 16).map_err(|_| TextError::Json)?;
    check_texts(&value)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(TextError::Json),
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns true if a tool can have this name: 1 to 64 characters of `[A-Za-z0-9_.-]`.
pub fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Checks names. A scope is made of `NQCHAR` (RFC 6749 §3.3), and a service name is one of the
/// configuration's.
fn check_names(tool: &str, kind: &'static str, names: &[String]) -> Result<(), DefinitionError> {
    let good = |name: &&String| {
        (1..=128).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => Err(DefinitionError::Reference {
            tool: tool.to_owned(),
            kind,
            name: name.clone(),
        }),
    }
}

fn check_text(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    Ok(check_prose(text)?)
}

const MAX_TEXT: usize = 8 * 1024;

#[cfg(test)]
mod tests;
