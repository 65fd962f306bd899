//! One component: its digest and tools, the services it asks for, what it cannot do, and the
//! verdict of this host.
//!
//! All but the digest, the size and the verdict is text of the component. It is shown, and nothing
//! is decided by it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::chain;
use crate::dispatch::{Definition, Offer, OfferError, Terms};
use crate::intake::{self, Compiler, Intake};
use crate::limits::{Limits, Room};
use crate::sandbox::{RawDefinition, RawPrompt, RawResource, Sandbox};
use crate::seams::{SystemClock, SystemRandom};

/// The facts about a component.
#[derive(Debug, Serialize)]
pub struct ComponentReport {
    /// The component's name: the file's without `.wasm`.
    pub component: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The keys that its signature names. The signature is not verified here.
    pub signers_named: Option<Vec<String>>,
    /// The error in its signature file, if that cannot be read.
    pub signature_error: Option<String>,
    /// Everything that it imports.
    pub imports: Vec<String>,
    /// Its tools, if it came as far as describing them.
    pub tools: Vec<OfferedTool>,
    /// Its resources and families of resources, likewise.
    pub resources: Vec<OfferedResource>,
    /// Its prompts, likewise.
    pub prompts: Vec<OfferedPrompt>,
    /// The verdict of this host.
    pub verdict: Verdict,
    /// The error with its causes, if this host would not load it.
    pub reason: Option<String>,
    /// A sentence that says what it cannot do.
    pub cannot: Option<String>,
    /// What clients get otherwise than it describes, one line each, if it would load.
    pub warnings: Vec<String>,
    /// The services to grant, if it would load and asks for any.
    pub asks_for: BTreeSet<String>,
}

/// The verdict of this host about a component without any grant and with any signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// This host would load it.
    Loads,
    /// This host would not load it.
    Refused,
}

/// A tool as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedTool {
    /// The tool's name.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for the model.
    pub description: String,
    /// The schema of the arguments: JSON, or the text if that is not JSON.
    pub input_schema: Value,
    /// The schema of the result.
    pub output_schema: Option<Value>,
    /// The hints for clients.
    pub annotations: OfferedHints,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// A resource, or a family of resources, as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedResource {
    /// The URI; with variables, it is a family.
    pub uri: String,
    /// The name for programs.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for the model.
    pub description: Option<String>,
    /// The media type.
    pub mime_type: Option<String>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// A prompt as its component describes it.
#[derive(Debug, Serialize)]
pub struct OfferedPrompt {
    /// The prompt's name.
    pub name: String,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for people.
    pub description: String,
    /// The names of the arguments that it needs.
    pub required: Vec<String>,
    /// The names of the others.
    pub optional: Vec<String>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

/// The annotations of a tool, as MCP spells them.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedHints {
    /// It changes nothing.
    pub read_only_hint: Option<bool>,
    /// It may destroy something.
    pub destructive_hint: Option<bool>,
    /// Repeating it changes nothing more.
    pub idempotent_hint: Option<bool>,
    /// It deals with the open world.
    pub open_world_hint: Option<bool>,
}

/// Inspects the component in `path`. With `base`, it is a development build, whose code is made
/// from that of its base.
///
/// # Errors
/// Fails if a file cannot be read, if its name is not one of a component, or if there is no engine.
pub async fn inspect(
    path: &Path,
    base: Option<&Path>,
    compiler: Compiler,
) -> anyhow::Result<ComponentReport> {
    let sandbox = Sandbox::new(
        Limits::within(Room::here()),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
    )?;
    let intake = Intake::new(Arc::new(sandbox), compiler);
    if let Some(base) = base {
        let developed = intake.develop(&fs::read(base)?, &fs::read(path)?).await;
        // Without it, the component is compiled whole.
        if let Err(error) = developed {
            tracing::warn!(
                cause = chain(&error),
                "the code of the last build is not used"
            );
        }
    }
    let examined = intake::examine(&intake, path).await?;
    Ok(ComponentReport::of(
        examined.judged(|loaded| Offer::check(loaded?, &Terms::default())),
    ))
}

