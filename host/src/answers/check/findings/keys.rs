//! Key files that the host cannot use, or not in full.

use super::{Finding, Findings};
use crate::config::Issuer;
use crate::tokens::{self, KeyFile};

impl Findings {
    /// Reads a key file. The host reads it only when a token comes, so the operator learns of a
    /// fault here first.
    pub(super) fn keys(&mut self, issuer: &Issuer, file: &KeyFile) {
        let name = &issuer.settings.issuer;
        let left_out = file
            .read()
            .and_then(|bytes| tokens::left_out(&bytes, &issuer.algorithms));
        match left_out {
            Ok(keys) => {
                let keys = keys.into_iter().map(|key| Finding::KeyLeftOut {
                    issuer: name.clone(),
                    key,
                });
                self.warnings.extend(keys);
            }
            Err(why) => self.errors.push(Finding::KeysUnusable {
                issuer: name.clone(),
                cause: why,
            }),
        }
    }
}
