//! `[services.NAME]`: the APIs that tools may reach by name.

use std::time::Duration;

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::Issuer;
use super::issuers::{addresses, algorithms, dialled, discovered, keys, times, token_type};
use super::reader::Section;
use crate::delegation::{
    AuditHeaders, Auth, ExchangeProfile, ExchangeSettings, IssuedSettings, IssuedTenant, OnCancel,
    ServiceSettings, Subjects, Template,
};
use crate::identity::TenantRule;
use crate::tokens::ClientSettings;

/// The services that were read.
pub(super) struct ServiceSections {
    /// Those without a mistake.
    pub(super) sound: Vec<ServiceSettings>,
    /// Names of the others: a reference to one of them is not a second mistake.
    pub(super) unsound: Vec<String>,
}

pub(super) fn services(root: &Section<'_>, issuers: &[Issuer]) -> ServiceSections {
    let mut services = ServiceSections {
        sound: Vec::new(),
        unsound: Vec::new(),
    };
    for (name, section) in root.named("services") {
        let before = root.problems();
        let service = service(name.clone(), &section, issuers);
        match service.filter(|_| root.problems() == before) {
            Some(service) => services.sound.push(service),
            None => services.unsound.push(name),
        }
    }
    services
}

fn service(name: String, section: &Section<'_>, issuers: &[Issuer]) -> Option<ServiceSettings> {
    if !(1..=64).contains(&name.len())
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    {
        section.problem(
            section.start,
            format!("{name:?} is not 1 to 64 characters of [A-Za-z0-9_-]"),
        );
    }
    if !section.has("url") {
        section.problem(section.start, format!("{} is missing", section.name("url")));
    }
    let addresses = addresses(section);
    let base = dialled(section, "url", &addresses);
    let in_trust_domain = section.flag("in_trust_domain").unwrap_or(false);
    let allow: Vec<Template> = section.parsed("allow");
    let actor_issuers = aliases(section, "actor_issuers", issuers).unwrap_or_default();
    if actor_issuers.is_empty() && allow.iter().any(Template::names_actor) {
        section.wrong(
            "allow",
            "a template names the actor, so actor_issuers must list the aliases whose subjects this service knows",
        );
    }
    let shared_data = section.flag("shared_data").unwrap_or(false);
    let auth = auth(section);
    let exchange = section
        .section("exchange")
        .map(|section| exchange(&section, issuers));
    let settings = ServiceSettings {
        name,
        url: base?,
        addresses,
        in_trust_domain,
        actor_issuers,
        allow,
        shared_data,
        subjects: Subjects {
            one_space: section.flag("one_subject_space").unwrap_or(false),
            service_accounts: section.flag("service_accounts").unwrap_or(false),
        },
        answer_headers: section.parsed("answer_headers"),
        audit_headers: audit_headers(section, in_trust_domain),
        on_cancel: on_cancel(section),
        auth: auth?,
        exchange: exchange.unwrap_or_default(),
    };
    Some(settings)
}

/// Aliases of configured issuers.
fn aliases(section: &Section<'_>, key: &str, issuers: &[Issuer]) -> Option<Vec<String>> {
    let names = section.texts(key)?;
    for (name, at) in &names {
        if !issuers.iter().any(|issuer| issuer.settings.alias == *name) {
            section.problem(
                *at,
                format!("{}: no issuer has the alias {name:?}", section.name(key)),
            );
        }
    }
    let mut distinct: Vec<String> = Vec::new();
    for (name, _) in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    Some(distinct)
}

fn audit_headers(section: &Section<'_>, in_trust_domain: bool) -> AuditHeaders {
    match section.text("audit_headers").as_deref() {
        Some("full") => AuditHeaders::Full,
        Some("trace") => AuditHeaders::Trace,
        Some("none") => AuditHeaders::None,
        None if in_trust_domain => AuditHeaders::Full,
        None => AuditHeaders::None,
        Some(_) => {
            section.wrong("audit_headers", "expected \"full\", \"trace\" or \"none\"");
            AuditHeaders::None
        }
    }
}

fn on_cancel(section: &Section<'_>) -> OnCancel {
    match section.text("on_cancel").as_deref() {
        Some("finish") | None => OnCancel::Finish,
        Some("abort") => OnCancel::Abort,
        Some(_) => {
            section.wrong("on_cancel", "expected \"finish\" or \"abort\"");
            OnCancel::Finish
        }
    }
}

