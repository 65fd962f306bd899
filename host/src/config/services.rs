//! `[services.NAME]`: the APIs that tools may reach by name.

mod exchange;
mod headers;
mod reissue;
mod remote;

use std::time::Duration;

use http::HeaderName;

use super::Issuer;
use super::auth::auth;
use super::destination::{addresses, dialled, peer_tls};
use super::reader::Section;
use super::reissue::Reissuer;
use crate::delegation::{
    AuditHeaders, Auth, HeaderRole, OnCancel, ServiceSettings, Subjects, Template, UnderPolicy,
};
use crate::egress::{Deadlines, PeerTls};
use crate::limits::Limits;
use exchange::exchange;
use headers::headers;
use reissue::{check_apart, reissue};
use remote::remote;

/// The services that were read.
pub(super) struct ServiceSections {
    /// Those without a mistake.
    pub(super) sound: Vec<ServiceSettings>,
    /// Names of the others: a reference to one of them is not a second mistake.
    pub(super) unsound: Vec<String>,
}

/// What was read before the services.
#[derive(Clone, Copy)]
pub(super) struct ReadBefore<'c> {
    pub(super) issuers: &'c [Issuer],
    pub(super) limits: &'c Limits,
    /// The host as an issuer, if it is one and that was read without a mistake.
    pub(super) reissuer: Option<&'c Reissuer>,
    /// True if there is a `[reissue]`.
    pub(super) reissues: bool,
}

pub(super) fn services(root: &Section<'_>, read: ReadBefore<'_>) -> ServiceSections {
    let mut services = ServiceSections {
        sound: Vec::new(),
        unsound: Vec::new(),
    };
    for (name, section) in root.named("services") {
        let before = root.problems();
        if section.has("policy_point") && !root.has("policy_point") {
            section.wrong("policy_point", "there is no [policy_point]");
        }
        let service = service(name.clone(), &section, read);
        match service.filter(|_| root.problems() == before) {
            Some(service) => services.sound.push(service),
            None => services.unsound.push(name),
        }
    }
    if let Some(reissuer) = read.reissuer {
        check_apart(root, &services.sound, reissuer);
    }
    services
}

fn service(name: String, section: &Section<'_>, read: ReadBefore<'_>) -> Option<ServiceSettings> {
    let (issuers, limits) = (read.issuers, read.limits);
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
    let one_account = section.flag("one_account").unwrap_or(false);
    let auth = auth(section, issuers);
    check_shared(section, auth.as_ref());
    check_parameter(section, auth.as_ref(), &allow);
    let idempotency = idempotency(section);
    if idempotency.is_some() && auth.as_ref().and_then(Auth::header) == idempotency.as_ref() {
        section.wrong(
            "idempotency",
            "the header carries the credential (auth.header)",
        );
    }
    let own = auth.as_ref().and_then(Auth::header);
    let headers = headers(section, [own, idempotency.as_ref()]);
    let named = headers.iter().map(|(name, _)| name);
    let remote = remote(section, &allow, named.chain(own.map(HeaderName::as_str)));
    let exchange = section
        .section("exchange")
        .map(|section| exchange(&section, issuers));
    let reissue = section
        .section("reissue")
        .map(|section| reissue(&section, read.reissuer, read.reissues));
    if exchange.is_some() && reissue.is_some() {
        let why = "the service has an exchange; a user's authority there has one source, and \
                   nothing takes its place when it fails";
        section.wrong("reissue", why);
    }
    let settings = ServiceSettings {
        name,
        url: base?,
        remote,
        addresses,
        tls: peer(section, "url"),
        in_trust_domain,
        actor_issuers,
        allow,
        shared_data,
        one_account,
        subjects: Subjects {
            one_space: section.flag("one_subject_space").unwrap_or(false),
            service_accounts: section.flag("service_accounts").unwrap_or(false),
        },
        headers,
        answer_headers: section.parsed("answer_headers"),
        audit_headers: audit_headers(section, in_trust_domain),
        on_cancel: on_cancel(section),
        idempotency,
        deadlines: deadlines(section, limits.downstream_time),
        concurrency: concurrency(section),
        policy_point: match section.flag("policy_point") {
            Some(false) => UnderPolicy::Exempt,
            Some(true) | None => UnderPolicy::IfAny,
        },
        auth: auth?,
        exchange: exchange.unwrap_or_default(),
        reissue: reissue.map_or(Some(None), |read| read.map(Some))?,
    };
    Some(settings)
}

