//! The documents that an OAuth client reads before it has a token (RFC 9728).

use serde_json::{Map, Value, json};
use url::Url;

use super::presentation::Presentation;

/// The protected resource: its canonical URI, and the paths and URLs that follow from it.
#[derive(Debug, Clone)]
pub struct Resource {
    uri: String,
    path: String,
    metadata_path: String,
    metadata_url: String,
    jwks_url: String,
    host: String,
}

impl Resource {
    /// Reads a canonical URI. Returns `None` if it is not an absolute URL with a host.
    pub fn new(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        let host = url.host_str()?.to_owned();
        let path = url.path().trim_end_matches('/').to_owned();
        let metadata_path = format!("{WELL_KNOWN}{path}");
        let origin = url.origin().ascii_serialization();
        let metadata_url = format!("{origin}{metadata_path}");
        let jwks_url = format!("{origin}{JWKS}");
        let path = if path.is_empty() {
            "/".to_owned()
        } else {
            path
        };
        Some(Self {
            uri: uri.to_owned(),
            path,
            metadata_path,
            metadata_url,
            jwks_url,
            host,
        })
    }

    /// Returns the canonical URI, which is the audience of its tokens (RFC 8707 §2).
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the path of the MCP endpoint.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the host in the canonical URI.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the URL of its metadata, for a `WWW-Authenticate` challenge.
    pub(super) fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// Returns true if `path` is one of the two well-known paths (RFC 9728 §3.1, and the root
    /// form).
    pub(super) fn is_metadata(&self, path: &str) -> bool {
        path == self.metadata_path || path == WELL_KNOWN
    }

    /// Returns true if `path` is that of the keys with which this host signs.
    pub(super) fn is_jwks(path: &str) -> bool {
        path == JWKS
    }

    /// Returns the metadata of RFC 9728 §2. Leaves `scopes_supported` out if there are no `scopes`.
    pub(super) fn metadata(
        &self,
        issuers: &[String],
        scopes: &[String],
        presentation: &Presentation,
    ) -> Value {
        let mut metadata = Map::new();
        metadata.insert("resource".into(), json!(self.uri));
        metadata.insert("authorization_servers".into(), json!(issuers));
        metadata.insert("bearer_methods_supported".into(), json!(["header"]));
        metadata.insert("jwks_uri".into(), json!(self.jwks_url));
        if !scopes.is_empty() {
            metadata.insert("scopes_supported".into(), json!(scopes));
        }
        presentation.add_to(&mut metadata);
        Value::Object(metadata)
    }
}

const JWKS: &str = "/.well-known/jwks.json";
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn paths_and_urls_follow_from_the_canonical_uri() {
        for (uri, path, metadata) in [
            ("https://a.example/mcp", "/mcp", "/mcp"),
            ("https://a.example/one/mcp/", "/one/mcp", "/one/mcp"),
            ("https://a.example", "/", ""),
            ("http://127.0.0.1:8080/mcp", "/mcp", "/mcp"),
        ] {
            let resource = Resource::new(uri).unwrap();
            assert_eq!((resource.uri(), resource.path()), (uri, path));
            let url = resource.metadata_url();
            assert!(url.ends_with(&format!("{WELL_KNOWN}{metadata}")), "{url}");
            assert!(
                resource.is_metadata(&format!("{WELL_KNOWN}{metadata}")),
                "{uri}"
            );
            assert!(resource.is_metadata(WELL_KNOWN), "{uri}");
            assert!(
                !resource.is_metadata(&format!("{WELL_KNOWN}{metadata}/x")),
                "{uri}"
            );
        }
        assert_eq!(
            Resource::new("http://[::1]:8080/mcp")
                .unwrap()
                .metadata_url(),
            "http://[::1]:8080/.well-known/oauth-protected-resource/mcp"
        );
        for wrong in ["", "/mcp", "urn:example:mcp"] {
            assert!(Resource::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn scopes_are_shown_only_if_there_are_some() {
        let resource = Resource::new("https://a.example/mcp").unwrap();
        let issuers = ["https://idp.example".to_owned()];
        let metadata = resource.metadata(&issuers, &[], &Presentation::default());
        assert_eq!(metadata.get("authorization_servers"), Some(&json!(issuers)));
        assert_eq!(metadata.get("scopes_supported"), None);
        assert_eq!(metadata.get("resource_name"), Some(&json!("Bailiwick")));
        assert_eq!(metadata.get("resource_policy_uri"), None);
        let presentation = Presentation {
            title: Some("Orders".into()),
            policy: Some("https://a.example/policy".into()),
            ..Presentation::default()
        };
        let metadata = resource.metadata(&issuers, &["a".to_owned()], &presentation);
        assert_eq!(metadata.get("scopes_supported"), Some(&json!(["a"])));
        for (member, value) in [
            ("resource_name", "Orders"),
            ("resource_policy_uri", "https://a.example/policy"),
            ("jwks_uri", "https://a.example/.well-known/jwks.json"),
        ] {
            assert_eq!(metadata.get(member), Some(&json!(value)));
        }
    }
}
