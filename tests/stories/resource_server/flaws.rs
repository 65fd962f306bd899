//! A server with one flaw after another, and the cases that notice each.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use bailiwick_dev::Issuer;
use bailiwick_tests::ensure_eq;
use bailiwick_tests::resource_server::{Level, Report, Target, run};

use super::careless::{Careless, Flaw};

#[tokio::test]
async fn each_flaw_of_a_server_fails_the_cases_that_are_about_it() -> Result<()> {
    let (mut wrong, mut noticed) = (Vec::new(), BTreeSet::from(NEVER));
    let mut known = BTreeSet::new();
    for (flaw, must, should) in FLAWS {
        let report = report(*flaw).await?;
        let failed = report.failed(Level::Must);
        noticed.extend(failed.iter().copied());
        let demanded = report.findings.iter().map(|finding| finding.case);
        let demanded = demanded.filter(|case| case.level == Level::Must);
        known.extend(demanded.map(|case| case.name));
        let expected = match must {
            Must::These(names) => failed == *names,
            Must::Count(count) => failed.len() == *count,
        };
        let advised = report.failed(Level::Should);
        if !expected || !should.iter().all(|case| advised.contains(case)) {
            let count = failed.len();
            wrong.push(format!(
                "{flaw:?}: {count} {failed:#?}, SHOULD {advised:#?}"
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure_eq(noticed, known, "the cases that some flaw fails")
}

/// Returns the report on a server with a flaw.
async fn report(flaw: Flaw) -> Result<Report> {
    let issuer = Issuer::start().await?;
    let server = Careless::start(issuer.url(), &issuer.jwks(), flaw).await?;
    run(&Target {
        tool: Some("any".to_owned()),
        ..super::target(&server.url, issuer)
    })
    .await
}

/// The cases that must be passed and that a flaw fails.
enum Must {
    /// These and no others.
    These(&'static [&'static str]),
    /// Nearly all that are about tokens: this many.
    Count(usize),
}

/// Flaws, each with the cases that must be passed and that it fails, and with some that should be.
const FLAWS: &[(Flaw, Must, &[&str])] = &[
    (Flaw::None, Must::These(&[]), &[]),
    (
        Flaw::Expiry,
        Must::These(&[
            "an expired token is refused",
            "a token that has no expiry is refused",
            "an expiry as text is refused",
            "an expiry of zero is refused",
            "an expiry before 1970 is refused",
            "an expiry that is an object is refused",
            "an expiry that is true is refused",
            "of two expiries the last, which is over, decides, or both are refused",
            "an expired token after a good one on the same connection is a 401",
        ]),
        &[],
    ),
    (
        Flaw::Audience,
        Must::These(&[
            "a token whose audience begins like ours is refused",
            "a token for a path below ours is refused",
        ]),
        &[],
    ),
    (
        Flaw::Issuer,
        Must::These(&[
            "a token of an unknown issuer is refused",
            "a token without an issuer is refused",
            "an issuer that only begins like ours is refused",
            "a list of issuers with ours is refused",
            "an issuer that is a number is refused",
        ]),
        &[],
    ),
    (
        Flaw::Signature,
        Must::These(&[
            "a token without a signature is refused",
            "the algorithm none in capitals is refused",
            "the algorithm none in mixed case is refused",
        ]),
        &[],
    ),
    (
        Flaw::Key,
        Must::These(&["a key that the token brings along is not used"]),
        &[],
    ),
    (
        Flaw::Address,
        Must::These(&["no key is fetched from where a token says"]),
        &[],
    ),
    (
        Flaw::Type,
        Must::These(&[
            "an ID token is refused",
            "a token of the type JWT is refused where good ones are at+jwt",
            "a token without a type is refused where good ones are at+jwt",
            "a logout token is refused",
            "a security event is refused",
            "a proof of possession is refused",
            "a refresh token is refused",
        ]),
        &[],
    ),
    (
        Flaw::Critical,
        Must::These(&[
            "an unknown critical extension is refused",
            "a critical extension that the header does not have is refused",
        ]),
        &[],
    ),
    (
        Flaw::Query,
        Must::These(&["a token in the query is not accepted"]),
        &[],
    ),
    (
        Flaw::Scopes,
        Must::These(&["a call whose scopes the token lacks is not carried out"]),
        SCOPE_CHALLENGE,
    ),
    (Flaw::Said, Must::These(&[]), SCOPE_CHALLENGE),
    (
        Flaw::Challenge,
        Must::These(&["each 401 has a Bearer challenge"]),
        &[
            "the 401 says where the metadata are",
            "a 401 for a refused token says invalid_token",
        ],
    ),
    (
        Flaw::Malformed,
        Must::These(&[
            "a scheme without a token, and words such as null, are refused",
            "two tokens in one header are refused",
            "a token with more or fewer parts, or as JSON, is refused",
            "a token with another character, one more or one less is refused",
            "white space within a token is refused",
            "a very long token is refused and not a fault of the server",
            "no token is a fault of the server",
        ]),
        &["two Authorization headers are refused, whichever of them is good"],
    ),
    (
        Flaw::Secrecy,
        Must::These(&["no answer repeats a token"]),
        &[],
    ),
    (
        Flaw::Origin,
        Must::These(&[
            "no page of any origin gets answers with the credentials of a browser",
            "a request of an unknown page is a 403",
        ]),
        &["a page may ask before it sends a token"],
    ),
    (
        Flaw::Name,
        Must::These(&["the metadata's resource is the URL that clients use, to the letter"]),
        &[],
    ),
    (
        Flaw::Documents,
        Must::These(&[
            "the metadata name authorization servers by https, or by http on loopback",
            "the metadata offer no other way for a token than the header",
            "each authorization server that is named can be found and calls itself by that name",
        ]),
        &[
            "the metadata name the issuer of the good token",
            "the metadata do not ask for offline_access",
        ],
    ),
    (
        Flaw::Format,
        Must::These(&["the metadata are JSON that anyone may fetch"]),
        &[],
    ),
    (
        Flaw::Strict,
        Must::These(&[
            "the scheme may be written in lower case",
            "a list with our audience alone is accepted",
            "a claim that no one knows changes nothing",
            "a start of validity in the past changes nothing",
            "the type may be written with application/ before it",
            "a member of the header that no one knows changes nothing",
        ]),
        &["a list with our audience among others is accepted"],
    ),
    (
        Flaw::Manners,
        Must::These(&["descriptions of errors have only characters that are allowed"]),
        &[
            "each 401 has a body and its type",
            "no refusal may be kept by a cache",
        ],
    ),
    (Flaw::Claims, Must::Count(30), &[]),
    (
        Flaw::Session,
        Must::Count(72),
        &["a session is refused to another user's token"],
    ),
    (Flaw::Status, Must::Count(71), &[]),
    (Flaw::Tokens, Must::Count(76), &[]),
];

/// The cases about the answer to a token with too few scopes.
const SCOPE_CHALLENGE: &[&str] = &[
    "a token with too few scopes is a 403",
    "the 403 says insufficient_scope",
    "the 403 names the scopes that are needed",
    "the 403 says where the metadata are",
];

/// Cases about good tokens alone: a server that fails them cannot be checked to the end.
const NEVER: [&str; 2] = [
    "the same call with the scopes is accepted",
    "the good token is still accepted at the end",
];
