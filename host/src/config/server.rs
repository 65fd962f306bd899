//! `[server]`, `[envelope]`, `[audit]` and `[limits]`.

mod folders;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::presentation::{presentation, scopes, visibility};
use super::reader::Section;
use crate::audit;
use crate::denials::DenialFile;
use crate::dispatch::Visibility;
use crate::identity::ShownScopes;
use crate::limits::{Limits, Room, Unit};
use crate::owned::Trust;
use crate::transport::Presentation;
pub(super) use folders::check_folders;

/// `[server]`.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The canonical URI of the MCP resource; derived from the bound address if absent.
    pub resource: Option<String>,
    /// Origins that a browser may call from.
    pub allowed_origins: Vec<String>,
    /// Hosts that address this server, besides the resource's.
    pub allowed_hosts: Vec<String>,
    /// Proxies that many clients come through: their connections have no share to exceed.
    pub trusted_proxies: Vec<IpNet>,
    /// The scopes that anyone may learn of, by their short names.
    pub scopes: ShownScopes,
    /// The rule about which tools a caller is shown.
    pub visibility: Visibility,
    /// The description of this server.
    pub presentation: Presentation,
    /// Whether clients of revisions before 2026-07-28 get sessions.
    pub sessions: bool,
    /// The tools folder.
    pub tools: PathBuf,
    /// The folder of compiled code; beside the key folder if absent.
    pub cache: Option<PathBuf>,
    /// Whether a component's tools are offered only as the operator accepted them. A component's
    /// own section may say otherwise.
    pub require_acceptance: bool,
    /// The file that `bailiwick accept` writes.
    pub accepted: PathBuf,
    /// The file that `bailiwick deny` writes; in the memory of the journal if absent.
    pub denials: Option<PathBuf>,
    /// The users, groups and folders that are trusted with files, besides root and this user.
    pub trust: Trust,
}

impl ServerSettings {
    /// Returns the folder of compiled code.
    pub fn cache(&self, envelope: &EnvelopeSettings) -> PathBuf {
        self.cache
            .clone()
            .unwrap_or_else(|| envelope.keys.with_file_name("cache"))
    }

    /// Returns the files of the denials.
    pub fn denials(&self, audit: &AuditSettings) -> DenialFile {
        let path = self.denials.clone();
        let path = path.unwrap_or_else(|| audit.memory.join("denials.json"));
        DenialFile::new(path, &audit.memory, self.trust.clone())
    }
}

/// Returns the settings of the journal.
pub(super) fn journal(
    server: &ServerSettings,
    envelope: &EnvelopeSettings,
    audit: &AuditSettings,
) -> audit::Settings {
    audit::Settings {
        folder: audit.folder.clone(),
        memory: audit.memory.clone(),
        trust: server.trust.clone(),
        refusals_per_second: audit.refusals_per_second,
        segment_bytes: 64 << 20,
        preallocate: audit.preallocate,
        append_deadline: Duration::from_secs(2),
        origin: format!("{}/audit", envelope.trust_domain),
    }
}

/// `[envelope]`.
#[derive(Debug, Clone)]
pub struct EnvelopeSettings {
    /// The trust domain of transaction tokens.
    pub trust_domain: String,
    /// The key folder.
    pub keys: PathBuf,
    /// Longest validity, seconds.
    pub lifetime: u64,
}

/// `[audit]`.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// The journal's folder.
    pub folder: PathBuf,
    /// The folder in which the host remembers the newest checkpoint.
    pub memory: PathBuf,
    /// Refusals recorded one by one, per second: of all unknown callers, and of each known one.
    pub refusals_per_second: u32,
    /// Whether segments get room ahead.
    pub preallocate: bool,
}

