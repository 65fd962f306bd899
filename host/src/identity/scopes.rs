//! Scopes as an issuer spells them.
//!
//! The configuration and the tools name a scope without any issuer, such as `read`. Some issuers
//! know it only by a longer name: Entra ID wants to be asked for `api://orders/read`, and Cognito
//! also writes `orders/read` into tokens. Invariant: a decision compares the short names.

use std::sync::Arc;

/// What an issuer wants before each scope of this resource (`issuers.scope_prefix`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopePrefix(Arc<str>);

impl ScopePrefix {
    /// Takes the text that stands before each scope.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns true if a scope is written with this prefix.
    pub fn begins(&self, scope: &str) -> bool {
        !self.0.is_empty() && scope.starts_with(&*self.0)
    }

    /// Returns the scopes as a client asks the issuer for them.
    pub fn spell(&self, scopes: &[String]) -> Vec<String> {
        let spelled = |scope: &String| {
            if is_standard(scope) {
                scope.clone()
            } else {
                format!("{}{scope}", self.0)
            }
        };
        scopes.iter().map(spelled).collect()
    }

    /// Returns the scopes of a token by their short names, sorted. An issuer may leave its prefix
    /// out of tokens.
    pub(super) fn shorten(&self, stated: Vec<String>) -> Vec<String> {
        if self.0.is_empty() {
            return stated;
        }
        let short = |scope: String| match scope.strip_prefix(&*self.0) {
            Some(short) if !short.is_empty() && !is_standard(short) => short.to_owned(),
            _ => scope,
        };
        let mut scopes: Vec<String> = stated.into_iter().map(short).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

/// The scopes that clients learn of before they have a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownScopes {
    /// Those to ask for first (`scope` of a 401, RFC 6750 §3).
    pub initial: Vec<String>,
    /// Those of the metadata (`scopes_supported`, RFC 9728 §2).
    pub supported: Vec<String>,
}

impl ShownScopes {
    /// Spells the scopes as clients ask these issuers for them. A client takes the first issuer
    /// unless it knows better, so those to ask for first are spelled for that one.
    #[must_use]
    pub fn spelled(&self, issuers: &[ScopePrefix]) -> Self {
        let usual = ScopePrefix::default();
        let mut supported: Vec<String> = Vec::new();
        for scope in issuers.iter().flat_map(|one| one.spell(&self.supported)) {
            if !supported.contains(&scope) {
                supported.push(scope);
            }
        }
        Self {
            initial: issuers.first().unwrap_or(&usual).spell(&self.initial),
            supported,
        }
    }
}

/// Returns true for the scopes that `OpenID` Connect defines (Core 1.0 §5.4, §11). They belong to
/// no resource, so they have no prefix.
fn is_standard(scope: &str) -> bool {
    [
        "openid",
        "profile",
        "email",
        "address",
        "phone",
        "offline_access",
    ]
    .contains(&scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn an_issuer_is_asked_with_its_prefix_and_its_tokens_are_read_without() {
        let (none, prefix) = (ScopePrefix::default(), ScopePrefix::new("api://mcp/"));
        let scopes = texts(&["openid", "read", "offline_access"]);
        assert_eq!(none.spell(&scopes), scopes);
        let spelled = texts(&["openid", "api://mcp/read", "offline_access"]);
        assert_eq!(prefix.spell(&scopes), spelled);
        for (stated, short) in [
            (&["api://mcp/read"][..], &["read"][..]),
            (&["read"], &["read"]),
            (&["api://mcp/read", "read"], &["read"]),
            (&["api://mcp/b", "a"], &["a", "b"]),
            // Another resource's scope, the prefix alone, and what no issuer means by `openid`.
            (&["api://other/read"], &["api://other/read"]),
            (&["API://mcp/read"], &["API://mcp/read"]),
            (&["x-api://mcp/read"], &["x-api://mcp/read"]),
            (&["api://mcp/"], &["api://mcp/"]),
            (&["api://mcp/openid"], &["api://mcp/openid"]),
            (&["api://mcp/api://mcp/read"], &["api://mcp/read"]),
        ] {
            assert_eq!(prefix.shorten(texts(stated)), texts(short), "{stated:?}");
            assert_eq!(none.shorten(texts(stated)), texts(stated));
        }
    }

    #[test]
    fn clients_learn_each_issuers_spelling_and_begin_with_the_first_ones() {
        let shown = ShownScopes {
            initial: texts(&["openid", "read"]),
            supported: texts(&["openid", "read", "write"]),
        };
        let (plain, entra) = (ScopePrefix::default(), ScopePrefix::new("api://mcp/"));
        assert_eq!(shown.spelled(std::slice::from_ref(&plain)), shown);
        let both = shown.spelled(&[entra.clone(), plain]);
        assert_eq!(both.initial, texts(&["openid", "api://mcp/read"]));
        let supported = [
            "openid",
            "api://mcp/read",
            "api://mcp/write",
            "read",
            "write",
        ];
        assert_eq!(both.supported, texts(&supported));
        let twice = shown.spelled(&[entra.clone(), entra]);
        assert_eq!(twice.supported, texts(&supported[..3]));
    }
}
