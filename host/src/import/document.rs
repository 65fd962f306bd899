//! The API description as a JSON value, from JSON or YAML: read with bounds, its version known.
//!
//! Trusts nothing in it. Invariant: a value that is handed on is bounded in size, depth and number,
//! and every object has each member once.

use serde_json::Value;

use super::ImportError;
use super::references::ApiReferences;
use super::yaml;
use crate::{build, json};

/// An API description: OpenAPI 3.0 or 3.1.
#[derive(Debug)]
pub struct ApiDocument {
    root: Value,
    digest: String,
}

impl ApiDocument {
    /// Reads a description.
    ///
    /// # Errors
    /// It is not a description in a version that can be imported, or not acceptable as JSON.
    pub fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        if bytes.len() > MAX_BYTES {
            return Err(ImportError::TooLarge);
        }
        let root = if bytes.trim_ascii_start().starts_with(b"{") {
            json::parse_up_to(bytes, MAX_DEPTH, MAX_VALUES)?
        } else {
            yaml::parse(bytes, MAX_DEPTH, MAX_VALUES)?
        };
        if root.get("swagger").is_some() {
            return Err(ImportError::Swagger);
        }
        let version = root.get("openapi").ok_or(ImportError::NoVersion)?;
        let is_known = |text: &str| VERSIONS.iter().any(|known| text.starts_with(known));
        if !version.as_str().is_some_and(is_known) {
            return Err(ImportError::Version(version.to_string()));
        }
        let digest = build::digest(bytes);
        Ok(Self { root, digest })
    }

    /// Returns the digest of the file, as the configuration names digests.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the addresses of the servers, as they are written.
    pub(super) fn servers(&self) -> impl Iterator<Item = &str> {
        let servers = self.root.get("servers").and_then(Value::as_array);
        let servers = servers.into_iter().flatten();
        servers.filter_map(|server| server.get("url").and_then(Value::as_str))
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    pub(super) fn references(&self) -> ApiReferences<'_> {
        ApiReferences::new(&self.root)
    }
}

/// What a version begins with.
const VERSIONS: [&str; 2] = ["3.0.", "3.1."];
/// Five times the largest description that is known.
const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 96;
const MAX_VALUES: usize = 4_000_000;

#[cfg(test)]
mod tests {
    use super::{ApiDocument, ImportError};

    #[test]
    fn only_descriptions_in_known_versions_are_read() {
        for version in ["3.0.0", "3.0.3", "3.1.0", "3.1.1"] {
            let text = format!(r#"{{"openapi":"{version}","paths":{{}}}}"#);
            assert!(ApiDocument::read(text.as_bytes()).is_ok(), "{version}");
        }
        for (text, why) in [
            (r#"{"swagger":"2.0"}"#, "swagger2openapi"),
            (r#"{"openapi":"2.0.0"}"#, "3.0 or 3.1"),
            (r#"{"openapi":"3.2.0"}"#, "3.0 or 3.1"),
            (r#"{"openapi":3.0}"#, "3.0 or 3.1"),
            ("[]", "it has no `openapi`"),
            ("export PATH=/bin", "it has no `openapi`"),
            ("openapi: 2.0.0", "3.0 or 3.1"),
            ("openapi: 3.10", "expected a text"),
            ("swagger: '2.0'", "swagger2openapi"),
        ] {
            let error = ApiDocument::read(text.as_bytes()).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_hostile_text_is_refused_before_it_costs_much() {
        let deep = "{\"a\":".repeat(100_000);
        let twice = r#"{"openapi":"3.0.0","paths":{"/a":{},"/a":{}}}"#;
        for text in [&deep, twice, "{", "{'openapi':'3.0.0'}"] {
            let refused = ApiDocument::read(text.as_bytes());
            assert!(matches!(refused, Err(ImportError::Json(_))), "{text:.40}");
        }
        let deep = "[".repeat(100_000);
        let twice = "openapi: 3.0.0\nopenapi: 3.0.0";
        for text in [&deep, twice, "", "openapi: *version"] {
            let refused = ApiDocument::read(text.as_bytes());
            assert!(matches!(refused, Err(ImportError::Yaml(_))), "{text:.40}");
        }
    }

    #[test]
    fn yaml_and_json_give_the_same_document() {
        let yaml = "# A shop\nopenapi: 3.0.3\nservers:\n- url: https://a.example\npaths: {}\n";
        let json = r#"{"openapi":"3.0.3","servers":[{"url":"https://a.example"}],"paths":{}}"#;
        let [yaml, json] = [yaml, json].map(|text| ApiDocument::read(text.as_bytes()).ok());
        let [yaml, json] = [&yaml, &json].map(|read| read.as_ref().map(ApiDocument::root));
        assert!(yaml.is_some() && yaml == json);
    }
}
