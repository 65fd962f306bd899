//! Functions under `#[bailiwick_sdk::prompt]`, as the interface `prompts`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::completion::Completer;
use super::{About, owned};
use crate::bindings::{prompts, types};
use crate::{Call, Error, Outcome, Prompt, schema, texts};

/// A function under `#[bailiwick_sdk::prompt]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    note = "put `#[bailiwick_sdk::prompt]` over its function, or list it under `tools` or `resources`"
)]
pub trait PromptFunction {
    /// The facts in the attribute and the doc comment.
    const ABOUT: About;
    /// The functions that suggest values for arguments.
    const COMPLETED: &'static [Completer];

    /// Returns the arguments; or the one that no text can be.
    ///
    /// # Errors
    /// Fails with the name of that argument.
    fn arguments() -> Result<Vec<prompts::Argument>, String>;

    /// Runs the function.
    ///
    /// # Errors
    /// Fails with the function's own error, or if the arguments are not as it needs them.
    fn get(call: &Call, arguments: BTreeMap<String, String>) -> Result<Outcome<Prompt>, Error>;
}

type Get = fn(&Call, BTreeMap<String, String>) -> Result<Outcome<Prompt>, Error>;

/// One prompt of a component.
#[derive(Clone, Copy)]
pub struct PromptEntry {
    pub(super) about: About,
    pub(super) completed: &'static [Completer],
    arguments: fn() -> Result<Vec<prompts::Argument>, String>,
    get: Get,
}

impl PromptEntry {
    /// Returns the entry of a prompt.
    pub const fn of<P: PromptFunction>() -> Self {
        Self {
            about: P::ABOUT,
            completed: P::COMPLETED,
            arguments: P::arguments,
            get: P::get,
        }
    }
}

/// Lists the prompts.
///
/// # Panics
/// A prompt has an argument that no text can be, or completes one that it does not have.
pub fn describe(all: &[PromptEntry]) -> Vec<prompts::Definition> {
    #[cfg(target_arch = "wasm32")]
    super::log_panics();
    all.iter().map(definition).collect()
}

fn definition(entry: &PromptEntry) -> prompts::Definition {
    let about = entry.about;
    let arguments = (entry.arguments)();
    assert!(
        arguments.is_ok(),
        "the prompt `{}` has an argument that is a list or an object, and a client sends texts: {}",
        about.name,
        arguments.err().unwrap_or_default()
    );
    let arguments = arguments.unwrap_or_default();
    for completer in entry.completed {
        let mut arguments = arguments.iter();
        assert!(
            arguments.any(|argument| argument.name == completer.argument),
            "the prompt `{}` completes `{}`, which is not one of its arguments",
            about.name,
            completer.argument
        );
    }
    prompts::Definition {
        name: about.name.to_owned(),
        title: about.title.map(str::to_owned),
        description: about.description.to_owned(),
        arguments,
        scopes: owned(about.scopes),
        services: owned(about.services),
        meta: about.meta.map(str::to_owned),
    }
}

/// Makes the messages of the prompt of that name.
///
/// # Errors
/// Fails as the prompt's function does; [`types::Error::NotFound`] if there is no such prompt.
#[cfg(target_arch = "wasm32")]
pub fn get(
    all: &[PromptEntry],
    name: &str,
    context: types::Context,
) -> Result<prompts::Outcome, types::Error> {
    let (call, input) = super::begin(context);
    run(all, name, &call, &input)
}

/// Makes the messages of a prompt for a call made elsewhere.
///
/// # Errors
/// Fails as the prompt's function does; [`types::Error::NotFound`] if there is no such prompt.
pub fn run(
    all: &[PromptEntry],
    name: &str,
    call: &Call,
    input: &str,
) -> Result<prompts::Outcome, types::Error> {
    let Some(entry) = all.iter().find(|entry| entry.about.name == name) else {
        return Err(types::Error::NotFound(format!(
            "no prompt `{name}` in this component"
        )));
    };
    Ok(match (entry.get)(call, texts::read(input)?)? {
        Outcome::Complete(prompt) => prompts::Outcome::Complete(prompt.into_wire()),
        Outcome::InputRequired(questions) => prompts::Outcome::InputRequired(questions.into_wire()),
    })
}

/// Parses the arguments as the function's type.
///
/// # Errors
/// [`Error::InvalidInput`], with the reason, which is about the caller's own input.
pub fn arguments<T: DeserializeOwned>(given: BTreeMap<String, String>) -> Result<T, Error> {
    texts::parse(given)
}

/// Returns the arguments that a type has.
///
/// # Errors
/// Fails with the name of an argument that no text can be.
pub fn arguments_of<T: JsonSchema + DeserializeOwned>() -> Result<Vec<prompts::Argument>, String> {
    schema::arguments::<T>()
}
