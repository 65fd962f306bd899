//! The lines of the configuration that grant what was imported, written by a serializer.
//!
//! Invariant: nothing of the description is written as a key or a value but the lines of `allow`,
//! which are parsed as templates before; its servers and scopes are comments, for the operator to
//! look at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::endpoint::EndpointKeys;
use crate::characters::printable;

/// The sections.
#[derive(Serialize)]
struct GrantSections<'s> {
    services: BTreeMap<&'s str, ServiceSection<'s>>,
    components: BTreeMap<&'s str, ComponentSection<'s>>,
}

#[derive(Default, Serialize)]
struct ServiceSection<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    place: Option<&'s EndpointKeys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'s str>,
    allow: BTreeSet<&'s str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    definitions: BTreeMap<&'s str, &'s str>,
}

#[derive(Serialize)]
struct ComponentSection<'s> {
    digest: &'s str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allow_parameters: &'s [String],
    services: BTreeMap<&'s str, &'static str>,
}

/// What is granted.
pub(super) struct ImportedGrant<'s> {
    pub(super) service: &'s str,
    pub(super) granted: GrantedService<'s>,
    /// The component.
    pub(super) name: &'s str,
    pub(super) digest: &'s str,
    pub(super) lines: &'s BTreeSet<&'s str>,
    /// Parameters that are called as an identity or a credential, and are something else.
    pub(super) allowed: &'s [String],
}

/// The service that the tools ask.
pub(super) enum GrantedService<'s> {
    /// An API.
    Api {
        /// The servers in the description.
        servers: &'s [String],
        /// The scopes that the description wants of a token for the service, by tools.
        scopes: BTreeMap<&'s str, &'s [String]>,
    },
    /// An MCP server, which the operator named.
    Remote {
        /// The way to it.
        place: &'s EndpointKeys,
        revision: &'static str,
        /// The pins of its tools.
        pins: BTreeMap<&'s str, &'s str>,
    },
}

/// Returns the lines of the configuration.
pub(super) fn text(grant: &ImportedGrant<'_>) -> Result<String, toml::ser::Error> {
    let service = grant.service;
    let section = ComponentSection {
        digest: grant.digest,
        allow_parameters: grant.allowed,
        services: BTreeMap::from([(service, MODE)]),
    };
    let sections = GrantSections {
        services: BTreeMap::from([(service, grant.section())]),
        components: BTreeMap::from([(grant.name, section)]),
    };
    let written = toml::to_string_pretty(&sections)?;
    let (place, about) = match &grant.granted {
        GrantedService::Api { servers, scopes } => {
            ("url, and how", named(servers) + &wanted(service, scopes))
        }
        GrantedService::Remote { .. } => ("how", format!("# {PINNED}\n")),
    };
    let actor = if grant.lines.iter().any(|line| line.contains("{actor.")) {
        "# - [services] actor_issuers: the issuers whose subjects the service knows\n"
    } else {
        ""
    };
    Ok(format!(
        "{HEAD} To decide before it goes into the configuration:\n\
         # - [services] {place} the host proves itself there ([services.{service}.auth] or \
         .exchange)\n\
         {actor}\
         # - [components] services: \"on_behalf_of\", \"restricted_user\" or \"service_identity\"\n\
         # - [components] scopes: what a caller's token must have\n\
         {about}\n\
         {written}"
    ))
}

/// Returns true if a file has lines that [`text`] wrote.
pub(super) fn is_grant(bytes: &[u8]) -> bool {
    bytes.starts_with(HEAD.as_bytes())
}

impl<'s> ImportedGrant<'s> {
    fn section(&self) -> ServiceSection<'s> {
        let section = ServiceSection {
            allow: self.lines.clone(),
            ..ServiceSection::default()
        };
        match self.granted {
            GrantedService::Api { .. } => section,
            GrantedService::Remote {
                place,
                revision,
                ref pins,
            } => ServiceSection {
                kind: Some("mcp"),
                place: Some(place),
                revision: Some(revision),
                definitions: pins.clone(),
                ..section
            },
        }
    }
}

/// Returns the comment about the servers.
fn named(servers: &[String]) -> String {
    if servers.is_empty() {
        return "# The description names no server.\n".to_owned();
    }
    let shown = servers.iter().take(MOST_SERVERS);
    let mut lines: Vec<String> = shown
        .map(|url| format!("#   {}\n", one_line(url)))
        .collect();
    if servers.len() > MOST_SERVERS {
        lines.push(format!("#   and {} more\n", servers.len() - MOST_SERVERS));
    }
    let lines = lines.concat();
    format!("# Servers that the description names; the url is yours to say:\n{lines}")
}

/// Returns the comment about the scopes of tokens for the service, which are not those of a
/// caller's token.
fn wanted(service: &str, scopes: &BTreeMap<&str, &[String]>) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    let all: BTreeSet<&String> = scopes.values().copied().flatten().collect();
    let lines = scopes
        .iter()
        .map(|(tool, scopes)| format!("#   {tool}: {}\n", array(scopes.iter())));
    format!(
        "# Scopes that the description wants of a token for the service \
         ([services.{service}.exchange]):\n# scopes = {}\n{}",
        array(all.into_iter()),
        lines.collect::<String>()
    )
}

