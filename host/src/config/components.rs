//! `[components.NAME]`: what the operator allows each component.

use std::collections::BTreeMap;

use bailiwick_envelope::DelegationMode;

use super::Issuer;
use super::denies::denied;
use super::questions;
use super::reader::Section;
use super::services::ServiceSections;
use super::tenants;
use crate::delegation::ServiceSettings;
use crate::dispatch::{ComponentGrant, ToolGrant, expected, prompt_key};
use crate::intake::DigestRule;
use crate::json::{MetaRule, is_reserved};

pub(super) fn components(
    root: &Section<'_>,
    services: &ServiceSections,
    issuers: &[Issuer],
) -> BTreeMap<String, ComponentGrant> {
    let named = root.named("components");
    named
        .into_iter()
        .map(|(name, section)| (name, component(&section, services, issuers)))
        .collect()
}

fn component(
    section: &Section<'_>,
    services: &ServiceSections,
    issuers: &[Issuer],
) -> ComponentGrant {
    let own = granted(section, services);
    let exception = |section: &Section<'_>| {
        let replaced = section.has("services").then(|| granted(section, services));
        ToolGrant {
            deny: denied(section, replaced.as_ref().unwrap_or(&own), services),
            services: replaced,
            scopes: section.strings("scopes").unwrap_or_default(),
            tenants: tenants::listed(section, "tenants", issuers),
            disabled: section.flag("enabled") == Some(false),
        }
    };
    // The names are those of the outline.
    let tools = section.named("tools").into_iter();
    let tools = tools.map(|(name, table)| (name, exception(&table)));
    let prompts = section.named("prompts").into_iter();
    let prompts = prompts.map(|(name, table)| (prompt_key(&name), exception(&table)));
    let resources = section.named("resources").into_iter();
    let resources = resources.map(|(uri, table)| (uri, exception(&table)));
    let tools: BTreeMap<_, _> = tools.chain(prompts).chain(resources).collect();
    let mut all = own.clone();
    all.extend(
        tools
            .values()
            .flat_map(|tool| tool.services.clone().unwrap_or_default()),
    );
    let grant = ComponentGrant {
        digest: digest(section),
        deny: denied(section, &all, services),
        services: own,
        scopes: section.strings("scopes").unwrap_or_default(),
        tenants: tenants::listed(section, "tenants", issuers),
        allow_parameters: section.strings("allow_parameters").unwrap_or_default(),
        settings: section.json("settings").unwrap_or_default(),
        meta: meta(section),
        questions: questions::rule(section),
        tools,
        require_acceptance: section.flag("require_acceptance"),
    };
    if !grant.all_services().is_empty() && !section.has("digest") {
        section.wrong("digest", "it is missing: services are granted to exact code, so set the digest that `sha256sum FILE` prints as \"sha256:...\", or \"signed\" to go by [signers], or \"any\"");
    }
    grant
}

/// Reads the members of `_meta` that a component may send.
fn meta(section: &Section<'_>) -> MetaRule {
    let Some(names) = section.texts("meta") else {
        return MetaRule::default();
    };
    for (name, at) in &names {
        let plain = name.strip_suffix('*').unwrap_or(name);
        let wrong = if plain.is_empty() || plain.contains('*') {
            "expected a member of `_meta`, such as \"ui\", or a prefix, such as \"openai/*\""
        } else if is_reserved(name) {
            "it belongs to MCP or to this host, or clients cannot read it, so no component may send it"
        } else {
            continue;
        };
        let key = section.name("meta");
        section.problem(*at, format!("{key}: {name:?}: {wrong}"));
    }
    MetaRule::only(names.into_iter().map(|(name, _)| name).collect())
}

