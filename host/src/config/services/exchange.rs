//! `[services.NAME.exchange]`: how a user's token becomes one for the service, and what the issued
//! token must say.

use std::time::Duration;

use super::aliases;
use crate::config::Issuer;
use crate::config::client::client;
use crate::config::issuers::{addresses, algorithms, discovered, keys, times, token_type};
use crate::config::reader::Section;
use crate::delegation::{ExchangeProfile, ExchangeSettings, IssuedSettings, IssuedTenant};
use crate::identity::TenantRule;
use crate::tokens::KeySource;

pub(super) fn exchange(section: &Section<'_>, issuers: &[Issuer]) -> Option<ExchangeSettings> {
    let profile = profile(section);
    let audience = section.required("audience");
    let issuer = section.required("issuer");
    let client = client(section, "token_endpoint", issuer.as_deref());
    let own = issuers
        .iter()
        .find(|known| Some(&known.settings.issuer) == issuer.as_ref());
    let subject_issuers = subject_issuers(section, own, issuers);
    let actor = has_actor(section, profile);
    let scopes = section.strings("scopes").unwrap_or_default();
    let served = subject_issuers.as_deref().unwrap_or_default();
    let asked = AskedFor {
        client_id: client.as_ref().map(|client| client.client_id.clone()),
        audience: audience.clone(),
        scopes: scopes.clone(),
        actor,
    };
    let tenant = issued_tenant(section, own, served, issuers);
    let issued = issued(section, asked, issued_keys(section, own), tenant);
    Some(ExchangeSettings {
        client: client?,
        profile,
        audience: audience?,
        scopes,
        actor,
        actor_audience: section.text("actor_audience"),
        subject_issuers: subject_issuers?,
        issued: issued?,
    })
}

fn profile(section: &Section<'_>) -> ExchangeProfile {
    match section.text("profile").as_deref() {
        None | Some("rfc8693") => ExchangeProfile::Rfc8693,
        Some("entra_obo") => ExchangeProfile::EntraObo,
        Some(_) => {
            section.wrong("profile", "expected \"rfc8693\" or \"entra_obo\"");
            ExchangeProfile::Rfc8693
        }
    }
}

/// Returns the aliases whose users the exchange serves; by default those of its own issuer.
fn subject_issuers(
    section: &Section<'_>,
    own: Option<&Issuer>,
    issuers: &[Issuer],
) -> Option<Vec<String>> {
    let named = aliases(section, "subject_issuers", issuers);
    let served = named.or_else(|| own.map(|known| vec![known.settings.alias.clone()]));
    if served.is_none() {
        section.wrong(
            "subject_issuers",
            "it is missing: the exchange's issuer is not one of [[issuers]], so name the aliases whose users it serves",
        );
    }
    served
}

/// Whether an actor token goes along; by default if the profile has one.
fn has_actor(section: &Section<'_>, profile: ExchangeProfile) -> bool {
    match section.text("actor").as_deref() {
        Some("none") => false,
        None => profile == ExchangeProfile::Rfc8693,
        Some("client_credentials") => {
            if profile == ExchangeProfile::EntraObo {
                let why = "entra_obo has no actor token; leave it out or set \"none\"";
                section.wrong("actor", why);
            }
            true
        }
        Some(_) => {
            section.wrong("actor", "expected \"client_credentials\" or \"none\"");
            true
        }
    }
}

/// Returns the keys of an issued token: the operator's, else those of its own issuer, else those
/// that its issuer publishes.
fn issued_keys(section: &Section<'_>, own: Option<&Issuer>) -> Option<KeySource> {
    let addresses = addresses(section);
    keys(section, &addresses)
        .or_else(|| own.map(|known| known.keys.clone()))
        .or_else(|| discovered(section, &addresses))
}

/// What an exchange asks for. What the issued token must say follows from it, unless the operator
/// says otherwise.
struct AskedFor {
    client_id: Option<String>,
    audience: Option<String>,
    scopes: Vec<String>,
    actor: bool,
}

/// Reads every key of it, so that one that is missing makes no other look unknown.
fn issued(
    section: &Section<'_>,
    asked: AskedFor,
    keys: Option<KeySource>,
    tenant: Option<IssuedTenant>,
) -> Option<IssuedSettings> {
    let expected = |key: &str| section.text(key);
    let issuer = expected("issuer");
    let audience = expected("expect_audience").or(asked.audience);
    let client = expected("expect_client").or_else(|| asked.client_id.clone());
    let agent = asked.client_id.filter(|_| asked.actor);
    let actor = expected("expect_actor").or(agent);
    let actor_issuer = expected("expect_actor_issuer");
    let subject_claim = expected("subject_claim").unwrap_or_else(|| "sub".into());
    let details = section.flag("expect_authorization_details");
    let max_lifetime = section.duration("max_lifetime", Duration::from_secs(86_400));
    let (algorithms, times) = (algorithms(section), times(section));
    let token_type = token_type(section, "at+jwt");
    let scopes = section.strings("expect_scopes").unwrap_or(asked.scopes);
    Some(IssuedSettings {
        issuer: issuer?,
        keys: keys?,
        algorithms,
        audience: audience?,
        token_type,
        subject_claim,
        tenant,
        client: client?,
        scopes,
        details: details.unwrap_or(false),
        actor,
        actor_issuer,
        max_lifetime: max_lifetime.map(|time| time.as_secs()),
        times,
    })
}

/// Returns the claim in which an issued token states the tenant: the operator's, else that of the
/// token's own issuer, else that of the issuers whose users are served.
fn issued_tenant(
    section: &Section<'_>,
    own: Option<&Issuer>,
    subject_issuers: &[String],
    issuers: &[Issuer],
) -> Option<IssuedTenant> {
    if let Some(claim) = section.text("expect_tenant_claim") {
        return Some(IssuedTenant {
            claim,
            required: true,
        });
    }
    let served = issuers
        .iter()
        .filter(|issuer| subject_issuers.contains(&issuer.settings.alias));
    let rules: Vec<_> = match own.and_then(|own| own.settings.tenant.as_ref()) {
        Some(own) => vec![Some(own)],
        None => served
            .map(|issuer| issuer.settings.tenant.as_ref())
            .collect(),
    };
    if rules.iter().any(|rule| Some(rule) != rules.first()) {
        let why = "these issuers state the tenant in different ways; set expect_tenant_claim";
        section.wrong("subject_issuers", why);
    }
    let claim = rules.into_iter().flatten().find_map(|rule| match rule {
        TenantRule::Claim(claim) => Some(claim.clone()),
        TenantRule::Fixed(_) => None,
    })?;
    Some(IssuedTenant {
        claim,
        required: false,
    })
}
