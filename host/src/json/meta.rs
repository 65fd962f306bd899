//! The `_meta` that leaves the host on behalf of a component: of a definition, a result or a block.
//!
//! Invariant: a component speaks neither for the host nor for MCP. Every `_meta` of a component
//! goes through [`MetaRule::outgoing`].

use std::sync::Arc;

use serde_json::{Map, Value};

/// The members of `_meta` that the operator lets a component send. By default all that are not
/// reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetaRule(Option<Arc<[String]>>);

impl MetaRule {
    /// Lets only these members pass: names such as `ui`, and prefixes with `*`, such as `openai/*`.
    pub fn only(names: Vec<String>) -> Self {
        Self(Some(names.into()))
    }

    /// Returns what may leave of `members`.
    pub fn outgoing(&self, mut members: Map<String, Value>) -> Map<String, Value> {
        members.retain(|name, _| !is_reserved(name) && self.admits(name));
        members
    }

    fn admits(&self, name: &str) -> bool {
        let fits = |rule: &String| match rule.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == rule,
        };
        self.0.as_ref().is_none_or(|rules| rules.iter().any(fits))
    }
}

/// Returns true if a member belongs to the host or to MCP, or costs a client more than itself.
///
/// MCP reserves prefixes whose second label is `mcp` or `modelcontextprotocol`, such as
/// `com.mcp.tools/`. Here any label of that name counts, in any case. Without a prefix, a few names
/// mean something to MCP. TypeScript clients of 2025 take no object for metadata that has a member
/// `constructor`: it would cost them the result, or all tools.
pub fn is_reserved(name: &str) -> bool {
    let Some((prefix, _)) = name.split_once('/') else {
        return OWN_NAMES.contains(&name) || UNREADABLE.contains(&name);
    };
    let prefix = prefix.to_ascii_lowercase();
    let mut labels = prefix.split('.').map(str::trim);
    labels.any(|label| matches!(label, "mcp" | "modelcontextprotocol" | "bailiwick"))
}

/// Names that MCP gives a meaning: the token of progress, and the trace (SEP-414).
const OWN_NAMES: &[&str] = &["progressToken", "traceparent", "tracestate", "baggage"];
/// Names that a part of the clients cannot read.
const UNREADABLE: &[&str] = &["constructor", "__proto__"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(rule: &MetaRule, names: &[&str]) -> Vec<String> {
        let member = |name: &&str| ((*name).to_owned(), json!(1));
        rule.outgoing(names.iter().map(member).collect())
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn no_component_speaks_for_the_host_or_for_mcp() {
        for name in [
            "io.modelcontextprotocol/related-task",
            "IO.ModelContextProtocol/x",
            "modelcontextprotocol.io/x",
            "com.mcp.tools/x",
            "mcp/www_authenticate",
            "mcp.dev/x",
            "io.bailiwick/reason",
            "io.bailiwick/scopes",
            "progressToken",
            "traceparent",
            "constructor",
            "__proto__",
        ] {
            assert!(left(&MetaRule::default(), &[name]).is_empty(), "{name}");
            let all = MetaRule::only(vec!["*".into(), name.into()]);
            assert!(left(&all, &[name]).is_empty(), "{name}");
        }
        let others = [
            "com.example/mcp",
            "mine",
            "mymcp/x",
            "openai/output",
            "toString",
            "ui",
        ];
        assert_eq!(left(&MetaRule::default(), &others), others);
    }

    #[test]
    fn the_operators_list_decides_about_all_others() {
        let rule = MetaRule::only(vec!["openai/*".into(), "ui".into()]);
        let names = ["openai/output", "openai", "ui", "ui/x", "mine"];
        assert_eq!(left(&rule, &names), ["openai/output", "ui"]);
        assert!(left(&MetaRule::only(Vec::new()), &names).is_empty());
    }
}
