//! Functions under `#[bailiwick_sdk::resource]`, as the interface `resources`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::completion::Completer;
use super::{About, owned};
use crate::bindings::{resources, types};
use crate::{Call, Contents, Error, Outcome, Page, template, texts};

/// A function under `#[bailiwick_sdk::resource]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    note = "put `#[bailiwick_sdk::resource]` over its function, or list it under `tools` or `prompts`"
)]
pub trait ResourceFunction {
    /// The facts in the attribute and the doc comment.
    const ABOUT: About;
    /// The URI, or that of the family.
    const URI: &'static str;
    /// The media type.
    const MIME_TYPE: Option<&'static str>;
    /// The function that lists the members of the family.
    const MEMBERS: Option<Members>;
    /// The functions that suggest values for variables.
    const COMPLETED: &'static [Completer];

    /// Returns the names of the members of the variables' type.
    fn variables() -> &'static [&'static str];

    /// Runs the function.
    ///
    /// # Errors
    /// Fails with the function's own error, or if the variables are not as it needs them.
    fn read(call: &Call, variables: BTreeMap<String, String>) -> Result<Outcome<Contents>, Error>;
}

/// A function that lists members of a family, from a place that it named before.
pub type Members = fn(&Call, Option<&str>) -> Result<Page, Error>;

type Read = fn(&Call, BTreeMap<String, String>) -> Result<Outcome<Contents>, Error>;

/// One resource or family of a component.
#[derive(Clone, Copy)]
pub struct ResourceEntry {
    pub(super) about: About,
    pub(super) uri: &'static str,
    pub(super) completed: &'static [Completer],
    mime_type: Option<&'static str>,
    members: Option<Members>,
    variables: fn() -> &'static [&'static str],
    read: Read,
}

impl ResourceEntry {
    /// Returns the entry of a resource.
    pub const fn of<R: ResourceFunction>() -> Self {
        Self {
            about: R::ABOUT,
            uri: R::URI,
            completed: R::COMPLETED,
            mime_type: R::MIME_TYPE,
            members: R::MEMBERS,
            variables: R::variables,
            read: R::read,
        }
    }
}

/// Lists the resources.
///
/// # Panics
/// A type of variables has a member for which its URI has no variable, so that no URI could be
/// read.
pub fn describe(all: &[ResourceEntry]) -> Vec<resources::Definition> {
    #[cfg(target_arch = "wasm32")]
    super::log_panics();
    all.iter().map(definition).collect()
}

fn definition(entry: &ResourceEntry) -> resources::Definition {
    let (about, uri) = (entry.about, entry.uri);
    for member in (entry.variables)() {
        assert!(
            uri.contains(&format!("{{{member}}}")),
            "the resource `{}` takes `{member}`, and its URI `{uri}` has no such variable",
            about.name
        );
    }
    resources::Definition {
        uri: uri.to_owned(),
        name: about.name.to_owned(),
        title: about.title.map(str::to_owned),
        description: Some(about.description.to_owned()),
        mime_type: entry.mime_type.map(str::to_owned),
        scopes: owned(about.scopes),
        services: owned(about.services),
        meta: about.meta.map(str::to_owned),
    }
}

/// Lists the members of a family.
///
/// # Errors
/// Fails as the function does that lists them; [`types::Error::NotFound`] if there is no such
/// family.
#[cfg(target_arch = "wasm32")]
pub fn members(
    all: &[ResourceEntry],
    family: &str,
    context: types::Context,
) -> Result<resources::Page, types::Error> {
    let (call, input) = super::begin(context);
    run_members(all, family, &call, &input)
}

/// Reads a resource.
///
/// # Errors
/// Fails as the resource's function does; [`types::Error::NotFound`] if there is no such resource.
#[cfg(target_arch = "wasm32")]
pub fn read(
    all: &[ResourceEntry],
    definition: &str,
    context: types::Context,
) -> Result<resources::Outcome, types::Error> {
    let (call, input) = super::begin(context);
    run_read(all, definition, &call, &input)
}

/// Lists the members of a family for a call made elsewhere. A family without a function for that
/// lists none.
///
/// # Errors
/// Fails as the function does that lists them; [`types::Error::NotFound`] if there is no such
/// family.
pub fn run_members(
    all: &[ResourceEntry],
    family: &str,
    call: &Call,
    input: &str,
) -> Result<resources::Page, types::Error> {
    #[derive(Deserialize)]
    struct From {
        cursor: Option<String>,
    }

    let entry = find(all, family)?;
    let From { cursor } = super::arguments(input)?;
    let page = match entry.members {
        Some(list) => list(call, cursor.as_deref())?,
        None => Page::of([]),
    };
    Ok(page.into_wire())
}

/// Reads a resource for a call made elsewhere.
///
/// # Errors
/// Fails as the resource's function does; [`types::Error::NotFound`] if there is no such resource.
pub fn run_read(
    all: &[ResourceEntry],
    definition: &str,
    call: &Call,
    input: &str,
) -> Result<resources::Outcome, types::Error> {
    let entry = find(all, definition)?;
    let variables = texts::read(input)?;
    let uri = template::expand(entry.uri, |name| variables.get(name).map(String::as_str));
    Ok(match (entry.read)(call, variables)? {
        Outcome::Complete(contents) => {
            resources::Outcome::Complete(contents.into_wire(&uri, entry.mime_type))
        }
        Outcome::InputRequired(questions) => {
            resources::Outcome::InputRequired(questions.into_wire())
        }
    })
}

fn find<'e>(all: &'e [ResourceEntry], uri: &str) -> Result<&'e ResourceEntry, types::Error> {
    let found = all.iter().find(|entry| entry.uri == uri);
    found.ok_or_else(|| types::Error::NotFound(format!("no resource `{uri}` in this component")))
}

/// Parses the variables as the function's type.
///
/// # Errors
/// [`Error::InvalidInput`], with the reason, which is about the caller's own input.
pub fn variables<T: DeserializeOwned>(given: BTreeMap<String, String>) -> Result<T, Error> {
    texts::parse(given)
}

/// Returns the names of the members of a type.
pub fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    texts::names::<T>()
}

/// Returns the page of a function that lists members.
///
/// # Errors
/// Fails with the function's own error.
pub fn listed(result: Result<impl Into<Page>, impl Into<Error>>) -> Result<Page, Error> {
    result.map(Into::into).map_err(Into::into)
}

/// Returns the URI of a member of a family.
pub fn uri(template: &str, values: &[(&str, &str)]) -> String {
    template::expand(template, |wanted| {
        let found = values.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| *value)
    })
}