type Judged = intake::Examined<Result<Offer, OfferError>>;

impl ComponentReport {
    fn of(examined: Judged) -> Self {
        let cannot = cannot(&examined);
        let reason = examined.verdict.as_ref().err().map(|error| chain(error));
        let tools: Vec<_> = examined
            .description
            .tools
            .iter()
            .map(OfferedTool::of)
            .collect();
        let definitions = examined.verdict.iter().flat_map(|offer| &offer.definitions);
        let mut warnings: Vec<_> = definitions.flat_map(Definition::differences).collect();
        warnings.extend(examined.verdict.iter().flat_map(unknown_facets));
        let resources = examined.description.resources.iter();
        let resources: Vec<_> = resources.map(OfferedResource::of).collect();
        let prompts = examined.description.prompts.iter();
        let prompts: Vec<_> = prompts.map(OfferedPrompt::of).collect();
        let asked = tools.iter().flat_map(|tool| &tool.services);
        let asked = asked.chain(resources.iter().flat_map(|one| &one.services));
        let asked = asked.chain(prompts.iter().flat_map(|prompt| &prompt.services));
        let asked: BTreeSet<String> = asked.cloned().collect();
        let (signers_named, signature_error) = match examined.signers {
            None => (None, None),
            Some(Ok(keys)) => (Some(keys), None),
            Some(Err(error)) => (None, Some(chain(&error))),
        };
        Self {
            component: examined.name,
            digest: examined.digest,
            bytes: examined.bytes,
            signers_named,
            signature_error,
            imports: examined.imports,
            warnings,
            asks_for: if reason.is_none() {
                asked
            } else {
                BTreeSet::new()
            },
            tools,
            resources,
            prompts,
            verdict: match reason {
                None => Verdict::Loads,
                Some(_) => Verdict::Refused,
            },
            reason,
            cannot,
        }
    }
}

impl OfferedTool {
    fn of(tool: &RawDefinition) -> Self {
        Self {
            name: tool.name.clone(),
            title: tool.title.clone(),
            description: tool.description.clone(),
            input_schema: schema(&tool.input_schema),
            output_schema: tool.output_schema.as_deref().map(schema),
            annotations: OfferedHints {
                read_only_hint: tool.annotations.read_only,
                destructive_hint: tool.annotations.destructive,
                idempotent_hint: tool.annotations.idempotent,
                open_world_hint: tool.annotations.open_world,
            },
            scopes: tool.scopes.clone(),
            services: tool.services.clone(),
        }
    }
}

impl OfferedResource {
    fn of(resource: &RawResource) -> Self {
        Self {
            uri: resource.uri.clone(),
            name: resource.name.clone(),
            title: resource.title.clone(),
            description: resource.description.clone(),
            mime_type: resource.mime_type.clone(),
            scopes: resource.scopes.clone(),
            services: resource.services.clone(),
        }
    }
}

impl OfferedPrompt {
    fn of(prompt: &RawPrompt) -> Self {
        let names = |required| {
            let arguments = prompt.arguments.iter();
            let arguments = arguments.filter(|argument| argument.required == required);
            arguments.map(|argument| argument.name.clone()).collect()
        };
        Self {
            name: prompt.name.clone(),
            title: prompt.title.clone(),
            description: prompt.description.clone(),
            required: names(true),
            optional: names(false),
            scopes: prompt.scopes.clone(),
            services: prompt.services.clone(),
        }
    }
}

