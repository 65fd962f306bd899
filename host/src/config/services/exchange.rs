//! `[services.NAME.exchange]`: how a user's token becomes one for the service, and what the issued
//! token must say.

use std::collections::BTreeSet;
use std::time::Duration;

use super::aliases;
use crate::config::Issuer;
use crate::config::client::client as host_client;
use crate::config::destination::{addresses, peer_tls};
use crate::config::issuers::{algorithms, discovered, keys, times, token_type};
use crate::config::reader::Section;
use crate::delegation::{
    DialectError, ExchangeDialect, ExchangeSettings, IssuedSettings, IssuedTenant,
};
use crate::identity::TenantRule;
use crate::tokens::{ClientSettings, KeySource};

pub(super) fn exchange(section: &Section<'_>, issuers: &[Issuer]) -> Option<ExchangeSettings> {
    let dialect = dialect(section);
    let audience = section.required("audience");
    let issuer = section.required("issuer");
    // The issuer of the issued token is the last authorization server that is asked.
    let is_chain = dialect.as_ref().is_some_and(ExchangeDialect::is_chain);
    let server = issuer.as_deref().filter(|_| !is_chain);
    let client = host_client(section, "token_endpoint", server);
    let then = then(section, is_chain, issuer.as_deref());
    let parameters = parameters(section, dialect.as_ref());
    let own = issuers
        .iter()
        .find(|known| Some(&known.settings.issuer) == issuer.as_ref());
    let subject_issuers = subject_issuers(section, own, issuers);
    let actor = has_actor(section, dialect.as_ref());
    let scopes = section.strings("scopes").unwrap_or_default();
    let served = subject_issuers.as_deref().unwrap_or_default();
    let asked = AskedFor {
        client_id: then
            .as_ref()
            .or(client.as_ref())
            .map(|client| client.client_id.clone()),
        audience: audience.clone(),
        scopes: scopes.clone(),
        actor,
    };
    let tenant = issued_tenant(section, own, served, issuers);
    let issued = issued(section, asked, issued_keys(section, own), tenant);
    Some(ExchangeSettings {
        client: client?,
        dialect: dialect?,
        parameters,
        then,
        audience: audience?,
        scopes,
        actor,
        actor_audience: section.text("actor_audience"),
        subject_issuers: subject_issuers?,
        issued: issued?,
    })
}

/// Reads the dialect: one that comes with the host, or one from a file.
fn dialect(section: &Section<'_>) -> Option<ExchangeDialect> {
    let name = section.text("profile");
    if let Some(path) = section.text("profile_file") {
        if name.is_some() {
            section.wrong("profile_file", "set profile or profile_file, not both");
        }
        let path = section.beside(&path);
        let text = section.settings("profile_file", &path)?;
        let wrong = |error: &DialectError| {
            section.wrong("profile_file", &format!("{}: {error}", path.display()));
        };
        return ExchangeDialect::parse(&text).inspect_err(wrong).ok();
    }
    let dialect = ExchangeDialect::named(name.as_deref().unwrap_or("rfc8693"));
    if dialect.is_none() {
        let names: Vec<_> = ExchangeDialect::names().collect();
        let why = format!("expected one of {}, or set profile_file", names.join(", "));
        section.wrong("profile", &why);
    }
    dialect
}

/// Reads the host's client at the second authorization server, if one is asked.
fn then(section: &Section<'_>, is_chain: bool, issuer: Option<&str>) -> Option<ClientSettings> {
    let then = section.section("then");
    match (then, is_chain) {
        (Some(then), true) => host_client(&then, "token_endpoint", issuer),
        (None, true) => {
            let why = "it is missing: the profile asks a second authorization server, so set \
                       then = { token_endpoint = \"...\", client_id = \"...\", ... }";
            section.wrong("then", why);
            None
        }
        (Some(then), false) => {
            let _read = then.keys();
            section.wrong("then", "the profile asks one authorization server alone");
            None
        }
        (None, false) => None,
    }
}

/// Reads exactly the values that the dialect leaves to the operator.
fn parameters(section: &Section<'_>, dialect: Option<&ExchangeDialect>) -> Vec<(String, String)> {
    let wanted: BTreeSet<&str> = dialect
        .into_iter()
        .flat_map(ExchangeDialect::parameters)
        .collect();
    let Some(table) = section.section("parameters") else {
        if let Some(name) = wanted.first() {
            let why = format!("it is missing: the profile needs {name}");
            section.wrong("parameters", &why);
        }
        return Vec::new();
    };
    let read = |name: &str| {
        let value: String = table.required(name)?;
        if let Some(why) = dialect.and_then(|dialect| dialect.refusal_of(name, &value)) {
            table.wrong(name, why);
        }
        Some((name.to_owned(), value))
    };
    wanted.into_iter().filter_map(read).collect()
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
fn has_actor(section: &Section<'_>, dialect: Option<&ExchangeDialect>) -> bool {
    let possible = dialect.is_none_or(ExchangeDialect::has_actor);
    match section.text("actor").as_deref() {
        Some("none") => false,
        None => possible,
        Some("client_credentials") => {
            if !possible {
                let why = "the profile has no actor token; leave it out or set \"none\"";
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
    let (addresses, tls) = (addresses(section), peer_tls(section));
    keys(section, &addresses, &tls)
        .or_else(|| own.map(|known| known.keys.clone()))
        .or_else(|| discovered(section, &addresses, &tls))
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
    let opaque = section.flag("expect_opaque").unwrap_or(false);
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
        opaque,
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
