//! `[server]`: what clients and their users read of this server, and what they may ask for.

use url::{Host, Url};

use super::reader::Section;
use crate::characters::check_prose;
use crate::dispatch::Visibility;
use crate::transport::Presentation;

/// Reads what the operator says of this server.
pub(super) fn presentation(section: &Section<'_>) -> Presentation {
    Presentation {
        name: prose(section, "name", 64),
        title: prose(section, "title", 200),
        instructions: prose(section, "instructions", 8 * 1024),
        icons: icons(section),
        documentation: page(section, "documentation"),
        policy: page(section, "policy"),
        terms: page(section, "terms"),
    }
}

/// Reads `list`: which tools are shown to callers who lack scopes for them. Such a caller can get
/// the scopes that are shown to anyone.
pub(super) fn visibility(section: &Section<'_>, scopes: &[String]) -> Visibility {
    match section.text("list").as_deref() {
        None | Some("permitted") => {}
        Some("obtainable") if scopes.is_empty() => section.wrong(
            "list",
            "\"obtainable\" needs scopes_supported or initial_scopes: the scopes that callers can get",
        ),
        Some("obtainable") => return Visibility::obtainable(scopes.iter().cloned()),
        Some(_) => section.wrong("list", "expected \"permitted\" or \"obtainable\""),
    }
    Visibility::default()
}

/// Reads a list of scopes (RFC 6749 §3.3).
pub(super) fn scopes(section: &Section<'_>, key: &str) -> Vec<String> {
    let scopes = section.texts(key).unwrap_or_default();
    for (scope, at) in &scopes {
        if !is_scope(scope) {
            let key = section.name(key);
            section.problem(
                *at,
                format!("{key}: {scope:?} is not one scope, such as orders:read"),
            );
        }
    }
    scopes.into_iter().map(|(scope, _)| scope).collect()
}

/// Returns true if `text` is one scope-token (RFC 6749 §3.3).
pub(super) fn is_scope(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

fn prose(section: &Section<'_>, key: &str, most: usize) -> Option<String> {
    let text = section.text(key)?;
    if text.trim().is_empty() {
        section.wrong(key, "it is empty; remove it");
    } else if text.len() > most {
        section.wrong(key, &format!("it is longer than {most} bytes"));
    } else if let Err(unfit) = check_prose(&text) {
        section.wrong(key, &unfit.to_string());
    }
    Some(text)
}

fn page(section: &Section<'_>, key: &str) -> Option<String> {
    let page = section.text(key)?;
    if !is_shown(&page) {
        section.wrong(key, "expected an https URL");
    }
    Some(page)
}

fn icons(section: &Section<'_>) -> Vec<String> {
    let icons = section.texts("icons").unwrap_or_default();
    for (icon, at) in &icons {
        if !(is_shown(icon) || icon.starts_with("data:image/")) {
            let key = section.name("icons");
            section.problem(
                *at,
                format!("{key}: expected https URLs, or data: URLs of images"),
            );
        }
    }
    icons.into_iter().map(|(icon, _)| icon).collect()
}

/// Returns true for a URL that a browser may open: https, or http on loopback.
fn is_shown(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none();
    is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}
