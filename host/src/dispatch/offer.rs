//! Offers: code that loaded becomes tools that clients can see and call.
//!
//! Trusts `intake` for the code, and nothing in the component's description of its tools.
//!
//! Invariant: all tools of a component are acceptable, or none of them is offered. Where the
//! operator has to accept changes, the tools are exactly those that were accepted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::definition::{Definition, DefinitionError};
use super::grant::{Acceptance, ComponentGrant, Terms};
use super::near::expected;
use super::outline::Outline;
use crate::intake::{Candidate, ComponentId, Intake, LoadError, Loaded, NotLoaded};
use crate::sandbox::{Code, RawDefinition};

/// A component with checked tools, under its present terms.
#[derive(Debug)]
pub struct Offer {
    /// The component's name and digest.
    pub component: ComponentId,
    /// Its compiled code.
    pub code: Arc<Code>,
    /// The checked definitions of its tools.
    pub definitions: Vec<Definition>,
}

/// The reason why a component is not offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// There is no code.
    #[error(transparent)]
    Code(#[from] LoadError),
    /// It has no tools, too many, or two with one name.
    #[error("it describes {0} tools; expected 1 to {MAX_TOOLS}, each with a name of its own")]
    Tools(usize),
    /// One of its tools is not acceptable.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The operator restricts a tool that it does not have.
    #[error(transparent)]
    Stray(StrayTool),
    /// The operator has not accepted the definitions of its tools.
    #[error(transparent)]
    Unaccepted(Box<Unaccepted>),
}

/// A restriction of a tool that its component does not have. The tool that was meant would be
/// offered without the restriction, so none of the component's tools is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "[components.{component}.tools.{tool}] restricts a tool, and this component has none of that \
     name; {expected}; correct the name, or remove the table if the tool is gone"
)]
pub struct StrayTool {
    /// The component's name.
    pub component: String,
    /// The name in the configuration.
    pub tool: String,
    /// The tools that it has, as a message lists them.
    pub expected: String,
}

/// Definitions that the operator has not accepted.
#[derive(Debug, thiserror::Error)]
#[error(
    "the definitions of its tools {state}; look at them with `bailiwick inspect`, then run: \
     bailiwick accept {name} --digest {digest} --config {config:?}",
    state = if changes.is_empty() {
        "were never accepted"
    } else {
        "are not those that were accepted"
    }
)]
pub struct Unaccepted {
    /// The component's name.
    pub name: String,
    /// `sha256:` and the digest of the outline, which is what the operator accepts.
    pub digest: String,
    /// The definitions, as digests.
    pub outline: Outline,
    /// The differences from the accepted definitions. Empty if none were accepted.
    pub changes: Vec<String>,
    /// The configuration file, for the command that accepts.
    pub config: PathBuf,
}

/// A component that is not offered, with the digest of its bytes if they could be read.
#[derive(Debug)]
pub struct NotOffered {
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
    /// The reason, with its causes.
    pub cause: OfferError,
}

impl Offer {
    /// Loads `candidate` and checks its tools.
    ///
    /// # Errors
    /// Fails if the component is refused.
    pub async fn load(
        intake: &Intake,
        candidate: &Candidate,
        terms: &Terms,
    ) -> Result<Self, NotOffered> {
        let loaded = intake.load(candidate, &terms.of_code()).await?;
        let digest = loaded.component.digest.clone();
        Self::check(loaded, terms).map_err(|cause| NotOffered {
            digest: Some(digest),
            cause,
        })
    }

    /// Offers code that was made for `component` before, under the present terms. Returns `None` if
    /// there is none, or if the terms no longer admit it.
    pub fn of_known(intake: &Intake, component: &ComponentId, terms: &Terms) -> Option<Self> {
        let loaded = intake.load_known(component, &terms.of_code())?;
        Self::check(loaded, terms).ok()
    }

    /// Checks a loaded component's description of its tools.
    ///
    /// # Errors
    /// Fails if any tool is not acceptable: then no tool is offered.
    pub fn check(loaded: Loaded, terms: &Terms) -> Result<Self, OfferError> {
        let Loaded {
            component,
            code,
            tools,
        } = loaded;
        let definitions = check_all(tools, &terms.grant)?;
        check_restricted(&component.name, &definitions, &terms.grant)?;
        check_accepted(
            &component.name,
            definitions.iter().collect(),
            &terms.acceptance,
        )?;
        Ok(Self {
            component,
            code,
            definitions,
        })
    }
}

impl OfferError {
    /// Returns true if the same file may load in a moment, as when the host had no descriptor left.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Code(error) if error.may_pass())
    }
}

impl From<NotLoaded> for NotOffered {
    fn from(refused: NotLoaded) -> Self {
        Self {
            digest: refused.digest,
            cause: refused.cause.into(),
        }
    }
}

fn check_all(
    tools: Vec<RawDefinition>,
    grant: &ComponentGrant,
) -> Result<Vec<Definition>, OfferError> {
    let count = tools.len();
    if !(1..=MAX_TOOLS).contains(&count) {
        return Err(OfferError::Tools(count));
    }
    let checked = tools.into_iter().map(|raw| Definition::check(raw, grant));
    let definitions = checked.collect::<Result<Vec<_>, _>>()?;
    // Names that differ in case alone could pass for one another.
    let names: BTreeSet<_> = definitions
        .iter()
        .map(|definition| definition.name.to_ascii_lowercase())
        .collect();
    if names.len() == count {
        Ok(definitions)
    } else {
        Err(OfferError::Tools(count))
    }
}

/// Checks that each tool that the operator restricts is one of the component's.
fn check_restricted(
    component: &str,
    definitions: &[Definition],
    grant: &ComponentGrant,
) -> Result<(), OfferError> {
    let names = || definitions.iter().map(|tool| tool.name.as_str());
    let has = |name: &str| names().any(|known| known == name);
    match grant.narrowed().find(|tool| !has(tool)) {
        None => Ok(()),
        Some(tool) => Err(OfferError::Stray(StrayTool {
            component: component.to_owned(),
            tool: tool.clone(),
            expected: expected(tool, names()),
        })),
    }
}

fn check_accepted(name: &str, outline: Outline, acceptance: &Acceptance) -> Result<(), OfferError> {
    let Acceptance::Required { accepted, config } = acceptance else {
        return Ok(());
    };
    if accepted.as_ref() == Some(&outline) {
        return Ok(());
    }
    Err(OfferError::Unaccepted(Box::new(Unaccepted {
        name: name.to_owned(),
        digest: outline.digest(),
        changes: accepted
            .as_ref()
            .map(|accepted| outline.changes_from(accepted))
            .unwrap_or_default(),
        outline,
        config: config.clone(),
    })))
}

const MAX_TOOLS: usize = 64;
