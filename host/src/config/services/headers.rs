//! `headers`: what a service gets with every request.

use http::HeaderName;

use crate::config::reader::Section;
use crate::delegation::ConstantHeaders;

/// Reads the constant headers of a service. None of them is one of `others`, which carry the
/// credential and the key of a change.
pub(super) fn headers(section: &Section<'_>, others: [Option<&HeaderName>; 2]) -> ConstantHeaders {
    let mut headers = ConstantHeaders::default();
    let Some(table) = section.section("headers") else {
        return headers;
    };
    for name in table.keys() {
        let Some(value) = table.text(&name) else {
            continue;
        };
        if let Err(error) = headers.add(&name, &value) {
            table.wrong(&name, &error.to_string());
        }
    }
    for other in others.into_iter().flatten() {
        if headers.has(other) {
            let why = format!("{other} carries the credential (auth) or a key (idempotency)");
            section.wrong("headers", &why);
        }
    }
    headers
}
