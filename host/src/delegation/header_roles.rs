//! The one list of headers that mean something to the host: what each is for. The rules for the
//! header of a credential or of a key, for constant headers and for headers of answers follow.
//!
//! Invariant: what only the host may send has one entry here, so no rule forgets it.

/// What a header is for, of those that have a meaning of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderRole {
    /// It belongs to the connection (RFC 9110 §7.6.1), or is the host's transaction token: no one
    /// else sees or sets it.
    Internal,
    /// It carries a credential or a challenge.
    Credential,
    /// It routes or frames a request, or says for whom it is made: the host alone sets it.
    Host,
    /// It is about the content, the time or the conditions of one request.
    Request,
    /// It carries the key by which a service recognizes a request that comes again.
    Key,
    /// It says what kind of answer is wanted.
    Wish,
}

impl HeaderRole {
    /// Returns the role of the header of this name, which is in lower case.
    pub fn of(name: &str) -> Option<Self> {
        let listed = KNOWN.iter().find(|(_, names)| names.contains(&name));
        let begins = || HOSTS_PREFIXES.iter().any(|begin| name.starts_with(begin));
        let role = listed.map(|(role, _)| *role);
        role.or_else(|| begins().then_some(Self::Host))
    }

    /// Returns true if a credential may stand in the header of this name: in one for credentials,
    /// or in one without a meaning of its own.
    pub fn may_carry_credential(name: &str) -> bool {
        matches!(Self::of(name), None | Some(Self::Credential))
    }

    /// Returns true if the key of a change may stand in the header of this name.
    pub fn may_carry_key(name: &str) -> bool {
        matches!(Self::of(name), None | Some(Self::Key))
    }

    /// Returns true if no tool may see the header of this name in an answer.
    pub(super) fn is_hidden(name: &str) -> bool {
        matches!(Self::of(name), Some(Self::Internal | Self::Credential))
    }

    /// Returns the headers with this role.
    #[cfg(test)]
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let own = KNOWN.iter().filter(move |(role, _)| *role == self);
        own.flat_map(|(_, names)| names.iter().copied())
    }
}

/// With one constant key, all changes would be the same change; with another method, the journal
/// would record the wrong one.
const KNOWN: [(HeaderRole, &[&str]); 6] = [
    (
        HeaderRole::Internal,
        &[
            "alt-svc",
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "txn-token",
            "upgrade",
        ],
    ),
    (
        HeaderRole::Credential,
        &[
            "authentication-info",
            "authorization",
            "cookie",
            "dpop",
            "dpop-nonce",
            "refresh-token",
            "set-cookie",
            "set-cookie2",
            "www-authenticate",
            "x-amz-security-token",
            "x-api-key",
            "x-auth-token",
            "x-subject-token",
            "x-vault-token",
        ],
    ),
    (
        HeaderRole::Host,
        &[
            "accept-encoding",
            "content-length",
            "expect",
            "forwarded",
            "host",
            "http2-settings",
            "max-forwards",
            "traceparent",
            "tracestate",
            "user-agent",
            "via",
            "x-agent-id",
            "x-delegation-mode",
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
            "x-original-url",
            "x-real-ip",
            "x-rewrite-url",
            "x-trace-id",
        ],
    ),
    (
        HeaderRole::Request,
        &[
            "content-digest",
            "content-encoding",
            "content-language",
            "content-location",
            "content-md5",
            "content-range",
            "content-type",
            "date",
            "digest",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "range",
            "repr-digest",
            "signature",
            "signature-input",
        ],
    ),
    (HeaderRole::Key, &["idempotency-key"]),
    (HeaderRole::Wish, &["accept", "accept-language", "prefer"]),
];

/// How names begin that say who asks, and from where.
const HOSTS_PREFIXES: &[&str] = &["proxy-", "x-actor-", "x-forwarded-"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::request::may_set_header;

    #[test]
    fn each_header_has_one_role_and_each_rule_follows_from_it() {
        use HeaderRole::{Credential, Host, Internal, Key, Request, Wish};
        let mut seen = Vec::new();
        for (role, credential, key, is_hidden) in [
            (Some(Internal), false, false, true),
            (Some(Credential), true, false, true),
            (Some(Host), false, false, false),
            (Some(Request), false, false, false),
            (Some(Key), false, true, false),
            (Some(Wish), false, false, false),
            (None, true, true, false),
        ] {
            let prefixed = ["proxy-status", "x-actor-sub", "x-forwarded-for"];
            let mut names: Vec<&str> = role.into_iter().flat_map(HeaderRole::names).collect();
            names.extend(prefixed.into_iter().filter(|_| role == Some(Host)));
            names.extend(
                ["x-key", "notion-version"]
                    .into_iter()
                    .filter(|_| role.is_none()),
            );
            assert!(!names.is_empty(), "{role:?}");
            for name in names {
                assert!(!seen.contains(&name), "{name} has two roles");
                assert_eq!(name, name.to_ascii_lowercase());
                assert_eq!(HeaderRole::of(name), role, "{name}");
                let may = (
                    HeaderRole::may_carry_credential(name),
                    HeaderRole::may_carry_key(name),
                    HeaderRole::is_hidden(name),
                );
                assert_eq!(may, (credential, key, is_hidden), "{name}");
                seen.push(name);
            }
        }
    }

    #[test]
    fn a_tool_sets_no_header_that_carries_a_credential_or_is_the_hosts() {
        use HeaderRole::{Credential, Host, Internal, Key, Request, Wish};
        for role in [Internal, Credential, Host] {
            for name in role.names() {
                assert!(!may_set_header(name), "{name}");
            }
        }
        for role in [Request, Key, Wish] {
            assert!(role.names().any(may_set_header), "{role:?}");
        }
    }
}
