//! `[policy_point]`: the operator's own decision about each request to a service.

use std::time::Duration;

use super::Issuer;
use super::auth::auth;
use super::destination::{addresses, dialled};
use super::reader::Section;
use super::services::{concurrency, deadlines, peer};
use crate::delegation::{Auth, PolicyPointSettings, SubjectNaming, ToldFacts};
use crate::limits::Limits;

/// Reads the policy point, if there is one.
pub(super) fn policy_point(
    root: &Section<'_>,
    issuers: &[Issuer],
    limits: &Limits,
) -> Option<PolicyPointSettings> {
    let section = &root.section("policy_point")?;
    if !section.has(ENDPOINT) {
        let missing = format!("{} is missing", section.name(ENDPOINT));
        section.problem(section.start, missing);
    }
    let addresses = addresses(section);
    let endpoint = dialled(section, ENDPOINT, &addresses);
    let auth = auth(section, issuers);
    if let Some(Auth::Static(auth)) = &auth
        && !auth.is_one()
    {
        let why = "the host has one key for the policy point; leave out secrets_by";
        section.wrong("auth", why);
    }
    let settings = PolicyPointSettings {
        tls: peer(section, ENDPOINT),
        subject: subject(section, issuers),
        tells: tells(section),
        remember: Duration::from_secs(section.number("remember_seconds", 0..=60).unwrap_or(5)),
        deadlines: deadlines(section, limits.downstream_time),
        concurrency: concurrency(section),
        addresses,
        endpoint: endpoint?,
        auth: auth?,
    };
    Some(settings)
}

/// Reads what names a user or service account. Two issuers may both have a subject `alice`, so with
/// several the operator must say.
fn subject(section: &Section<'_>, issuers: &[Issuer]) -> SubjectNaming {
    match section.text("subject").as_deref() {
        Some("sub") => SubjectNaming::Subject,
        Some("alias:sub") => SubjectNaming::WithAlias,
        Some(_) => {
            section.wrong("subject", "expected \"sub\" or \"alias:sub\"");
            SubjectNaming::WithAlias
        }
        None => {
            if issuers.len() > 1 && !section.has("subject") {
                section.wrong(
                    "subject",
                    "there are several issuers: set \"alias:sub\", or \"sub\" if they never give \
                     one subject to two parties",
                );
            }
            SubjectNaming::Subject
        }
    }
}

/// Reads what the policy point is told of a request.
fn tells(section: &Section<'_>) -> ToldFacts {
    let Some(names) = section.texts("tells") else {
        return ToldFacts {
            query: true,
            body: true,
            arguments: true,
        };
    };
    for (name, at) in &names {
        if !TELLS.contains(&name.as_str()) {
            let told = format!(
                "{}: {name:?} is none of {}",
                section.name("tells"),
                TELLS.join(", ")
            );
            section.problem(*at, told);
        }
    }
    let tells = |name: &str| names.iter().any(|(one, _)| one == name);
    ToldFacts {
        query: tells("query"),
        body: tells("body"),
        arguments: tells("arguments"),
    }
}

const ENDPOINT: &str = "endpoint";
/// What a policy point can be told of a request.
const TELLS: [&str; 3] = ["query", "body", "arguments"];
