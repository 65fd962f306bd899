//! `Bearer` (RFC 6750 §2.1): possession of the token is enough.

use super::super::caller::Caller;
use super::super::presented::{Credentials, Presence, Presented, ProofError, Scheme};
use super::super::token::AccessToken;

/// The scheme of plain access tokens. It accepts no token that is bound to a key: the verifier
/// refuses those.
pub(super) struct Bearer;

impl Scheme for Bearer {
    fn read(&self, credentials: &Credentials<'_>) -> Presence {
        if !credentials.scheme.eq_ignore_ascii_case("bearer") {
            return Presence::NotPresented;
        }
        if AccessToken::is_too_large(credentials.text) {
            return Presence::TooLarge;
        }
        AccessToken::new(credentials.text).map_or(Presence::Malformed, |token| {
            Presence::Presented(token, None)
        })
    }

    fn prove(&self, _: &Presented, _: &Caller) -> Result<(), ProofError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
    use http::request::Parts;
    use http::{HeaderValue, Request};

    use crate::identity::Presented;
    use crate::reason::RefusalReason;

    fn head(target: &str, authorization: &[&[u8]]) -> Parts {
        let mut request = Request::new(());
        *request.uri_mut() = target.parse().unwrap_or_default();
        for value in authorization {
            let value = HeaderValue::from_bytes(value).unwrap_or(HeaderValue::from_static(""));
            request.headers_mut().append(AUTHORIZATION, value);
        }
        request.into_parts().0
    }

    fn taken(head: &mut Parts) -> Result<String, RefusalReason> {
        Presented::take(head).map(|presented| presented.token().expose().to_owned())
    }

    #[test]
    fn exactly_one_well_formed_bearer_header_is_accepted() {
        type Case<'c> = (&'c [&'c [u8]], Result<&'c str, RefusalReason>);
        let cases: &[Case<'_>] = &[
            (&[], Err(RefusalReason::TokenMissing)),
            (&[b"Bearer abc.def-ghi"], Ok("abc.def-ghi")),
            (&[b"bearer abc"], Ok("abc")),
            (&[b"BEARER abc=="], Ok("abc==")),
            (
                &[b"Bearer abc", b"Bearer abc"],
                Err(RefusalReason::TokenMalformed),
            ),
            (
                &[b"Bearer abc", b"Basic abc"],
                Err(RefusalReason::TokenMalformed),
            ),
            (&[b"Bearer  abc"], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer\tabc"], Err(RefusalReason::TokenMalformed)),
            (
                &[b"Bearer abc, Bearer def"],
                Err(RefusalReason::TokenMalformed),
            ),
            (&[b"Bearer "], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer"], Err(RefusalReason::TokenMalformed)),
            (&[b"Basic abc"], Err(RefusalReason::TokenMalformed)),
            (&[b"Bearer a\xffb"], Err(RefusalReason::TokenMalformed)),
        ];
        for (values, expected) in cases {
            let mut head = head("/mcp", values);
            assert_eq!(taken(&mut head), expected.map(str::to_owned), "{values:?}");
            assert!(
                !head.headers.contains_key(AUTHORIZATION),
                "nothing is left behind"
            );
        }
    }

    #[test]
    fn a_token_over_the_limit_is_refused_before_it_is_looked_at() {
        let longest = format!("Bearer {}", "a".repeat(16 * 1024));
        assert!(taken(&mut head("/mcp", &[longest.as_bytes()])).is_ok());
        let long = format!("{longest}a");
        assert_eq!(
            taken(&mut head("/mcp", &[long.as_bytes()])),
            Err(RefusalReason::TokenTooLarge)
        );
    }

    #[test]
    fn every_other_credential_is_taken_out_and_means_nothing() {
        let mut head = head("/mcp", &[b"Bearer abc"]);
        for name in [COOKIE, PROXY_AUTHORIZATION] {
            head.headers
                .insert(name, HeaderValue::from_static("secret"));
        }
        head.headers.append("dpop", HeaderValue::from_static("a"));
        head.headers.append("dpop", HeaderValue::from_static("b"));
        assert_eq!(taken(&mut head), Ok("abc".to_owned()));
        assert!(head.headers.is_empty(), "{:?}", head.headers);
    }

    #[test]
    fn a_token_in_the_query_is_refused_even_beside_a_good_one() {
        for (target, expected) in [
            ("/mcp?access_token=abc", Err(RefusalReason::TokenMalformed)),
            (
                "/mcp?a=b&access%5Ftoken=",
                Err(RefusalReason::TokenMalformed),
            ),
            ("/mcp?token=abc", Ok("abc".to_owned())),
        ] {
            assert_eq!(
                taken(&mut head(target, &[b"Bearer abc"])),
                expected,
                "{target}"
            );
            let without = taken(&mut head(target, &[]));
            let missing = expected.and(Err(RefusalReason::TokenMissing));
            assert_eq!(without, missing, "{target}");
        }
    }
}
