//! Searches records, requests and answers for stories.

use std::fmt::Debug;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bailiwick_dev::http::Request;
use bailiwick_dev::{journal, jws};
use serde_json::{Map, Value};

/// Checks equality, with both values in the error.
///
/// # Errors
/// Fails if they differ.
#[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
pub fn ensure_eq<A: PartialEq<B> + Debug, B: Debug>(
    seen: A,
    expected: B,
    what: &str,
) -> anyhow::Result<()> {
    ensure!(seen == expected, "{what}: {seen:?} instead of {expected:?}");
    Ok(())
}

/// Returns the number of records of an event.
pub fn count(records: &[Value], event: &str) -> usize {
    journal::events(records, event).len()
}

/// Returns the reasons of an event's records, in order.
pub fn reasons(records: &[Value], event: &str) -> Vec<String> {
    journal::events(records, event)
        .into_iter()
        .map(|record| journal::text(record, "reason").to_owned())
        .collect()
}

/// Returns the one `call.refused` that came after `before` records.
///
/// # Errors
/// Fails if there is none, or more than one, or a `call.opened` beside it.
pub fn one_refusal(records: &[Value], before: usize) -> anyhow::Result<&Value> {
    let new = records.get(before..).unwrap_or_default();
    ensure!(
        count(new, "call.opened") == 0,
        "refused and opened: {new:#?}"
    );
    let refusals = journal::events(new, "call.refused");
    ensure!(refusals.len() == 1, "{} refusals: {new:#?}", refusals.len());
    refusals.first().copied().context("no refusal")
}

/// Returns a header of a request; empty if absent.
pub fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    bailiwick_dev::orders::header(&request.headers, name)
}

/// Returns the claims of a JWT in a header, without a check.
pub fn claims_of(request: &Request, name: &str) -> Map<String, Value> {
    let value = header(request, name);
    let token = value.strip_prefix("Bearer ").unwrap_or(value);
    jws::unverified_claims(token).unwrap_or_default()
}

/// Returns true if a text is anywhere in a request.
pub fn anything_contains(request: &Request, text: &str) -> bool {
    let mut values = request.headers.values();
    values.any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
        || request.path.contains(text)
        || request.query.contains(text)
        || String::from_utf8_lossy(&request.body).contains(text)
}

/// Returns the exit code of a suite: 0 if nothing was wrong, 1 if something was, 2 if it could not
/// check, which it says on standard error.
pub fn exit_of(suite: &str, checked: anyhow::Result<bool>) -> ExitCode {
    match checked {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _closed = writeln!(io::stderr(), "{suite}: {error:#}");
            ExitCode::from(2)
        }
    }
}
