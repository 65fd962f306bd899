//! The `typ` header of access tokens (RFC 9068 §4, RFC 8725 §3.11).

use std::fmt;

use super::error::TokenError;

/// The `typ` header that an issuer's access tokens carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeRule {
    /// Exactly this type, with or without the `application/` prefix, in any case.
    Exactly(String),
    /// One of these types, compared so. `none` stands for a token without `typ`.
    Among(Vec<String>),
    /// Any type that issuers give their access tokens: `at+jwt`, `JWT` or none.
    Any,
}

impl TypeRule {
    /// Returns true if a token of this type is never an access token, whatever the operator writes.
    pub fn is_of_others(typ: &str) -> bool {
        OF_OTHERS.contains(&plain(typ).as_str())
    }

    pub(super) fn check(&self, typ: Option<&str>) -> Result<(), TokenError> {
        let typ = typ.map(plain);
        let is = |expected: &str| match &typ {
            Some(typ) => expected != NONE && *typ == plain(expected),
            None => expected == NONE,
        };
        let accepted = match self {
            Self::Exactly(expected) => is(expected),
            Self::Among(expected) => expected.iter().any(|expected| is(expected)),
            Self::Any => [NONE, "jwt", "at+jwt"].into_iter().any(is),
        };
        if accepted {
            Ok(())
        } else {
            Err(TokenError::Type)
        }
    }
}

impl fmt::Display for TypeRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(typ) => formatter.write_str(typ),
            Self::Among(types) => formatter.write_str(&types.join(" or ")),
            Self::Any => formatter.write_str("at+jwt or JWT or none"),
        }
    }
}

/// Returns a type without its prefix, in lower case (RFC 7515 §4.1.9).
fn plain(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
}

/// The word for a token without `typ`.
const NONE: &str = "none";

/// Types of JWTs that are for other purposes (IANA, Media Types). An assertion such as an ID-JAG is
/// for an authorization server, which issues an access token for it.
const OF_OTHERS: &[&str] = &[
    "oauth-id-jag+jwt",
    "id+jwt",
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
    "client-authentication+jwt",
    "oauth-authz-req+jwt",
    "entity-statement+jwt",
    "txntoken+jwt",
    "wit+jwt",
    "wpt+jwt",
    "kb+jwt",
    "dc+sd-jwt",
    "vc+jwt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_of_those_that_the_operator_names() {
        let among = |types: &[&str]| TypeRule::Among(types.iter().map(|&typ| typ.into()).collect());
        let exactly = |typ: &str| TypeRule::Exactly(typ.into());
        for (rule, typ, accepted) in [
            (exactly("at+jwt"), Some("at+jwt"), true),
            (exactly("at+jwt"), Some("application/AT+JWT"), true),
            (exactly("application/at+jwt"), Some("at+jwt"), true),
            (exactly("at+jwt"), Some("jwt"), false),
            (exactly("at+jwt"), None, false),
            (exactly("none"), None, true),
            (exactly("none"), Some("none"), false),
            (among(&["at+jwt", "JWT"]), Some("jwt"), true),
            (among(&["at+jwt", "JWT"]), Some("at+jwt"), true),
            (among(&["at+jwt", "JWT"]), None, false),
            (among(&["JWT", "none"]), None, true),
            (among(&[]), None, false),
            (TypeRule::Any, None, true),
            (TypeRule::Any, Some("JWT"), true),
            (TypeRule::Any, Some("application/at+jwt"), true),
            (TypeRule::Any, Some("none"), false),
            (TypeRule::Any, Some("oauth-id-jag+jwt"), false),
            (TypeRule::Any, Some("dpop+jwt"), false),
            (TypeRule::Any, Some(""), false),
        ] {
            assert_eq!(rule.check(typ).is_ok(), accepted, "{rule:?} {typ:?}");
        }
    }
}
