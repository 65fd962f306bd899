//! `[[issuers]]`: whose tokens open the front door.

mod introspection;
mod shape;

use std::sync::Arc;
use std::time::Duration;

use super::Issuer;
use super::destination::{addresses, dialled, peer_tls};
use super::reader::Section;
use crate::characters::check_name;
use crate::egress::{AddressPolicy, PeerTls};
use crate::identity::{AgentRule, IssuerSettings, ServiceRule, ShownScopes, TenantRule, TextRule};
use crate::tokens::{Algorithm, KeyFile, KeySource, TimeRule};

pub(super) use shape::{agents, token_type};

/// Reads the issuers. `shown` are the scopes that clients are told of.
pub(super) fn issuers(root: &Section<'_>, shown: Option<&ShownScopes>) -> Vec<Issuer> {
    let sections = root.sections("issuers");
    if sections.is_empty() && !root.has("issuers") {
        root.problem(
            0,
            "[[issuers]] is missing; without an issuer no one can call",
        );
    }
    let several = sections.len() > 1;
    let mut issuers: Vec<Issuer> = Vec::new();
    for section in &sections {
        let Some(issuer) = issuer(section, several) else {
            continue;
        };
        if issuers
            .iter()
            .any(|other| other.settings.issuer == issuer.settings.issuer)
        {
            section.wrong("issuer", "duplicate issuer");
        }
        if issuers
            .iter()
            .any(|other| other.settings.alias == issuer.settings.alias)
        {
            section.wrong("alias", "duplicate alias");
        }
        introspection::check_opaque(section, &issuers, &issuer);
        if let Some(shown) = shown {
            check_prefix(section, &issuer, shown);
        }
        issuers.push(issuer);
    }
    issuers
}

/// Checks that no scope that is shown has the issuer's prefix already: clients would be told of it
/// with the prefix twice.
fn check_prefix(section: &Section<'_>, issuer: &Issuer, shown: &ShownScopes) {
    let prefix = &issuer.settings.scope_prefix;
    if let Some(scope) = shown.supported.iter().find(|scope| prefix.begins(scope)) {
        let told = format!("[server] has the scope {scope:?} with it; write scopes without it");
        section.wrong("scope_prefix", &told);
    }
}

fn issuer(section: &Section<'_>, several: bool) -> Option<Issuer> {
    let name = section.required("issuer");
    let alias = if several {
        section.required("alias")
    } else {
        section.text("alias").or(Some("default".into()))
    };
    if alias.as_ref().is_some_and(|alias| !is_alias(alias)) {
        section.wrong("alias", "expected 1 to 32 characters of [a-z0-9_-]");
    }
    let algorithms = algorithms(section);
    let (addresses, tls) = (addresses(section), peer_tls(section));
    let keys = match keys(section, &addresses, &tls) {
        Some(keys) => name
            .as_deref()
            .map(|name| is_sound(section, "issuer", name))
            .and(Some(keys)),
        None => discovered(section, &addresses, &tls),
    };
    let settings = (|| {
        Some(IssuerSettings {
            issuer: name?,
            alias: alias?,
            audience: shape::audience(section),
            token_type: token_type(section, "at+jwt"),
            times: times(section),
            subject_claim: section
                .text("subject_claim")
                .unwrap_or_else(|| "sub".into()),
            scope_claim: section.text("scope_claim"),
            scope_prefix: shape::scope_prefix(section),
            client: shape::client(section),
            tenant: tenant(section),
            agent: agent(section),
            service_when: service_when(section),
            agents: Arc::default(),
        })
    })();
    if let Some(settings) = &settings {
        shape::check_without_subject(section, settings);
    }
    let introspection = introspection::introspection(section);
    section.finish();
    Some(Issuer {
        settings: settings?,
        keys: keys?,
        algorithms,
        introspection,
    })
}

/// Checks that the value of a key is a name as tokens have it; notes a problem if it is not.
pub(super) fn is_sound(section: &Section<'_>, key: &str, name: &str) -> bool {
    let fault = match check_name(name) {
        Ok(()) if name.is_empty() => Some("it is empty".to_owned()),
        Ok(()) => None,
        Err(unfit) => Some(unfit.to_string()),
    };
    fault
        .as_deref()
        .inspect(|fault| section.wrong(key, fault))
        .is_none()
}

fn is_alias(alias: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    };
    (1..=32).contains(&alias.len()) && alias.bytes().all(plain)
}

