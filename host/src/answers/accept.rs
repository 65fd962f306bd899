//! The definitions of one component beside those that the operator accepted.
//!
//! Invariant: the operator accepts exactly the definitions with the digest that they named, even if
//! the file was replaced after they looked at it.

use serde::Serialize;

use super::Folder;
use crate::config::{Accepted, AcceptedError};
use crate::dispatch::Outline;

/// The definitions of one component, to be accepted or not.
#[derive(Debug, Clone, Serialize)]
pub struct Proposal {
    /// The component's name.
    pub component: String,
    /// `sha256:` and the digest of its definitions.
    pub definitions: String,
    /// The comparison with the accepted definitions.
    pub standing: Standing,
    /// The changes since then, one line each, without any text of a definition.
    pub changes: Vec<String>,
    #[serde(skip)]
    outline: Outline,
}

/// The comparison of a component's definitions with the accepted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// They are the definitions that were accepted last.
    Accepted,
    /// Other definitions were accepted.
    Changed,
    /// No definitions of this component were ever accepted.
    New,
}

/// An error when definitions are proposed or accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The component does not describe itself, or is missing.
    #[error("{component}.wasm cannot be accepted: {cause}")]
    Unavailable {
        /// The component's name.
        component: String,
        /// The error with its causes.
        cause: String,
    },
    /// The digest is of other definitions.
    #[error(
        "the tools folder now has {found}, not {wanted}; look at it again before you accept it"
    )]
    Digest {
        /// The digest of the definitions in the folder.
        found: String,
        /// The digest that the operator named.
        wanted: String,
    },
    /// The file of accepted definitions cannot be written.
    #[error(transparent)]
    File(#[from] AcceptedError),
}

impl Proposal {
    /// Compares the component `name` of a tools folder with the accepted definitions.
    ///
    /// # Errors
    /// Fails if there is no such component, or if it could not be asked for its definitions.
    pub fn of(name: &str, folder: &Folder, accepted: &Accepted) -> Result<Self, AcceptError> {
        let outline = folder.outlines.get(name).cloned().ok_or_else(|| {
            let refused = folder.refused.iter().find(|refused| refused.name == name);
            AcceptError::Unavailable {
                component: name.to_owned(),
                cause: refused.map_or_else(
                    || "it is not in the tools folder".to_owned(),
                    |refused| refused.cause.clone(),
                ),
            }
        })?;
        let before = accepted.of(name);
        Ok(Self {
            component: name.to_owned(),
            definitions: outline.digest(),
            standing: match before {
                Some(before) if *before == outline => Standing::Accepted,
                Some(_) => Standing::Changed,
                None => Standing::New,
            },
            changes: outline.changes_from(before.unwrap_or(&Outline::default())),
            outline,
        })
    }

    /// Accepts these definitions if `digest` is theirs.
    ///
    /// # Errors
    /// Fails if the digest is of other definitions, or if the file cannot be written.
    pub fn accept(self, digest: &str, accepted: &mut Accepted) -> Result<(), AcceptError> {
        if digest != self.definitions {
            return Err(AcceptError::Digest {
                found: self.definitions,
                wanted: digest.to_owned(),
            });
        }
        Ok(accepted.accept(&self.component, self.outline)?)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::super::testing::{CONFIG, HELLO, ORDER, Site, component, folder};
    use super::*;
    use crate::owned::Trust;

    fn accepted(site: &Site) -> Accepted {
        Accepted::read(&site.path("accepted.json"), &Trust::default()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_proposal_is_new_then_accepted_then_changed() {
        let site = Site::new(CONFIG, &[("orders", component(&[ORDER]))]);
        let proposal = Proposal::of("orders", &folder(&site).await, &accepted(&site)).unwrap();
        assert_eq!(proposal.standing, Standing::New);
        assert_eq!(proposal.changes, ["get_order: added"]);
        let digest = proposal.definitions.clone();
        proposal.accept(&digest, &mut accepted(&site)).unwrap();

        let proposal = Proposal::of("orders", &folder(&site).await, &accepted(&site)).unwrap();
        assert_eq!(proposal.standing, Standing::Accepted);
        assert!(proposal.changes.is_empty());

        site.write("tools/orders.wasm", &component(&[HELLO]));
        let proposal = Proposal::of("orders", &folder(&site).await, &accepted(&site)).unwrap();
        assert_eq!(proposal.standing, Standing::Changed);
        assert_eq!(proposal.changes, ["hello: added", "get_order: removed"]);
        let json = serde_json::to_value(&proposal).unwrap();
        assert_eq!(
            json.pointer("/standing").and_then(|text| text.as_str()),
            Some("changed")
        );
        let refused = proposal.accept(&digest, &mut accepted(&site)).unwrap_err();
        assert!(matches!(refused, AcceptError::Digest { wanted, .. } if wanted == digest));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_component_that_cannot_be_asked_is_not_proposed() {
        let site = Site::new(CONFIG, &[("broken", b"\0asm".to_vec())]);
        let folder = folder(&site).await;
        for (name, expected) in [("broken", "malformed"), ("absent", "not in the tools")] {
            match Proposal::of(name, &folder, &accepted(&site)) {
                Err(AcceptError::Unavailable { component, cause }) => {
                    assert!(component == name && cause.contains(expected), "{cause}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
