//! Where an issuer is asked about its tokens (RFC 7662), and about which.

use super::{addresses, dialled};
use crate::config::reader::Section;
use crate::config::{IntrospectionSettings, Issuer};
use crate::tokens::ClientSettings;

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
    let client = section.section("introspection").map(|table| client(&table));
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

fn client(table: &Section<'_>) -> Option<ClientSettings> {
    let addresses = addresses(table);
    let _text = table.required("endpoint");
    let endpoint = dialled(table, "endpoint", &addresses);
    let client_id = table.required("client_id");
    let client_secret = table.secret("client_secret_file");
    Some(ClientSettings {
        token_endpoint: endpoint?,
        addresses,
        client_id: client_id?,
        client_secret: client_secret?,
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
