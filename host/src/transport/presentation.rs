//! What the operator says of this server to clients and their users.

use rmcp::model::{Icon, Implementation, ServerConfig};
use serde_json::{Map, Value};

/// The description of this server. Clients show it to people, and models read the instructions.
#[derive(Debug, Clone, Default)]
pub struct Presentation {
    /// The name for programs, `bailiwick` if absent.
    pub name: Option<String>,
    /// The name for people, also on consent screens (`resource_name` of RFC 9728 §2).
    pub title: Option<String>,
    /// What a model should know before it uses the tools.
    pub instructions: Option<String>,
    /// The URLs of icons.
    pub icons: Vec<String>,
    /// The URL of a page for developers.
    pub documentation: Option<String>,
    /// The URL of the policy on the use of data.
    pub policy: Option<String>,
    /// The URL of the terms of service.
    pub terms: Option<String>,
}

impl Presentation {
    /// Describes this server to MCP clients.
    pub(super) fn describe(&self, config: &mut ServerConfig) {
        let name = self.name.as_deref().unwrap_or("bailiwick");
        let mut server = Implementation::new(name, env!("CARGO_PKG_VERSION"));
        server.title.clone_from(&self.title);
        server.website_url.clone_from(&self.documentation);
        let icons: Vec<_> = self.icons.iter().map(Icon::new).collect();
        server.icons = (!icons.is_empty()).then_some(icons);
        config.server_info = server;
        config.instructions.clone_from(&self.instructions);
    }

    /// Describes this server in the metadata of the protected resource (RFC 9728 §2).
    pub(super) fn add_to(&self, metadata: &mut Map<String, Value>) {
        let name = self.title.as_ref().or(self.name.as_ref());
        let name = name.map_or("Bailiwick", String::as_str);
        metadata.insert("resource_name".into(), name.into());
        for (member, url) in [
            ("resource_documentation", &self.documentation),
            ("resource_policy_uri", &self.policy),
            ("resource_tos_uri", &self.terms),
        ] {
            metadata.extend(url.iter().map(|url| (member.into(), url.as_str().into())));
        }
    }
}