fn auth(section: &Section<'_>) -> Option<Auth> {
    let Some(auth) = section.section("auth") else {
        return Some(Auth::None);
    };
    match auth.required("kind")?.as_str() {
        "none" => Some(Auth::None),
        "client_credentials" => {
            let scopes = auth.strings("scopes").unwrap_or_default();
            let audience = auth.text("audience");
            let expect_scopes = auth.strings("expect_scopes").unwrap_or_default();
            Some(Auth::ClientCredentials {
                client: client(&auth)?,
                scopes,
                expect_scopes,
                audience,
            })
        }
        "static" => {
            let header = auth
                .text("header")
                .map_or(Some(AUTHORIZATION), |name| name.parse::<HeaderName>().ok());
            if header
                .as_ref()
                .is_none_or(|name| FORBIDDEN_HEADERS.contains(&name.as_str()))
            {
                auth.wrong("header", "expected a header that can carry a credential");
            }
            let prefix = auth.text("prefix").unwrap_or_default();
            Some(Auth::Static {
                header: header?,
                prefix,
                secret: auth.secret("secret_file")?,
            })
        }
        _ => {
            auth.wrong(
                "kind",
                "expected \"none\", \"client_credentials\" or \"static\"",
            );
            None
        }
    }
}

fn client(section: &Section<'_>) -> Option<ClientSettings> {
    if !section.has("token_endpoint") {
        section.problem(
            section.start,
            format!("{} is missing", section.name("token_endpoint")),
        );
    }
    let client_id = section.required("client_id");
    let client_secret = section.secret("client_secret_file");
    let addresses = addresses(section);
    let token_endpoint = dialled(section, "token_endpoint", &addresses);
    Some(ClientSettings {
        token_endpoint: token_endpoint?,
        addresses,
        client_id: client_id?,
        client_secret: client_secret?,
    })
}

fn exchange(section: &Section<'_>, issuers: &[Issuer]) -> Option<ExchangeSettings> {
    let profile = match section.text("profile").as_deref() {
        None | Some("rfc8693") => ExchangeProfile::Rfc8693,
        Some("entra_obo") => ExchangeProfile::EntraObo,
        Some(_) => {
            section.wrong("profile", "expected \"rfc8693\" or \"entra_obo\"");
            ExchangeProfile::Rfc8693
        }
    };
    let client = client(section);
    let audience = section.required("audience");
    let issuer = section.required("issuer");
    let own = issuers
        .iter()
        .find(|known| Some(&known.settings.issuer) == issuer.as_ref());
    let subject_issuers = aliases(section, "subject_issuers", issuers)
        .or_else(|| own.map(|known| vec![known.settings.alias.clone()]));
    if subject_issuers.is_none() {
        section.wrong(
            "subject_issuers",
            "it is missing: the exchange's issuer is not one of [[issuers]], so name the aliases whose users it serves",
        );
    }
    let algorithms = algorithms(section);
    let keys = keys(section, &addresses(section)).or_else(|| own.map(|known| known.keys.clone()));
    let keys = keys.or_else(|| discovered(section, &addresses(section)));
    let actor = match section.text("actor").as_deref() {
        Some("none") => false,
        None => profile == ExchangeProfile::Rfc8693,
        Some("client_credentials") => {
            if profile == ExchangeProfile::EntraObo {
                section.wrong(
                    "actor",
                    "entra_obo has no actor token; leave it out or set \"none\"",
                );
            }
            true
        }
        Some(_) => {
            section.wrong("actor", "expected \"client_credentials\" or \"none\"");
            true
        }
    };
    let scopes = section.strings("scopes").unwrap_or_default();
    let expect_scopes = section
        .strings("expect_scopes")
        .unwrap_or_else(|| scopes.clone());
    let expect_audience = section.text("expect_audience").or_else(|| audience.clone());
    let client_id = client.as_ref().map(|client| client.client_id.clone());
    let expect_actor = section
        .text("expect_actor")
        .or_else(|| client_id.clone().filter(|_| actor));
    let expect_client = section.text("expect_client").or(client_id);
    let tenant = issued_tenant(
        section,
        own,
        subject_issuers.as_deref().unwrap_or_default(),
        issuers,
    );
    let max_lifetime = section
        .duration("max_lifetime", Duration::from_secs(86_400))
        .map(|time| time.as_secs());
    let issued = (|| {
        Some(IssuedSettings {
            issuer: issuer?,
            keys: keys?,
            algorithms,
            audience: expect_audience?,
            token_type: token_type(section, "at+jwt"),
            subject_claim: section
                .text("subject_claim")
                .unwrap_or_else(|| "sub".into()),
            tenant,
            client: expect_client?,
            scopes: expect_scopes,
            details: section
                .flag("expect_authorization_details")
                .unwrap_or(false),
            actor: expect_actor,
            actor_issuer: section.text("expect_actor_issuer"),
            max_lifetime,
            times: times(section),
        })
    })();
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

const FORBIDDEN_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "trailer",
    "txn-token",
];
