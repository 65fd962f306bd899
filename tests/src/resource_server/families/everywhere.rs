//! What holds for every answer of the run.

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::suite::{Presented, Seen, Suite};

pub(super) fn run(suite: &mut Suite<'_>) {
    for (case, about, holds) in RULES {
        let mut about = suite.seen.iter().filter(|seen| about(seen)).peekable();
        let outcome = match about.peek() {
            None => Outcome::NotTried("no answer was of this kind".to_owned()),
            Some(_) => match about.find(|seen| !holds(seen)) {
                None => Outcome::Passed,
                Some(seen) => {
                    Outcome::Failed(format!("came {} at `{}`", seen.answer.told(), seen.case))
                }
            },
        };
        suite.note(case, outcome);
    }
}

/// A rule: its case, the answers that it is about, and what holds for them.
type Rule = (Case, fn(&Seen) -> bool, fn(&Seen) -> bool);

const RULES: [Rule; 9] = [
    (
        Case::must(
            "no token is a fault of the server",
            "RFC 9110 §15.6; RFC 6750 §3.1",
        ),
        |_| true,
        |seen| !seen.answer.status.is_server_error(),
    ),
    (
        Case::must(
            "no answer repeats a token",
            "RFC 6750 §5.3; MCP Authorization, Token Theft",
        ),
        |_| true,
        |seen| !seen.echoed,
    ),
    (
        Case::must(
            "each 401 has a Bearer challenge",
            "RFC 6750 §3; RFC 9110 §11.6.1",
        ),
        is_401,
        |seen| seen.answer.challenge().is_some(),
    ),
    (
        Case::should(
            "each 401 says where the metadata are",
            "RFC 9728 §5.1; MCP Authorization, Protected Resource Metadata Discovery Requirements",
        ),
        is_401,
        |seen| !seen.answer.parameter("resource_metadata").is_empty(),
    ),
    (
        Case::should("a 401 for no token has no error code", "RFC 6750 §3.1"),
        |seen| is_401(seen) && seen.presented == Presented::Nothing,
        |seen| seen.answer.parameter("error").is_empty(),
    ),
    (
        Case::should(
            "a 401 for a refused token says invalid_token",
            "RFC 6750 §3.1",
        ),
        |seen| is_401(seen) && seen.presented == Presented::Token,
        |seen| seen.answer.parameter("error") == "invalid_token",
    ),
    (
        Case::must(
            "descriptions of errors have only characters that are allowed",
            "RFC 6750 §3",
        ),
        |seen| seen.answer.challenge().is_some(),
        |seen| {
            let text = seen.answer.parameter("error_description");
            let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            text.bytes().all(allowed)
        },
    ),
    (
        Case::should("each 401 has a body and its type", "RFC 9110 §8.3, §15.5"),
        is_401,
        |seen| !seen.answer.body.is_empty() && !seen.answer.header("content-type").is_empty(),
    ),
    (
        Case::should(
            "no refusal may be kept by a cache",
            "RFC 9111 §3, §4.2; RFC 6750 §5.3",
        ),
        |seen| [401, 403].contains(&seen.answer.status.as_u16()),
        |seen| {
            let control = seen.answer.header("cache-control").to_ascii_lowercase();
            let kept = ["public", "max-age=", "s-maxage="].iter();
            let mut kept = kept.filter(|word| control.contains(**word));
            control.contains("no-store") || control.contains("max-age=0") || kept.next().is_none()
        },
    ),
];

fn is_401(seen: &Seen) -> bool {
    seen.answer.status.as_u16() == 401
}
