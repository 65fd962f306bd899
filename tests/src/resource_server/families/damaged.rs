//! The good token, damaged: other bits, other lengths, other alphabets.

use anyhow::Result;

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::mint::Minted;
use crate::resource_server::suite::{Expect, Suite};
use crate::resource_server::token::Jwt;

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    match suite.good_jwt().await? {
        Some(jwt) => {
            for (part, case) in FLIPPED.into_iter().enumerate() {
                refused(suite, case, &jwt.flipped(part), Expect::Malformed).await?;
            }
            let shortened = shortened(&jwt);
            refused(suite, SHORTENED, &shortened, Expect::Malformed).await?;
            refused(suite, PARTS, &other_parts(&jwt), Expect::Malformed).await?;
            swapped(suite).await?;
        }
        None => {
            for case in FLIPPED.into_iter().chain([SHORTENED, PARTS, SWAPPED]) {
                suite.note(
                    case,
                    Outcome::NotTried("the good token is no JWT".to_owned()),
                );
            }
        }
    }
    let good = suite.good().await?;
    let changed = characters(&good);
    refused(suite, CHARACTERS, &changed, Expect::Malformed).await?;
    let padded = ["=", "==", "==="].map(|padding| format!("{good}{padding}"));
    refused(suite, PADDED, &padded, Expect::Malformed).await?;
    refused(suite, SPACED, &spaced(&good), Expect::Malformed).await?;
    let long = [
        "x".repeat(16_000),
        format!("{good}{}", "A".repeat(64_000)),
        format!("{}{good}", "A.".repeat(32_000)),
    ];
    refused(suite, LONG, &long, Expect::TooLong).await
}

async fn refused(
    suite: &mut Suite<'_>,
    case: Case,
    tokens: &[String],
    expect: Expect,
) -> Result<()> {
    let asks = tokens.iter().map(|token| suite.probe.ask().bearer(token));
    let asks = asks.collect::<Result<_>>()?;
    suite.refuses(case, asks, expect).await
}

/// Returns copies from which something is missing at an end of a part.
fn shortened(jwt: &Jwt) -> Vec<String> {
    let mut copies = Vec::new();
    for (part, text) in jwt.parts().into_iter().enumerate() {
        for length in [0, 1, text.len() / 2, text.len().saturating_sub(4)] {
            copies.push(jwt.with(part, text.get(..length).unwrap_or_default()));
        }
    }
    copies
}

/// Returns copies with other numbers of parts, and in other forms of JOSE.
fn other_parts(jwt: &Jwt) -> Vec<String> {
    let [header, claims, signature] = jwt.parts();
    vec![
        header.to_owned(),
        format!("{header}.{claims}"),
        format!("{header}..{signature}"),
        format!(".{header}.{claims}.{signature}"),
        format!("{header}.{claims}.{signature}."),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}.{signature}"),
        format!(r#"{{"payload":"{claims}","protected":"{header}","signature":"{signature}"}}"#),
    ]
}

/// Tries the claims of one good token under the signature of another.
async fn swapped(suite: &mut Suite<'_>) -> Result<()> {
    let order = suite.order().claim("jti", "another-token");
    let other = match suite.mint(&order).await? {
        Minted::Unable(why) => {
            suite.note(SWAPPED, Outcome::NotTried(why));
            return Ok(());
        }
        Minted::Token(token) => Jwt::read(&token),
    };
    let mut tokens = Vec::new();
    if let (Some(other), Some(good)) = (other, suite.good_jwt().await?) {
        let [_, claims, signature] = other.parts();
        tokens = vec![good.with(1, claims), good.with(2, signature)];
    }
    refused(suite, SWAPPED, &tokens, Expect::Malformed).await
}

/// Returns copies with one other character: in place, one more, one less.
fn characters(good: &str) -> Vec<String> {
    let mut copies = Vec::new();
    for place in [
        1,
        good.len() / 3,
        good.len() / 2,
        good.len().saturating_sub(3),
    ] {
        let (before, rest) = good.split_at(place);
        let mut after = rest.chars();
        let old = after.next().unwrap_or_default();
        let new = if old == 'Q' { 'R' } else { 'Q' };
        let after = after.as_str();
        copies.push(format!("{before}{new}{after}"));
        copies.push(format!("{before}{old}{new}{after}"));
        copies.push(format!("{before}{after}"));
    }
    copies.push(good.replacen('.', "%2E", 1));
    copies.push(format!("\"{good}\""));
    copies.push(format!("Bearer{good}"));
    copies.retain(|copy| copy != good);
    copies
}

/// Returns copies with white space within.
fn spaced(good: &str) -> Vec<String> {
    let middle = good.len() / 2;
    let (first, second) = good.split_at(middle);
    vec![
        format!("{first} {second}"),
        format!("{first}\t{second}"),
        format!("{good} {good}"),
        format!("Bearer {good}"),
        format!("{good} x"),
    ]
}

const FLIPPED: [Case; 3] = [
    Case::must("a bit flipped in the header is refused", "RFC 7515 §5.2"),
    Case::must("a bit flipped in the claims is refused", "RFC 7515 §5.2"),
    Case::must("a bit flipped in the signature is refused", "RFC 7515 §5.2"),
];
const SHORTENED: Case = Case::must(
    "a token from which something is missing is refused",
    "RFC 7515 §5.2; RFC 6750 §3.1",
);
const PARTS: Case = Case::must(
    "a token with more or fewer parts, or as JSON, is refused",
    "RFC 7515 §7.1; RFC 7519 §7.2",
);
const SWAPPED: Case = Case::must(
    "claims under the signature of another token are refused",
    "RFC 7515 §5.2",
);
const CHARACTERS: Case = Case::must(
    "a token with another character, one more or one less is refused",
    "RFC 7515 §5.2; RFC 6750 §2.1",
);
const PADDED: Case = Case::should(
    "a token with padding is refused",
    "RFC 7515 §2: base64url without padding",
);
const SPACED: Case = Case::must(
    "white space within a token is refused",
    "RFC 6750 §2.1 (b64token); RFC 7515 §2",
);
const LONG: Case = Case::must(
    "a very long token is refused and not a fault of the server",
    "RFC 9110 §15.5.14; RFC 6585 §5",
);
