//! The documents that an OAuth client reads before it has a token (RFC 9728).

use serde_json::{Value, json};
use url::Url;

/// The protected resource: its canonical URI, and the paths and URLs that follow from it.
#[derive(Debug, Clone)]
pub struct Resource {
    uri: String,
    path: String,
    metadata_path: String,
    metadata_url: String,
    host: String,
}

impl Resource {
    /// Reads a canonical URI. Returns `None` if it is not an absolute URL with a host.
    pub fn new(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        let host = url.host_str()?.to_owned();
        let path = url.path().trim_end_matches('/').to_owned();
        let metadata_path = format!("{WELL_KNOWN}{path}");
        let metadata_url = format!("{}{metadata_path}", url.origin().ascii_serialization());
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

    /// Returns the metadata of RFC 9728 §2. Leaves `scopes_supported` out if there are no `scopes`.
    pub(super) fn metadata(&self, issuers: &[String], scopes: &[String]) -> Value {
        let mut metadata = json!({
            "resource": self.uri,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
            "resource_name": "Bailiwick",
        });
        if let (Some(members), false) = (metadata.as_object_mut(), scopes.is_empty()) {
            members.insert("scopes_supported".to_owned(), json!(scopes));
        }
        metadata
    }
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
