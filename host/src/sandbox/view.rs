//! The client of a call, as its component sees it.

use serde_json::Value;

/// The client of a call, as far as its component may know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientView {
    /// The revision of MCP.
    pub revision: String,
    /// The capabilities that it declared: MCP's `ClientCapabilities`, or null.
    pub capabilities: Value,
}

impl ClientView {
    /// Returns true if it declared the capability with this path. `elicitation: {}` means forms.
    pub fn declares(&self, path: &str) -> bool {
        let elicitation = self.capabilities.get("elicitation");
        let modes = elicitation.and_then(Value::as_object);
        match (path, modes) {
            ("elicitation.form", Some(modes)) if !modes.contains_key("url") => true,
            _ => is_in(&self.capabilities, path),
        }
    }
}

/// Returns true if a value has a member at this path. Names of members may have dots, too.
fn is_in(value: &Value, path: &str) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    members.iter().any(|(name, inner)| {
        let rest = path.strip_prefix(name.as_str());
        match rest {
            Some("") => !matches!(inner, Value::Null | Value::Bool(false)),
            Some(rest) => rest
                .strip_prefix('.')
                .is_some_and(|rest| is_in(inner, rest)),
            None => false,
        }
    })
}

/// The severity of a message (RFC 5424 §6.2.1), the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A detail.
    Debug,
    /// An event.
    Info,
    /// An event worth a look.
    Notice,
    /// Something unusual.
    Warning,
    /// A failure.
    Error,
    /// A failure of a part.
    Critical,
    /// Someone must act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// Returns the spelling of MCP (`LoggingLevel`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }

    /// Reads the spelling of MCP.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_capability_is_declared_by_its_path() {
        let capabilities = json!({
            "elicitation": {"url": {}},
            "sampling": {},
            "roots": {"listChanged": false},
            "tasks": null,
            "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}},
        });
        let client = |capabilities| ClientView {
            revision: "2026-07-28".into(),
            capabilities,
        };
        for (path, declared) in [
            ("elicitation", true),
            ("elicitation.url", true),
            ("elicitation.form", false),
            ("sampling", true),
            ("sampling.tools", false),
            ("roots.listChanged", false),
            ("tasks", false),
            ("extensions.io.modelcontextprotocol/ui", true),
            ("extensions.io.modelcontextprotocol/ui.mimeTypes", true),
            ("extensions.io", false),
            ("", false),
            ("elicitation.", false),
        ] {
            assert_eq!(
                client(capabilities.clone()).declares(path),
                declared,
                "{path}"
            );
        }
        assert!(client(json!({"elicitation": {}})).declares("elicitation.form"));
        assert!(!client(Value::Null).declares("elicitation.form"));
    }

    #[test]
    fn a_severity_is_read_as_it_is_spelled_and_the_least_is_the_first() {
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
        }
        assert!(Severity::Debug < Severity::Emergency);
        assert_eq!(Severity::parse("Info"), None);
    }
}
