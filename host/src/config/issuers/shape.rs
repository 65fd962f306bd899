//! The shape of an issuer's tokens: which claims mean what.

use super::is_sound;
use crate::config::presentation::is_scope;
use crate::config::reader::Section;
use crate::identity::{
    AgentNames, AudienceRule, ClientPattern, ClientRule, IssuerSettings, ScopePrefix, ServiceRule,
};
use crate::tokens::{TypeRule, client_id};

/// Reads `token_type`: a type, or a list of types.
pub(in crate::config) fn token_type(section: &Section<'_>, default: &str) -> TypeRule {
    let rule = if section.is_text("token_type") || !section.has("token_type") {
        let typ = section.text("token_type");
        match typ.as_deref().unwrap_or(default) {
            "any" => TypeRule::Any,
            exact => TypeRule::Exactly(exact.to_owned()),
        }
    } else {
        TypeRule::Among(section.strings("token_type").unwrap_or_default())
    };
    let types = match &rule {
        TypeRule::Exactly(typ) => std::slice::from_ref(typ),
        TypeRule::Among(types) => types.as_slice(),
        TypeRule::Any => return rule,
    };
    if types.iter().any(String::is_empty) || types.is_empty() {
        section.wrong(
            "token_type",
            "expected a type, such as \"JWT\"; \"none\" is a token without one",
        );
    }
    if types.len() > 1 && types.iter().any(|typ| typ == "any") {
        section.wrong("token_type", "\"any\" stands alone; leave the others out");
    }
    if let Some(other) = types.iter().find(|typ| TypeRule::is_of_others(typ)) {
        let why = format!("a token of type {other:?} is never an access token");
        section.wrong("token_type", &why);
    }
    rule
}

/// Reads `audience` and `audience_claim`.
pub(super) fn audience(section: &Section<'_>) -> AudienceRule {
    let names = if section.is_text("audience") {
        section.text("audience").into_iter().collect()
    } else {
        section.strings("audience").unwrap_or_default()
    };
    if section.has("audience") && (names.is_empty() || names.iter().any(String::is_empty)) {
        section.wrong(
            "audience",
            "it is empty; leave it out where tokens are for server.resource",
        );
    }
    let claim = section
        .text("audience_claim")
        .filter(|claim| claim != "aud");
    if claim.is_some() && names.is_empty() {
        section.wrong("audience_claim", "set audience to what this claim must be");
    }
    AudienceRule { claim, names }
}

/// Reads `client_claim`, `clients` and `clients_without_subject`.
pub(super) fn client(section: &Section<'_>) -> ClientRule {
    let claim = section.text("client_claim");
    if claim.as_deref() == Some("") {
        section.wrong("client_claim", "it is empty");
    }
    let without_subject = section.flag("clients_without_subject").unwrap_or(false);
    let allowed = section.texts("clients").map(|names| {
        if names.is_empty() {
            section.wrong(
                "clients",
                "the list is empty, so no one could call; leave it out to allow all",
            );
        }
        let patterns = names.into_iter();
        patterns
            .filter_map(|(name, _)| pattern(section, &name))
            .collect()
    });
    ClientRule {
        claim,
        allowed,
        without_subject,
    }
}

/// Checks that `clients_without_subject` can admit a client at all. A missing subject proves
/// nothing, so either `sub` or the claim of `service_when` must say whose the token is.
pub(super) fn check_without_subject(section: &Section<'_>, issuer: &IssuerSettings) {
    let states_client = match &issuer.service_when {
        ServiceRule::Claim { claim, .. } => claim != "sub",
        ServiceRule::SubjectIsClient => false,
    };
    if issuer.client.without_subject && issuer.subject_claim == "sub" && !states_client {
        section.wrong(
            "clients_without_subject",
            "it admits no one: a missing `sub` does not prove that a token is its client's own; \
             set service_when = { claim = \"...\", equals = \"...\" } to a claim that does, or \
             subject_claim if `sub` is the client in such tokens, or leave it out",
        );
    }
}

/// Reads `scope_prefix`: what the issuer wants before each scope.
pub(super) fn scope_prefix(section: &Section<'_>) -> ScopePrefix {
    let Some(prefix) = section.text("scope_prefix") else {
        return ScopePrefix::default();
    };
    if !is_scope(&prefix) {
        section.wrong(
            "scope_prefix",
            "expected what stands before each scope, such as \"api://orders/\"",
        );
    }
    ScopePrefix::new(&prefix)
}

/// Reads `[agents]`: names to show, by agent or client identifier.
pub(in crate::config) fn agents(root: &Section<'_>) -> AgentNames {
    let Some(section) = root.section("agents") else {
        return AgentNames::new();
    };
    let named = |id: String| {
        let name = section.text(&id)?;
        is_sound(&section, &id, &name).then_some((id, name))
    };
    section.keys().into_iter().filter_map(named).collect()
}

/// Reads a client's name, or `https://HOST/*` for all clients whose document is there.
fn pattern(section: &Section<'_>, text: &str) -> Option<ClientPattern> {
    if let Some(origin) = text.strip_suffix("/*") {
        let written = client_id::origin(&format!("{origin}/x"));
        if written.as_deref() != Some(origin) || origin.contains('*') {
            section.wrong(
                "clients",
                "expected https://HOST/* with the host in lower case",
            );
            return None;
        }
        return Some(ClientPattern::Origin(origin.to_owned()));
    }
    if text.contains('*') {
        section.wrong("clients", "expected a client's name, or https://HOST/*");
        return None;
    }
    let known = client_id::origin(text).is_some() || is_sound(section, "clients", text);
    known.then(|| ClientPattern::Name(text.to_owned()))
}
