//! The functions that suggest values, as the interface `completion`.

use super::{PromptEntry, ResourceEntry};
use crate::bindings::completion::Reference;
use crate::bindings::{completion, types};
use crate::{Call, Completion, Error, Suggestions, texts};

/// A function that suggests values for one argument or variable.
#[derive(Clone, Copy)]
pub struct Completer {
    /// The argument or variable.
    pub argument: &'static str,
    /// The function.
    pub suggest: fn(&Call, &Completion) -> Result<Suggestions, Error>,
}

/// Suggests values.
///
/// # Errors
/// Fails as the function does.
#[cfg(target_arch = "wasm32")]
pub fn complete(
    resources: &[ResourceEntry],
    prompts: &[PromptEntry],
    of: &Reference,
    argument: &str,
    value: String,
    context: types::Context,
) -> Result<completion::Suggestions, types::Error> {
    let (call, input) = super::begin(context);
    run(resources, prompts, of, argument, value, &call, &input)
}

/// Suggests values for a call made elsewhere. For an argument without a function there are none.
///
/// # Errors
/// Fails as the function does.
pub fn run(
    resources: &[ResourceEntry],
    prompts: &[PromptEntry],
    of: &Reference,
    argument: &str,
    value: String,
    call: &Call,
    input: &str,
) -> Result<completion::Suggestions, types::Error> {
    let completed = match of {
        Reference::Prompt(name) => prompts
            .iter()
            .find(|prompt| prompt.about.name == name)
            .map(|prompt| prompt.completed),
        Reference::Family(uri) => resources
            .iter()
            .find(|resource| resource.uri == uri)
            .map(|resource| resource.completed),
        Reference::Other(_) => None,
    };
    let mut completers = completed.unwrap_or_default().iter();
    let suggestions = match completers.find(|completer| completer.argument == argument) {
        Some(completer) => {
            let asked = Completion::of(value, texts::read(input)?);
            (completer.suggest)(call, &asked)?
        }
        None => Suggestions::of([""; 0]),
    };
    Ok(suggestions.into_wire())
}

/// Returns the suggestions of a function.
///
/// # Errors
/// Fails with the function's own error.
pub fn suggested(
    result: Result<impl Into<Suggestions>, impl Into<Error>>,
) -> Result<Suggestions, Error> {
    result.map(Into::into).map_err(Into::into)
}
