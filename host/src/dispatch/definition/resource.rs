//! Definitions of resources and families of resources.

use serde_json::{Map, json};

use super::{Definition, DefinitionError, Given, TextError, check_text, closed};
use crate::characters::check_name;
use crate::dispatch::grant::ComponentGrant;
use crate::dispatch::outline::Parts;
use crate::sandbox::RawResource;
use crate::schema::Schema;
use crate::uri::{Namespace, Pattern};

/// What only resources have.
#[derive(Debug)]
pub struct ResourceFace {
    /// The URI, or the URIs of the family.
    pub pattern: Pattern,
    /// The URIs that its component may use.
    pub namespace: Namespace,
    /// The name for programs.
    pub label: String,
    /// The media type.
    pub mime_type: Option<String>,
    /// The schema of a request for members of the family.
    pub members: Schema,
    /// The schema of a request for suggestions, if the component has some for the family.
    pub completion: Option<Schema>,
}

impl Definition<ResourceFace> {
    /// Checks a definition of the component `component` under the operator's grant.
    ///
    /// # Errors
    /// Fails if the definition is not accepted. The component is then not accepted either.
    pub fn check_resource(
        raw: RawResource,
        (component, completes): (&str, bool),
        grant: &ComponentGrant,
    ) -> Result<Self, DefinitionError> {
        let namespace = Namespace::of(component);
        let pattern = Pattern::parse(&raw.uri, &namespace);
        let pattern = pattern.map_err(|cause| DefinitionError::Uri {
            uri: raw.uri.chars().take(MAX_SHOWN).collect(),
            cause,
        })?;
        let of = format!("resource {}", raw.uri);
        let given = Given {
            key: &raw.uri,
            title: raw.title.as_deref(),
            scopes: &raw.scopes,
            services: &raw.services,
            meta: raw.meta.as_deref(),
            facets: &raw.facets,
            of: of.clone(),
        };
        check_label(&raw.name).map_err(given.wrong("name"))?;
        if let Some(description) = &raw.description {
            check_text(description).map_err(given.wrong("description"))?;
        }
        if !raw.mime_type.as_deref().is_none_or(is_media_type) {
            return Err(given.wrong("media type")(TextError::MediaType));
        }
        let schema_error = |cause| DefinitionError::Schema {
            of: of.clone(),
            which: "input",
            cause,
        };
        let names: Vec<&str> = pattern.variables().collect();
        let text = json!({"type": "string"});
        let variables = names.iter().map(|name| ((*name).to_owned(), text.clone()));
        let input = closed(&variables.collect(), &names).map_err(schema_error)?;
        let checked = given.check(&input, grant)?;
        let cursor = json!({"type": "string", "maxLength": 1024});
        let cursor = Map::from_iter([("cursor".to_owned(), cursor)]);
        let members = closed(&cursor, &[]).map_err(schema_error)?;
        let completion = (completes && !names.is_empty()).then(|| completion(&names));
        let completion = completion.transpose().map_err(schema_error)?;
        let parts = Parts::of_resource(&raw, checked.meta.as_ref(), checked.facets.values());
        Ok(Self {
            described: checked.described(
                (raw.uri, raw.title, raw.description.unwrap_or_default()),
                (input, parts),
                grant,
            ),
            face: ResourceFace {
                pattern,
                namespace,
                label: raw.name,
                mime_type: raw.mime_type,
                members,
                completion,
            },
        })
    }
}

/// Returns the schema of a request for suggestions for one of these arguments.
pub(super) fn completion(names: &[&str]) -> Result<Schema, crate::schema::SchemaError> {
    let known = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})));
    let context = json!({
        "type": "object",
        "properties": known.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    let members = [
        ("argument", json!({"enum": names})),
        ("value", json!({"type": "string", "maxLength": 1024})),
        ("context", context),
    ];
    let members = members.map(|(name, schema)| (name.to_owned(), schema));
    closed(&Map::from_iter(members), &["argument", "value", "context"])
}

fn check_label(label: &str) -> Result<(), TextError> {
    check_text(label)?;
    Ok(check_name(label)?)
}

fn is_media_type(text: &str) -> bool {
    let is_short = text.len() <= 128;
    is_short
        && text.contains('/')
        && text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// The characters of a refused URI that a message shows.
const MAX_SHOWN: usize = 200;
