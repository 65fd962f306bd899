//! The operator's terms for the code under a component's name.
//!
//! Invariant: a digest in the configuration admits those bytes and no others. A signature admits
//! bytes only if a configured signer made it and is trusted with the component and, where the
//! signature alone lets the code in, with every service that the component is granted.

use std::collections::BTreeSet;

use super::error::LoadError;
use super::signature::{self, SignatureError};
use super::signers::{Signed, Signers};
use crate::owned::Trust;

/// A component: its name in the folder and in the configuration, the digest of its bytes, and its
/// signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentId {
    /// File name without `.wasm`.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The configured signer that signed it, if one did.
    pub signed: Option<Signed>,
}

/// The code that a grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestRule {
    /// Any file that has the component's name.
    Any,
    /// Exactly the file with this digest, `sha256:` and 64 hexadecimal digits.
    Exactly(String),
    /// Any file that is signed by a signer trusted with the component and all that it is granted.
    Signed,
}

/// The operator's terms for the code of one component.
#[derive(Debug, Clone)]
pub struct CodeTerms<'t> {
    /// The users who may have written its files.
    pub trust: &'t Trust,
    /// The signers whose signatures count.
    pub signers: &'t Signers,
    /// The code that it may be; any, if the configuration does not say.
    pub digest: Option<&'t DigestRule>,
    /// Every service that is granted to any of its tools.
    pub services: BTreeSet<&'t String>,
}

impl CodeTerms<'_> {
    /// Returns the identity of the bytes with this digest, given the `note` beside them if there is
    /// one.
    ///
    /// # Errors
    /// Fails if the terms do not admit them.
    pub(super) fn identify(
        &self,
        name: &str,
        digest: &str,
        note: Option<&str>,
    ) -> Result<ComponentId, LoadError> {
        let signed_by = |signed: Option<Signed>| ComponentId {
            name: name.to_owned(),
            digest: digest.to_owned(),
            signed,
        };
        let Some(note) = note else {
            let component = signed_by(None);
            return self.admit(&component).map(|()| component);
        };
        let mut refused = None;
        for signed in signature::verify(note, name, digest, self.signers)? {
            let component = signed_by(Some(signed));
            match self.admit(&component) {
                Ok(()) => return Ok(component),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| SignatureError::Malformed.into()))
    }

    /// Fails unless the terms are for this code, and its signer, if it has one, may sign it.
    pub(super) fn admit(&self, component: &ComponentId) -> Result<(), LoadError> {
        if let Some(DigestRule::Exactly(wanted)) = self.digest
            && *wanted != component.digest
        {
            return Err(LoadError::Digest {
                name: component.name.clone(),
                found: component.digest.clone(),
                wanted: wanted.clone(),
            });
        }
        let by_signature = self.digest == Some(&DigestRule::Signed);
        match &component.signed {
            None if by_signature => Err(SignatureError::Missing(component.name.clone()).into()),
            None => Ok(()),
            Some(signed) => {
                // If something else lets the code in, the signature need not open any service.
                let services = self.services.iter().copied().filter(|_| by_signature);
                self.signers
                    .trust(signed, &component.name, services)
                    .map_err(|error| SignatureError::from(error).into())
            }
        }
    }
}
