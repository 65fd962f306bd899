//! Where an issuer is asked about its tokens (RFC 7662), and about which.

use crate::config::client::client;
use crate::config::reader::Section;
use crate::config::{IntrospectionSettings, Issuer};

/// Reads `opaque`, `check` and `introspection` of one issuer.
pub(super) fn introspection(section: &Section<'_>) -> Option<IntrospectionSettings> {
    let opaque = section.flag("opaque").unwrap_or(false);
    let check = match section.text("check").as_deref() {
        Some("introspect") => true,
        Some(_) => {
            section.wrong("check", "expected \"introspect\", or leave it out");
            false
        }
        None => false,
    };
    let issuer = section.text("issuer");
    let client = section
        .section("introspection")
        .map(|table| client(&table, "endpoint", issuer.as_deref()));
    match (&client, opaque || check) {
        (None, true) => {
            let key = if opaque { "opaque" } else { "check" };
            section.wrong(
                key,
                "it needs introspection = { endpoint = \"...\", client_id = \"...\", \
                 client_secret_file = \"...\" }",
            );
        }
        (Some(_), false) => section.wrong(
            "introspection",
            "nothing would use it; set opaque = true, check = \"introspect\", or both",
        ),
        _ => {}
    }
    Some(IntrospectionSettings {
        client: client??,
        opaque,
        check,
    })
}

/// Checks that a token that is no JWT can be of one issuer only: it names none itself.
pub(super) fn check_opaque(section: &Section<'_>, earlier: &[Issuer], issuer: &Issuer) {
    let is_opaque = |issuer: &Issuer| {
        let settings = issuer.introspection.as_ref();
        settings.is_some_and(|settings| settings.opaque)
    };
    if is_opaque(issuer) && earlier.iter().any(is_opaque) {
        section.wrong(
            "opaque",
            "another issuer has it; an opaque token names no issuer, so it can be of one only",
        );
    }
}