fn digest(section: &Section<'_>) -> Option<DigestRule> {
    let text = section.text("digest")?;
    let hex = text.strip_prefix("sha256:");
    match (text.as_str(), hex) {
        ("any", _) => Some(DigestRule::Any),
        ("signed", _) => Some(DigestRule::Signed),
        (_, Some(hex))
            if hex.len() == 64
                && hex
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) =>
        {
            Some(DigestRule::Exactly(text))
        }
        _ => {
            section.wrong(
                "digest",
                "expected \"signed\", \"any\", or \"sha256:\" and 64 lower-case hexadecimal digits",
            );
            None
        }
    }
}

fn granted(section: &Section<'_>, services: &ServiceSections) -> BTreeMap<String, DelegationMode> {
    let Some(table) = section.section("services") else {
        return BTreeMap::new();
    };
    let mut granted = BTreeMap::new();
    for name in table.keys() {
        let Some(mode) = table.text(&name) else {
            continue;
        };
        let Some(service) = services.sound.iter().find(|service| service.name == name) else {
            if !services.unsound.contains(&name) {
                let known = services.sound.iter().map(|service| service.name.as_str());
                let text = format!("there is no [services.{name}]; {}", expected(&name, known));
                table.wrong(&name, &text);
            }
            continue;
        };
        match mode.parse::<DelegationMode>() {
            Ok(mode) => {
                if let Err(why) = check_mode(service, mode) {
                    table.wrong(&name, &why);
                }
                granted.insert(name, mode);
            }
            Err(_) => table.wrong(
                &name,
                "expected \"service_identity\", \"on_behalf_of\" or \"restricted_user\"",
            ),
        }
    }
    granted
}

/// Checks that a service can be used in a mode without letting one user reach another's data.
fn check_mode(service: &ServiceSettings, mode: DelegationMode) -> Result<(), String> {
    let name = &service.name;
    match mode {
        DelegationMode::RestrictedUser if service.reissue.is_some() => Ok(()),
        DelegationMode::OnBehalfOf if service.reissue.is_some() => Err(format!(
            "a token of [services.{name}.reissue] names the user alone; grant \"restricted_user\""
        )),
        DelegationMode::OnBehalfOf | DelegationMode::RestrictedUser
            if service.exchange.is_none() =>
        {
            let or = match mode {
                DelegationMode::RestrictedUser => format!(" or [services.{name}.reissue]"),
                _ => String::new(),
            };
            Err(format!(
                "{} needs [services.{name}.exchange]{or}",
                mode.as_str()
            ))
        }
        DelegationMode::RestrictedUser
            if service
                .exchange
                .as_ref()
                .is_some_and(|exchange| exchange.scopes.is_empty()) =>
        {
            Err(format!(
                "restricted_user needs explicit scopes: set [services.{name}.exchange] scopes"
            ))
        }
        DelegationMode::ServiceIdentity => check_service_identity(service),
        _ => Ok(()),
    }
}

/// Checks a service under `service_identity`, where only the template says whose data is requested.
/// `GET /orders/{}` would let a tool read anyone's orders; `GET /users/{actor.sub}/orders` does
/// not.
fn check_service_identity(service: &ServiceSettings) -> Result<(), String> {
    let name = &service.name;
    let issuers = service.actor_issuers.join(" and of ");
    if service.actor_issuers.len() > 1
        && !service.subjects.one_space
        && let Some(template) = service.allow.iter().find(|template| template.names_actor())
    {
        return Err(format!(
            "under service_identity {name} cannot tell the alice of {issuers} apart, and {template:?} names the actor without the issuer; let actor_issuers list one alias, or set one_subject_space = true if these issuers never give one subject or tenant to two parties",
            template = template.to_string(),
        ));
    }
    match service
        .allow
        .iter()
        .find(|template| !template.binds_actor_first())
    {
        Some(template) if !service.is_told_apart_or_one() => Err(format!(
            "under service_identity {name} cannot tell users apart, and {template:?} does not bind {{actor.sub}} before its first free part; bind it (in the path, where the method may have a body, which could name another user than the query), set auth.secrets_by = \"user\" if each user has a key, one_account = true if all who may call these tools may use all of the account, or shared_data = true if its data is the same for all users",
            template = template.to_string(),
        )),
        _ => Ok(()),
    }
}
