//! `[signers.NAME]`: whose signatures of components count, and for what.

use std::collections::BTreeSet;

use super::reader::Section;
use super::services::ServiceSections;
use crate::intake::is_signer_key;
use crate::intake::{CodeSigner, NamePattern, Signers};
use crate::note::VerifierKey;

pub(super) fn signers(root: &Section<'_>, services: &ServiceSections) -> Signers {
    let mut known: Vec<CodeSigner> = Vec::new();
    for (name, section) in root.named("signers") {
        let Some(signer) = signer(name, &section, services) else {
            continue;
        };
        match known.iter().find(|other| other.key == signer.key) {
            Some(other) => section.wrong(
                "key",
                &format!("[signers.{}] has the same key; join the two", other.name),
            ),
            None => known.push(signer),
        }
    }
    Signers::new(known)
}

fn signer(name: String, section: &Section<'_>, services: &ServiceSections) -> Option<CodeSigner> {
    let key = section.required("key");
    let components: Vec<NamePattern> = section.parsed("components");
    if components.is_empty()
        && section
            .texts("components")
            .is_none_or(|listed| listed.is_empty())
    {
        section.wrong(
            "components",
            "it must list the components that this signer may sign, such as [\"billing-*\"]",
        );
    }
    let services = covered(section, services);
    let key = match key?.parse::<VerifierKey>() {
        Ok(key) if is_signer_key(&key) => key,
        Ok(_) => {
            section.wrong(
                "key",
                "this key is not for components; `bailiwick sign --new-key FILE` makes one",
            );
            return None;
        }
        Err(error) => {
            section.wrong(
                "key",
                &format!("{error}; write the line that `bailiwick sign` prints"),
            );
            return None;
        }
    };
    Some(CodeSigner {
        name,
        key,
        components,
        services,
    })
}

fn covered(section: &Section<'_>, services: &ServiceSections) -> BTreeSet<String> {
    let listed = section.texts("services").unwrap_or_default();
    for (name, at) in &listed {
        let known = services.sound.iter().any(|service| service.name == *name)
            || services.unsound.contains(name);
        if !known {
            section.problem(
                *at,
                format!("{}: unknown service {name:?}", section.name("services")),
            );
        }
    }
    listed.into_iter().map(|(name, _)| name).collect()
}
