//! The lines of the configuration that grant what was imported, written by a serializer.
//!
//! Invariant: nothing of the description is written as a key or a value but the lines of `allow`,
//! which are parsed as templates before; its server is a comment, for the operator to look at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::characters::printable;

/// The sections.
#[derive(Serialize)]
struct GrantSections<'s> {
    services: BTreeMap<&'s str, ServiceSection<'s>>,
    components: BTreeMap<&'s str, ComponentSection<'s>>,
}

#[derive(Serialize)]
struct ServiceSection<'s> {
    allow: &'s BTreeSet<&'s str>,
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
    /// The component.
    pub(super) name: &'s str,
    pub(super) digest: &'s str,
    pub(super) lines: &'s BTreeSet<&'s str>,
    /// Parameters that are called as an identity or a credential, and are something else.
    pub(super) allowed: &'s [String],
    /// The server in the description.
    pub(super) server: Option<&'s str>,
}

/// Returns the lines of the configuration.
pub(super) fn text(granted: &ImportedGrant<'_>) -> Result<String, toml::ser::Error> {
    let ImportedGrant {
        service,
        name,
        digest,
        lines,
        allowed,
        server,
    } = *granted;
    let section = ComponentSection {
        digest,
        allow_parameters: allowed,
        services: BTreeMap::from([(service, MODE)]),
    };
    let sections = GrantSections {
        services: BTreeMap::from([(service, ServiceSection { allow: lines })]),
        components: BTreeMap::from([(name, section)]),
    };
    let written = toml::to_string_pretty(&sections)?;
    let server = match server {
        Some(server) => format!("The description names the server {}", one_line(server)),
        None => "The description names no server".to_owned(),
    };
    let actor = if lines.iter().any(|line| line.contains("{actor.")) {
        "# - [services] actor_issuers: the issuers whose subjects the service knows\n"
    } else {
        ""
    };
    Ok(format!(
        "# What the imported tools ask for, and nothing else. To decide before it goes into the \
         configuration:\n\
         # - [services] url, and how the host proves itself there ([services.{service}.auth] or \
         .exchange)\n\
         {actor}\
         # - [components] services: \"on_behalf_of\", \"restricted_user\" or \"service_identity\"\n\
         # - [components] scopes: what a caller's token must have\n\
         # {server}\n\n\
         {written}"
    ))
}

/// Returns a text that stays within its comment.
fn one_line(text: &str) -> String {
    format!("{:?}", printable(text))
}

/// What an operator would choose first; a service without an exchange refuses it.
const MODE: &str = "on_behalf_of";

#[cfg(test)]
mod tests {
    use super::{ImportedGrant, text};

    fn written(lines: &[&str], allowed: &[&str], server: Option<&str>) -> String {
        let allowed: Vec<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let granted = ImportedGrant {
            service: "shop_api",
            name: "shop",
            digest: "sha256:00",
            lines: &lines.iter().copied().collect(),
            allowed: &allowed,
            server,
        };
        text(&granted).unwrap_or_default()
    }

    #[test]
    fn only_the_requests_are_granted_whatever_the_server_is_called() {
        let lines = ["GET /orders/{}", "GET /users/{actor.sub}"];
        let server = "https://a.example\n[services.evil]\nurl = \"https://evil.example\"";
        let written = written(&lines, &["subject"], Some(server));
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
        assert!(written.contains("actor_issuers"), "{written}");
    }

    #[test]
    fn what_does_not_apply_is_not_written() {
        let written = written(&["GET /orders/{}"], &[], None);
        assert!(written.contains("names no server"), "{written}");
        for other in ["actor_issuers", "allow_parameters"] {
            assert!(!written.contains(other), "{written}");
        }
    }
}