/// Returns a line for each facet that this host does not know.
fn unknown_facets(offer: &Offer) -> Vec<String> {
    let tools = offer
        .definitions
        .iter()
        .map(|tool| (&tool.name, &tool.facets));
    let resources = offer.resources.iter().map(|one| (&one.name, &one.facets));
    let prompts = offer
        .prompts
        .iter()
        .map(|prompt| (&prompt.name, &prompt.facets));
    let all = tools.chain(resources).chain(prompts);
    let line = |(name, facet)| format!("{name}: this host does not know the facet {facet}");
    all.flat_map(|(name, facets)| facets.unknown.iter().map(move |facet| (name, facet)))
        .map(line)
        .collect()
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Writes the sentence about what a component cannot do. For a refused component, it says only why
/// the component cannot be linked.
fn cannot(examined: &Judged) -> Option<String> {
    let own = |name: &str| {
        let own = name.strip_prefix(OWN)?;
        own.split('@').next().map(str::to_owned)
    };
    let imports: Option<Vec<String>> = examined.imports.iter().map(|name| own(name)).collect();
    let Some(imports) = imports else {
        return Some(NOT_LINKED.to_owned());
    };
    if examined.verdict.is_err() {
        return None;
    }
    let reach = if imports.iter().any(|name| name == "downstream") {
        "cannot open a socket, read a file, see a token or name a user"
    } else {
        "cannot open a socket, read a file, see a token, name a user or reach any service"
    };
    Some(format!("It {reach}: {}.", imported(&imports)))
}

fn imported(imports: &[String]) -> String {
    match imports {
        [] => "it imports nothing".to_owned(),
        [one] => format!("it imports nothing but {one}"),
        [first @ .., last] => format!("it imports nothing but {} and {last}", first.join(", ")),
    }
}

/// The beginning of the name of each interface that a component may import.
const OWN: &str = "bailiwick:tool/";

const NOT_LINKED: &str = "This host links nothing beyond bailiwick:tool, so this component cannot \
                          be started here.";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::super::testing::{HELLO, ORDER, Site, compiler, component};
    use super::*;

    async fn inspected(bytes: Vec<u8>) -> ComponentReport {
        let site = Site::new("", &[("thing", bytes)]);
        inspect(&site.path("tools/thing.wasm"), None, compiler())
            .await
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_good_component_loads_and_names_what_it_asks_for() {
        let found = inspected(component(&[ORDER, HELLO])).await;
        assert_eq!((found.verdict, &found.reason), (Verdict::Loads, &None));
        assert_eq!(found.asks_for, BTreeSet::from(["orders_api".to_owned()]));
        assert_eq!(found.tools[0].annotations.read_only_hint, Some(true));
        assert_eq!(found.tools[0].input_schema["required"][0], "order_id");
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        assert!(found.signers_named.is_none() && found.signature_error.is_none());
        let cannot = found.cannot.unwrap();
        assert!(cannot.contains("or reach any service"), "{cannot}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_component_asks_for_nothing() {
        let socket = r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#;
        for (bytes, cannot) in [
            (wat::parse_str(socket).unwrap(), Some(NOT_LINKED)),
            (component(&[ORDER, ORDER]), None),
            (b"#!/bin/sh".to_vec(), None),
        ] {
            let found = inspected(bytes).await;
            assert_eq!(found.verdict, Verdict::Refused);
            assert!(found.reason.is_some() && found.asks_for.is_empty());
            assert_eq!(found.cannot.as_deref(), cannot);
        }
    }

    #[test]
    fn what_is_imported_is_listed_as_people_do() {
        for (names, expected) in [
            (&[][..], "it imports nothing"),
            (&["a"], "it imports nothing but a"),
            (&["a", "b", "c"], "it imports nothing but a, b and c"),
        ] {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(imported(&names), expected);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_signature_that_cannot_be_read_is_an_error_of_its_own() {
        let site = Site::new("", &[("thing", component(&[HELLO]))]);
        site.write("tools/thing.wasm.sig", b"nonsense");
        let found = inspect(&site.path("tools/thing.wasm"), None, compiler())
            .await
            .unwrap();
        assert!(found.signers_named.is_none() && found.signature_error.is_some());
    }
}