/// Checks that what the operator says about a service's data fits its keys.
fn check_shared(section: &Section<'_>, auth: Option<&Auth>) {
    let says = |key| section.flag(key).unwrap_or(false);
    let (shared, one) = (says("shared_data"), says("one_account"));
    if shared && one {
        let why = "shared_data says that all users may see the same; set one of both";
        section.wrong("one_account", why);
    }
    if let Some(Auth::Static(auth)) = auth
        && !auth.is_one()
        && shared
    {
        let why = "its users have different keys (auth.secrets_by), so they do not see the same";
        section.wrong("shared_data", why);
    }
    if let Some(Auth::Static(auth)) = auth
        && auth.is_by_user()
        && one
    {
        section.wrong("one_account", "each user has a key (auth.secrets_by)");
    }
}

/// Checks that no tool may send the parameter that carries the key.
fn check_parameter(section: &Section<'_>, auth: Option<&Auth>, allow: &[Template]) {
    if let Some(name) = auth.and_then(Auth::query)
        && let Some(template) = allow.iter().find(|one| one.has_parameter(name))
    {
        let why =
            format!("{template} has the parameter {name}, which carries the key (auth.query)");
        section.wrong("allow", &why);
    }
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

/// Reads what is peculiar to the TLS of the destination whose URL `key` has, with `http2`.
pub(super) fn peer(section: &Section<'_>, key: &str) -> PeerTls {
    let mut peer = peer_tls(section);
    if section.flag("http2") == Some(true) {
        peer.set_http2();
        if section
            .text(key)
            .is_some_and(|url| url.starts_with("http:"))
        {
            section.wrong("http2", "HTTP/2 needs an https URL");
        }
    }
    peer
}

/// Reads the most requests to a destination at the same time.
pub(super) fn concurrency(section: &Section<'_>) -> usize {
    let number = section.number("concurrency", 1..=768);
    number
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(CONCURRENCY)
}

/// Reads the deadlines of a destination, which lie within `most`.
pub(super) fn deadlines(section: &Section<'_>, most: Duration) -> Deadlines {
    let Some(table) = section.section("deadlines") else {
        return Deadlines::below(most);
    };
    let within = |key: &str, most: Duration, usual: Option<Duration>| {
        let given = table.duration(key, LONGEST);
        if let Some(given) = given.filter(|given| *given > most) {
            let told = format!("{given:?} is longer than the {most:?} for everything");
            let raise = "; that is deadlines.total, or else limits.downstream_time";
            table.wrong(key, &(told + raise));
        }
        given.or(usual).unwrap_or(most)
    };
    let total = within("total", most, None);
    let usual = Deadlines::below(total);
    Deadlines {
        connect: within("connect", total, Some(usual.connect)),
        tls: within("tls", total, Some(usual.tls)),
        first_byte: within("first_byte", total, Some(usual.first_byte)),
        between_bytes: within("between_bytes", total, Some(usual.between_bytes)),
        total,
    }
}

/// Reads the header that carries the keys of changes.
fn idempotency(section: &Section<'_>) -> Option<HeaderName> {
    let name: Option<HeaderName> = section.text("idempotency")?.parse().ok();
    let name = name.filter(|name| HeaderRole::may_carry_key(name.as_str()));
    if name.is_none() {
        section.wrong(
            "idempotency",
            "expected a header that carries nothing else, such as \"Idempotency-Key\"",
        );
    }
    name
}

/// A quarter of the calls that a host runs at the same time, so that one service never has them
/// all.
const CONCURRENCY: usize = 128;
/// The longest time that anything downstream may take.
const LONGEST: Duration = Duration::from_secs(60);
