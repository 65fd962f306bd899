//! A component's definitions, checked before the host relies on them.
//!
//! Trusts nothing in them. Invariant: a definition that is accepted cannot deceive its reader by
//! its characters, cost too much to evaluate, or ask a model to name a user.

mod facets;
mod prompt;
mod resource;
mod tool;

use std::ops::Deref;
use std::sync::Arc;

use bailiwick_envelope::Authorization;
use serde_json::{Map, Value, json};

use super::grant::ComponentGrant;
use super::outline::Parts;
use crate::characters::{Unfit, check_prose};
use crate::json::{self as strict, MetaRule};
use crate::questions::QuestionRule;
use crate::sandbox::RawFacets;
use crate::schema::{Schema, SchemaError, check_texts, identity_parameter};
use crate::uri::UriError;
pub use facets::Facets;
pub use prompt::PromptFace;
pub use resource::ResourceFace;
pub use tool::{ClientSchemas, ToolFace};

/// A checked definition of a tool, or of another thing with a face of its own.
#[derive(Debug)]
pub struct Definition<F = ToolFace> {
    described: Described,
    /// What only definitions of this kind have.
    pub face: F,
}

/// The parts that every definition has.
#[derive(Debug)]
pub struct Described {
    /// The name of a tool or a prompt: 1 to 64 characters of `[A-Za-z0-9_.-]`. The URI of a
    /// resource, or of a family of resources.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description; empty if a resource has none.
    pub description: String,
    /// The closed schema of the arguments.
    pub input: Schema,
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
    /// The icons, and the capabilities that it requires of a client.
    pub facets: Facets,
    /// A digest of each part of the component's definition.
    pub parts: Parts,
}

impl<F> Deref for Definition<F> {
    type Target = Described;

    fn deref(&self) -> &Described {
        &self.described
    }
}

impl Described {
    /// Returns the scopes that it requires, its own and the operator's, sorted.
    pub fn scopes(&self) -> &[String] {
        &self.authorization.scopes
    }
}

/// The parts of a definition that are checked alike, as the component gives them.
struct Given<'r> {
    /// The word and the name in messages, such as `tool find`.
    of: String,
    /// The name in the operator's configuration and in the outline.
    key: &'r str,
    title: Option<&'r str>,
    scopes: &'r [String],
    services: &'r [String],
    meta: Option<&'r str>,
    facets: &'r RawFacets,
}

/// The same parts, checked.
struct Checked {
    authorization: Arc<Authorization>,
    services: Vec<String>,
    /// All of `_meta`, for the digest.
    meta: Option<Map<String, Value>>,
    facets: Facets,
}

impl Given<'_> {
    fn check(&self, input: &Schema, grant: &ComponentGrant) -> Result<Checked, DefinitionError> {
        if let Some(title) = self.title {
            check_text(title).map_err(self.wrong("title"))?;
        }
        if let Some(parameter) = identity_parameter(input.value(), &grant.allow_parameters) {
            return Err(DefinitionError::IdentityParameter {
                of: self.of.clone(),
                parameter,
            });
        }
        check_names(&self.of, "scope", self.scopes)?;
        check_names(&self.of, "service", self.services)?;
        let meta = self.meta.map(meta).transpose();
        let scopes = self.scopes.iter().chain(grant.scopes_of(self.key));
        Ok(Checked {
            authorization: Arc::new(Authorization {
                scopes: sorted(scopes),
            }),
            services: sorted(self.services.iter()),
            meta: meta.map_err(self.wrong("meta"))?,
            facets: Facets::check(&self.of, self.facets)?,
        })
    }

    /// Returns a function that says which text of the definition is not accepted.
    fn wrong(&self, field: &'static str) -> impl Fn(TextError) -> DefinitionError {
        let of = self.of.clone();
        move |why| DefinitionError::Text {
            of: of.clone(),
            field,
            why,
        }
    }
}