pub(super) fn algorithms(section: &Section<'_>) -> Vec<Algorithm> {
    let Some(names) = section.texts("algorithms") else {
        return Algorithm::ALL.to_vec();
    };
    if names.is_empty() {
        section.wrong("algorithms", "the list is empty");
    }
    let named = |(name, at): (String, usize)| {
        let algorithm = Algorithm::named(&name);
        if algorithm.is_none() {
            section.problem(
                at,
                format!("{name:?} is not one of ES256, EdDSA (or Ed25519), RS256, PS256"),
            );
        }
        algorithm
    };
    names.into_iter().filter_map(named).collect()
}

pub(super) fn keys(
    section: &Section<'_>,
    addresses: &AddressPolicy,
    tls: &PeerTls,
) -> Option<KeySource> {
    let file = section.text("jwks_file").map(|path| section.beside(&path));
    if let Some(path) = &file {
        section.check_named("jwks_file", path);
    }
    let file = file.map(|path| {
        KeySource::File(KeyFile {
            path,
            trust: section.trust(),
        })
    });
    let remote = dialled(section, "jwks_uri", addresses).map(|url| KeySource::Remote {
        url,
        addresses: addresses.clone(),
        tls: tls.clone(),
    });
    if file.is_some() && remote.is_some() {
        section.wrong("jwks_file", "set jwks_uri or jwks_file, not both");
    }
    file.or(remote)
}

/// Returns the issuer's own metadata as the source of keys. Without `jwks_uri` and `jwks_file` the
/// issuer itself is dialled, so the rules of `jwks_uri` hold for it.
pub(super) fn discovered(
    section: &Section<'_>,
    addresses: &AddressPolicy,
    tls: &PeerTls,
) -> Option<KeySource> {
    let issuer = section.text("issuer")?;
    if is_sound(section, "issuer", &issuer) && !section.has("jwks_uri") && !section.has("jwks_file")
    {
        dialled(section, "issuer", addresses);
    }
    Some(KeySource::Discovered {
        issuer,
        addresses: addresses.clone(),
        tls: tls.clone(),
    })
}

/// Reads how long tokens may be valid, and by how much the issuer's clock may be ahead.
pub(super) fn times(section: &Section<'_>) -> TimeRule {
    let usual = TimeRule::default();
    let seconds = |key: &str, max, default| {
        section
            .duration(key, max)
            .map_or(default, |time| time.as_secs())
    };
    TimeRule {
        lifetime: seconds("max_token_lifetime", YEAR, usual.lifetime),
        age: seconds("max_token_age", YEAR, usual.age),
        skew: seconds("clock_skew", MAX_SKEW, usual.skew),
    }
}

fn tenant(section: &Section<'_>) -> Option<TenantRule> {
    let rule = section.section("tenant")?;
    match (rule.text("claim"), rule.text("fixed")) {
        (Some(claim), None) => Some(TenantRule::Claim(claim)),
        (None, Some(tenant)) => {
            is_sound(&rule, "fixed", &tenant).then_some(TenantRule::Fixed(tenant))
        }
        _ => {
            section.wrong(
                "tenant",
                "expected { claim = \"...\" } or { fixed = \"...\" }",
            );
            None
        }
    }
}

fn agent(section: &Section<'_>) -> AgentRule {
    let Some(rule) = section.section("agent") else {
        return AgentRule::ActorOrClient;
    };
    rule.required("claim")
        .map_or(AgentRule::ActorOrClient, AgentRule::Claim)
}

fn service_when(section: &Section<'_>) -> ServiceRule {
    if section.is_text("service_when") {
        if section.text("service_when").as_deref() != Some("sub_is_client") {
            section.wrong(
                "service_when",
                "expected \"sub_is_client\", or claim and one of prefix, suffix and equals",
            );
        }
        return ServiceRule::SubjectIsClient;
    }
    let Some(rule) = section.section("service_when") else {
        return ServiceRule::SubjectIsClient;
    };
    let fits = match (
        rule.text("prefix"),
        rule.text("suffix"),
        rule.text("equals"),
    ) {
        (Some(text), None, None) if !text.is_empty() => Some(TextRule::Begins(text)),
        (None, Some(text), None) if !text.is_empty() => Some(TextRule::Ends(text)),
        (None, None, Some(text)) if !text.is_empty() => Some(TextRule::Equals(text)),
        _ => {
            section.wrong(
                "service_when",
                "it needs claim and exactly one of prefix, suffix and equals",
            );
            None
        }
    };
    match (rule.required("claim"), fits) {
        (Some(claim), Some(fits)) => ServiceRule::Claim { claim, fits },
        _ => ServiceRule::SubjectIsClient,
    }
}

const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const MAX_SKEW: Duration = Duration::from_mins(5);
