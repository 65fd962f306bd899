//! Tokens that the issuer signed, with claims that are wrong, missing or of another type.

use serde_json::json;

use super::tokens::{Needs, Row};
use crate::resource_server::case::Case;

/// Claims that are wrong or missing.
pub(super) const CASES: &[Row] = &[
    Row::refused(
        Case::must(
            "an expired token is refused",
            "RFC 9068 §4; MCP Authorization, Token Handling",
        ),
        |order, _| order.expires_in(-600),
    ),
    Row::refused(
        Case::must("a token that has no expiry is refused", "RFC 9068 §2.2"),
        |order, _| order.without("exp"),
    ),
    Row::refused(
        Case::must(
            "a token that is not valid yet is refused",
            "RFC 7519 §4.1.5",
        ),
        |order, _| order.claim("nbf", FAR_FUTURE),
    ),
    Row::refused(
        Case::should(
            "a token that was issued in the future is refused",
            "RFC 8725 §3.10; RFC 7519 §4.1.6",
        ),
        |order, _| order.claim("iat", FAR_FUTURE),
    ),
    Row::refused(
        Case::must(
            "a token for another server is refused",
            "RFC 9068 §4; RFC 8707 §2; MCP Authorization, Token Audience Binding and Validation",
        ),
        |order, _| order.claim("aud", "https://other.example/mcp"),
    ),
    Row::refused(
        Case::must("a token for several others is refused", "RFC 7519 §4.1.3"),
        |order, _| {
            order.claim(
                "aud",
                json!(["https://other.example/mcp", "https://third.example"]),
            )
        },
    ),
    Row::refused(
        Case::must(
            "a token without an audience is refused",
            "RFC 9068 §2.2, §4",
        ),
        |order, _| order.without("aud"),
    ),
    Row::refused(
        Case::must(
            "a token for an empty list of audiences is refused",
            "RFC 7519 §4.1.3",
        ),
        |order, _| order.claim("aud", json!([])),
    ),
    Row::refused(
        Case::must(
            "a token whose audience begins like ours is refused",
            "RFC 8707 §2; RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", format!("{}2", facts.audience)),
    ),
    Row::refused(
        Case::must(
            "a token for a path below ours is refused",
            "RFC 8707 §2; RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", format!("{}/other", facts.audience)),
    ),
    Row::refused(
        Case::must(
            "a token whose audience ours begins with is refused",
            "RFC 8707 §2; RFC 7519 §4.1.3",
        ),
        |order, facts| {
            let mut shorter = facts.audience.trim_end_matches('/').to_owned();
            shorter.pop();
            order.claim("aud", shorter)
        },
    ),
    Row::refused(
        Case::should(
            "a token for the whole host is refused",
            "RFC 8707 §2: the most specific URI",
        ),
        |order, facts| order.claim("aud", facts.origin.clone()),
    ),
    Row::refused(
        Case::must(
            "a token whose audience differs in case is refused",
            "RFC 7519 §2 (StringOrURI)",
        ),
        |order, facts| {
            let path = facts
                .audience
                .strip_prefix(&facts.origin)
                .unwrap_or_default();
            order.claim("aud", format!("{}{}", facts.origin, path.to_uppercase()))
        },
    ),
    Row::refused(
        Case::must(
            "a token that names us as the user of another host is refused",
            "RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", format!("{}@other.example/mcp", facts.origin)),
    ),
    Row::refused(
        Case::must("a token for its issuer is refused", "RFC 9068 §4"),
        |order, facts| order.claim("aud", format!("{}/", facts.issuer.trim_end_matches('/'))),
    ),
    Row::refused(
        Case::must(
            "a token of an unknown issuer is refused",
            "RFC 9068 §4; RFC 8725 §3.8",
        ),
        |order, _| order.claim("iss", "https://other.example"),
    ),
    Row::refused(
        Case::must("a token without an issuer is refused", "RFC 9068 §2.2, §4"),
        |order, _| order.without("iss"),
    ),
    Row::refused(
        Case::must(
            "an issuer that only begins like ours is refused",
            "RFC 9068 §4: exactly",
        ),
        |order, facts| order.claim("iss", format!("{}.other.example", facts.issuer)),
    ),
    Row::refused(
        Case::should("a token about no one is refused", "RFC 9068 §2.2"),
        |order, _| order.without("sub"),
    ),
    Row::refused(
        Case::should(
            "a token about an empty name is refused",
            "RFC 9068 §2.2; RFC 8725 §3.8",
        ),
        |order, _| order.claim("sub", ""),
    ),
    Row::refused(
        Case::should("a token of no client is refused", "RFC 9068 §2.2"),
        |order, _| order.without("client_id"),
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::should(
            "a token that is bound to a key is refused without a proof",
            "RFC 9449 §7.1; RFC 7800 §3.1",
        ),
        |order, _| {
            order.claim(
                "cnf",
                json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
            )
        },
    ),
    Row::refused(
        Case::must("an ID token is refused", "RFC 9068 §4, §5; RFC 8725 §3.12"),
        |order, _| {
            let order = order
                .header("typ", "JWT")
                .without("scope")
                .without("client_id");
            order
                .claim("nonce", "n-0S6_WzA2Mj")
                .claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")
        },
    )
    .of(Needs::AtJwt),
    Row::refused(
        Case::should(
            "an ID token that is told by its claims alone is refused",
            "RFC 8725 §3.12; OpenID Connect Core §2, §3.1.3.6",
        ),
        |order, _| {
            order
                .claim("nonce", "n-0S6_WzA2Mj")
                .claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")
        },
    )
    .of(Needs::PlainJwt),
];