impl Checked {
    /// Joins the parts with what each kind of definition reads by itself.
    fn described(
        self,
        (name, title, description): (String, Option<String>, String),
        (input, parts): (Schema, Parts),
        grant: &ComponentGrant,
    ) -> Described {
        let shown = self.meta.map(|members| grant.meta.outgoing(members));
        Described {
            name,
            title,
            description,
            input,
            authorization: self.authorization,
            services: self.services,
            meta: shown.filter(|members| !members.is_empty()),
            meta_rule: grant.meta.clone(),
            questions: grant.questions.clone(),
            facets: self.facets,
            parts,
        }
    }
}

/// The reason why a definition is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The name is not a tool's or a prompt's.
    #[error("the {word} name {name:?} is not valid; expected 1 to 64 of [A-Za-z0-9_.-]")]
    Name {
        /// `tool` or `prompt`.
        word: &'static str,
        /// The name in the definition.
        name: String,
    },
    /// The URI is not one that the component may use.
    #[error("the resource URI {uri:?} is not accepted")]
    Uri {
        /// The URI in the definition.
        uri: String,
        /// The reason.
        #[source]
        cause: UriError,
    },
    /// A prompt has two arguments of one name, too many, or one with a name that is not valid.
    #[error(
        "the arguments of {of} are not accepted: {what}; expected at most {} of different names, \
         each 1 to 64 of [A-Za-z0-9_.-]",
        prompt::MAX_ARGUMENTS
    )]
    Arguments {
        /// The word and the name of the prompt.
        of: String,
        /// The number of arguments, or the name.
        what: String,
    },
    /// A facet that the host knows has a value that it cannot use.
    #[error("the facet {name} of {of} is not accepted: expected {expected}")]
    Facet {
        /// The word and the name of what is defined.
        of: String,
        /// The facet's name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A text could deceive its reader.
    #[error("the {field} of {of} is not accepted: {why}")]
    Text {
        /// The word and the name of what is defined, such as `tool find`.
        of: String,
        /// The text's name, such as `description`.
        field: &'static str,
        /// The reason.
        why: TextError,
    },
    /// A schema is not accepted.
    #[error("the {which} schema of {of} is not accepted")]
    Schema {
        /// The word and the name of what is defined, such as `tool find`.
        of: String,
        /// `input` or `output`.
        which: &'static str,
        /// The reason.
        #[source]
        cause: SchemaError,
    },
    /// A model could name a user or pass a credential through a parameter.
    #[error(
        "the parameter {parameter:?} of {of} names an identity or a credential, which only \
         the host may supply; take it from the call's identity instead, or rename it if it is \
         something else \
         (the operator can allow it: allow_parameters = [{parameter:?}])"
    )]
    IdentityParameter {
        /// The word and the name of what is defined, such as `tool find`.
        of: String,
        /// The parameter's name.
        parameter: String,
    },
    /// A scope or service has a name that cannot be matched.
    #[error("the {kind} {name:?} of {of} is not valid; expected a name of visible ASCII")]
    Reference {
        /// The word and the name of what is defined, such as `tool find`.
        of: String,
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
    /// It is not a media type.
    #[error("expected a media type, such as text/plain")]
    MediaType,
    /// It has a character that hides or reorders text.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// Returns the schema of an object with these members and no others.
fn closed(properties: &Map<String, Value>, required: &[&str]) -> Result<Schema, SchemaError> {
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    Schema::compile_closed(&schema.to_string())
}

fn meta(text: &str) -> Result<Map<String, Value>, TextError> {
    if text.len() > MAX_TEXT {
        return Err(TextError::Long);
    }
    let value = strict::parse(text.as_bytes(), 16).map_err(|_| TextError::Json)?;
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

/// Returns true if a tool or a prompt can have this name: 1 to 64 characters of `[A-Za-z0-9_.-]`.
pub fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Checks names. A scope is made of `NQCHAR` (RFC 6749 §3.3), and a service name is one of the
/// configuration's.
fn check_names(of: &str, kind: &'static str, names: &[String]) -> Result<(), DefinitionError> {
    let good = |name: &&String| {
        (1..=128).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    match names.iter().find(|name| !good(name)) {
        None => Ok(()),
        Some(name) => Err(DefinitionError::Reference {
            of: of.to_owned(),
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
