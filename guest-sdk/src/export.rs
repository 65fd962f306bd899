//! The joint between the interface and the functions: the attributes implement it and `export!`
//! calls it.
//!
//! Trusts the host that the arguments are valid; a type may still refuse them. Invariant: a
//! function runs only under the name that it was described with, and reads the identity of its own
//! call only.

pub mod completion;
pub mod facets;
pub mod prompt;
pub mod resource;

use serde::de::DeserializeOwned;

#[cfg(target_arch = "wasm32")]
use crate::bindings::{tools, types};
use crate::{Call, Error, Outcome, Reply};

pub use crate::bindings::tools::{Annotations, Definition, Guest};
pub use crate::outcome::finished;
pub use completion::{Completer, suggested};
pub use facets::Exports;
pub use prompt::{PromptEntry, PromptFunction};
pub use resource::{Members, ResourceEntry, ResourceFunction, listed, uri};

/// A function under `#[bailiwick_sdk::tool]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    note = "put `#[bailiwick_sdk::tool]` over its function, or list it under `resources` or `prompts`"
)]
pub trait ToolFunction {
    /// The facts in the attribute and the doc comment.
    const ABOUT: About;
    /// Hints for clients.
    const ANNOTATIONS: Annotations;

    /// Returns the JSON Schema of the arguments.
    fn input_schema() -> String;

    /// Returns the JSON Schema of the structured result.
    fn output_schema() -> Option<String>;

    /// Runs the function.
    fn run(call: &Call, input: &str) -> Result<Outcome, Error>;
}

/// The facts about a function that are known without running anything.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name that clients use.
    pub name: &'static str,
    /// The title for people.
    pub title: Option<&'static str>,
    /// The description for the model.
    pub description: &'static str,
    /// Scopes that the caller's token must have.
    pub scopes: &'static [&'static str],
    /// Services that the function wants to reach.
    pub services: &'static [&'static str],
    /// Further metadata, as a JSON object.
    pub meta: Option<&'static str>,
    /// What a definition has no member for, as JSON by name.
    pub facets: &'static [(&'static str, &'static str)],
}

/// One tool of a component.
#[derive(Clone, Copy)]
pub struct Entry {
    about: About,
    describe: fn() -> Definition,
}

impl Entry {
    /// Returns the entry of a tool.
    pub const fn of<T: ToolFunction>() -> Self {
        Self {
            about: T::ABOUT,
            describe: definition::<T>,
        }
    }
}

/// Lists the tools.
pub fn describe(tools: &[Entry]) -> Vec<Definition> {
    #[cfg(target_arch = "wasm32")]
    log_panics();
    tools.iter().map(|tool| (tool.describe)()).collect()
}

/// Runs a tool: `of` runs the one of the name, if there is one.
///
/// `export!` writes `of` as a chain of comparisons with direct calls. A call through a pointer
/// would make the engine fill a table in each fresh instance, which takes time and a page of
/// memory.
///
/// # Errors
/// Fails as the tool's function does; [`types::Error::NotFound`] if there is no such tool.
#[cfg(target_arch = "wasm32")]
pub fn call(
    tool: &str,
    context: types::Context,
    of: impl FnOnce(&Call, &str) -> Option<Result<Outcome, Error>>,
) -> Result<tools::Outcome, types::Error> {
    let (call, input) = begin(context);
    match of(&call, &input) {
        Some(ended) => Ok(ended?.into()),
        None => Err(types::Error::NotFound(format!(
            "no tool `{tool}` in this component"
        ))),
    }
}

/// Begins a call of the host's; returns its input, too.
#[cfg(target_arch = "wasm32")]
fn begin(context: types::Context) -> (Call, String) {
    log_panics();
    let types::Context {
        input,
        answers,
        state,
    } = context;
    (Call::new(crate::outside::Host, answers, state), input)
}

/// Parses the arguments as the function's type.
///
/// # Errors
/// [`Error::InvalidInput`], with the reason, which is about the caller's own input.
pub fn arguments<T: DeserializeOwned>(input: &str) -> Result<T, Error> {
    serde_json::from_str(input).map_err(|error| Error::InvalidInput(error.to_string()))
}

/// Returns the closed schema of a type.
pub fn schema_of<T: schemars::JsonSchema>() -> String {
    crate::schema::input::<T>()
}

/// Returns the closed schema of no arguments.
pub fn schema_of_nothing() -> String {
    crate::schema::NOTHING.to_owned()
}

/// The result of a tool's function.
#[diagnostic::on_unimplemented(
    message = "a tool returns `Result<T, E>`, not `{Self}`",
    note = "`T` is a type with `#[derive(Serialize, JsonSchema)]`, an `Output` or an `Outcome`; `E` is `Error` or converts to it"
)]
pub trait Returned {
    /// Returns the JSON Schema of the structured result.
    fn schema() -> Option<String>;

    /// Returns the outcome of the call.
    ///
    /// # Errors
    /// Fails with the function's own error.
    fn outcome(self) -> Result<Outcome, Error>;
}

impl<T: Reply, E: Into<Error>> Returned for Result<T, E> {
    fn schema() -> Option<String> {
        T::schema()
    }

    fn outcome(self) -> Result<Outcome, Error> {
        self.map_err(Into::into)?.outcome()
    }
}

fn definition<T: ToolFunction>() -> Definition {
    let about = T::ABOUT;
    Definition {
        name: about.name.to_owned(),
        title: about.title.map(str::to_owned),
        description: about.description.to_owned(),
        input_schema: T::input_schema(),
        output_schema: T::output_schema(),
        annotations: T::ANNOTATIONS,
        scopes: owned(about.scopes),
        services: owned(about.services),
        meta: about.meta.map(str::to_owned),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Logs panics for the operator, because the target swallows their messages.
#[cfg(target_arch = "wasm32")]
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let said = panic.payload_as_str().unwrap_or("without a message");
        let place = panic.location().map(|at| (at.file(), at.line()));
        crate::log::write(crate::log::Level::Error, &told(said, place));
    }));
}

/// Returns a panic as one line, like the exceptions of other languages: the host escapes line
/// breaks. Says what a component has in place of the clock, of which the standard library panics.
#[cfg(any(target_arch = "wasm32", test))]
fn told(said: &str, place: Option<(&str, u32)>) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let place = place.map(|(file, line)| format!(" ({file}:{line})"));
    let instead = if said == NO_CLOCK { CLOCK } else { "" };
    format!(
        "panic: {}{instead}{}",
        lines.join("; "),
        place.unwrap_or_default()
    )
}

/// The standard library's message of `SystemTime::now` and `Instant::now`.
#[cfg(any(target_arch = "wasm32", test))]
const NO_CLOCK: &str = "time not implemented on this platform";
#[cfg(any(target_arch = "wasm32", test))]
const CLOCK: &str = "; a component asks the host for the time: `Call::now`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_line_with_its_place() {
        let place = Some(("src/lib.rs", 7));
        let several = "assertion `left == right` failed\n  left: 1\n right: 2\n";
        for (said, place, line) in [
            ("boom", place, "panic: boom (src/lib.rs:7)"),
            ("boom", None, "panic: boom"),
            (
                "time not implemented on this platform",
                place,
                "panic: time not implemented on this platform; a component asks the host for the \
                 time: `Call::now` (src/lib.rs:7)",
            ),
            (
                several,
                place,
                "panic: assertion `left == right` failed; left: 1; right: 2 (src/lib.rs:7)",
            ),
        ] {
            assert_eq!(told(said, place), line);
        }
    }
}
