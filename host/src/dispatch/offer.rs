//! Offers: code that loaded becomes tools, resources and prompts that clients can ask for.
//!
//! Trusts `intake` for the code, and nothing in the component's description of itself.
//!
//! Invariant: all definitions of a component are acceptable, or none of them is offered. Where the
//! operator has to accept changes, they are exactly those that were accepted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::definition::{Definition, DefinitionError, PromptFace, ResourceFace};
use super::grant::{Acceptance, ComponentGrant, Terms};
use super::outline::{Outline, expected_alike, prompt_key, table};
use crate::intake::{Candidate, ComponentId, Intake, LoadError, Loaded, NotLoaded};
use crate::sandbox::{Code, Description};
use crate::uri::Pattern;

/// A component with checked definitions, under its present terms.
#[derive(Debug)]
pub struct Offer {
    /// The component's name and digest.
    pub component: ComponentId,
    /// Its compiled code.
    pub code: Arc<Code>,
    /// The checked definitions of its tools.
    pub definitions: Vec<Definition>,
    /// The checked definitions of its resources and families of resources.
    pub resources: Vec<Definition<ResourceFace>>,
    /// The checked definitions of its prompts.
    pub prompts: Vec<Definition<PromptFace>>,
}

/// The reason why a component is not offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// There is no code.
    #[error(transparent)]
    Code(#[from] LoadError),
    /// It has too many things of one kind, or two with one name.
    #[error("it describes {count} {word}; expected at most {MAX_OF_A_KIND}, each with {own}")]
    Count {
        /// The number.
        count: usize,
        /// The word for them, such as `tools`.
        word: &'static str,
        /// What each must have of its own.
        own: &'static str,
    },
    /// It has nothing that a client could ask for.
    #[error("it describes neither tools, resources nor prompts")]
    Nothing,
    /// A URI could be of two of its families.
    #[error("a URI could be of two of its families of resources, {one} and {two}")]
    Families {
        /// The one.
        one: String,
        /// The other.
        two: String,
    },
    /// One of its definitions is not acceptable.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The operator restricts what it does not have.
    #[error(transparent)]
    Stray(StrayTool),
    /// The operator has not accepted the definitions of its tools.
    #[error(transparent)]
    Unaccepted(Box<Unaccepted>),
}

/// A restriction of a tool, resource or prompt that its component does not have. The one that was
/// meant would be offered without the restriction, so nothing of the component is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "[components.{component}.{table}] restricts what this component does not have; {expected}; \
     correct the name, or remove the table if it is gone"
)]
pub struct StrayTool {
    /// The component's name.
    pub component: String,
    /// The table below that of the component, such as `tools.refund`.
    pub table: String,
    /// The names that it has, as a message lists them.
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
    /// Loads `candidate` and checks its definitions.
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

    /// Checks a loaded component's description of itself.
    ///
    /// # Errors
    /// Fails if any definition is not acceptable: then nothing is offered.
    pub fn check(loaded: Loaded, terms: &Terms) -> Result<Self, OfferError> {
        let Loaded {
            component,
            code,
            description,
        } = loaded;
        let Description {
            tools,
            resources,
            prompts,
            completes,
        } = description;
        let (name, grant) = (component.name.as_str(), &terms.grant);
        count(tools.len(), "tools", NAME)?;
        count(resources.len(), "resources", URI)?;
        count(prompts.len(), "prompts", NAME)?;
        if tools.is_empty() && resources.is_empty() && prompts.is_empty() {
            return Err(OfferError::Nothing);
        }
        let tools = tools.into_iter().map(|raw| Definition::check(raw, grant));
        let resources = resources
            .into_iter()
            .map(|raw| Definition::check_resource(raw, (name, completes), grant));
        let prompts = prompts
            .into_iter()
            .map(|raw| Definition::check_prompt(raw, completes, grant));
        let offer = Self {
            definitions: tools.collect::<Result<_, _>>()?,
            resources: resources.collect::<Result<_, _>>()?,
            prompts: prompts.collect::<Result<_, _>>()?,
            component,
            code,
        };
        offer.check_names()?;
        check_restricted(&offer.component.name, &offer.outline(), grant)?;
        check_accepted(&offer.component.name, offer.outline(), &terms.acceptance)?;
        Ok(offer)
    }

    /// Returns all of its definitions, as digests.
    pub fn outline(&self) -> Outline {
        let tools = self.definitions.iter();
        let tools = tools.map(|tool| (tool.name.clone(), tool.parts.clone()));
        let resources = self.resources.iter();
        let resources = resources.map(|one| (one.name.clone(), one.parts.clone()));
        let prompts = self.prompts.iter();
        let prompts = prompts.map(|prompt| (prompt_key(&prompt.name), prompt.parts.clone()));
        tools.chain(resources).chain(prompts).collect()
    }

    /// Checks that each name means one thing. Names that differ in case alone could pass for one
    /// another.
    fn check_names(&self) -> Result<(), OfferError> {
        let tools = self.definitions.iter().map(|tool| tool.name.as_str());
        let prompts = self.prompts.iter().map(|prompt| prompt.name.as_str());
        distinct(tools, "tools", NAME)?;
        distinct(prompts, "prompts", NAME)?;
        let uris = self.resources.iter().map(|one| one.name.as_str());
        distinct(uris, "resources", URI)?;
        let families: Vec<_> = self.resources.iter().map(|one| &one.face.pattern).collect();
        for (at, one) in families.iter().enumerate() {
            let mut rest = families.iter().skip(at + 1);
            let both = |two: &&&Pattern| one.is_family() && two.is_family() && one.overlaps(two);
            if let Some(two) = rest.find(both) {
                return Err(OfferError::Families {
                    one: one.as_str().to_owned(),
                    two: two.as_str().to_owned(),
                });
            }
        }
        Ok(())
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

fn count(count: usize, word: &'static str, own: &'static str) -> Result<(), OfferError> {
    if count <= MAX_OF_A_KIND {
        return Ok(());
    }
    Err(OfferError::Count { count, word, own })
}

fn distinct<'n>(
    names: impl Iterator<Item = &'n str>,
    word: &'static str,
    own: &'static str,
) -> Result<(), OfferError> {
    let all: Vec<_> = names.map(str::to_ascii_lowercase).collect();
    let different: BTreeSet<_> = all.iter().collect();
    if different.len() == all.len() {
        return Ok(());
    }
    let count = all.len();
    Err(OfferError::Count { count, word, own })
}

/// Checks that each tool, resource or prompt that the operator restricts is one of the component's.
fn check_restricted(
    component: &str,
    outline: &Outline,
    grant: &ComponentGrant,
) -> Result<(), OfferError> {
    let has = |name: &str| outline.names().any(|known| known == name);
    match grant.narrowed().find(|name| !has(name)) {
        None => Ok(()),
        Some(name) => Err(OfferError::Stray(StrayTool {
            component: component.to_owned(),
            table: table(name),
            expected: expected_alike(name, outline.names()),
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

/// The most tools, resources or prompts of one component.
pub const MAX_OF_A_KIND: usize = 64;
const NAME: &str = "a name of its own";
const URI: &str = "a URI of its own";