/// Claims of other types, claims that come twice, and claims that change nothing.
pub(super) const SHAPES: &[Row] = &[
    Row::refused(
        Case::must(
            "an expiry as text is refused",
            "RFC 7519 §4.1.4 (NumericDate)",
        ),
        |order, _| order.claim("exp", "9999999999"),
    ),
    Row::refused(
        Case::must("an expiry of zero is refused", "RFC 7519 §4.1.4"),
        |order, _| order.claim("exp", 0),
    ),
    Row::refused(
        Case::must("an expiry before 1970 is refused", "RFC 7519 §4.1.4"),
        |order, _| order.claim("exp", -1),
    ),
    Row::refused(
        Case::must("an expiry that is an object is refused", "RFC 7519 §4.1.4"),
        |order, _| order.claim("exp", json!({"at": FAR_FUTURE})),
    ),
    Row::refused(
        Case::must("an expiry that is true is refused", "RFC 7519 §4.1.4"),
        |order, _| order.claim("exp", true),
    ),
    Row::refused(
        Case::must(
            "a start of validity as text is refused",
            "RFC 7519 §4.1.5 (NumericDate)",
        ),
        |order, _| order.claim("nbf", "9999999999"),
    ),
    Row::refused(
        Case::must("an audience that is a number is refused", "RFC 7519 §4.1.3"),
        |order, _| order.claim("aud", 7),
    ),
    Row::refused(
        Case::must(
            "an audience that is an object with ours is refused",
            "RFC 7519 §4.1.3",
        ),
        |order, facts| {
            let audience = facts.audience.clone();
            order.claim("aud", json!({ audience: true }))
        },
    ),
    Row::refused(
        Case::must("an audience that is true is refused", "RFC 7519 §4.1.3"),
        |order, _| order.claim("aud", true),
    ),
    Row::refused(
        Case::should(
            "a list of audiences with more than texts is refused",
            "RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", json!([facts.audience, 7])),
    ),
    Row::refused(
        Case::must("a list of issuers with ours is refused", "RFC 7519 §4.1.1"),
        |order, facts| order.claim("iss", json!(["https://other.example", facts.issuer])),
    ),
    Row::refused(
        Case::must("an issuer that is a number is refused", "RFC 7519 §4.1.1"),
        |order, _| order.claim("iss", 7),
    ),
    Row::refused(
        Case::should("a subject that is a number is refused", "RFC 7519 §4.1.2"),
        |order, _| order.claim("sub", 7),
    ),
    Row::refused(
        Case::must(
            "of two audiences the last, which is another's, decides, or both are refused",
            "RFC 7519 §4",
        ),
        |order, _| order.repeat("aud", "https://other.example/mcp"),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::must(
            "of two expiries the last, which is over, decides, or both are refused",
            "RFC 7519 §4",
        ),
        |order, _| order.repeat("exp", 1_000_000_000),
    )
    .of(Needs::Jwt),
    Row::refused(
        Case::should(
            "a subject that comes twice is refused",
            "RFC 7519 §4; RFC 8259 §4",
        ),
        |order, _| order.repeat("sub", "mallory"),
    )
    .of(Needs::Jwt),
    Row::accepted(
        Case::must(
            "a list with our audience alone is accepted",
            "RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", json!([facts.audience])),
    ),
    Row::accepted(
        Case::should(
            "a list with our audience among others is accepted",
            "RFC 7519 §4.1.3",
        ),
        |order, facts| order.claim("aud", json!(["https://other.example/mcp", facts.audience])),
    ),
    Row::accepted(
        Case::must("a claim that no one knows changes nothing", "RFC 7519 §4"),
        |order, _| order.claim("https://other.example/claim", json!({"a": [1, null]})),
    ),
    Row::accepted(
        Case::must(
            "a start of validity in the past changes nothing",
            "RFC 7519 §4.1.5",
        ),
        |order, _| order.claim("nbf", 1_000_000_000),
    ),
];

/// A time after the year 2200, in seconds since 1970.
const FAR_FUTURE: u64 = 9_999_999_999;