pub(super) fn server(root: &Section<'_>) -> Option<ServerSettings> {
    let section = root.section("server");
    if section.is_none() {
        root.problem(0, "[server] is missing");
    }
    let section = section?;
    let listen = section.required("listen");
    let address: Option<SocketAddr> = listen.as_deref().and_then(|listen| listen.parse().ok());
    if listen.is_some() && address.is_none() {
        section.wrong(
            "listen",
            "expected an address and port, such as 127.0.0.1:8080",
        );
    }
    let resource = section.text("resource");
    match &resource {
        Some(resource) => check_resource(&section, resource),
        None if address.is_some_and(|address| !address.ip().is_loopback()) => {
            section.wrong(
                "resource",
                "it may be left out only when listening on loopback; set the public https URL",
            );
        }
        None => {}
    }
    let tools = section.text("tools").unwrap_or_else(|| "tools".into());
    let allowed_origins = origins(&section);
    let allowed_hosts = hosts(&section);
    let trusted_proxies = section.parsed("trusted_proxies");
    let initial = scopes(&section, "initial_scopes");
    let mut supported = initial.clone();
    supported.extend(scopes(&section, "scopes_supported"));
    let visibility = visibility(&section, &supported);
    let presentation = presentation(&section);
    let cache = section.text("cache").map(|cache| section.beside(&cache));
    let sessions = section.flag("sessions").unwrap_or(false);
    let require_acceptance = section.flag("require_acceptance").unwrap_or(false);
    let accepted = section.text("accepted");
    let accepted = section.beside(accepted.as_deref().unwrap_or("accepted.json"));
    let denials = section.text("denials").map(|file| section.beside(&file));
    let tools = section.beside(&tools);
    let trust = trust(&section);
    let listen = address?;
    Some(ServerSettings {
        listen,
        resource,
        allowed_origins,
        allowed_hosts,
        trusted_proxies,
        scopes: ShownScopes { initial, supported },
        visibility,
        presentation,
        sessions,
        tools,
        cache,
        require_acceptance,
        accepted,
        denials,
        trust,
    })
}

/// Reads `allowed_hosts`, in the form in which the doors compare them.
pub(super) fn hosts(section: &Section<'_>) -> Vec<String> {
    let names = section.texts("allowed_hosts").unwrap_or_default();
    let host = |(name, at): (String, usize)| {
        let host = canonical_host(&name);
        if host.is_none() {
            section.problem(
                at,
                format!(
                    "{}: {name:?}: expected a host name or address without a port, such as \
                     mcp.example.com",
                    section.name("allowed_hosts")
                ),
            );
        }
        host
    };
    names.into_iter().filter_map(host).collect()
}

/// Returns the host that `name` is, and nothing else, in the form of a URL's host: in lower case.
fn canonical_host(name: &str) -> Option<String> {
    let bracketed = name.starts_with('[') && name.ends_with(']');
    let plain = name
        .chars()
        .all(|character| character.is_alphanumeric() || "-._".contains(character));
    if !(bracketed || plain) {
        return None;
    }
    url::Host::parse(name).ok().map(|host| host.to_string())
}

/// Reads the trust, and holds all files that are read from here on to it.
fn trust(section: &Section<'_>) -> Trust {
    let folders = section.strings("trusted_folders").unwrap_or_default();
    let trust = Trust {
        users: section.ids("trusted_users").into_iter().collect(),
        groups: section.ids("trusted_groups").into_iter().collect(),
        folders: folders
            .iter()
            .map(|folder| section.beside(folder))
            .collect(),
    };
    section.rely_on(&trust);
    trust
}

/// Checks the resource: https, no fragment (RFC 9728 §1.2, RFC 8707 §2), and canonical, so that it
/// can be compared exactly.
fn check_resource(section: &Section<'_>, resource: &str) {
    let wrong = |why| section.wrong("resource", why);
    let Ok(url) = Url::parse(resource) else {
        return wrong("expected an absolute URL");
    };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        wrong("it must be https (http only on loopback)");
    }
    if url.fragment().is_some()
        || url.query().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        wrong("it must have no query, fragment or user");
    }
    if resource.ends_with('/') || url.as_str().trim_end_matches('/') != resource {
        wrong(&format!(
            "it is not in canonical form; write {:?}",
            url.as_str().trim_end_matches('/')
        ));
    }
}

