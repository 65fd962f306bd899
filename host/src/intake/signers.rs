//! Trust in signers: for which components and which services each is trusted (`[signers.NAME]`).
//!
//! Trusts the configuration. `signature` finds out which key signed some bytes; this module decides
//! what that is worth, so the decision can be made again when the configuration changes.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::note::VerifierKey;

/// All signers whose signatures count. Without a signer, no signature does.
#[derive(Debug, Clone, Default)]
pub struct Signers(Vec<CodeSigner>);

/// One signer, and how far the operator trusts it.
#[derive(Debug, Clone)]
pub struct CodeSigner {
    /// Its name in the configuration.
    pub name: String,
    /// The key that checks its signatures.
    pub key: VerifierKey,
    /// The components that it may sign.
    pub components: Vec<NamePattern>,
    /// The services that its signature alone can open for a component.
    pub services: BTreeSet<String>,
}

/// The fact that a key signed a component under its name, whatever that key is trusted with now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signer's name in the configuration.
    pub by: String,
    /// Its key.
    pub key: VerifierKey,
}

/// A component's name, or the beginning of one followed by `*`, such as `billing-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    open: bool,
}

/// The text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a component's name, or the beginning of one followed by *")]
pub struct NotAPattern;

/// The reasons for which a signature does not admit a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The key belongs to no configured signer.
    #[error(
        "it is signed by {0}, which is not a signer in the configuration; add that key under [signers.NAME], or remove the .sig file"
    )]
    Unknown(String),
    /// The signer is not trusted with the component.
    #[error(
        "[signers.{signer}] does not cover {component}; add {component:?} to its components, or let another signer sign it"
    )]
    Component {
        /// The signer.
        signer: String,
        /// The component.
        component: String,
    },
    /// The signer is not trusted with a granted service.
    #[error(
        "[signers.{signer}] does not cover {service}, which is granted; add {service:?} to its services, pin the digest instead, or remove the grant"
    )]
    Service {
        /// The signer.
        signer: String,
        /// The service.
        service: String,
    },
}

impl Signers {
    /// Returns these signers as one value.
    pub fn new(signers: Vec<CodeSigner>) -> Self {
        Self(signers)
    }

    /// Returns all signers.
    pub fn iter(&self) -> impl Iterator<Item = &CodeSigner> {
        self.0.iter()
    }

    /// Checks that the signer that made `signed` is trusted with a component of that name and,
    /// where the signature alone must open them, with `services`.
    ///
    /// # Errors
    /// Fails if no configured signer has the key, or names the component or service that the signer
    /// is not trusted with.
    pub fn trust<'s>(
        &self,
        signed: &Signed,
        component: &str,
        services: impl IntoIterator<Item = &'s String>,
    ) -> Result<(), Untrusted> {
        let Some(signer) = self.0.iter().find(|signer| signer.key == signed.key) else {
            return Err(Untrusted::Unknown(signed.key.id()));
        };
        if !signer
            .components
            .iter()
            .any(|pattern| pattern.covers(component))
        {
            let (signer, component) = (signer.name.clone(), component.to_owned());
            return Err(Untrusted::Component { signer, component });
        }
        match services
            .into_iter()
            .find(|service| !signer.services.contains(*service))
        {
            Some(service) => Err(Untrusted::Service {
                signer: signer.name.clone(),
                service: service.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl NamePattern {
    /// Returns true if the pattern covers that name.
    pub fn covers(&self, name: &str) -> bool {
        if self.open {
            name.starts_with(&self.text)
        } else {
            name == self.text
        }
    }
}

impl FromStr for NamePattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let (plain, open) = text
            .strip_suffix('*')
            .map_or((text, false), |start| (start, true));
        let good = plain.len() <= 64
            && plain
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if good && (open || !plain.is_empty()) {
            Ok(Self {
                text: plain.to_owned(),
                open,
            })
        } else {
            Err(NotAPattern)
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, if self.open { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use bailiwick_envelope::SigningKey;

    use super::*;

    fn signed(seed: u8) -> Signed {
        let key = VerifierKey::new("someone", SigningKey::from_seed(&[seed; 32]).public()).unwrap();
        Signed {
            by: "release".into(),
            key,
        }
    }

    #[test]
    fn a_signers_word_is_good_for_what_the_operator_lists_and_nothing_else() {
        let signer = CodeSigner {
            name: "release".into(),
            key: signed(1).key,
            components: vec!["orders".parse().unwrap(), "billing-*".parse().unwrap()],
            services: BTreeSet::from(["orders_api".into()]),
        };
        let signers = Signers::new(vec![signer]);
        for (key, component, services, told) in [
            (1, "orders", vec!["orders_api"], ""),
            (1, "orders", vec![], ""),
            (1, "billing-eu", vec![], ""),
            (1, "billing", vec![], "does not cover billing;"),
            (1, "orders2", vec![], "does not cover orders2;"),
            (1, "Orders", vec![], "does not cover Orders;"),
            (
                1,
                "orders",
                vec!["orders_api", "ledger"],
                "does not cover ledger, which is granted",
            ),
            (
                2,
                "orders",
                vec![],
                "which is not a signer in the configuration",
            ),
        ] {
            let services: Vec<String> = services.into_iter().map(str::to_owned).collect();
            let said = signers
                .trust(&signed(key), component, &services)
                .err()
                .map(|error| error.to_string());
            assert!(
                said.as_deref().unwrap_or_default().contains(told),
                "{component}: {said:?}"
            );
            assert_eq!(said.is_none(), told.is_empty(), "{component}: {said:?}");
        }
    }

    #[test]
    fn a_star_stands_only_at_the_end() {
        for text in ["orders", "billing-*", "*", "a.b_c-d"] {
            assert_eq!(text.parse::<NamePattern>().unwrap().to_string(), text);
        }
        for text in ["", "*a", "a*b", "a**", "a b", "é", "a/*"] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }
}
