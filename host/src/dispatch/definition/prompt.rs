//! Definitions of prompts.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::resource::completion;
use super::{Definition, DefinitionError, Given, check_text, closed, is_tool_name};
use crate::dispatch::grant::ComponentGrant;
use crate::dispatch::outline::{Parts, prompt_key};
use crate::sandbox::{RawArgument, RawPrompt};
use crate::schema::Schema;

/// What only prompts have.
#[derive(Debug)]
pub struct PromptFace {
    /// The arguments, as the component describes them.
    pub arguments: Vec<RawArgument>,
    /// The schema of a request for suggestions, if the component has some for the prompt.
    pub completion: Option<Schema>,
}

impl Definition<PromptFace> {
    /// Checks a component's definition under the operator's grant.
    ///
    /// # Errors
    /// Fails if the definition is not accepted. The component is then not accepted either.
    pub fn check_prompt(
        raw: RawPrompt,
        completes: bool,
        grant: &ComponentGrant,
    ) -> Result<Self, DefinitionError> {
        if !is_tool_name(&raw.name) {
            return Err(DefinitionError::Name {
                word: "prompt",
                name: raw.name,
            });
        }
        let of = format!("prompt {}", raw.name);
        let key = prompt_key(&raw.name);
        let given = Given {
            key: &key,
            title: raw.title.as_deref(),
            scopes: &raw.scopes,
            services: &raw.services,
            meta: raw.meta.as_deref(),
            facets: &raw.facets,
            of: of.clone(),
        };
        check_text(&raw.description).map_err(given.wrong("description"))?;
        check_arguments(&of, &raw.arguments)?;
        for argument in &raw.arguments {
            for (field, text) in [
                ("argument's title", &argument.title),
                ("argument's description", &argument.description),
            ] {
                let text = text.as_deref().map_or(Ok(()), check_text);
                text.map_err(given.wrong(field))?;
            }
        }
        let schema_error = |cause| DefinitionError::Schema {
            of: of.clone(),
            which: "input",
            cause,
        };
        let names: Vec<&str> = raw.arguments.iter().map(|one| one.name.as_str()).collect();
        let needed: Vec<&str> = raw
            .arguments
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| argument.name.as_str())
            .collect();
        let text = json!({"type": "string"});
        let members = names.iter().map(|name| ((*name).to_owned(), text.clone()));
        let input = closed(&members.collect::<Map<_, _>>(), &needed).map_err(schema_error)?;
        let checked = given.check(&input, grant)?;
        let completion = (completes && !names.is_empty()).then(|| completion(&names));
        let completion = completion.transpose().map_err(schema_error)?;
        let parts = Parts::of_prompt(&raw, checked.meta.as_ref(), checked.facets.values());
        Ok(Self {
            described: checked.described(
                (raw.name, raw.title, raw.description),
                (input, parts),
                grant,
            ),
            face: PromptFace {
                arguments: raw.arguments,
                completion,
            },
        })
    }
}

fn check_arguments(of: &str, arguments: &[RawArgument]) -> Result<(), DefinitionError> {
    let wrong = |what: String| {
        Err(DefinitionError::Arguments {
            of: of.to_owned(),
            what,
        })
    };
    if arguments.len() > MAX_ARGUMENTS {
        return wrong(format!("there are {}", arguments.len()));
    }
    let mut names = BTreeSet::new();
    for argument in arguments {
        if !is_tool_name(&argument.name) {
            return wrong(format!("{:?} is not a name", argument.name));
        }
        if !names.insert(&argument.name) {
            return wrong(format!("there are two of the name {}", argument.name));
        }
    }
    Ok(())
}

/// The most arguments of one prompt.
pub(super) const MAX_ARGUMENTS: usize = 32;