fn origins(section: &Section<'_>) -> Vec<String> {
    let origins = section.texts("allowed_origins").unwrap_or_default();
    for (origin, at) in &origins {
        let canonical = Url::parse(origin)
            .ok()
            .map(|url| url.origin())
            .filter(url::Origin::is_tuple);
        if canonical.is_none_or(|canonical| canonical.ascii_serialization() != *origin) {
            section.problem(
                *at,
                format!(
                    "{}: {origin:?}: expected an origin without a path or a final slash, such as \
                     \"https://app.example.com\"",
                    section.name("allowed_origins")
                ),
            );
        }
    }
    origins.into_iter().map(|(origin, _)| origin).collect()
}

pub(super) fn envelope(root: &Section<'_>) -> Option<EnvelopeSettings> {
    let Some(section) = root.section("envelope") else {
        root.problem(
            0,
            "[envelope] is missing; it needs trust_domain, such as \"acme.example\"",
        );
        return None;
    };
    let lifetime = section
        .duration("lifetime", MAX_LIFETIME)
        .unwrap_or(MAX_LIFETIME);
    let keys = section.text("keys").unwrap_or_else(|| "keys".into());
    let trust_domain = section.required("trust_domain");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    if trust_domain
        .as_ref()
        .is_some_and(|name| !(1..=128).contains(&name.len()) || !name.bytes().all(plain))
    {
        section.wrong(
            "trust_domain",
            "expected a name such as \"acme.example\" (letters, digits, . and -)",
        );
    }
    Some(EnvelopeSettings {
        trust_domain: trust_domain?,
        keys: section.beside(&keys),
        lifetime: lifetime.as_secs().max(1),
    })
}

/// Reads `[audit]`; the memory is in the key folder unless it says otherwise.
pub(super) fn audit(
    root: &Section<'_>,
    envelope: Option<&EnvelopeSettings>,
) -> Option<AuditSettings> {
    let Some(section) = root.section("audit") else {
        root.problem(
            0,
            "[audit] is missing; it needs folder: without a journal there are no calls",
        );
        return None;
    };
    let per_second = section
        .number("refusals_per_second", 1..=100_000)
        .unwrap_or(REFUSALS_PER_SECOND);
    let memory = section.text("memory").map(|memory| section.beside(&memory));
    Some(AuditSettings {
        folder: section.beside(&section.required("folder")?),
        memory: memory.or_else(|| Some(envelope?.keys.clone()))?,
        refusals_per_second: u32::try_from(per_second).unwrap_or(u32::MAX),
        preallocate: section.flag("preallocate").unwrap_or(true),
    })
}

pub(super) fn limits(root: &Section<'_>) -> Limits {
    let mut limits = Limits::within(Room::here());
    let Some(section) = root.section("limits") else {
        return limits;
    };
    for limit in Limits::ALL {
        let value = match limit.unit {
            Unit::Count => section.number(limit.key, limit.min..=limit.max),
            Unit::Bytes => section.size(limit.key, limit.min..=limit.max),
            Unit::Time => section
                .duration(limit.key, Duration::from_millis(limit.max))
                .map(milliseconds),
        };
        match value {
            Some(value) if value < limit.min => {
                section.wrong(
                    limit.key,
                    &format!("expected at least {:?}", Duration::from_millis(limit.min)),
                );
            }
            Some(value) => limits.set(limit.key, value),
            None => {}
        }
    }
    limits
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// At this rate, a flood that lasts a day writes a few hundred MiB.
const REFUSALS_PER_SECOND: u64 = 10;
const MAX_LIFETIME: Duration = Duration::from_secs(300);