/// Returns texts as an array of TOML in one line.
fn array<'t>(texts: impl Iterator<Item = &'t String>) -> String {
    let texts = texts.map(|text| toml::Value::String(text.clone()));
    toml::Value::Array(texts.collect()).to_string()
}

/// Returns a text that stays within its comment.
fn one_line(text: &str) -> String {
    format!("{:?}", printable(text))
}

/// What the lines begin with.
const HEAD: &str = "# What the imported tools ask for, and nothing else.";
/// What an operator would choose first; a service without an exchange refuses it.
const MODE: &str = "on_behalf_of";
const PINNED: &str = "A tool whose definition is no longer the pinned one is refused: import again \
                      to see what changed";
/// The servers that are named.
const MOST_SERVERS: usize = 16;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::super::endpoint::{RemoteEndpoint, RemoteWay};
    use super::{GrantedService, ImportedGrant, MOST_SERVERS, text};

    /// What is written for an API with these servers, of which two tools want scopes.
    fn of_api(lines: &[&str], allowed: &[&str], servers: &[&str]) -> String {
        let texts = |texts: &[&str]| -> Vec<String> {
            texts.iter().map(|text| (*text).to_owned()).collect()
        };
        let (read, both) = (texts(&["read"]), texts(&["read", "write"]));
        let api = GrantedService::Api {
            servers: &texts(servers),
            scopes: BTreeMap::from([("find", read.as_slice()), ("make", both.as_slice())]),
        };
        written(lines, allowed, api)
    }

    fn written(lines: &[&str], allowed: &[&str], granted: GrantedService<'_>) -> String {
        let allowed: Vec<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let grant = ImportedGrant {
            service: "shop_api",
            granted,
            name: "shop",
            digest: "sha256:00",
            lines: &lines.iter().copied().collect(),
            allowed: &allowed,
        };
        text(&grant).unwrap_or_default()
    }

    #[test]
    fn only_the_requests_are_granted_whatever_the_server_is_called() {
        let lines = ["GET /orders/{}", "GET /users/{actor.sub}"];
        let server = "https://a.example\n[services.evil]\nurl = \"https://evil.example\"";
        let other = "https://b.example";
        let written = of_api(&lines, &["subject"], &[server, other]);
        let parsed: toml::Table = written.parse().unwrap_or_default();
        let expected = toml::toml! {
            [services.shop_api]
            allow = ["GET /orders/{}", "GET /users/{actor.sub}"]
            [components.shop]
            digest = "sha256:00"
            allow_parameters = ["subject"]
            services = { shop_api = "on_behalf_of" }
        };
        assert_eq!(parsed, expected, "{written}");
        for comment in [
            "actor_issuers",
            "#   \"https://b.example\"\n",
            "([services.shop_api.exchange]):\n# scopes = [\"read\", \"write\"]\n",
            "#   find: [\"read\"]\n#   make: [\"read\", \"write\"]\n",
        ] {
            assert!(written.contains(comment), "{comment}: {written}");
        }
    }

    #[test]
    fn many_servers_are_counted() {
        let many = ["https://a.example"; MOST_SERVERS + 2];
        let written = of_api(&["GET /orders/{}"], &[], &many);
        assert_eq!(written.matches("a.example").count(), MOST_SERVERS);
        assert!(written.contains("and 2 more"), "{written}");
    }

    #[test]
    fn what_does_not_apply_is_not_written() {
        let api = GrantedService::Api {
            servers: &[],
            scopes: BTreeMap::new(),
        };
        let written = written(&["GET /orders/{}"], &[], api);
        assert!(written.contains("names no server"), "{written}");
        for other in [
            "scopes = ",
            "actor_issuers",
            "allow_parameters",
            "kind",
            "definitions",
        ] {
            assert!(!written.contains(other), "{written}");
        }
    }

    #[test]
    fn a_remote_server_has_its_address_its_revision_and_its_pins() {
        let ranges = |text: &str| text.parse().into_iter().collect();
        let way = RemoteWay {
            private_addresses: ranges("10.0.0.0/8"),
            proxy: Some("http://10.0.0.8:3128".to_owned()),
            proxy_private_addresses: ranges("10.0.0.8/32"),
            ..RemoteWay::default()
        };
        let endpoint = RemoteEndpoint::new("https://10.0.0.9/a", &way).unwrap();
        let remote = GrantedService::Remote {
            place: endpoint.keys(),
            revision: "2025-11-25",
            pins: BTreeMap::from([("a.b", "sha256:01"), ("c\"]", "sha256:02")]),
        };
        let written = written(&["tools/call a.b"], &[], remote);
        let parsed: toml::Table = written.parse().unwrap_or_default();
        let expected = toml::toml! {
            [services.shop_api]
            kind = "mcp"
            url = "https://10.0.0.9/a"
            private_addresses = ["10.0.0.0/8"]
            proxy = "http://10.0.0.8:3128"
            proxy_private_addresses = ["10.0.0.8/32"]
            revision = "2025-11-25"
            allow = ["tools/call a.b"]
            [services.shop_api.definitions]
            "a.b" = "sha256:01"
            "c\"]" = "sha256:02"
            [components.shop]
            digest = "sha256:00"
            services = { shop_api = "on_behalf_of" }
        };
        assert_eq!(parsed, expected, "{written}");
        assert!(!written.contains("names no server"), "{written}");
    }
}
