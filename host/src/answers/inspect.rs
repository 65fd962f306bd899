//! One component: its digest and tools, the services it asks for, what it cannot do, and the
//! verdict of this host.
//!
//! All but the digest, the size and the verdict is text of the component. It is shown, and nothing
//! is decided by it.

mod offered;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::chain;
use crate::dispatch::{Definition, Offer, OfferError, Terms};
use crate::intake::{self, Compiler, Intake};
use crate::limits::{Limits, Room};
use crate::sandbox::Sandbox;
use crate::seams::{SystemClock, SystemRandom};
pub use offered::{OfferedHints, OfferedPrompt, OfferedResource, OfferedTool};

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
    let intake = intake(compiler)?;
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
    report(&intake, path, &Terms::default()).await
}

/// Inspects several components, one after the other, for an operator who allows these parameters.
///
/// # Errors
/// Fails as [`inspect`] does.
pub async fn inspect_each(
    paths: &[&Path],
    allow_parameters: &[String],
    compiler: Compiler,
) -> anyhow::Result<Vec<ComponentReport>> {
    let intake = intake(compiler)?;
    let mut terms = Terms::default();
    terms.grant.allow_parameters = allow_parameters.to_vec();
    let mut reports = Vec::with_capacity(paths.len());
    for path in paths {
        reports.push(report(&intake, path, &terms).await?);
    }
    Ok(reports)
}

fn intake(compiler: Compiler) -> anyhow::Result<Intake> {
    let sandbox = Sandbox::new(
        Limits::within(Room::here()),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
    )?;
    Ok(Intake::new(Arc::new(sandbox), compiler))
}

async fn report(intake: &Intake, path: &Path, terms: &Terms) -> anyhow::Result<ComponentReport> {
    let examined = intake::examine(intake, path).await?;
    Ok(ComponentReport::of(
        examined.judged(|loaded| Offer::check(loaded?, terms)),
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
